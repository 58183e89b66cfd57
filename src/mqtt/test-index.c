#include "mqtt/index.h"
#include "mqtt/levels.h"
#include "mqtt/pool.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_there(const struct mqtt_index *index, uint32_t hash, uint32_t number)
{
        uint32_t at = mqtt_index_begin(index, hash), found;

        while ((found = mqtt_index_next(index, hash, &at)) > 0)
                if (found == number)
                        return true;
        return false;
}

/* Few hashes for many numbers, as no key would give them, around the end of the table. */
static uint32_t bad_hash(uint32_t number)
{
        return UINT32_MAX - number % 5;
}

TEST(what_was_added_is_found_although_hashes_collide_and_others_go)
{
        enum { NUMBERS = 300 };
        bool there[NUMBERS + 1] = {0};
        struct mqtt_index index;
        uint32_t state = 1, count = 0;

        mqtt_index_init(&index);
        CHECK(!is_there(&index, 1, 1));
        for (unsigned i = 0; i < 5000; i++) {
                uint32_t number;

                state = state * 1103515245 + 12345;
                number = 1 + (state >> 16) % NUMBERS;
                if (there[number]) {
                        mqtt_index_remove(&index, bad_hash(number), number);
                        count--;
                } else {
                        CHECK_EQ(mqtt_index_add(&index, bad_hash(number), number), 0);
                        count++;
                }
                there[number] = !there[number];
                CHECK_EQ(index.count, count);
                if (i % 50 == 0)
                        for (uint32_t n = 1; n <= NUMBERS; n++)
                                CHECK_EQ(is_there(&index, bad_hash(n), n), there[n]);
        }
        mqtt_index_done(&index);
}

TEST(a_table_that_empties_gives_its_memory_back)
{
        struct mqtt_index index;

        mqtt_index_init(&index);
        for (uint32_t n = 1; n <= 10000; n++)
                CHECK_EQ(mqtt_index_add(&index, n * 2654435761U, n), 0);
        CHECK(index.capacity >= 10000 && index.capacity <= 16384);
        for (uint32_t n = 1; n < 10000; n++)
                mqtt_index_remove(&index, n * 2654435761U, n);
        CHECK(index.capacity <= 64);
        CHECK(is_there(&index, 10000 * 2654435761U, 10000));
        mqtt_index_remove(&index, 10000 * 2654435761U, 10000);
        CHECK_EQ(index.capacity, 0);
        CHECK_NULL(index.places);
}

TEST(without_memory_a_table_stays_as_it_is)
{
        struct mqtt_index index;
        uint32_t failures = 0;

        mqtt_index_init(&index);
        for (uint32_t n = 1; n <= 100; n++) {
                int r;

                allocation_fail_at(1);
                r = mqtt_index_add(&index, n, n);
                if (allocation_end()) {
                        CHECK_EQ(r, -ENOMEM);
                        CHECK(!is_there(&index, n, n));
                        failures++;
                        r = mqtt_index_add(&index, n, n);
                }
                CHECK_EQ(r, 0);
                CHECK(is_there(&index, n, n) && is_there(&index, 1, 1));
        }
        CHECK_EQ(failures, 4); /* 16, 32, 64, 128 */
        /* Nor does it mind when it cannot become smaller. */
        for (uint32_t n = 100; n > 1; n--) {
                allocation_fail_at(1);
                mqtt_index_remove(&index, n, n);
                (void)allocation_end();
                CHECK(is_there(&index, 1, 1));
        }
        mqtt_index_done(&index);
}

TEST(items_of_a_pool_stay_where_they_are_and_numbers_come_again)
{
        enum { ITEMS = 1000 };
        struct mqtt_pool pool;
        uint32_t numbers[ITEMS], again;
        uint64_t *items[ITEMS];

        mqtt_pool_init(&pool, sizeof(uint64_t));
        for (uint32_t i = 0; i < ITEMS; i++) {
                CHECK_EQ(mqtt_pool_take(&pool, &numbers[i]), 0);
                CHECK(numbers[i] > 0);
                items[i] = mqtt_pool_at(&pool, numbers[i]);
                CHECK(*items[i] == 0);
                *items[i] = i + 1;
        }
        for (uint32_t i = 0; i < ITEMS; i++)
                CHECK(mqtt_pool_at(&pool, numbers[i]) == items[i] && *items[i] == i + 1);
        mqtt_pool_give(&pool, numbers[7]);
        CHECK_EQ(mqtt_pool_take(&pool, &again), 0);
        CHECK_EQ(again, numbers[7]);
        CHECK(*items[7] == 0);
        for (uint32_t i = 0; i < ITEMS; i++)
                mqtt_pool_give(&pool, numbers[i]);
        CHECK_EQ(pool.count, 0);
        CHECK_NULL(pool.chunks);
        mqtt_pool_done(&pool);
}

TEST(names_are_stored_once_and_go_with_their_last_holder)
{
        static const char longer[] = "a name that is longer than sixteen bytes";
        const struct mqtt_text names[] = {
                {"", 0}, {"a", 1}, {"exactly-sixteen-", 16}, {longer, 17}, {longer, 40}};
        struct mqtt_levels levels;
        uint32_t numbers[5], again;

        CHECK_EQ(mqtt_levels_init(&levels), 0);
        for (int i = 0; i < 5; i++) {
                CHECK_EQ(mqtt_levels_find(&levels, names[i]), 0);
                CHECK_EQ(mqtt_levels_hold(&levels, names[i], &numbers[i]), 0);
                CHECK_EQ(mqtt_levels_hold(&levels, names[i], &again), 0);
                CHECK_EQ(again, numbers[i]);
                mqtt_levels_drop(&levels, again);
        }
        for (int i = 0; i < 5; i++) {
                struct mqtt_text text = mqtt_levels_text(&levels, numbers[i]);

                CHECK_EQ(mqtt_levels_find(&levels, names[i]), numbers[i]);
                CHECK_EQ(text.length, names[i].length);
                CHECK(memcmp(text.bytes, names[i].bytes, text.length) == 0);
        }
        for (int i = 0; i < 4; i++) {
                mqtt_levels_drop(&levels, numbers[i]);
                CHECK_EQ(mqtt_levels_find(&levels, names[i]), 0);
        }
        mqtt_levels_done(&levels);
}
