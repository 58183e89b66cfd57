/* mqtt/pool.h - items of one size that are known by a number of four bytes.
 *
 * They lie in chunks, so an item costs little more than its size, and stays where it is. A
 * chunk is given back with its last item. Number 0 is none. Embedded in its owner. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        MQTT_POOL_CHUNK = 64,       /* items */
        MQTT_POOL_MAX = 0x7fffff00, /* the highest bits are left to owners, and some numbers */
};

struct mqtt_pool {
        char **chunks;    /* the items of each; NULL: given back */
        uint32_t *vacant; /* which those are */
        uint32_t chunks_count, chunks_capacity, vacant_count;
        uint32_t roomy; /* the first chunk that is not full, counted from 1; 0: none */
        uint32_t size;  /* of an item */
        uint32_t count;
};

void mqtt_pool_init(struct mqtt_pool *pool, size_t size); /* at least 4 bytes */
void mqtt_pool_done(struct mqtt_pool *pool);

/* A new item of zeros. -ENOMEM: or MQTT_POOL_MAX are there. */
int mqtt_pool_take(struct mqtt_pool *pool, uint32_t *ret);
void mqtt_pool_give(struct mqtt_pool *pool, uint32_t number);

/* Walks over the items, *at begins as 0, and over some that were given back, which are zeros
 * but for their first four bytes. NULL: no more. No changes meanwhile. */
void *mqtt_pool_next(const struct mqtt_pool *pool, uint32_t *at);

/* Of an item that is there. */
static inline void *mqtt_pool_at(const struct mqtt_pool *pool, uint32_t number)
{
        return pool->chunks[number / MQTT_POOL_CHUNK] +
               (size_t)(number % MQTT_POOL_CHUNK) * pool->size;
}
