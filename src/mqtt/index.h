/* mqtt/index.h - finds items of a pool by a hash of four bytes, open addressing.
 *
 * The index knows numbers and hashes only; what makes two items equal is its owner's to
 * compare. Hashes come of a secret key (base/siphash.h), else strangers could make all
 * searches long. Grows and shrinks with its content. Embedded in its owner.
 *
 *     uint32_t at = mqtt_index_begin(index, hash), number;
 *     while ((number = mqtt_index_next(index, hash, &at)) > 0)
 *             if (number is the one)
 *                     … */
#pragma once

#include <stdint.h>

struct mqtt_index {
        struct mqtt_index_place {
                uint32_t hash;
                uint32_t number; /* 0: free */
        } * places;
        uint32_t capacity; /* 0 or a power of two */
        uint32_t count;
};

void mqtt_index_init(struct mqtt_index *index);
void mqtt_index_done(struct mqtt_index *index);

int mqtt_index_add(struct mqtt_index *index, uint32_t hash, uint32_t number);     /* -ENOMEM */
void mqtt_index_remove(struct mqtt_index *index, uint32_t hash, uint32_t number); /* is there */

static inline uint32_t mqtt_index_begin(const struct mqtt_index *index, uint32_t hash)
{
        return index->capacity > 0 ? hash & (index->capacity - 1) : 0;
}

/* The next with this hash; 0: no more. At least one place in eight is free, so this ends. */
static inline uint32_t mqtt_index_next(const struct mqtt_index *index, uint32_t hash, uint32_t *at)
{
        if (index->capacity == 0)
                return 0;
        for (;;) {
                struct mqtt_index_place place = index->places[*at];

                if (place.number == 0)
                        return 0;
                *at = (*at + 1) & (index->capacity - 1);
                if (place.hash == hash)
                        return place.number;
        }
}
