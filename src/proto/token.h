/* proto/token.h - access tokens, and what is stored of them.
 *
 * Machines get tokens of 256 random bits: "pf_", 64 hexadecimal digits, and 8
 * more as a checksum, so that a scanner for leaked secrets recognises one
 * (pf_[0-9a-f]{72}) and a damaged copy is told from a wrong one. People may
 * choose a secret of their own, 8 to 512 bytes.
 *
 * What is stored is a hash:
 *     blake2b:HEX                          BLAKE2b-256 (RFC 7693), unkeyed
 *     $argon2id$v=19$m=M,t=T,p=1$SALT$HASH RFC 9106, in the PHC string format
 * The first costs a microsecond and is enough for 256 random bits: nobody can
 * try them all. The second is for secrets that people choose, which somebody
 * who stole the file could otherwise guess by the million.
 *
 * Pure functions, any thread; what they hold of a token is wiped before they
 * return. No token and no hash belongs into a log. */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        TOKEN_MIN = 8,   /* bytes of a token */
        TOKEN_MAX = 512, /* bytes of a token */
        TOKEN_MADE_LENGTH = 75,
        TOKEN_HASH_SIZE = 128, /* room for a hash of either kind, with its NUL */
        TOKEN_DIGEST_SIZE = 32,
};

enum token_form {
        TOKEN_CHOSEN,  /* by a person, or by somebody else's program */
        TOKEN_MADE,    /* by token_make(), and whole */
        TOKEN_DAMAGED, /* by token_make() once, but not whole: cut, or a digit is wrong */
};

/* A new token, terminated. The caller wipes it. -EIO: no randomness. */
int token_make(char ret[TOKEN_MADE_LENGTH + 1]);
enum token_form token_form(const char *token);
bool token_length_is_good(const char *token);

/* The fast hash, for tokens that were made. What `printf %s TOKEN | b2sum -l 256`
 * prints, behind "blake2b:". -EINVAL: too short or too long. */
int token_hash(const char *token, char ret[TOKEN_HASH_SIZE]);

/* The slow hash, for secrets chosen by people: 19 MiB of memory, two passes, one
 * lane, a random salt. Of the settings that OWASP's password storage cheat sheet
 * holds for equally good, the one that a Pi Zero with 512 MiB can bear beside its
 * work: 46 MiB with one pass would be a tenth of its memory. Takes tens of
 * milliseconds on a desktop, many times that on the smallest Pi: never on a loop
 * thread. -EINVAL: too short or too long; -ENOMEM. */
int token_hash_password(const char *token, char ret[TOKEN_HASH_SIZE]);

/* Is this text a hash that we can verify against? -EINVAL with a sentence that
 * does not quote it. Argon2id with more than one lane, another salt than 16
 * bytes, more than 64 MiB or more than 10 passes is refused: a line in a file
 * must not be able to exhaust the machine at each attempt. */
int token_hash_check(const char *hash, struct error *error);
/* Takes tens of milliseconds to verify. Of a hash that passed the check. */
bool token_hash_is_slow(const char *hash);

/* 1: the token belongs to the hash, 0: it does not. The time depends on the hash
 * and on the length of the token only. -EINVAL: not a hash; -ENOMEM: could not
 * tell. */
int token_verify(const char *hash, const char *token);

/* For verifying one token against many fast hashes: hash the token once, compare
 * often. */
struct token_digest {
        uint8_t bytes[TOKEN_DIGEST_SIZE];
};
/* False: not a fast hash. */
bool token_digest_parse(const char *hash, struct token_digest *ret);
void token_digest(const char *token, struct token_digest *ret);
/* In constant time. */
bool token_digest_equal(const struct token_digest *one, const struct token_digest *other);
