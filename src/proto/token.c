#include "proto/token.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
        RANDOM_BYTES = 32,
        RANDOM_DIGITS = RANDOM_BYTES * 2,
        CHECKSUM_BYTES = 4,
        CHECKSUM_DIGITS = CHECKSUM_BYTES * 2,

        PASSWORD_PASSES = 2,
        PASSWORD_MEMORY_KIB = 19456,

        ARGON2_SALT_BYTES = crypto_pwhash_SALTBYTES,
        ARGON2_HASH_BYTES = 32,
        ARGON2_MEMORY_MIN_KIB = 8, /* RFC 9106, 3.1: eight blocks for each lane */
        ARGON2_MEMORY_MAX_KIB = 64 * 1024,
        ARGON2_PASSES_MAX = 10,
};

static const char made_prefix[] = "pf_";
static const char fast_prefix[] = "blake2b:";
static const char slow_prefix[] = "$argon2id$";

enum { MADE_PREFIX_LENGTH = sizeof made_prefix - 1 };

_Static_assert(MADE_PREFIX_LENGTH + RANDOM_DIGITS + CHECKSUM_DIGITS == TOKEN_MADE_LENGTH,
               "a made token's parts add up");
_Static_assert(TOKEN_HASH_SIZE >= crypto_pwhash_STRBYTES, "libsodium's strings fit");

struct argon2_hash {
        uint32_t memory_kib;
        uint32_t passes;
        uint8_t salt[ARGON2_SALT_BYTES];
        uint8_t hash[ARGON2_HASH_BYTES];
};

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
        if (!token_length_is_good(token))
                return -EINVAL;
        if (sodium_init() < 0)
                return -EIO;
        /* With parameters in range, only memory can be what is missing. */
        if (crypto_pwhash_str(ret, token, strlen(token), PASSWORD_PASSES,
                              PASSWORD_MEMORY_KIB * (size_t)1024) != 0)
                return -ENOMEM;
        return 0;
}

/* Reads `name` and a decimal number without leading zeros, at most nine digits. */
static bool read_parameter(const char **position, const char *name, uint32_t *ret)
{
        const char *digits = *position + strlen(name);
        size_t length;
        uint32_t value = 0;

        if (!starts_with(*position, name))
                return false;
        length = strspn(digits, "0123456789");
        if (length == 0 || length > 9 || digits[0] == '0')
                return false;
        for (size_t i = 0; i < length; i++)
                value = value * 10 + (uint32_t)(digits[i] - '0');
        *position = digits + length;
        *ret = value;
        return true;
}

/* Reads base64 without padding, of exactly `count` bytes, up to `end`. */
static bool read_base64(const char *text, const char *end, uint8_t *ret, size_t count)
{
        size_t length;
        const char *stop;

        return sodium_base642bin(ret, count, text, (size_t)(end - text), NULL, &length, &stop,
                                 sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
               length == count && stop == end;
}

/* libsodium's own crypto_pwhash_str_verify() is not used since it answers "wrong
 * password" when memory runs out, and that must not count as a failed attempt. */
static int argon2_parse(const char *hash, struct argon2_hash *ret, struct error *error)
{
        struct argon2_hash parsed;
        const char *position = hash, *separator;
        uint32_t lanes;

        if (!read_parameter(&position, "$argon2id$v=19$m=", &parsed.memory_kib) ||
            !read_parameter(&position, ",t=", &parsed.passes) ||
            !read_parameter(&position, ",p=", &lanes) || *position++ != '$')
                return error_set(error, -EINVAL,
                                 "an argon2id hash begins with $argon2id$v=19$m=M,t=T,p=1$");
        if (lanes != 1)
                return error_set(error, -EINVAL,
                                 "the argon2id hash has p=%u, but only p=1 can be verified; "
                                 "`pifleet passwd` makes one that fits",
                                 lanes);
        if (parsed.memory_kib < ARGON2_MEMORY_MIN_KIB || parsed.memory_kib > ARGON2_MEMORY_MAX_KIB)
                return error_set(error, -EINVAL,
                                 "the argon2id hash has m=%u (KiB), but it may be %d to %d",
                                 parsed.memory_kib, ARGON2_MEMORY_MIN_KIB, ARGON2_MEMORY_MAX_KIB);
        if (parsed.passes > ARGON2_PASSES_MAX)
                return error_set(error, -EINVAL,
                                 "the argon2id hash has t=%u, but it may be 1 to %d", parsed.passes,
                                 ARGON2_PASSES_MAX);
        separator = strchr(position, '$');
        if (!separator || !read_base64(position, separator, parsed.salt, sizeof parsed.salt))
                return error_set(error, -EINVAL,
                                 "the argon2id hash needs a salt of 16 bytes in base64");
        position = separator + 1;
        if (!read_base64(position, position + strlen(position), parsed.hash, sizeof parsed.hash))
                return error_set(error, -EINVAL,
                                 "the argon2id hash must end in 32 bytes of base64; is it cut?");
        *ret = parsed;
        return 0;
}

static int argon2_verify(const char *hash, const char *token)
{
        struct argon2_hash stored;
        uint8_t computed[ARGON2_HASH_BYTES];
        int r;

        r = argon2_parse(hash, &stored, NULL);
        if (r < 0)
                return r;
        if (sodium_init() < 0)
                return -EIO;
        /* All parameters are in range, so only memory can be what is missing. */
        if (crypto_pwhash(computed, sizeof computed, token, strlen(token), stored.salt,
                          stored.passes, stored.memory_kib * (size_t)1024,
                          crypto_pwhash_ALG_ARGON2ID13) != 0)
                return -ENOMEM;
        r = sodium_memcmp(computed, stored.hash, sizeof computed) == 0;
        sodium_memzero(computed, sizeof computed);
        return r;
}

bool token_hash_is_slow(const char *hash)
{
        return starts_with(hash, slow_prefix);
}

int token_hash_check(const char *hash, struct error *error)
{
        struct argon2_hash argon2;
        struct token_digest digest;

        if (token_hash_is_slow(hash))
                return argon2_parse(hash, &argon2, error);
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
                return argon2_verify(hash, token);
        if (!token_digest_parse(hash, &stored))
                return -EINVAL;
        token_digest(token, &computed);
        r = token_digest_equal(&stored, &computed);
        sodium_memzero(&computed, sizeof computed);
        return r;
}
