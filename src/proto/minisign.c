#include "proto/minisign.h"

#include "proto/minisign-text.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define UNTRUSTED "untrusted comment: "
#define TRUSTED "trusted comment: "

enum {
        ALGORITHM_SIZE = 2,
        ID_AT = ALGORITHM_SIZE,
        BODY_AT = ID_AT + MINISIGN_ID_SIZE,
        KEY_SIZE = BODY_AT + crypto_sign_PUBLICKEYBYTES,
        SIGNATURE_SIZE = BODY_AT + crypto_sign_BYTES,
        DIGEST_SIZE = 64,
};

_Static_assert(sizeof(((struct minisign_key *)0)->bytes) == crypto_sign_PUBLICKEYBYTES, "ed25519");
_Static_assert(sizeof(((struct minisign_secret *)0)->bytes) == crypto_sign_SECRETKEYBYTES,
               "ed25519");
_Static_assert(MINISIGN_KEY_TEXT_SIZE ==
                       sodium_base64_ENCODED_LEN(KEY_SIZE, sodium_base64_VARIANT_ORIGINAL),
               "base64 and a NUL");

int minisign_key_parse(const char *text, size_t length, struct minisign_key *ret,
                       struct error *error)
{
        struct minisign_lines lines = {text, length};
        struct minisign_line line, rest;
        uint8_t bytes[KEY_SIZE];

        if (!minisign_line_next(&lines, &line) ||
            (minisign_line_drop(&line, UNTRUSTED) && !minisign_line_next(&lines, &line)) ||
            minisign_line_decode(&line, bytes, sizeof(bytes)) < 0)
                return error_set(error, -EBADMSG,
                                 "this is no public key of minisign: 56 characters of base64, "
                                 "alone or below an \"untrusted comment: \"");
        if (memcmp(bytes, "Ed", ALGORITHM_SIZE) != 0)
                return error_set(error, -EBADMSG, "this public key is of an unknown algorithm");
        while (minisign_line_next(&lines, &rest))
                if (rest.length > 0)
                        return error_set(error, -EBADMSG, "something follows the public key");
        memcpy(ret->id, bytes + ID_AT, sizeof(ret->id));
        memcpy(ret->bytes, bytes + BODY_AT, sizeof(ret->bytes));
        return 0;
}

void minisign_key_text(const struct minisign_key *key, char ret[MINISIGN_KEY_TEXT_SIZE])
{
        uint8_t bytes[KEY_SIZE] = "Ed";

        memcpy(bytes + ID_AT, key->id, sizeof(key->id));
        memcpy(bytes + BODY_AT, key->bytes, sizeof(key->bytes));
        sodium_bin2base64(ret, MINISIGN_KEY_TEXT_SIZE, bytes, sizeof(bytes),
                          sodium_base64_VARIANT_ORIGINAL);
}

void minisign_id_text(const uint8_t id[MINISIGN_ID_SIZE], char ret[MINISIGN_ID_TEXT_SIZE])
{
        static const char digits[] = "0123456789ABCDEF";

        /* It is a number, stored with its lowest byte first. */
        for (size_t i = 0; i < MINISIGN_ID_SIZE; i++) {
                uint8_t byte = id[MINISIGN_ID_SIZE - 1 - i];

                ret[2 * i] = digits[byte >> 4];
                ret[2 * i + 1] = digits[byte & 15];
        }
        ret[MINISIGN_ID_TEXT_SIZE - 1] = '\0';
}

struct parts {
        uint8_t signature[SIGNATURE_SIZE];
        uint8_t whole[crypto_sign_BYTES]; /* of signature and trusted comment */
        struct minisign_line comment;
};

static int parse(const char *text, size_t length, struct parts *ret, struct error *error)
{
        struct minisign_lines lines = {text, length};
        struct minisign_line line;

        if (length > MINISIGN_TEXT_MAX || !minisign_line_next(&lines, &line) ||
            !minisign_line_drop(&line, UNTRUSTED) || !minisign_line_next(&lines, &line) ||
            minisign_line_decode(&line, ret->signature, sizeof(ret->signature)) < 0 ||
            !minisign_line_next(&lines, &ret->comment) ||
            !minisign_line_drop(&ret->comment, TRUSTED) ||
            !minisign_comment_is_good(ret->comment.text, ret->comment.length) ||
            !minisign_line_next(&lines, &line) ||
            minisign_line_decode(&line, ret->whole, sizeof(ret->whole)) < 0)
                return error_set(error, -EBADMSG,
                                 "this is no signature of minisign: a comment, a line of base64, "
                                 "a trusted comment, a line of base64");
        if (memcmp(ret->signature, "Ed", ALGORITHM_SIZE) == 0)
                return error_set(error, -EBADMSG,
                                 "this signature is of the kind that is not prehashed; sign with "
                                 "pifleet sign, or minisign -SH");
        if (memcmp(ret->signature, "ED", ALGORITHM_SIZE) != 0)
                return error_set(error, -EBADMSG, "this signature is of an unknown algorithm");
        return 0;
}

static void digest(const void *message, size_t length, uint8_t ret[DIGEST_SIZE])
{
        crypto_generichash(ret, DIGEST_SIZE, message, length, NULL, 0);
}

/* What the second half of a signature is made of. */
struct whole {
        uint8_t bytes[crypto_sign_BYTES + MINISIGN_COMMENT_MAX];
        size_t length;
};

static void join(const uint8_t signature[crypto_sign_BYTES], const char *comment, size_t length,
                 struct whole *ret)
{
        assert(length <= MINISIGN_COMMENT_MAX);
        memcpy(ret->bytes, signature, crypto_sign_BYTES);
        memcpy(ret->bytes + crypto_sign_BYTES, comment, length);
        ret->length = crypto_sign_BYTES + length;
}

static const struct minisign_key *find(const struct minisign_key keys[], size_t count,
                                       const uint8_t id[MINISIGN_ID_SIZE])
{
        for (size_t i = 0; i < count; i++)
                if (memcmp(keys[i].id, id, MINISIGN_ID_SIZE) == 0)
                        return &keys[i];
        return NULL;
}

int minisign_verify(const char *signature, size_t signature_length, const void *message,
                    size_t message_length, const struct minisign_key keys[], size_t count,
                    char comment[MINISIGN_COMMENT_MAX + 1], struct error *error)
{
        const struct minisign_key *key;
        char id[MINISIGN_ID_TEXT_SIZE];
        uint8_t hash[DIGEST_SIZE];
        struct parts parts;
        struct whole whole;
        int r;

        r = parse(signature, signature_length, &parts, error);
        if (r < 0)
                return r;
        minisign_id_text(parts.signature + ID_AT, id);
        key = find(keys, count, parts.signature + ID_AT);
        if (!key)
                return error_set(error, -ENOKEY,
                                 "signed with the key %s, which is not among the %zu that are "
                                 "trusted here",
                                 id, count);
        digest(message, message_length, hash);
        join(parts.signature + BODY_AT, parts.comment.text, parts.comment.length, &whole);
        if (crypto_sign_verify_detached(parts.signature + BODY_AT, hash, sizeof(hash),
                                        key->bytes) != 0)
                return error_set(error, -EKEYREJECTED,
                                 "the signature is of other bytes than these, or not made with "
                                 "the key %s that it names",
                                 id);
        if (crypto_sign_verify_detached(parts.whole, whole.bytes, whole.length, key->bytes) != 0)
                return error_set(error, -EKEYREJECTED,
                                 "the signature's trusted comment was changed");
        if (comment) {
                memcpy(comment, parts.comment.text, parts.comment.length);
                comment[parts.comment.length] = '\0';
        }
        return 0;
}

static int append_line(struct buffer *out, const char *prefix, const char *text)
{
        int r = buffer_append_text(out, prefix);

        if (r == 0)
                r = buffer_append_text(out, text);
        return r == 0 ? buffer_append(out, "\n", 1) : r;
}

int minisign_sign(const struct minisign_secret *secret, const void *message, size_t length,
                  const char *untrusted_comment, const char *trusted_comment, struct buffer *out)
{
        uint8_t bytes[SIGNATURE_SIZE] = "ED";
        uint8_t hash[DIGEST_SIZE], whole_signature[crypto_sign_BYTES];
        struct whole whole;
        int r;

        if (!minisign_comment_is_good(untrusted_comment, strlen(untrusted_comment)) ||
            !minisign_comment_is_good(trusted_comment, strlen(trusted_comment)))
                return -EINVAL;
        digest(message, length, hash);
        memcpy(bytes + ID_AT, secret->id, sizeof(secret->id));
        crypto_sign_detached(bytes + BODY_AT, NULL, hash, sizeof(hash), secret->bytes);
        join(bytes + BODY_AT, trusted_comment, strlen(trusted_comment), &whole);
        crypto_sign_detached(whole_signature, NULL, whole.bytes, whole.length, secret->bytes);

        r = append_line(out, UNTRUSTED, untrusted_comment);
        if (r == 0)
                r = minisign_line_encode(bytes, sizeof(bytes), out);
        if (r == 0)
                r = append_line(out, TRUSTED, trusted_comment);
        if (r == 0)
                r = minisign_line_encode(whole_signature, sizeof(whole_signature), out);
        return r;
}
