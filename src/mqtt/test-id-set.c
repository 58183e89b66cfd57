#include "mqtt/id-set.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <string.h>

TEST(it_agrees_with_a_plain_table_whatever_comes_and_goes)
{
        static bool there[65536];
        struct mqtt_id_set set;
        uint32_t count = 0, state = 1;

        memset(there, 0, sizeof(there));
        mqtt_id_set_init(&set);
        for (unsigned i = 0; i < 200000; i++) {
                uint16_t id;

                state = state * 1664525 + 1013904223;
                /* Crowded in their low bits, so that they collide. */
                id = (uint16_t)((state >> 16) % 64 * 1024 + (state >> 24) % 4 + 1);
                CHECK_EQ(mqtt_id_set_has(&set, id), there[id]);
                if (there[id]) {
                        CHECK(mqtt_id_set_remove(&set, id));
                        count--;
                } else {
                        CHECK(!mqtt_id_set_remove(&set, id));
                        CHECK_EQ(mqtt_id_set_add(&set, id), 0);
                        count++;
                }
                there[id] = !there[id];
                CHECK_EQ(set.count, count);
        }
        mqtt_id_set_done(&set);
}

TEST(it_holds_all_identifiers_there_are)
{
        struct mqtt_id_set set;

        mqtt_id_set_init(&set);
        for (unsigned id = 1; id <= 65535; id++)
                CHECK_EQ(mqtt_id_set_add(&set, (uint16_t)id), 0);
        for (unsigned id = 65535; id > 0; id--)
                CHECK(mqtt_id_set_remove(&set, (uint16_t)id));
        CHECK_EQ(set.count, 0);
        CHECK_EQ(set.capacity, 0);
}

TEST(without_memory_it_is_as_before)
{
        struct mqtt_id_set set;
        int r;

        mqtt_id_set_init(&set);
        allocation_fail_at(1);
        r = mqtt_id_set_add(&set, 1);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK(!mqtt_id_set_has(&set, 1));
}
