/* Clients count their identifiers up, so an identifier's lowest bits are a hash as good
 * as any; one that chooses them to collide searches its own table only, of at most
 * receive-maximum entries. Deletion shifts back: no tombstones. */
#include "mqtt/id-set.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 16, CAPACITY_KEPT = 64 };

void mqtt_id_set_init(struct mqtt_id_set *set)
{
        *set = (struct mqtt_id_set){0};
}

void mqtt_id_set_done(struct mqtt_id_set *set)
{
        free(set->places);
        mqtt_id_set_init(set);
}

/* Where `id` is, or the free place where it belongs. At least one is free. */
static uint32_t find(const struct mqtt_id_set *set, uint16_t id)
{
        uint32_t mask = set->capacity - 1, at = id & mask;

        while (set->places[at] != 0 && set->places[at] != id)
                at = (at + 1) & mask;
        return at;
}

bool mqtt_id_set_has(const struct mqtt_id_set *set, uint16_t id)
{
        return set->count > 0 && set->places[find(set, id)] == id;
}

static int grow(struct mqtt_id_set *set)
{
        struct mqtt_id_set larger = {.capacity = set->capacity > 0 ? set->capacity * 2
                                                                   : CAPACITY_FIRST};

        larger.places = calloc(larger.capacity, sizeof(*larger.places));
        if (!larger.places)
                return -ENOMEM;
        for (uint32_t i = 0; i < set->capacity; i++)
                if (set->places[i] != 0)
                        larger.places[find(&larger, set->places[i])] = set->places[i];
        larger.count = set->count;
        free(set->places);
        *set = larger;
        return 0;
}

int mqtt_id_set_add(struct mqtt_id_set *set, uint16_t id)
{
        int r = set->count >= set->capacity / 4 * 3 ? grow(set) : 0;

        if (r < 0)
                return r;
        set->places[find(set, id)] = id;
        set->count++;
        return 0;
}

/* Entries behind the gap move up until each is where a search will find it. */
static void close_gap(struct mqtt_id_set *set, uint32_t gap)
{
        uint32_t mask = set->capacity - 1;

        for (uint32_t at = (gap + 1) & mask; set->places[at] != 0; at = (at + 1) & mask) {
                uint32_t wanted = set->places[at] & mask;

                if (((at - wanted) & mask) >= ((at - gap) & mask)) {
                        set->places[gap] = set->places[at];
                        gap = at;
                }
        }
        set->places[gap] = 0;
}

bool mqtt_id_set_remove(struct mqtt_id_set *set, uint16_t id)
{
        uint32_t at;

        if (set->count == 0)
                return false;
        at = find(set, id);
        if (set->places[at] != id)
                return false;
        close_gap(set, at);
        set->count--;
        /* A small one is kept: the next message will want it. */
        if (set->count == 0 && set->capacity > CAPACITY_KEPT)
                mqtt_id_set_done(set);
        return true;
}

uint16_t mqtt_id_set_next(const struct mqtt_id_set *set, uint32_t *at)
{
        while (*at < set->capacity) {
                uint16_t id = set->places[(*at)++];

                if (id != 0)
                        return id;
        }
        return 0;
}
