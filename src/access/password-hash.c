#include "access/password-hash.h"

#include "proto/argon2id.h"
#include "proto/token.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

enum { DIGEST_BYTES = crypto_hash_sha512_BYTES };

_Static_assert((int)PASSWORD_HASH_SIZE >= (int)ARGON2ID_SIZE, "argon2id fits");

/* A hash as mosquitto writes it. */
struct brought {
        uint32_t iterations; /* 0: SHA-512, once */
        size_t salt_length;
        uint8_t salt[PASSWORD_SALT_MAX];
        uint8_t digest[DIGEST_BYTES];
};

static bool is_brought(const char *hash)
{
        return hash[0] == '$' && (hash[1] == '6' || hash[1] == '7') && hash[2] == '$';
}

static int read_iterations(const char **position, uint32_t *ret, struct error *error)
{
        size_t digits = strspn(*position, "0123456789");
        uint32_t value = 0;

        for (size_t i = 0; i < digits && value <= PASSWORD_ITERATIONS_MAX; i++)
                value = value * 10 + (uint32_t)((*position)[i] - '0');
        if (value == 0 || value > PASSWORD_ITERATIONS_MAX || (*position)[digits] != '$')
                return error_set(error, -EINVAL,
                                 "a hash that begins with $7$ goes on with 1 to %d iterations "
                                 "and a $",
                                 PASSWORD_ITERATIONS_MAX);
        *position += digits + 1;
        *ret = value;
        return 0;
}

/* Base64 with padding, up to `end`. */
static bool read_base64(const char *text, const char *end, uint8_t *ret, size_t max, size_t *length)
{
        const char *stop;

        return sodium_base642bin(ret, max, text, (size_t)(end - text), NULL, length, &stop,
                                 sodium_base64_VARIANT_ORIGINAL) == 0 &&
               stop == end;
}

static int brought_parse(const char *hash, struct brought *ret, struct error *error)
{
        const char *position = hash + 3, *separator;
        struct brought parsed = {0};
        size_t digest_length;
        int r;

        if (hash[1] == '7') {
                r = read_iterations(&position, &parsed.iterations, error);
                if (r < 0)
                        return r;
        }
        separator = strchr(position, '$');
        if (!separator ||
            !read_base64(position, separator, parsed.salt, sizeof(parsed.salt),
                         &parsed.salt_length) ||
            parsed.salt_length == 0)
                return error_set(error, -EINVAL,
                                 "the hash needs a salt of 1 to %d bytes in base64, and a $",
                                 PASSWORD_SALT_MAX);
        position = separator + 1;
        if (!read_base64(position, position + strlen(position), parsed.digest,
                         sizeof(parsed.digest), &digest_length) ||
            digest_length != sizeof(parsed.digest))
                return error_set(error, -EINVAL,
                                 "the hash must end in %d bytes of base64; is it cut?",
                                 DIGEST_BYTES);
        *ret = parsed;
        return 0;
}

static void sha512_once(const struct brought *stored, const char *password, size_t length,
                        uint8_t ret[DIGEST_BYTES])
{
        crypto_hash_sha512_state state;

        crypto_hash_sha512_init(&state);
        crypto_hash_sha512_update(&state, (const uint8_t *)password, length);
        crypto_hash_sha512_update(&state, stored->salt, stored->salt_length);
        crypto_hash_sha512_final(&state, ret);
        sodium_memzero(&state, sizeof(state));
}

/* RFC 8018, 5.2: one block, since the digest is as long as one of HMAC-SHA-512. */
static void pbkdf2(const struct brought *stored, const char *password, size_t length,
                   uint8_t ret[DIGEST_BYTES])
{
        static const uint8_t first_block[] = {0, 0, 0, 1};
        crypto_auth_hmacsha512_state keyed, state;
        uint8_t step[DIGEST_BYTES];

        crypto_auth_hmacsha512_init(&keyed, (const uint8_t *)password, length);
        state = keyed;
        crypto_auth_hmacsha512_update(&state, stored->salt, stored->salt_length);
        crypto_auth_hmacsha512_update(&state, first_block, sizeof(first_block));
        crypto_auth_hmacsha512_final(&state, step);
        memcpy(ret, step, sizeof(step));
        for (uint32_t i = 1; i < stored->iterations; i++) {
                state = keyed;
                crypto_auth_hmacsha512_update(&state, step, sizeof(step));
                crypto_auth_hmacsha512_final(&state, step);
                for (size_t j = 0; j < sizeof(step); j++)
                        ret[j] ^= step[j];
        }
        sodium_memzero(&keyed, sizeof(keyed));
        sodium_memzero(&state, sizeof(state));
        sodium_memzero(step, sizeof(step));
}

static int brought_verify(const char *hash, const char *password, size_t length)
{
        uint8_t computed[DIGEST_BYTES];
        struct brought stored;
        int r = brought_parse(hash, &stored, NULL);

        if (r < 0)
                return r;
        if (stored.iterations == 0)
                sha512_once(&stored, password, length, computed);
        else
                pbkdf2(&stored, password, length, computed);
        r = sodium_memcmp(computed, stored.digest, sizeof(computed)) == 0;
        sodium_memzero(computed, sizeof(computed));
        return r;
}

/* The digest of a token is taken of a text. */
static int digest_verify(const char *hash, const char *password, size_t length)
{
        struct token_digest stored, computed;
        char text[PASSWORD_MAX + 1];
        int r;

        if (!token_digest_parse(hash, &stored))
                return -EINVAL;
        memcpy(text, password, length);
        text[length] = '\0';
        token_digest(text, &computed);
        r = token_digest_equal(&stored, &computed) & !memchr(password, '\0', length);
        sodium_memzero(text, sizeof(text));
        sodium_memzero(&computed, sizeof(computed));
        return r;
}

int password_hash_check(const char *hash, struct error *error)
{
        struct brought brought;

        if (is_brought(hash))
                return brought_parse(hash, &brought, error);
        if (strncmp(hash, "$", 1) == 0 && !argon2id_is(hash))
                return error_set(error, -EINVAL,
                                 "a hash begins with $argon2id$, $7$, $6$ or blake2b:; "
                                 "`pifleet passwd` makes one");
        return token_hash_check(hash, error);
}

bool password_hash_is_slow(const char *hash)
{
        return token_hash_is_slow(hash) || (is_brought(hash) && hash[1] == '7');
}

int password_hash_verify(const char *hash, const char *password, size_t length)
{
        if (length > PASSWORD_MAX)
                return 0;
        if (is_brought(hash))
                return brought_verify(hash, password, length);
        if (argon2id_is(hash))
                return argon2id_verify(hash, password, length);
        return digest_verify(hash, password, length);
}

int password_hash_make(const char *password, size_t length, char ret[PASSWORD_HASH_SIZE])
{
        if (length == 0 || length > PASSWORD_MAX)
                return -EINVAL;
        return argon2id_make(password, length, ret);
}
