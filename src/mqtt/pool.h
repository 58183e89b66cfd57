/* mqtt/pool.h - items of one size that are known by a number of four bytes.
 *
 * They lie in chunks, so an item costs no more than its size, and stays where it is.
 * Memory is given back when the last item is. Number 0 is none. Embedded in its owner. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        MQTT_POOL_CHUNK = 64,       /* items */
        MQTT_POOL_MAX = 0x7fffff00, /* the highest bits are left to owners, and some numbers */
};

struct mqtt_pool {
        char **chunks;
        uint32_t chunks_count, chunks_capacity;
        uint32_t size; /* of an item */
        uint32_t used; /* numbers that were ever given, 0 included */
        uint32_t free; /* the last that was given back; each names the one before */
        uint32_t count;
};

void mqtt_pool_init(struct mqtt_pool *pool, size_t size); /* at least 4 bytes */
void mqtt_pool_done(struct mqtt_pool *pool);

/* A new item of zeros. -ENOMEM: or MQTT_POOL_MAX are there. */
int mqtt_pool_take(struct mqtt_pool *pool, uint32_t *ret);
/* It is zeros then, but for its first four bytes. */
void mqtt_pool_give(struct mqtt_pool *pool, uint32_t number);

/* Of an item that is there. */
static inline void *mqtt_pool_at(const struct mqtt_pool *pool, uint32_t number)
{
        return pool->chunks[number / MQTT_POOL_CHUNK] +
               (size_t)(number % MQTT_POOL_CHUNK) * pool->size;
}
