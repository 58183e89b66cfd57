/* Linear probing with backward-shift deletion: no tombstones, so a table that
 * sees many short-lived keys never degrades. The hash is keyed afresh for each map. */
#include "base/map.h"

#include "base/siphash.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 8, CAPACITY_MAX = 1 << 30 };

/* Small: each of a server's many sessions has one, and almost twice as many may be free. */
struct entry {
        const char *key; /* NULL: the place is free */
        void *value;
        uint32_t length;
        uint32_t hash; /* enough for as many places as there may be */
};

struct map {
        struct entry *entries;
        size_t capacity; /* 0 or a power of two */
        size_t count;
        size_t max;
        bool borrows; /* keys are not its own */
        struct siphash_key seed;
};

static int map_open(size_t max, bool borrows, struct map **ret)
{
        AUTO(map) struct map *map = calloc(1, sizeof(*map));
        int r;

        if (!map)
                return -ENOMEM;
        r = siphash_key_draw(&map->seed);
        if (r < 0)
                return r;
        map->max = max;
        map->borrows = borrows;
        *ret = TAKE(map);
        return 0;
}

int map_new(size_t max, struct map **ret)
{
        return map_open(max, false, ret);
}

int map_new_borrowing(size_t max, struct map **ret)
{
        return map_open(max, true, ret);
}

static const char *keep_key(const struct map *map, const char *key)
{
        return map->borrows ? key : strdup(key);
}

static void drop_key(const struct map *map, const char *key)
{
        if (!map->borrows)
                free((char *)key);
}

struct map *map_free(struct map *map)
{
        if (!map)
                return NULL;
        for (size_t i = 0; i < map->capacity; i++)
                drop_key(map, map->entries[i].key);
        free(map->entries);
        free(map);
        return NULL;
}

size_t map_count(const struct map *map)
{
        return map->count;
}

static uint32_t hash_of(const struct map *map, const char *key, size_t length)
{
        return (uint32_t)siphash(&map->seed, key, length);
}

/* The key's entry, or the free one where it belongs. At least one in four is
 * free, so this ends. */
static struct entry *find(const struct map *map, const char *key, size_t length, uint32_t hash)
{
        size_t at = hash & (map->capacity - 1);

        for (;; at = (at + 1) & (map->capacity - 1)) {
                struct entry *entry = &map->entries[at];

                if (!entry->key || (entry->hash == hash && entry->length == length &&
                                    memcmp(entry->key, key, length) == 0))
                        return entry;
        }
}

void *map_get(const struct map *map, const char *key, size_t length)
{
        if (map->count == 0)
                return NULL;
        return find(map, key, length, hash_of(map, key, length))->value;
}

static int grow(struct map *map)
{
        size_t capacity = map->capacity > 0 ? map->capacity * 2 : CAPACITY_FIRST;
        struct map larger = *map;

        if (capacity > CAPACITY_MAX)
                return -ENOMEM;
        larger.entries = calloc(capacity, sizeof(struct entry));
        if (!larger.entries)
                return -ENOMEM;
        larger.capacity = capacity;
        for (size_t i = 0; i < map->capacity; i++) {
                const struct entry *entry = &map->entries[i];

                if (entry->key)
                        *find(&larger, entry->key, entry->length, entry->hash) = *entry;
        }
        free(map->entries);
        *map = larger;
        return 0;
}

int map_put(struct map *map, const char *key, void *value, void **previous)
{
        size_t length = strlen(key);
        uint32_t hash = hash_of(map, key, length);
        struct entry *entry = map->capacity > 0 ? find(map, key, length, hash) : NULL;
        void *before = NULL;
        const char *kept;
        int r;

        if (length > UINT32_MAX)
                return -ENOMEM;
        if (entry && entry->key) {
                before = entry->value;
                entry->value = value;
                if (map->borrows)
                        entry->key = key;
        } else {
                if (map->count >= map->max)
                        return -ENOSPC;
                kept = keep_key(map, key);
                if (!kept)
                        return -ENOMEM;
                if (!entry || map->count + 1 > map->capacity / 4 * 3) {
                        r = grow(map);
                        if (r < 0) {
                                drop_key(map, kept);
                                return r;
                        }
                        entry = find(map, key, length, hash);
                }
                *entry = (struct entry){kept, value, (uint32_t)length, hash};
                map->count++;
        }
        if (previous)
                *previous = before;
        return 0;
}

/* Entries behind the gap move up until one stands where its hash wants it, or
 * the run ends: a search never meets a gap before its key. */
static void close_gap(struct map *map, size_t gap)
{
        size_t mask = map->capacity - 1;

        for (size_t at = (gap + 1) & mask; map->entries[at].key; at = (at + 1) & mask) {
                size_t wanted = map->entries[at].hash & mask;

                if (((at - wanted) & mask) >= ((at - gap) & mask)) {
                        map->entries[gap] = map->entries[at];
                        gap = at;
                }
        }
        map->entries[gap] = (struct entry){0};
}

void *map_remove(struct map *map, const char *key)
{
        size_t length = strlen(key);
        struct entry *entry;
        void *value;

        if (map->count == 0)
                return NULL;
        entry = find(map, key, length, hash_of(map, key, length));
        if (!entry->key)
                return NULL;
        value = entry->value;
        drop_key(map, entry->key);
        map->count--;
        close_gap(map, (size_t)(entry - map->entries));
        return value;
}

void *map_next(const struct map *map, size_t *position, const char **key)
{
        while (*position < map->capacity) {
                const struct entry *entry = &map->entries[(*position)++];

                if (!entry->key)
                        continue;
                if (key)
                        *key = entry->key;
                return entry->value;
        }
        return NULL;
}
