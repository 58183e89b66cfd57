#include "proto/argon2id.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

enum {
        PASSES = 2,
        MEMORY_KIB = 19456,

        SALT_BYTES = crypto_pwhash_SALTBYTES,
        HASH_BYTES = 32,
        MEMORY_MIN_KIB = 8, /* RFC 9106, 3.1: eight blocks for each lane */
        MEMORY_MAX_KIB = 64 * 1024,
        PASSES_MAX = 10,
};

static const char prefix[] = "$argon2id$";

_Static_assert(ARGON2ID_SIZE >= crypto_pwhash_STRBYTES, "libsodium's strings fit");

struct parsed {
        uint32_t memory_kib;
        uint32_t passes;
        uint8_t salt[SALT_BYTES];
        uint8_t hash[HASH_BYTES];
};

static bool starts_with(const char *text, const char *with)
{
        return strncmp(text, with, strlen(with)) == 0;
}

bool argon2id_is(const char *hash)
{
        return starts_with(hash, prefix);
}

int argon2id_make(const char *password, size_t length, char ret[ARGON2ID_SIZE])
{
        if (sodium_init() < 0)
                return -EIO;
        /* With parameters in range, only memory can be what is missing. */
        if (crypto_pwhash_str(ret, password, length, PASSES, MEMORY_KIB * (size_t)1024) != 0)
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
static int parse(const char *hash, struct parsed *ret, struct error *error)
{
        struct parsed parsed;
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
        if (parsed.memory_kib < MEMORY_MIN_KIB || parsed.memory_kib > MEMORY_MAX_KIB)
                return error_set(error, -EINVAL,
                                 "the argon2id hash has m=%u (KiB), but it may be %d to %d",
                                 parsed.memory_kib, MEMORY_MIN_KIB, MEMORY_MAX_KIB);
        if (parsed.passes > PASSES_MAX)
                return error_set(error, -EINVAL,
                                 "the argon2id hash has t=%u, but it may be 1 to %d", parsed.passes,
                                 PASSES_MAX);
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

int argon2id_verify(const char *hash, const char *password, size_t length)
{
        struct parsed stored;
        uint8_t computed[HASH_BYTES];
        int r;

        r = parse(hash, &stored, NULL);
        if (r < 0)
                return r;
        if (sodium_init() < 0)
                return -EIO;
        /* All parameters are in range, so only memory can be what is missing. */
        if (crypto_pwhash(computed, sizeof computed, password, length, stored.salt, stored.passes,
                          stored.memory_kib * (size_t)1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
                return -ENOMEM;
        r = sodium_memcmp(computed, stored.hash, sizeof computed) == 0;
        sodium_memzero(computed, sizeof computed);
        return r;
}

int argon2id_check(const char *hash, struct error *error)
{
        struct parsed parsed;

        return parse(hash, &parsed, error);
}
