#include "mqtt/audience.h"

#include <stdlib.h>
#include <string.h>

enum {
        WAYS = 4,
        CAPACITY_FIRST = 64,
        LARGEST_PART = 4, /* an audience takes a fourth of the bytes at most */
};

void mqtt_audience_cache_init(struct mqtt_audience_cache *cache, size_t bytes_max)
{
        *cache = (struct mqtt_audience_cache){.bytes_max = bytes_max};
}

/* What one costs beyond its place. */
static size_t bytes_of(const struct mqtt_audience *audience)
{
        return mqtt_audience_bytes(audience) + 2 * sizeof(size_t); /* malloc's own */
}

static void empty(struct mqtt_audience_cache *cache, struct mqtt_audience_place *place)
{
        cache->bytes -= bytes_of(place->audience);
        cache->count--;
        mqtt_audience_unref(place->audience);
        *place = (struct mqtt_audience_place){0};
}

void mqtt_audience_cache_done(struct mqtt_audience_cache *cache)
{
        for (uint32_t i = 0; i < cache->capacity; i++)
                mqtt_audience_unref(cache->places[i].audience);
        free(cache->places);
        mqtt_audience_cache_init(cache, cache->bytes_max);
}

/* The set is chosen by the low bits, so that others tell apart who is in it. */
static uint32_t tag_of(uint64_t hash)
{
        return (uint32_t)(hash >> 32);
}

static struct mqtt_audience_place *set_of(const struct mqtt_audience_cache *cache, uint64_t hash)
{
        return &cache->places[(uint32_t)hash & (cache->capacity - 1) & ~(WAYS - 1U)];
}

static struct mqtt_audience_place *find(const struct mqtt_audience_cache *cache,
                                        struct mqtt_text topic, uint64_t hash)
{
        struct mqtt_audience_place *set;

        if (cache->capacity == 0)
                return NULL;
        set = set_of(cache, hash);
        for (unsigned i = 0; i < WAYS; i++) {
                const struct mqtt_audience *audience = set[i].audience;

                if (audience && set[i].tag == tag_of(hash) &&
                    audience->topic_length == topic.length &&
                    memcmp(audience->topic, topic.bytes, topic.length) == 0)
                        return &set[i];
        }
        return NULL;
}

struct mqtt_audience *mqtt_audience_cache_find(struct mqtt_audience_cache *cache,
                                               struct mqtt_text topic, uint64_t hash)
{
        struct mqtt_audience_place *place = find(cache, topic, hash);

        if (!place || place->audience->version != cache->version)
                return NULL;
        place->asked = true;
        return place->audience;
}

void mqtt_audience_cache_forget(struct mqtt_audience_cache *cache, struct mqtt_text topic,
                                uint64_t hash)
{
        struct mqtt_audience_place *place = find(cache, topic, hash);

        if (place)
                empty(cache, place);
}

/* A free one, else one that is out of date, else one that nobody asked for, else any. */
static struct mqtt_audience_place *choose(struct mqtt_audience_cache *cache, uint64_t hash)
{
        struct mqtt_audience_place *set = set_of(cache, hash), *unasked = NULL;
        struct mqtt_audience_place *chosen = NULL;

        for (unsigned i = 0; i < WAYS; i++) {
                if (!set[i].audience)
                        return &set[i];
                if (set[i].audience->version != cache->version)
                        chosen = &set[i];
                else if (!set[i].asked)
                        unasked = &set[i];
        }
        if (!chosen)
                chosen = unasked ? unasked : &set[tag_of(hash) % WAYS];
        for (unsigned i = 0; i < WAYS; i++)
                set[i].asked = false;
        empty(cache, chosen);
        return chosen;
}

/* The table itself takes a fourth of the bytes at most; without memory it stays as it is. */
static void grow(struct mqtt_audience_cache *cache)
{
        struct mqtt_audience_cache larger = *cache;
        size_t size;

        larger.capacity = cache->capacity > 0 ? cache->capacity * 2 : CAPACITY_FIRST;
        size = larger.capacity * sizeof(*larger.places);
        if (size > cache->bytes_max / LARGEST_PART)
                return;
        larger.places = calloc(1, size);
        if (!larger.places)
                return;
        larger.bytes += size - cache->capacity * sizeof(*larger.places);
        larger.hand = 0;
        /* A set becomes two, and none of them has more than it had. */
        for (uint32_t i = 0; i < cache->capacity; i++)
                if (cache->places[i].audience) {
                        struct mqtt_audience_place *set =
                                set_of(&larger, cache->places[i].audience->hash);

                        while (set->audience)
                                set++;
                        *set = cache->places[i];
                }
        free(cache->places);
        *cache = larger;
}

static void make_room(struct mqtt_audience_cache *cache, size_t bytes)
{
        while (cache->count > 0 && cache->bytes + bytes > cache->bytes_max) {
                struct mqtt_audience_place *place =
                        &cache->places[cache->hand++ & (cache->capacity - 1)];

                if (!place->audience)
                        continue;
                if (place->asked && place->audience->version == cache->version)
                        place->asked = false;
                else
                        empty(cache, place);
        }
}

void mqtt_audience_cache_keep(struct mqtt_audience_cache *cache, struct mqtt_audience *audience,
                              uint64_t hash)
{
        struct mqtt_text topic = {audience->topic, audience->topic_length};
        struct mqtt_audience_place *place;
        size_t bytes = bytes_of(audience);

        if (bytes > cache->bytes_max / LARGEST_PART)
                return;
        mqtt_audience_cache_forget(cache, topic, hash);
        if (cache->count >= cache->capacity / 2)
                grow(cache);
        make_room(cache, bytes);
        if (cache->capacity == 0 || cache->bytes + bytes > cache->bytes_max)
                return;
        place = choose(cache, hash);
        audience->references++;
        audience->hash = hash;
        audience->version = cache->version;
        *place = (struct mqtt_audience_place){audience, tag_of(hash), false};
        cache->bytes += bytes;
        cache->count++;
}
