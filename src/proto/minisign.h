/* proto/minisign.h - signatures as minisign writes them: ed25519 over BLAKE2b-512.
 *
 * The formats are those of https://jedisct1.github.io/minisign/ ("Signature
 * format", "Public key format", "Secret key format"), so that keys and signatures
 * of that program and of ours are each other's. Only prehashed signatures ("ED")
 * are read and made: the older kind ("Ed") signs the bytes themselves, and a
 * verifier that takes both can be handed one as the other.
 *
 * A signature has two halves: one of the message, one of the first and the trusted
 * comment together. Both are verified; the untrusted comment is nobody's word.
 *
 * Pure functions, any thread; what they hold of a secret is wiped before they
 * return. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        MINISIGN_ID_SIZE = 8,
        MINISIGN_ID_TEXT_SIZE = 17,   /* 16 hexadecimal digits and a NUL */
        MINISIGN_COMMENT_MAX = 512,   /* bytes of either comment */
        MINISIGN_TEXT_MAX = 4096,     /* bytes of a signature or a key as text */
        MINISIGN_KEY_TEXT_SIZE = 57,  /* a public key in base64 and a NUL */
        MINISIGN_PASSWORD_MAX = 1024, /* bytes */
};

/* Whom to believe. */
struct minisign_key {
        uint8_t id[MINISIGN_ID_SIZE];
        uint8_t bytes[32]; /* ed25519, RFC 8032 */
};

/* With what to sign. The holder wipes it: minisign_secret_wipe(). */
struct minisign_secret {
        uint8_t id[MINISIGN_ID_SIZE];
        uint8_t bytes[64]; /* seed and public key, as libsodium keeps them */
};

/* A public key: the line in base64, alone or as minisign's key file with its
 * comment above. -EBADMSG with what is wrong. */
int minisign_key_parse(const char *text, size_t length, struct minisign_key *ret,
                       struct error *error);
/* The line in base64. */
void minisign_key_text(const struct minisign_key *key, char ret[MINISIGN_KEY_TEXT_SIZE]);
/* As minisign shows a key's id: "E1A2B3C4D5E6F708". */
void minisign_id_text(const uint8_t id[MINISIGN_ID_SIZE], char ret[MINISIGN_ID_TEXT_SIZE]);

/* Did one of `keys` sign `message`? 0: yes, and the trusted comment is in `comment`
 * (may be NULL). -EBADMSG: not such a signature; -ENOKEY: of a key that is not among
 * them; -EKEYREJECTED: the key is known, and this is not its signature of this
 * message. */
int minisign_verify(const char *signature, size_t signature_length, const void *message,
                    size_t message_length, const struct minisign_key keys[], size_t count,
                    char comment[MINISIGN_COMMENT_MAX + 1], struct error *error);

/* Appends the four lines of a signature. Comments are one line of UTF-8 each.
 * -EINVAL: they are not; -EMSGSIZE, -ENOMEM. */
int minisign_sign(const struct minisign_secret *secret, const void *message, size_t length,
                  const char *untrusted_comment, const char *trusted_comment, struct buffer *out);

/* A new pair. -EIO: no randomness. */
int minisign_secret_make(struct minisign_secret *secret, struct minisign_key *key);
/* The public half of a secret. */
void minisign_secret_key(const struct minisign_secret *secret, struct minisign_key *ret);
void minisign_secret_wipe(struct minisign_secret *secret);

/* Is this key file locked by a password? -EBADMSG: not a secret key. */
int minisign_secret_is_locked(const char *text, size_t length, bool *ret, struct error *error);
/* `password` NULL: for one that is not locked. Takes a second and up to 1 GiB where
 * there is one (scrypt, RFC 7914, with the costs that the file states; more than
 * that is refused). -EBADMSG: not a secret key; -EACCES: another password, or none
 * was given; -ENOMEM. */
int minisign_secret_parse(const char *text, size_t length, const char *password,
                          struct minisign_secret *ret, struct error *error);
/* Appends the two lines of a key file, locked unless `password` is NULL: scrypt with
 * 256 MiB, which a 512 MB board can pay. -EIO, -EMSGSIZE, -ENOMEM. */
int minisign_secret_write(const struct minisign_secret *secret, const char *password,
                          struct buffer *out);
