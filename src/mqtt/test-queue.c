#include "mqtt/queue.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

static struct mqtt_delivery numbered(uint32_t number, uint32_t length)
{
        static const uint8_t zeros[100];
        struct mqtt_publish publish = {.topic = {"t", 1}, .payload = {zeros, length}};
        struct mqtt_source source = {.version = MQTT_VERSION_5};
        struct mqtt_delivery delivery = {.subscription_id = number, .qos = 1};

        CHECK_EQ(mqtt_message_new(&publish, &source, &delivery.message), 0);
        return delivery;
}

static int add(struct mqtt_queue *queue, struct mqtt_queued *all, uint32_t number, uint32_t length,
               uint32_t messages, size_t bytes)
{
        struct mqtt_queue_bounds bounds = {messages, bytes, 1000};
        struct mqtt_delivery delivery = numbered(number, length);
        int r = mqtt_queue_add(queue, all, &delivery, &bounds);

        if (r < 0)
                mqtt_delivery_done(&delivery);
        return r;
}

static uint32_t take(struct mqtt_queue *queue, struct mqtt_queued *all)
{
        struct mqtt_delivery delivery;

        if (!mqtt_queue_take(queue, all, &delivery))
                return 0;
        mqtt_delivery_done(&delivery);
        return delivery.subscription_id;
}

TEST(what_comes_first_goes_first_however_it_grows)
{
        struct mqtt_queue queue;
        struct mqtt_queued all = {0};
        uint32_t in = 0, out = 0;

        mqtt_queue_init(&queue);
        for (unsigned i = 0; i < 70; i++) {
                for (unsigned j = 0; j < 3; j++)
                        CHECK_EQ(add(&queue, &all, ++in, 5, 1000, 100000), 0);
                CHECK_EQ(take(&queue, &all), ++out);
                CHECK_EQ(queue.count, in - out);
                CHECK_EQ(queue.bytes, (in - out) * 6);
                CHECK_EQ(all.bytes, queue.bytes);
        }
        while (out < in)
                CHECK_EQ(take(&queue, &all), ++out);
        CHECK_EQ(take(&queue, &all), 0);
        CHECK_EQ(queue.bytes, 0);
        CHECK_EQ(queue.capacity, 0);
}

TEST(it_is_bounded_in_messages_and_in_bytes)
{
        struct mqtt_queue queue;
        struct mqtt_queued all = {0};

        mqtt_queue_init(&queue);
        CHECK_EQ(add(&queue, &all, 1, 50, 2, 20), 0);
        CHECK_EQ(add(&queue, &all, 2, 1, 2, 20), -ENOSPC);
        CHECK_EQ(take(&queue, &all), 1);
        CHECK_EQ(add(&queue, &all, 1, 9, 2, 20), 0);
        CHECK_EQ(add(&queue, &all, 2, 10, 2, 20), -ENOSPC);
        CHECK_EQ(add(&queue, &all, 2, 9, 2, 20), 0);
        CHECK_EQ(add(&queue, &all, 3, 0, 2, 100), -ENOSPC);
        CHECK_EQ(queue.bytes, 20);
        mqtt_queue_done(&queue, &all);
        CHECK_EQ(queue.count, 0);
        CHECK_EQ(all.bytes, 0);
}

TEST(all_of_them_are_bounded_together)
{
        struct mqtt_queue one, two;
        struct mqtt_queued all = {0};

        mqtt_queue_init(&one);
        mqtt_queue_init(&two);
        for (uint32_t i = 1; i <= 10; i++)
                CHECK_EQ(add(&one, &all, i, 98, 100, 10000), 0);
        CHECK_EQ(all.bytes, 990);
        CHECK_EQ(all.messages, 10);
        CHECK_EQ(add(&two, &all, 1, 10, 100, 10000), -EDQUOT);
        CHECK_EQ(add(&two, &all, 1, 9, 100, 10000), 0);
        CHECK_EQ(take(&one, &all), 1);
        CHECK_EQ(add(&two, &all, 2, 98, 100, 10000), 0);
        mqtt_queue_done(&one, &all);
        mqtt_queue_done(&two, &all);
        CHECK_EQ(all.bytes, 0);
}

TEST(without_memory_the_delivery_stays_the_callers)
{
        struct mqtt_queue queue;
        struct mqtt_queued all = {0};
        struct mqtt_queue_bounds bounds = {10, 100, 100};
        struct mqtt_delivery delivery = numbered(1, 1);
        int r;

        mqtt_queue_init(&queue);
        allocation_fail_at(1);
        r = mqtt_queue_add(&queue, &all, &delivery, &bounds);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_EQ(queue.count, 0);
        mqtt_delivery_done(&delivery);
}
