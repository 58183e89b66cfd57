#include "proto/token.h"

#include "proto/argon2id.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
        RANDOM_BYTES = 32,
        RANDOM_DIGITS = RANDOM_BYTES * 2,
        CHECKSUM_BYTES = 4,
        CHECKSUM_DIGITS = CHECKSUM_BYTES * 2,
};

static const char made_prefix[] = "pf_";
static const char fast_prefix[] = "blake2b:";

enum { MADE_PREFIX_LENGTH = sizeof made_prefix - 1 };

_Static_assert(MADE_PREFIX_LENGTH + RANDOM_DIGITS + CHECKSUM_DIGITS == TOKEN_MADE_LENGTH,
               "a made token's parts add up");
_Static_assert((int)TOKEN_HASH_SIZE >= (int)ARGON2ID_SIZE, "hashes of both kinds fit");

static bool starts_with(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool token_length_is_good(const char *token)
{
        size_t length = strlen(token);

        return length >= TOKEN_MIN && length <= TOKEN_MAX;
}

static void blake2b(const void *bytes, size_t count, struct token_digest *ret)
{
        /* Fails for impossible lengths only. */
        if (crypto_generichash(ret->bytes, sizeof ret->bytes, bytes, count, NULL, 0) != 0)
                sodium_misuse();
}

/* The checksum of the prefix and the random digits; it protects from accidents,
 * not from anybody. */
static void made_checksum(const char *token, char ret[CHECKSUM_DIGITS + 1])
{
        struct token_digest digest;

        blake2b(token, MADE_PREFIX_LENGTH + RANDOM_DIGITS, &digest);
        sodium_bin2hex(ret, CHECKSUM_DIGITS + 1, digest.bytes, CHECKSUM_BYTES);
        sodium_memzero(&digest, sizeof digest);
}

int token_make(char ret[TOKEN_MADE_LENGTH + 1])
{
        uint8_t bytes[RANDOM_BYTES];

        if (sodium_init() < 0)
                return -EIO;
        randombytes_buf(bytes, sizeof bytes);
        memcpy(ret, made_prefix, MADE_PREFIX_LENGTH);
        sodium_bin2hex(ret + MADE_PREFIX_LENGTH, RANDOM_DIGITS + 1, bytes, sizeof bytes);
        made_checksum(ret, ret + MADE_PREFIX_LENGTH + RANDOM_DIGITS);
        sodium_memzero(bytes, sizeof bytes);
        return 0;
}

enum token_form token_form(const char *token)
{
        char checksum[CHECKSUM_DIGITS + 1];
        const char *digits = token + MADE_PREFIX_LENGTH;
        size_t length, digits_length;

        if (!starts_with(token, made_prefix))
                return TOKEN_CHOSEN;
        digits_length = strspn(digits, "0123456789abcdefABCDEF");
        length = strlen(digits);
        /* Half of the digits are enough to know what it once was; fewer could be
         * somebody's own. */
        if (digits_length < length || length < RANDOM_DIGITS / 2)
                return TOKEN_CHOSEN;
        if (length != RANDOM_DIGITS + CHECKSUM_DIGITS)
                return TOKEN_DAMAGED;
        made_checksum(token, checksum);
        return memcmp(digits + RANDOM_DIGITS, checksum, CHECKSUM_DIGITS) == 0 ? TOKEN_MADE
                                                                              : TOKEN_DAMAGED;
}

void token_digest(const char *token, struct token_digest *ret)
{
        blake2b(token, strlen(token), ret);
}

bool token_digest_equal(const struct token_digest *one, const struct token_digest *other)
{
        return sodium_memcmp(one->bytes, other->bytes, sizeof one->bytes) == 0;
}

bool token_digest_parse(const char *hash, struct token_digest *ret)
{
        struct token_digest digest;
        const char *hex = hash + strlen(fast_prefix);
        size_t length;

        if (!starts_with(hash, fast_prefix) || strlen(hex) != sizeof digest.bytes * 2)
                return false;
        if (sodium_hex2bin(digest.bytes, sizeof digest.bytes, hex, sizeof digest.bytes * 2, NULL,
                           &length, NULL) != 0 ||
            length != sizeof digest.bytes)
                return false;
        *ret = digest;
        return true;
}

int token_hash(const char *token, char ret[TOKEN_HASH_SIZE])
{
        struct token_digest digest;
        size_t prefix = strlen(fast_prefix);

        if (!token_length_is_good(token))
                return -EINVAL;
        token_digest(token, &digest);
        memcpy(ret, fast_prefix, prefix);
        sodium_bin2hex(ret + prefix, TOKEN_HASH_SIZE - prefix, digest.bytes, sizeof digest.bytes);
        return 0;
}

int token_hash_password(const char *token, char ret[TOKEN_HASH_SIZE])
{
        return token_length_is_good(token) ? argon2id_make(token, strlen(token), ret) : -EINVAL;
}

bool token_hash_is_slow(const char *hash)
{
        return argon2id_is(hash);
}

int token_hash_check(const char *hash, struct error *error)
{
        struct token_digest digest;

        if (token_hash_is_slow(hash))
                return argon2id_check(hash, error);
        if (token_digest_parse(hash, &digest))
                return 0;
        if (starts_with(hash, fast_prefix))
                return error_set(error, -EINVAL,
                                 "blake2b: must be followed by exactly 64 hexadecimal digits");
        if (starts_with(hash, made_prefix))
                return error_set(error, -EINVAL,
                                 "this is a token, not its hash; `pifleet passwd` makes the hash, "
                                 "and the token should be replaced, since it was in a file");
        return error_set(error, -EINVAL,
                         "a hash begins with blake2b: or $argon2id$; `pifleet passwd` makes one");
}

int token_verify(const char *hash, const char *token)
{
        struct token_digest stored, computed;
        int r;

        if (!token_length_is_good(token))
                return 0;
        if (token_hash_is_slow(hash))
                return argon2id_verify(hash, token, strlen(token));
        if (!token_digest_parse(hash, &stored))
                return -EINVAL;
        token_digest(token, &computed);
        r = token_digest_equal(&stored, &computed);
        sodium_memzero(&computed, sizeof computed);
        return r;
}
