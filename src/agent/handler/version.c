#include "agent/handler/version.h"

#include "base/attributes.h"

#include <sodium.h>
#include <string.h>

static const char *const state_names[] = {"untried", "good", "bad"};

const char *handler_state_name(enum handler_state state)
{
        return state_names[state];
}

bool handler_state_from_name(const char *name, enum handler_state *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
                if (strcmp(name, state_names[i]) == 0) {
                        *ret = (enum handler_state)i;
                        return true;
                }
        return false;
}

/* Not isalpha(): the rule is ASCII, whatever the locale. */
static bool is_lower(char c)
{
        return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

bool handler_name_is_valid(const char *filename)
{
        size_t stem = 0;

        if (!is_lower(filename[0]))
                return false;
        while (is_lower(filename[stem]) || is_digit(filename[stem]) || filename[stem] == '_')
                stem++;
        return stem <= 63 &&
               (strcmp(filename + stem, ".py") == 0 || strcmp(filename + stem, ".c") == 0);
}

const char *handler_name_suffix(const char *filename)
{
        return strrchr(filename, '.');
}

bool handler_sha256_is_valid(const char *hex)
{
        return strlen(hex) == HANDLER_SHA256_HEX &&
               strspn(hex, "0123456789abcdef") == HANDLER_SHA256_HEX;
}

void handler_sha256(const void *bytes, size_t count, char *ret)
{
        unsigned char digest[crypto_hash_sha256_BYTES];

        _Static_assert(crypto_hash_sha256_BYTES * 2 == HANDLER_SHA256_HEX, "sizes agree");
        crypto_hash_sha256(digest, bytes, count);
        sodium_bin2hex(ret, HANDLER_SHA256_HEX + 1, digest, sizeof(digest));
}
