#include "base/map.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

TEST(what_was_put_is_found_replaced_and_removed)
{
        AUTO(map) struct map *map = NULL;
        int one = 1, two = 2;
        void *previous = &one;

        CHECK_EQ(map_new(10, &map), 0);
        CHECK_NULL(map_get(map, "a", 1));
        CHECK_NULL(map_remove(map, "a"));
        CHECK_EQ(map_put(map, "a", &one, &previous), 0);
        CHECK_NULL(previous);
        CHECK(map_get(map, "abc", 1) == &one);
        CHECK_NULL(map_get(map, "abc", 2));
        CHECK_EQ(map_put(map, "a", &two, &previous), 0);
        CHECK(previous == &one);
        CHECK_EQ(map_count(map), 1);
        CHECK(map_remove(map, "a") == &two);
        CHECK_EQ(map_count(map), 0);
        CHECK_NULL(map_get(map, "a", 1));
}

TEST(borrowed_keys_stay_their_owners)
{
        AUTO(map) struct map *map = NULL;
        char first[] = "key", second[] = "key";
        const char *key;
        size_t position = 0;
        int value;

        CHECK_EQ(map_new_borrowing(10, &map), 0);
        CHECK_EQ(map_put(map, first, &value, NULL), 0);
        CHECK(map_next(map, &position, &key) == &value && key == first);
        /* The first may go now. */
        CHECK_EQ(map_put(map, second, &value, NULL), 0);
        first[0] = 'x';
        CHECK(map_get(map, "key", 3) == &value);
        CHECK(map_remove(map, second) == &value);
        CHECK_EQ(map_put(map, second, &value, NULL), 0);
}

TEST(a_full_map_refuses_new_keys_and_replaces_old_ones)
{
        AUTO(map) struct map *map = NULL;
        int value;

        CHECK_EQ(map_new(2, &map), 0);
        CHECK_EQ(map_put(map, "a", &value, NULL), 0);
        CHECK_EQ(map_put(map, "", &value, NULL), 0);
        CHECK_EQ(map_put(map, "c", &value, NULL), -ENOSPC);
        CHECK_EQ(map_put(map, "a", &value, NULL), 0);
        CHECK(map_get(map, "", 0) == &value);
        CHECK_EQ(map_count(map), 2);
}

/* Against a plain array, with removals in between: the gaps must close right. */
TEST(a_thousand_keys_come_and_go_as_in_an_array)
{
        AUTO(map) struct map *map = NULL;
        static char present[1000];
        uint32_t random = 12345;
        size_t count = 0;

        memset(present, 0, sizeof(present));
        CHECK_EQ(map_new(1000, &map), 0);
        for (int step = 0; step < 50000; step++) {
                char key[32];
                unsigned i;

                random = random * 1664525 + 1013904223;
                i = (random >> 8) % 1000;
                snprintf(key, sizeof(key), "key-%u-%.*s", i, (int)(i % 16), "abcdefghijklmnop");
                CHECK((map_get(map, key, strlen(key)) != NULL) == present[i]);
                if (random >> 31) {
                        CHECK_EQ(map_put(map, key, &present[i], NULL), 0);
                        count += !present[i];
                        present[i] = 1;
                } else {
                        CHECK(map_remove(map, key) == (present[i] ? &present[i] : NULL));
                        count -= present[i];
                        present[i] = 0;
                }
                CHECK_EQ(map_count(map), count);
        }
}

TEST(walking_meets_each_entry_once)
{
        AUTO(map) struct map *map = NULL;
        int seen[100] = {0};
        const char *key = NULL;
        size_t position = 0, met = 0;
        void *value;

        CHECK_EQ(map_new(100, &map), 0);
        CHECK_NULL(map_next(map, &position, &key));
        for (int i = 0; i < 100; i++) {
                char name[16];

                snprintf(name, sizeof(name), "%d", i);
                CHECK_EQ(map_put(map, name, &seen[i], NULL), 0);
        }
        position = 0;
        while ((value = map_next(map, &position, &key))) {
                CHECK(value == &seen[atoi(key)]);
                seen[atoi(key)]++;
                met++;
        }
        CHECK_EQ(met, 100);
        for (int i = 0; i < 100; i++)
                CHECK_EQ(seen[i], 1);
}

TEST(a_map_that_cannot_grow_keeps_what_it_has)
{
        static int values[40];
        size_t n = 0;
        bool failed;

        do {
                AUTO(map) struct map *map = NULL;
                size_t put = 0;
                void *previous = values;
                char key[8];
                int r;

                allocation_fail_at(++n);
                r = map_new(100, &map);
                while (r == 0 && put < 40) {
                        snprintf(key, sizeof(key), "%zu", put);
                        previous = values;
                        r = map_put(map, key, &values[put], &previous);
                        put += r == 0;
                }
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK((map == NULL) == (n == 1));
                if (!map)
                        continue;
                CHECK_EQ(map_count(map), put);
                CHECK(previous == (failed ? values : NULL));
                for (size_t i = 0; i < 40; i++) {
                        snprintf(key, sizeof(key), "%zu", i);
                        CHECK(map_get(map, key, strlen(key)) == (i < put ? &values[i] : NULL));
                }
        } while (failed);
        CHECK(n > 40);
}
