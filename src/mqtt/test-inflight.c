#include "mqtt/inflight.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

static struct mqtt_message *message(void)
{
        struct mqtt_publish publish = {.topic = {"t", 1}};
        struct mqtt_source source = {.version = MQTT_VERSION_5};
        struct mqtt_message *made = NULL;

        CHECK_EQ(mqtt_message_new(&publish, &source, &made), 0);
        return made;
}

/* One more in flight; its identifier. */
static uint16_t add(struct mqtt_inflight *inflight)
{
        struct mqtt_delivery delivery = {.message = message(), .qos = 1};
        uint16_t id = 0;

        CHECK_EQ(mqtt_inflight_add(inflight, &delivery, &id), 0);
        return id;
}

TEST(identifiers_count_up_and_begin_again_at_one)
{
        struct mqtt_inflight inflight;

        mqtt_inflight_init(&inflight);
        for (unsigned i = 1; i <= 65535; i++) {
                CHECK_EQ(add(&inflight), i);
                mqtt_inflight_remove(&inflight, (uint16_t)i);
        }
        CHECK_EQ(add(&inflight), 1);
        CHECK_EQ(add(&inflight), 2);
        CHECK_EQ(inflight.count, 2);
        mqtt_inflight_done(&inflight);
}

TEST(what_is_in_flight_is_found_across_the_end_of_the_identifiers)
{
        struct mqtt_inflight inflight;

        mqtt_inflight_init(&inflight);
        inflight.next_id = 65534;
        for (unsigned i = 0; i < 4; i++)
                (void)add(&inflight);
        CHECK(mqtt_inflight_find(&inflight, 65534) != NULL);
        CHECK(mqtt_inflight_find(&inflight, 65535) != NULL);
        CHECK(mqtt_inflight_find(&inflight, 1) != NULL);
        CHECK(mqtt_inflight_find(&inflight, 2) != NULL);
        CHECK_NULL(mqtt_inflight_find(&inflight, 0));
        CHECK_NULL(mqtt_inflight_find(&inflight, 3));
        CHECK_NULL(mqtt_inflight_find(&inflight, 65533));
        CHECK_EQ(mqtt_inflight_newer(&inflight, 65534), 3);
        CHECK_EQ(mqtt_inflight_newer(&inflight, 65535), 2);
        CHECK_EQ(mqtt_inflight_newer(&inflight, 2), 0);
        mqtt_inflight_done(&inflight);
}

TEST(what_is_acknowledged_out_of_turn_is_gone_and_leaves_the_rest)
{
        struct mqtt_inflight inflight;

        mqtt_inflight_init(&inflight);
        for (unsigned i = 0; i < 20; i++)
                (void)add(&inflight);
        for (uint16_t id = 20; id > 1; id--) {
                mqtt_inflight_remove(&inflight, id);
                CHECK_NULL(mqtt_inflight_find(&inflight, id));
                CHECK_EQ(inflight.count, id - 1);
                CHECK_EQ(inflight.outstanding, id - 1);
        }
        CHECK(mqtt_inflight_find(&inflight, 1) != NULL);
        mqtt_inflight_remove(&inflight, 1);
        CHECK_EQ(inflight.span, 0);
        mqtt_inflight_done(&inflight);
}

TEST(a_new_connection_is_sent_what_is_left_in_order)
{
        struct mqtt_inflight inflight;
        uint16_t id = 0;

        mqtt_inflight_init(&inflight);
        inflight.next_id = 65534;
        for (unsigned i = 0; i < 5; i++)
                (void)add(&inflight);
        mqtt_inflight_remove(&inflight, 65535);
        CHECK_NULL(mqtt_inflight_resume(&inflight, &id));
        mqtt_inflight_suspend(&inflight);
        CHECK(!mqtt_inflight_has_room(&inflight));
        CHECK_EQ(inflight.outstanding, 0);
        CHECK(mqtt_inflight_resume(&inflight, &id) != NULL);
        CHECK_EQ(id, 65534);
        /* What a client acknowledges before it came again is not sent again. */
        mqtt_inflight_remove(&inflight, 2);
        CHECK_EQ(inflight.outstanding, 1);
        CHECK(mqtt_inflight_resume(&inflight, &id) != NULL);
        CHECK_EQ(id, 1);
        CHECK(mqtt_inflight_resume(&inflight, &id) != NULL);
        CHECK_EQ(id, 3);
        CHECK_NULL(mqtt_inflight_resume(&inflight, &id));
        CHECK_EQ(inflight.outstanding, 3);
        CHECK(mqtt_inflight_has_room(&inflight));
        mqtt_inflight_done(&inflight);
}

TEST(those_in_flight_are_told_in_order_and_no_others)
{
        struct mqtt_inflight inflight;
        uint32_t at = 0;
        uint16_t id = 0;

        mqtt_inflight_init(&inflight);
        CHECK(mqtt_inflight_next(&inflight, &at, &id) == NULL);
        inflight.next_id = 65534;
        for (unsigned i = 0; i < 5; i++)
                (void)add(&inflight);
        mqtt_inflight_remove(&inflight, 65534);
        mqtt_inflight_remove(&inflight, 1);
        mqtt_inflight_remove(&inflight, 2);
        CHECK(mqtt_inflight_next(&inflight, &at, &id) == mqtt_inflight_find(&inflight, 65535));
        CHECK_EQ(id, 65535);
        CHECK(mqtt_inflight_next(&inflight, &at, &id) == mqtt_inflight_find(&inflight, 3));
        CHECK_EQ(id, 3);
        CHECK(mqtt_inflight_next(&inflight, &at, &id) == NULL);
        mqtt_inflight_done(&inflight);
}

TEST(one_that_is_never_acknowledged_uses_up_half_of_the_identifiers_and_no_more)
{
        struct mqtt_inflight inflight;
        struct mqtt_delivery delivery = {0};
        uint16_t id;

        mqtt_inflight_init(&inflight);
        CHECK_EQ(add(&inflight), 1);
        for (unsigned i = 2; i <= 32768; i++) {
                CHECK(mqtt_inflight_has_room(&inflight));
                mqtt_inflight_remove(&inflight, add(&inflight));
        }
        CHECK(!mqtt_inflight_has_room(&inflight));
        CHECK_EQ(mqtt_inflight_add(&inflight, &delivery, &id), -ENOSPC);
        mqtt_inflight_remove(&inflight, 1);
        CHECK(mqtt_inflight_has_room(&inflight));
        CHECK_EQ(add(&inflight), 32769);
        mqtt_inflight_done(&inflight);
}

TEST(without_memory_the_delivery_stays_the_callers)
{
        struct mqtt_inflight inflight;
        struct mqtt_delivery delivery = {.message = message(), .qos = 1};
        uint16_t id;
        int r;

        mqtt_inflight_init(&inflight);
        allocation_fail_at(1);
        r = mqtt_inflight_add(&inflight, &delivery, &id);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        mqtt_delivery_done(&delivery);
        mqtt_inflight_done(&inflight);
}
