/* Linear probing; deletion shifts back, so that there are no tombstones. */
#include "mqtt/index.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 16, CAPACITY_MAX = 1 << 30 };

void mqtt_index_init(struct mqtt_index *index)
{
        *index = (struct mqtt_index){0};
}

void mqtt_index_done(struct mqtt_index *index)
{
        free(index->places);
        mqtt_index_init(index);
}

static void put(struct mqtt_index *index, struct mqtt_index_place place)
{
        uint32_t mask = index->capacity - 1, at = place.hash & mask;

        while (index->places[at].number != 0)
                at = (at + 1) & mask;
        index->places[at] = place;
        index->count++;
}

static int resize(struct mqtt_index *index, uint32_t capacity)
{
        struct mqtt_index resized = {.capacity = capacity};

        if (capacity > CAPACITY_MAX)
                return -ENOMEM;
        resized.places = calloc(capacity, sizeof(*resized.places));
        if (!resized.places)
                return -ENOMEM;
        for (uint32_t i = 0; i < index->capacity; i++)
                if (index->places[i].number != 0)
                        put(&resized, index->places[i]);
        free(index->places);
        *index = resized;
        return 0;
}

int mqtt_index_add(struct mqtt_index *index, uint32_t hash, uint32_t number)
{
        int r = 0;

        if (index->capacity == 0)
                r = resize(index, CAPACITY_FIRST);
        else if (index->count >= index->capacity / 8 * 7)
                r = resize(index, index->capacity * 2);
        if (r < 0)
                return r;
        put(index, (struct mqtt_index_place){hash, number});
        return 0;
}

/* Those behind the gap move up until each is where a search will find it. */
static void close_gap(struct mqtt_index *index, uint32_t gap)
{
        uint32_t mask = index->capacity - 1;

        for (uint32_t at = (gap + 1) & mask; index->places[at].number != 0; at = (at + 1) & mask) {
                uint32_t wanted = index->places[at].hash & mask;

                if (((at - wanted) & mask) >= ((at - gap) & mask)) {
                        index->places[gap] = index->places[at];
                        gap = at;
                }
        }
        index->places[gap] = (struct mqtt_index_place){0};
}

void mqtt_index_remove(struct mqtt_index *index, uint32_t hash, uint32_t number)
{
        uint32_t mask = index->capacity - 1, at = hash & mask;

        while (index->places[at].number != number)
                at = (at + 1) & mask;
        close_gap(index, at);
        index->count--;
        if (index->count == 0)
                mqtt_index_done(index);
        else if (index->capacity > CAPACITY_FIRST && index->count < index->capacity / 8)
                /* Without memory it stays as large as it is. */
                (void)resize(index, index->capacity / 4);
}
