#include "mqtt/retained.h"
#include "proto/mqtt/topic.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

static struct mqtt_text text(const char *bytes)
{
        return (struct mqtt_text){bytes, (uint16_t)strlen(bytes)};
}

static struct mqtt_message *message_of(const char *topic, const char *payload, uint32_t expiry_s)
{
        const struct mqtt_source source = {.version = MQTT_VERSION_5};
        const struct mqtt_publish publish = {
                .retain = true,
                .topic = text(topic),
                .payload = {(const uint8_t *)payload, (uint32_t)strlen(payload)},
                .properties = {.present = expiry_s > 0 ? mqtt_property_bit(MQTT_MESSAGE_EXPIRY) : 0,
                               .message_expiry_s = expiry_s},
        };
        struct mqtt_message *message = NULL;

        CHECK_EQ(mqtt_message_new(&publish, &source, &message), 0);
        return message;
}

static int set(struct mqtt_retained *retained, const char *topic, const char *payload,
               uint32_t expiry_s)
{
        AUTO(mqtt_message) struct mqtt_message *message = message_of(topic, payload, expiry_s);

        return mqtt_retained_set(retained, message);
}

static struct mqtt_retained *retained_new(void)
{
        struct mqtt_retained *retained = NULL;

        CHECK_EQ(mqtt_retained_new(10000, 10000000, &retained), 0);
        return retained;
}

static bool has(struct mqtt_retained *retained, const char *topic, const char *payload)
{
        struct mqtt_message *message = mqtt_retained_get(retained, text(topic), 0);
        struct mqtt_bytes there;

        if (!message)
                return false;
        there = mqtt_message_payload(message);
        return there.length == strlen(payload) && memcmp(there.bytes, payload, there.length) == 0;
}

/* How many match, and that they do. */
static unsigned matches(struct mqtt_retained *retained, const char *filter, uint64_t now_ms)
{
        AUTO(mqtt_retained_cursor) struct mqtt_retained_cursor *cursor = NULL;
        struct mqtt_message *message;
        unsigned found = 0;
        uint32_t steps = 3;
        int r;

        CHECK_EQ(mqtt_retained_cursor_new(retained, text(filter), &cursor), 0);
        while ((r = mqtt_retained_cursor_next(cursor, now_ms, &steps, &message)) !=
               MQTT_RETAINED_END) {
                if (r == MQTT_RETAINED_PAUSE) {
                        CHECK_EQ(steps, 0);
                        steps = 3;
                        continue;
                }
                CHECK(mqtt_topic_matches(text(filter), mqtt_message_topic(message)));
                found++;
        }
        CHECK_EQ(mqtt_retained_cursor_next(cursor, now_ms, &steps, &message), MQTT_RETAINED_END);
        return found;
}

TEST(the_last_message_of_a_topic_is_kept_and_an_empty_one_clears_it)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();

        CHECK_EQ(set(retained, "a/b", "1", 0), 0);
        CHECK_EQ(set(retained, "a/b", "22", 0), 0);
        CHECK_EQ(set(retained, "a", "3", 0), 0);
        CHECK_EQ(mqtt_retained_count(retained), 2);
        CHECK(has(retained, "a/b", "22"));
        CHECK(!has(retained, "a/", "22"));
        CHECK_EQ(set(retained, "a", "", 0), 0);
        CHECK(has(retained, "a/b", "22"));
        CHECK(!has(retained, "a", "3"));
        CHECK(!mqtt_retained_clear(retained, text("a")));
        CHECK(!mqtt_retained_clear(retained, text("never")));
        CHECK_EQ(set(retained, "never", "", 0), 0);
        CHECK(mqtt_retained_clear(retained, text("a/b")));
        CHECK_EQ(mqtt_retained_count(retained), 0);
        CHECK_EQ(matches(retained, "#", 0), 0);
}

TEST(filters_find_what_they_match_in_slices)
{
        static const char *const topics[] = {"a",   "a/b",     "a/b/c", "a//c", "/",  "/a",
                                             "b/b", "$SYS/up", "$SYS",  "a/$x", "b/", "a/b/d"};
        static const char *const filters[] = {
                "#",     "+",     "+/+", "a/#",     "a/+",     "a/b",  "a/b/#", "a/b/+",
                "+/b",   "+/b/#", "/+",  "/#",      "$SYS/#",  "$SYS", "+/up",  "$SYS/+",
                "+/+/c", "a/+/c", "x/#", "a/b/c/#", "a/b/c/+", "+/#",  "/",     "+/",
        };
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
        size_t count = sizeof(topics) / sizeof(topics[0]);

        for (size_t i = 0; i < count; i++)
                CHECK_EQ(set(retained, topics[i], "x", 0), 0);
        for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
                unsigned expected = 0;

                for (size_t j = 0; j < count; j++)
                        expected += mqtt_topic_matches(text(filters[i]), text(topics[j]));
                CHECK_EQ(matches(retained, filters[i], 0), expected);
        }
}

TEST(a_cursor_survives_that_what_it_stands_on_and_all_around_it_goes)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
        AUTO(mqtt_retained_cursor) struct mqtt_retained_cursor *cursor = NULL;
        struct mqtt_message *message;
        uint32_t steps = 1000;
        unsigned found = 0;
        char topic[40];

        for (int i = 0; i < 20; i++) {
                snprintf(topic, sizeof(topic), "dev/%d/state", i);
                CHECK_EQ(set(retained, topic, "x", 0), 0);
        }
        CHECK_EQ(mqtt_retained_cursor_new(retained, text("dev/+/#"), &cursor), 0);
        for (; found < 5; found++)
                CHECK_EQ(mqtt_retained_cursor_next(cursor, 0, &steps, &message),
                         MQTT_RETAINED_FOUND);
        /* All of the devices go, but those of 0 to 4, which came first and are walked over
         * last; new ones come. */
        for (int i = 5; i < 20; i++) {
                snprintf(topic, sizeof(topic), "dev/%d/state", i);
                CHECK(mqtt_retained_clear(retained, text(topic)));
                snprintf(topic, sizeof(topic), "dev/%d/new", i);
                CHECK_EQ(set(retained, topic, "x", 0), 0);
        }
        for (found = 0;
             mqtt_retained_cursor_next(cursor, 0, &steps, &message) == MQTT_RETAINED_FOUND; found++)
                ;
        CHECK_EQ(found, 5);
        cursor = mqtt_retained_cursor_free(cursor);
        CHECK_EQ(matches(retained, "dev/#", 0), 20);
}

TEST(what_is_set_after_a_cursors_start_is_not_told_twice)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
        AUTO(mqtt_retained_cursor) struct mqtt_retained_cursor *cursor = NULL;
        struct mqtt_message *message;
        uint32_t steps = 100;

        CHECK_EQ(set(retained, "a", "1", 0), 0);
        CHECK_EQ(set(retained, "b", "1", 0), 0);
        CHECK_EQ(mqtt_retained_cursor_new(retained, text("+"), &cursor), 0);
        CHECK_EQ(set(retained, "a", "2", 0), 0);
        CHECK_EQ(set(retained, "c", "2", 0), 0);
        CHECK_EQ(mqtt_retained_cursor_next(cursor, 0, &steps, &message), MQTT_RETAINED_FOUND);
        CHECK_EQ(mqtt_message_topic(message).bytes[0], 'b');
        CHECK_EQ(mqtt_retained_cursor_next(cursor, 0, &steps, &message), MQTT_RETAINED_END);
        CHECK_EQ(mqtt_retained_cursor_next(cursor, 0, &steps, &message), MQTT_RETAINED_END);
}

TEST(a_search_that_finds_nothing_pauses_too)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
        AUTO(mqtt_retained_cursor) struct mqtt_retained_cursor *cursor = NULL;
        struct mqtt_message *message;
        unsigned pauses = 0;
        uint32_t steps = 10;
        char topic[20];
        int r;

        for (int i = 0; i < 1000; i++) {
                snprintf(topic, sizeof(topic), "%d/x", i);
                CHECK_EQ(set(retained, topic, "x", 0), 0);
        }
        CHECK_EQ(mqtt_retained_cursor_new(retained, text("+/y"), &cursor), 0);
        while ((r = mqtt_retained_cursor_next(cursor, 0, &steps, &message)) ==
               MQTT_RETAINED_PAUSE) {
                pauses++;
                steps = 10;
        }
        CHECK_EQ(r, MQTT_RETAINED_END);
        CHECK_EQ(pauses, 100);
}

TEST(what_has_expired_is_not_found_and_is_forgotten_when_asked)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
        char topic[20];

        CHECK(mqtt_retained_expire(retained, 1000000, 10) == UINT64_MAX);
        for (uint32_t i = 0; i < 100; i++) {
                snprintf(topic, sizeof(topic), "t/%u", i);
                CHECK_EQ(set(retained, topic, "x", 1 + i * 37 % 100), 0);
        }
        CHECK_EQ(set(retained, "for/ever", "x", 0), 0);
        /* Some are set anew, with another expiry or none. */
        CHECK_EQ(set(retained, "t/0", "x", 200), 0);
        CHECK_EQ(set(retained, "t/1", "x", 0), 0);
        CHECK(mqtt_retained_clear(retained, text("t/2")));
        CHECK_EQ(matches(retained, "#", 0), 100);
        CHECK_EQ(matches(retained, "#", 50000), 52);
        CHECK(mqtt_retained_get(retained, text("t/3"), 12000) == NULL);
        CHECK_EQ(mqtt_retained_count(retained), 100);
        CHECK(mqtt_retained_expire(retained, 50000, 10) <= 50000);
        CHECK_EQ(mqtt_retained_count(retained), 90);
        CHECK(mqtt_retained_expire(retained, 50000, 1000) == 51000);
        CHECK_EQ(mqtt_retained_count(retained), 52);
        CHECK(mqtt_retained_expire(retained, 100000, 1000) == 200000);
        CHECK(mqtt_retained_expire(retained, 200000, 1000) == UINT64_MAX);
        CHECK_EQ(mqtt_retained_count(retained), 2);
}

TEST(beyond_the_bounds_a_message_is_refused_and_what_was_there_stays)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = NULL;
        char deep[2 * MQTT_TOPIC_LEVELS_MAX], payload[1001];
        size_t bytes;

        memset(payload, 'x', sizeof(payload) - 1);
        payload[sizeof(payload) - 1] = '\0';
        for (int i = 0; i < MQTT_TOPIC_LEVELS_MAX; i++) {
                deep[2 * i] = 'a';
                deep[2 * i + 1] = '/';
        }
        deep[sizeof(deep) - 1] = '\0';
        CHECK_EQ(mqtt_retained_new(2, 2000, &retained), 0);
        CHECK_EQ(set(retained, deep, "x", 0), -ENOSPC);
        CHECK_EQ(set(retained, "a", "1", 0), 0);
        CHECK_EQ(set(retained, "b", "1", 0), 0);
        bytes = mqtt_retained_bytes(retained);
        CHECK_EQ(set(retained, "c", "1", 0), -ENOSPC);
        CHECK(mqtt_retained_clear(retained, text("b")));
        CHECK_EQ(set(retained, "c", payload, 0), 0);
        CHECK_EQ(set(retained, "a", payload, 0), -ENOSPC);
        CHECK(has(retained, "a", "1"));
        CHECK_EQ(set(retained, "c", "1", 0), 0);
        CHECK_EQ(mqtt_retained_bytes(retained), bytes);
        CHECK_EQ(set(retained, "a", payload, 0), 0);
}

TEST(without_memory_a_message_is_refused_and_all_is_as_it_was)
{
        size_t n = 0;
        bool failed;

        do {
                AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
                AUTO(mqtt_message)
                struct mqtt_message *message =
                        message_of("a/a-name-that-is-longer-than-sixteen/b", "x", 10);
                size_t bytes = mqtt_retained_bytes(retained);
                int r;

                allocation_fail_at(++n);
                r = mqtt_retained_set(retained, message);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(mqtt_retained_count(retained), !failed);
                if (failed)
                        CHECK_EQ(mqtt_retained_bytes(retained), bytes);
                CHECK_EQ(message->references, failed ? 1 : 2);
                CHECK_EQ(mqtt_retained_set(retained, message), 0);
                CHECK_EQ(matches(retained, "a/#", 0), 1);
        } while (failed);
        CHECK(n > 4);
}

TEST(without_memory_there_is_no_cursor)
{
        AUTO(mqtt_retained) struct mqtt_retained *retained = retained_new();
        size_t n = 0;
        bool failed;

        CHECK_EQ(set(retained, "a", "x", 0), 0);
        do {
                AUTO(mqtt_retained_cursor) struct mqtt_retained_cursor *cursor = NULL;
                int r;

                allocation_fail_at(++n);
                r = mqtt_retained_cursor_new(
                        retained, text("b/+/a-name-that-is-longer-than-sixteen/#"), &cursor);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 2);
        CHECK_EQ(matches(retained, "a", 0), 1);
}

TEST(without_memory_there_is_no_store)
{
        struct mqtt_retained *retained = NULL;
        size_t n = 0;
        bool failed;
        int r;

        do {
                allocation_fail_at(++n);
                r = mqtt_retained_new(1, 1, &retained);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        mqtt_retained_free(retained);
}
