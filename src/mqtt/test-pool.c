#include "mqtt/pool.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdbool.h>

struct item {
        uint32_t first; /* the pool's, once it was given back */
        uint32_t value;
};

enum { ITEMS = 10 * MQTT_POOL_CHUNK };

static uint32_t take(struct mqtt_pool *pool, uint32_t value)
{
        struct item *item;
        uint32_t number;

        CHECK_EQ(mqtt_pool_take(pool, &number), 0);
        CHECK(number > 0);
        item = mqtt_pool_at(pool, number);
        CHECK_EQ(item->first, 0);
        CHECK_EQ(item->value, 0);
        item->value = value;
        return number;
}

static uint32_t value_of(const struct mqtt_pool *pool, uint32_t number)
{
        return ((const struct item *)mqtt_pool_at(pool, number))->value;
}

static uint32_t chunks_there(const struct mqtt_pool *pool)
{
        return pool->chunks_count - pool->vacant_count;
}

TEST(items_come_and_go_and_stay_where_they_are)
{
        static uint32_t numbers[ITEMS]; /* 0: not there */
        struct mqtt_pool pool;
        uint32_t random = 1, there = 0;

        mqtt_pool_init(&pool, sizeof(struct item));
        for (unsigned step = 0; step < 20000; step++) {
                /* Up to the end of what there is room for, and down again. */
                bool grows = step / 2000 % 2 == 0;
                uint32_t i;

                random = random * 1664525 + 1013904223;
                i = (random >> 8) % ITEMS;
                if (numbers[i] == 0 && (grows || random >> 28 == 0)) {
                        numbers[i] = take(&pool, i + 1);
                        there++;
                } else if (numbers[i] > 0 && (!grows || random >> 28 == 0)) {
                        CHECK_EQ(value_of(&pool, numbers[i]), i + 1);
                        mqtt_pool_give(&pool, numbers[i]);
                        numbers[i] = 0;
                        there--;
                }
                CHECK_EQ(pool.count, there);
                CHECK(chunks_there(&pool) <= there);
        }
        for (uint32_t i = 0; i < ITEMS; i++)
                if (numbers[i] > 0)
                        CHECK_EQ(value_of(&pool, numbers[i]), i + 1);
        mqtt_pool_done(&pool);
}

TEST(a_chunk_goes_with_its_last_item_and_its_numbers_are_given_again)
{
        static uint32_t numbers[ITEMS];
        struct mqtt_pool pool;
        uint32_t before;

        mqtt_pool_init(&pool, sizeof(struct item));
        for (uint32_t i = 0; i < ITEMS; i++)
                numbers[i] = take(&pool, 1);
        before = chunks_there(&pool);
        CHECK(before >= ITEMS / MQTT_POOL_CHUNK);
        for (uint32_t i = 1; i < ITEMS; i++)
                mqtt_pool_give(&pool, numbers[i]);
        CHECK_EQ(chunks_there(&pool), 1);
        for (uint32_t i = 1; i < ITEMS; i++)
                CHECK(take(&pool, 1) < before * MQTT_POOL_CHUNK);
        CHECK_EQ(chunks_there(&pool), before);
        mqtt_pool_done(&pool);
        CHECK_EQ(pool.chunks_count, 0);
}

TEST(a_walk_finds_each_item_once)
{
        static uint32_t numbers[ITEMS];
        struct mqtt_pool pool;
        const struct item *item;
        uint32_t at = 0, found = 0;

        mqtt_pool_init(&pool, sizeof(struct item));
        CHECK_NULL(mqtt_pool_next(&pool, &at));
        for (uint32_t i = 0; i < ITEMS; i++)
                numbers[i] = take(&pool, 1);
        /* Chunks of which nothing is left, and of which something is. */
        for (uint32_t i = MQTT_POOL_CHUNK; i < ITEMS / 2; i++)
                mqtt_pool_give(&pool, numbers[i]);
        for (uint32_t i = ITEMS / 2; i < ITEMS; i += 3)
                mqtt_pool_give(&pool, numbers[i]);
        while ((item = mqtt_pool_next(&pool, &at)))
                found += item->value;
        CHECK_EQ(found, pool.count);
        mqtt_pool_done(&pool);
}

TEST(without_memory_there_is_no_item_and_the_others_stay)
{
        struct mqtt_pool pool;
        size_t n = 0;
        bool failed;

        do {
                uint32_t number, there = 0;
                int r = 0;

                mqtt_pool_init(&pool, sizeof(struct item));
                allocation_fail_at(++n);
                while (r == 0 && there < ITEMS) {
                        r = mqtt_pool_take(&pool, &number);
                        there += r == 0;
                }
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(pool.count, there);
                CHECK_EQ(mqtt_pool_take(&pool, &number), 0);
                mqtt_pool_done(&pool);
        } while (failed);
        CHECK(n > 10);
}
