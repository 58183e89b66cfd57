#include "mqtt/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void mqtt_pool_init(struct mqtt_pool *pool, size_t size)
{
        assert(size >= sizeof(uint32_t) && size < UINT16_MAX);
        *pool = (struct mqtt_pool){.size = (uint32_t)size, .used = 1};
}

void mqtt_pool_done(struct mqtt_pool *pool)
{
        for (uint32_t i = 0; i < pool->chunks_count; i++)
                free(pool->chunks[i]);
        free(pool->chunks);
        mqtt_pool_init(pool, pool->size);
}

static int add_chunk(struct mqtt_pool *pool)
{
        uint32_t capacity = pool->chunks_capacity > 0 ? pool->chunks_capacity * 2 : 4;
        char **chunks, *chunk;

        if (pool->chunks_count == pool->chunks_capacity) {
                chunks = reallocarray(pool->chunks, capacity, sizeof(*chunks));
                if (!chunks)
                        return -ENOMEM;
                pool->chunks = chunks;
                pool->chunks_capacity = capacity;
        }
        chunk = malloc((size_t)pool->size * MQTT_POOL_CHUNK);
        if (!chunk)
                return -ENOMEM;
        pool->chunks[pool->chunks_count++] = chunk;
        return 0;
}

int mqtt_pool_take(struct mqtt_pool *pool, uint32_t *ret)
{
        uint32_t number = pool->free;
        int r;

        if (number > 0) {
                memcpy(&pool->free, mqtt_pool_at(pool, number), sizeof(pool->free));
        } else {
                if (pool->used >= MQTT_POOL_MAX)
                        return -ENOMEM;
                if (pool->used >= pool->chunks_count * MQTT_POOL_CHUNK) {
                        r = add_chunk(pool);
                        if (r < 0)
                                return r;
                }
                number = pool->used++;
        }
        memset(mqtt_pool_at(pool, number), 0, pool->size);
        pool->count++;
        *ret = number;
        return 0;
}

void mqtt_pool_give(struct mqtt_pool *pool, uint32_t number)
{
        memset(mqtt_pool_at(pool, number), 0, pool->size);
        memcpy(mqtt_pool_at(pool, number), &pool->free, sizeof(pool->free));
        pool->free = number;
        if (--pool->count == 0)
                mqtt_pool_done(pool);
}
