#include "mqtt/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Stands before the items of a chunk. Those that were given back are a list: each names the
 * one before in its first bytes. */
struct chunk {
        uint32_t next, previous; /* chunks that are not full, counted from 1 */
        uint32_t free;           /* the last that was given back, counted from 1; 0: none */
        uint16_t used;           /* places that were ever given */
        uint16_t count;          /* items */
};

void mqtt_pool_init(struct mqtt_pool *pool, size_t size)
{
        assert(size >= sizeof(uint32_t) && size < UINT16_MAX);
        *pool = (struct mqtt_pool){.size = (uint32_t)size};
}

static struct chunk *chunk_at(const struct mqtt_pool *pool, uint32_t index)
{
        return (struct chunk *)(void *)(pool->chunks[index] - sizeof(struct chunk));
}

void mqtt_pool_done(struct mqtt_pool *pool)
{
        for (uint32_t i = 0; i < pool->chunks_count; i++)
                if (pool->chunks[i])
                        free(chunk_at(pool, i));
        free(pool->chunks);
        free(pool->vacant);
        mqtt_pool_init(pool, pool->size);
}

static void link_roomy(struct mqtt_pool *pool, uint32_t index)
{
        struct chunk *chunk = chunk_at(pool, index);

        chunk->previous = 0;
        chunk->next = pool->roomy;
        if (chunk->next > 0)
                chunk_at(pool, chunk->next - 1)->previous = index + 1;
        pool->roomy = index + 1;
}

static void unlink_roomy(struct mqtt_pool *pool, uint32_t index)
{
        const struct chunk *chunk = chunk_at(pool, index);

        if (chunk->next > 0)
                chunk_at(pool, chunk->next - 1)->previous = chunk->previous;
        if (chunk->previous > 0)
                chunk_at(pool, chunk->previous - 1)->next = chunk->next;
        else
                pool->roomy = chunk->next;
}

static bool is_full(const struct chunk *chunk)
{
        return chunk->free == 0 && chunk->used == MQTT_POOL_CHUNK;
}

/* Room for the names of one more chunk. */
static int reserve(struct mqtt_pool *pool)
{
        uint32_t capacity = pool->chunks_capacity > 0 ? pool->chunks_capacity * 2 : 4;
        uint32_t *vacant;
        char **chunks;

        if (pool->vacant_count > 0 || pool->chunks_count < pool->chunks_capacity)
                return 0;
        if (pool->chunks_count >= MQTT_POOL_MAX / MQTT_POOL_CHUNK)
                return -ENOMEM;
        chunks = reallocarray(pool->chunks, capacity, sizeof(*chunks));
        if (!chunks)
                return -ENOMEM;
        pool->chunks = chunks;
        vacant = reallocarray(pool->vacant, capacity, sizeof(*vacant));
        if (!vacant)
                return -ENOMEM;
        pool->vacant = vacant;
        pool->chunks_capacity = capacity;
        return 0;
}

static int add_chunk(struct mqtt_pool *pool)
{
        struct chunk *chunk;
        uint32_t index;
        int r = reserve(pool);

        if (r < 0)
                return r;
        chunk = malloc(sizeof(*chunk) + (size_t)pool->size * MQTT_POOL_CHUNK);
        if (!chunk)
                return -ENOMEM;
        index = pool->vacant_count > 0 ? pool->vacant[--pool->vacant_count] : pool->chunks_count++;
        pool->chunks[index] = (char *)(chunk + 1);
        /* Number 0 is nobody's. */
        *chunk = (struct chunk){.used = index == 0};
        link_roomy(pool, index);
        return 0;
}

int mqtt_pool_take(struct mqtt_pool *pool, uint32_t *ret)
{
        uint32_t place, number;
        struct chunk *chunk;
        int r;

        if (pool->roomy == 0) {
                r = add_chunk(pool);
                if (r < 0)
                        return r;
        }
        chunk = chunk_at(pool, pool->roomy - 1);
        place = chunk->free > 0 ? chunk->free - 1 : chunk->used++;
        number = (pool->roomy - 1) * MQTT_POOL_CHUNK + place;
        if (chunk->free > 0)
                memcpy(&chunk->free, mqtt_pool_at(pool, number), sizeof(chunk->free));
        chunk->count++;
        if (is_full(chunk))
                unlink_roomy(pool, pool->roomy - 1);
        memset(mqtt_pool_at(pool, number), 0, pool->size);
        pool->count++;
        *ret = number;
        return 0;
}

static void drop_chunk(struct mqtt_pool *pool, uint32_t index)
{
        unlink_roomy(pool, index);
        free(chunk_at(pool, index));
        pool->chunks[index] = NULL;
        pool->vacant[pool->vacant_count++] = index;
}

void mqtt_pool_give(struct mqtt_pool *pool, uint32_t number)
{
        uint32_t index = number / MQTT_POOL_CHUNK;
        struct chunk *chunk = chunk_at(pool, index);
        bool was_full = is_full(chunk);

        memset(mqtt_pool_at(pool, number), 0, pool->size);
        memcpy(mqtt_pool_at(pool, number), &chunk->free, sizeof(chunk->free));
        chunk->free = number % MQTT_POOL_CHUNK + 1;
        chunk->count--;
        if (was_full)
                link_roomy(pool, index);
        if (--pool->count == 0)
                mqtt_pool_done(pool);
        else if (chunk->count == 0)
                drop_chunk(pool, index);
}

void *mqtt_pool_next(const struct mqtt_pool *pool, uint32_t *at)
{
        for (uint32_t number = *at + 1; number / MQTT_POOL_CHUNK < pool->chunks_count; number++) {
                uint32_t index = number / MQTT_POOL_CHUNK;

                if (!pool->chunks[index] || number % MQTT_POOL_CHUNK >= chunk_at(pool, index)->used)
                        continue;
                *at = number;
                return mqtt_pool_at(pool, number);
        }
        return NULL;
}
