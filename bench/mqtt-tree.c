/* bench-mqtt-tree - what the broker's trees of topics cost, in bytes and in time.
 *
 * Built from what it measures: no connection comes in between. Filters are those of a fleet,
 * each of another device and another subscriber, and a few that want something of all;
 * messages are for random devices. Bytes are the allocator's, its own included. One line of
 * JSON; the best of some rounds, since other programs only ever add. */
#include "base/clock.h"
#include "mqtt/retained.h"
#include "mqtt/topic-tree.h"

#include <err.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 64, ROUNDS = 5, DASHBOARDS = 4, COPIES = 1000000, PAYLOAD = 64 };

static size_t bytes_in_use(void)
{
        struct mallinfo2 info = mallinfo2();

        return info.uordblks + info.hblkhd;
}

static uint32_t random_below(uint32_t below)
{
        static uint64_t state = 0x9e3779b97f4a7c15;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (uint32_t)((state >> 32) * below >> 32);
}

static double us_each(uint64_t begin_ns, size_t count)
{
        return (double)(clock_monotonic_ns() - begin_ns) / 1e3 / (double)count;
}

static void must(int r, const char *what)
{
        if (r < 0)
                errx(1, "%s: %s", what, strerror(-r));
}

enum shape { STATE, SET, EVENT, SHAPES, ALL_EVENTS, THERMOMETER };

static struct mqtt_text print_filter(char bytes[TEXT_SIZE], enum shape shape, uint32_t device)
{
        int length = shape == STATE ? snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/+/state", device)
                     : shape == SET
                             ? snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/gpio/17/set", device)
                     : shape == EVENT ? snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/event/#", device)
                                      : snprintf(bytes, TEXT_SIZE, "fleet/+/event/#");

        return (struct mqtt_text){bytes, (uint16_t)length};
}

/* That the filter of the same shape and device matches. */
static struct mqtt_text print_topic(char bytes[TEXT_SIZE], enum shape shape, uint32_t device)
{
        int length =
                shape == STATE ? snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/led1/state", device)
                : shape == SET ? snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/gpio/17/set", device)
                : shape == EVENT
                        ? snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/event/button/pressed", device)
                        : snprintf(bytes, TEXT_SIZE, "fleet/pi-%06u/device/thermometer/state",
                                   device);

        return (struct mqtt_text){bytes, (uint16_t)length};
}

static double best_publish(struct mqtt_topic_tree *tree, uint32_t count, uint32_t devices,
                           double *ret_receivers)
{
        double best = 1e9;

        for (int round = 0; round < ROUNDS; round++) {
                uint64_t begin = clock_monotonic_ns();
                size_t receivers = 0;
                double us;

                for (uint32_t i = 0; i < count; i++) {
                        uint32_t device = random_below(devices);
                        struct mqtt_receiver receiver;
                        struct mqtt_match match;
                        char topic[TEXT_SIZE];

                        must(mqtt_match_begin(
                                     &match, tree,
                                     print_topic(topic, (enum shape)(device % SHAPES), device),
                                     NULL),
                             "match");
                        while (mqtt_match_next(&match, &receiver))
                                receivers++;
                        mqtt_match_end(&match);
                }
                us = us_each(begin, count);
                best = us < best ? us : best;
                *ret_receivers = (double)receivers / count;
        }
        return best;
}

/* What the loop above costs without a tree. */
static double best_printing(uint32_t count, uint32_t devices)
{
        double best = 1e9;

        for (int round = 0; round < ROUNDS; round++) {
                uint64_t begin = clock_monotonic_ns();
                double us;

                for (uint32_t i = 0; i < count; i++) {
                        uint32_t device = random_below(devices);
                        char topic[TEXT_SIZE];

                        print_topic(topic, (enum shape)(device % SHAPES), device);
                        __asm__ volatile("" : : "r"(topic) : "memory");
                }
                us = us_each(begin, count);
                best = us < best ? us : best;
        }
        return best;
}

static void subscribe(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                      struct mqtt_text filter)
{
        const struct mqtt_subscription_options options = {.qos = 1};

        must(mqtt_topic_tree_subscribe(tree, subscriber, filter, &options), "subscribe");
}

static void measure_filters(uint32_t count, size_t cache_bytes)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = count + DASHBOARDS,
                                                      .cache_bytes = cache_bytes};
        struct mqtt_subscriber *subscribers = calloc(count + DASHBOARDS, sizeof(*subscribers));
        struct mqtt_topic_tree *tree;
        double publish_us, receivers, subscribe_us, remove_us;
        size_t before = bytes_in_use(), after;
        uint64_t begin;
        char filter[TEXT_SIZE];

        if (!subscribers)
                err(1, "subscribers");
        must(mqtt_topic_tree_new(&config, &tree), "tree");
        begin = clock_monotonic_ns();
        for (uint32_t i = 0; i < count; i++)
                subscribe(tree, &subscribers[i], print_filter(filter, (enum shape)(i % SHAPES), i));
        for (uint32_t i = 0; i < DASHBOARDS; i++)
                subscribe(tree, &subscribers[count + i], print_filter(filter, ALL_EVENTS, 0));
        subscribe_us = us_each(begin, count);
        after = bytes_in_use();
        publish_us = best_publish(tree, count, count, &receivers);
        printf("{\"what\":\"filters\",\"filters\":%u,\"cache_bytes\":%zu,\"bytes_per_filter\":%.1f,"
               "\"bytes_remembered\":%zu,\"publish_us\":%.3f,\"receivers\":%.2f,"
               "\"of_that_printing_us\":%.3f",
               count, cache_bytes, (double)(after - before) / count, bytes_in_use() - after,
               publish_us, receivers, best_printing(count, count));
        begin = clock_monotonic_ns();
        for (uint32_t i = 0; i < count + DASHBOARDS; i++)
                mqtt_topic_tree_remove(tree, &subscribers[i]);
        remove_us = us_each(begin, count);
        printf(",\"subscribe_us\":%.3f,\"remove_us\":%.3f}\n", subscribe_us, remove_us);
        mqtt_topic_tree_free(tree);
        free(subscribers);
}

/* A topic of 40 bytes. */
static struct mqtt_message *message_of(uint32_t device, uint8_t qos)
{
        static const uint8_t payload[PAYLOAD];
        const struct mqtt_source source = {.version = MQTT_VERSION_311};
        char topic[TEXT_SIZE];
        struct mqtt_publish publish = {
                .qos = qos,
                .retain = true,
                .topic = print_topic(topic, THERMOMETER, device),
                .payload = {payload, sizeof(payload)},
        };
        struct mqtt_message *message;

        must(mqtt_message_new(&publish, &source, &message), "message");
        return message;
}

static double set_all(struct mqtt_retained *retained, uint32_t count)
{
        uint64_t begin = clock_monotonic_ns();

        for (uint32_t i = 0; i < count; i++) {
                struct mqtt_message *message = message_of(i, 0);

                must(mqtt_retained_set(retained, message), "retain");
                mqtt_message_unref(message);
        }
        return us_each(begin, count);
}

static double walk_all(struct mqtt_retained *retained, const char *filter, uint32_t expected)
{
        struct mqtt_retained_cursor *cursor;
        struct mqtt_message *message;
        uint64_t begin = clock_monotonic_ns();
        uint32_t found = 0, steps;
        int r;

        must(mqtt_retained_cursor_new(
                     retained, (struct mqtt_text){filter, (uint16_t)strlen(filter)}, &cursor),
             "cursor");
        do {
                steps = 1000;
                r = mqtt_retained_cursor_next(cursor, 0, &steps, &message);
                found += r == MQTT_RETAINED_FOUND;
        } while (r != MQTT_RETAINED_END);
        mqtt_retained_cursor_free(cursor);
        if (found != expected)
                errx(1, "%s: %u found", filter, found);
        return us_each(begin, expected);
}

static void measure_retained(uint32_t count)
{
        struct mqtt_retained *retained;
        size_t before = bytes_in_use(), after;
        double first_us, again_us;

        must(mqtt_retained_new(count, SIZE_MAX, &retained), "retained");
        first_us = set_all(retained, count);
        after = bytes_in_use();
        again_us = set_all(retained, count);
        printf("{\"what\":\"retained\",\"topics\":%u,\"payload\":%d,\"bytes_per_topic\":%.1f,"
               "\"set_us\":%.3f,\"set_again_us\":%.3f,\"walk_us\":%.3f,\"walk_plus_us\":%.3f}\n",
               count, PAYLOAD, (double)(after - before) / count, first_us, again_us,
               walk_all(retained, "#", count), walk_all(retained, "fleet/+/device/+/state", count));
        mqtt_retained_free(retained);
}

static double copy_us(struct mqtt_message *message, struct mqtt_copy copy, uint32_t count)
{
        uint64_t begin = clock_monotonic_ns();
        uint8_t bytes[256];

        for (uint32_t i = 0; i < count; i++) {
                copy.packet_id = (uint16_t)(i | 1);
                mqtt_message_put(message, &copy, bytes);
                __asm__ volatile("" : : "r"(bytes) : "memory");
        }
        return us_each(begin, count);
}

/* Copies for receivers of another form than it came in: of a message that keeps that form, and
 * of one that never will, put together of parts. */
static void measure_messages(uint32_t count)
{
        const struct mqtt_copy formed = {.version = MQTT_VERSION_5, .qos = 1};
        const struct mqtt_copy parts = {.version = MQTT_VERSION_5, .qos = 1, .retain = true};
        double parts_us = 1e9, formed_us = 1e9, new_us = 1e9;

        for (int round = 0; round < ROUNDS; round++) {
                struct mqtt_message *message = message_of(1, 0);
                uint64_t begin;
                double us;

                us = copy_us(message, parts, count);
                parts_us = us < parts_us ? us : parts_us;
                us = copy_us(message, formed, count);
                formed_us = us < formed_us ? us : formed_us;
                mqtt_message_unref(message);
                begin = clock_monotonic_ns();
                for (uint32_t i = 0; i < count; i++)
                        mqtt_message_unref(message_of(1, 0));
                us = us_each(begin, count);
                new_us = us < new_us ? us : new_us;
        }
        printf("{\"what\":\"message\",\"new_us\":%.3f,\"copy_of_parts_us\":%.3f,"
               "\"copy_of_form_us\":%.3f}\n",
               new_us, parts_us, formed_us);
}

int main(int argc, char *argv[])
{
        unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;

        if (argc > 2 || count < 1 || count > 999999)
                errx(2, "usage: bench-mqtt-tree [FILTERS]     (from 1 to 999999)");
        measure_filters((uint32_t)count, 0);
        measure_filters((uint32_t)count, (size_t)64 << 20);
        measure_retained((uint32_t)count);
        measure_messages(COPIES);
        return 0;
}
