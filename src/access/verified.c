#include "access/verified.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

struct entry {
        struct verified_mark mark;
        uint64_t until_ms; /* 0: empty */
        size_t owner;
};

struct verified {
        uint8_t key[crypto_generichash_KEYBYTES];
        struct entry entries[VERIFIED_MAX];
};

int verified_new(struct verified **ret)
{
        struct verified *verified;

        if (sodium_init() < 0)
                return -EIO;
        verified = calloc(1, sizeof *verified);
        if (!verified)
                return -ENOMEM;
        randombytes_buf(verified->key, sizeof verified->key);
        *ret = verified;
        return 0;
}

struct verified *verified_free(struct verified *verified)
{
        if (verified)
                sodium_memzero(verified, sizeof *verified);
        free(verified);
        return NULL;
}

void verified_mark(const struct verified *verified, const struct verified_text texts[],
                   size_t count, struct verified_mark *ret)
{
        crypto_generichash_state state;
        bool good = crypto_generichash_init(&state, verified->key, sizeof verified->key,
                                            sizeof ret->bytes) == 0;

        for (size_t i = 0; i < count; i++) {
                uint64_t length = texts[i].length; /* where one ends and the next begins */

                good &= crypto_generichash_update(&state, (const uint8_t *)&length,
                                                  sizeof length) == 0;
                good &= crypto_generichash_update(&state, texts[i].bytes, texts[i].length) == 0;
        }
        good &= crypto_generichash_final(&state, ret->bytes, sizeof ret->bytes) == 0;
        sodium_memzero(&state, sizeof state);
        if (!good) /* fails for impossible lengths only */
                sodium_misuse();
}

int verified_find(const struct verified *verified, const struct verified_mark *mark,
                  uint64_t now_ms, size_t *owner)
{
        int found = 0;

        for (size_t i = 0; i < VERIFIED_MAX; i++) {
                const struct entry *entry = &verified->entries[i];
                int same = sodium_memcmp(entry->mark.bytes, mark->bytes, sizeof mark->bytes) == 0;

                if (same & (entry->until_ms > now_ms)) {
                        *owner = entry->owner;
                        found = 1;
                }
        }
        return found;
}

void verified_put(struct verified *verified, const struct verified_mark *mark, size_t owner,
                  uint64_t now_ms)
{
        struct entry *place = &verified->entries[0];

        for (size_t i = 0; i < VERIFIED_MAX; i++) {
                struct entry *entry = &verified->entries[i];

                /* Found good twice at the same time: one entry is enough. */
                if (sodium_memcmp(entry->mark.bytes, mark->bytes, sizeof mark->bytes) == 0) {
                        place = entry;
                        break;
                }
                if (entry->until_ms < place->until_ms)
                        place = entry;
        }
        *place = (struct entry){
                .mark = *mark, .until_ms = now_ms + VERIFIED_LIFETIME_MS, .owner = owner};
}
