#include "mqtt/message.h"
#include "proto/mqtt/encode.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

enum { OFTEN = 12 };

static struct mqtt_text text(const char *bytes)
{
        return (struct mqtt_text){bytes, (uint16_t)strlen(bytes)};
}

static struct mqtt_bytes payload(const char *bytes)
{
        return (struct mqtt_bytes){(const uint8_t *)bytes, (uint32_t)strlen(bytes)};
}

/* What a client of 5.0 sends with everything that a PUBLISH can have. */
static const char rich_bytes[] = "\x35\x34\x00\x05"
                                 "pi/up\x00\x07"
                                 "\x26"
                                 "\x23\x00\x02"
                                 "\x26\x00\x01k\x00\x01v"
                                 "\x02\x00\x00\x00\x0a"
                                 "\x01\x01"
                                 "\x08\x00\x03r/1"
                                 "\x09\x00\x02\x00\xff"
                                 "\x26\x00\x01k\x00\x01w"
                                 "\x03\x00\x00"
                                 "body";

static struct mqtt_publish rich(void)
{
        struct mqtt_publish publish;
        struct mqtt_frame frame;

        CHECK_EQ(mqtt_frame_next((const uint8_t *)rich_bytes, sizeof(rich_bytes) - 1, 1000, &frame),
                 MQTT_FRAME_FOUND);
        CHECK_EQ(mqtt_decode_publish(&frame, MQTT_VERSION_5, &publish), 0);
        return publish;
}

static const struct mqtt_source of_5 = {MQTT_VERSION_5, MQTT_ORIGIN_CLIENT, 7, 1000};
static const struct mqtt_source of_311 = {MQTT_VERSION_311, MQTT_ORIGIN_CLIENT, 7, 1000};

static struct mqtt_message *message_of(struct mqtt_publish publish,
                                       const struct mqtt_source *source)
{
        struct mqtt_message *message = NULL;

        CHECK_EQ(mqtt_message_new(&publish, source, &message), 0);
        return message;
}

static struct mqtt_publish plain(uint8_t qos)
{
        return (struct mqtt_publish){.qos = qos, .topic = text("a/b"), .payload = payload("hello")};
}

static bool texts_equal(struct mqtt_text a, struct mqtt_text b)
{
        return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* Writes a copy often enough that each way to make one is taken, and decodes it. */
static struct mqtt_publish sent(struct mqtt_message *message, const struct mqtt_copy *copy,
                                struct buffer *out)
{
        struct mqtt_publish publish;
        struct mqtt_frame frame;
        char first[1000];
        size_t length;

        buffer_truncate(out, 0);
        CHECK_EQ(mqtt_message_write(message, copy, out), 0);
        length = buffer_length(out);
        CHECK_EQ(mqtt_message_copy_length(message, copy), length);
        memcpy(first, buffer_data(out), length);
        for (int i = 0; i < OFTEN; i++) {
                buffer_truncate(out, 0);
                CHECK_EQ(mqtt_message_write(message, copy, out), 0);
                CHECK_EQ(buffer_length(out), length);
                CHECK(memcmp(buffer_data(out), first, length) == 0);
        }
        CHECK_EQ(mqtt_frame_next((const uint8_t *)buffer_data(out), length, 100000, &frame),
                 MQTT_FRAME_FOUND);
        CHECK_EQ(frame.length, length);
        CHECK_EQ(mqtt_decode_publish(&frame, copy->version, &publish), 0);
        return publish;
}

TEST(every_form_is_sent_as_it_was_published_whatever_form_it_came_in)
{
        static const enum mqtt_version versions[] = {MQTT_VERSION_311, MQTT_VERSION_5};
        AUTO(mqtt_message) struct mqtt_message *message = NULL;
        struct buffer out;

        buffer_init(&out, 1000);
        for (unsigned i = 0; i < 2 * 3 * 2 * 3 * 4; i++) {
                const struct mqtt_source source = {versions[i % 2], MQTT_ORIGIN_CLIENT, 1, 0};
                struct mqtt_copy copy = {
                        .version = versions[i / 6 % 2],
                        .qos = i / 12 % 3,
                        .retain = i / 36 % 2,
                        .duplicate = i / 72 && i / 12 % 3 > 0,
                        .packet_id = i / 12 % 3 > 0 ? 0x1234 : 0,
                };
                struct mqtt_publish got;

                message = message_of(plain(i / 2 % 3), &source);
                got = sent(message, &copy, &out);
                CHECK(texts_equal(got.topic, text("a/b")));
                CHECK_EQ(got.payload.length, 5);
                CHECK(memcmp(got.payload.bytes, "hello", 5) == 0);
                CHECK_EQ(got.qos, copy.qos);
                CHECK_EQ(got.packet_id, copy.packet_id);
                CHECK_EQ(got.retain, copy.retain);
                CHECK_EQ(got.duplicate, copy.duplicate);
                message = mqtt_message_unref(message);
        }
        buffer_done(&out);
}

TEST(properties_go_on_unchanged_and_in_order_but_the_publishers_alias_does_not)
{
        AUTO(mqtt_message) struct mqtt_message *message = message_of(rich(), &of_5);
        struct mqtt_copy copy = {
                .version = MQTT_VERSION_5, .qos = 2, .packet_id = 9, .now_ms = 1000};
        struct mqtt_user_property user;
        struct mqtt_publish got;
        struct buffer out;
        uint32_t at = 0;

        buffer_init(&out, 1000);
        got = sent(message, &copy, &out);
        CHECK(texts_equal(got.topic, text("pi/up")));
        CHECK_EQ(got.properties.present, mqtt_property_bit(MQTT_PAYLOAD_FORMAT) |
                                                 mqtt_property_bit(MQTT_MESSAGE_EXPIRY) |
                                                 mqtt_property_bit(MQTT_CONTENT_TYPE) |
                                                 mqtt_property_bit(MQTT_RESPONSE_TOPIC) |
                                                 mqtt_property_bit(MQTT_CORRELATION_DATA) |
                                                 mqtt_property_bit(MQTT_USER_PROPERTY));
        CHECK(texts_equal(got.properties.response_topic, text("r/1")));
        CHECK_EQ(got.properties.correlation_data.length, 2);
        CHECK(mqtt_user_property_next(&got.properties, &at, &user));
        CHECK(texts_equal(user.value, text("v")));
        CHECK(mqtt_user_property_next(&got.properties, &at, &user));
        CHECK(texts_equal(user.value, text("w")));
        CHECK(!mqtt_user_property_next(&got.properties, &at, &user));
        /* 3.1.1 has none. */
        copy.version = MQTT_VERSION_311;
        got = sent(message, &copy, &out);
        CHECK_EQ(got.properties.present, 0);
        CHECK_EQ(got.payload.length, 4);
        buffer_done(&out);
}

TEST(MQTT_3_3_2_6_the_expiry_that_is_left_is_sent_and_never_0_before_its_end)
{
        static const struct {
                uint64_t now_ms;
                uint32_t left_s;
                bool expired;
        } cases[] = {
                {1000, 10, false}, {1001, 10, false}, {2000, 9, false},
                {10999, 1, false}, {11000, 0, true},  {UINT64_MAX - 1, 0, true},
        };
        AUTO(mqtt_message) struct mqtt_message *message = message_of(rich(), &of_5);
        struct buffer out;

        buffer_init(&out, 1000);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                for (uint8_t qos = 0; qos < 2; qos++) {
                        struct mqtt_copy copy = {.version = MQTT_VERSION_5,
                                                 .qos = qos,
                                                 .packet_id = qos,
                                                 .now_ms = cases[i].now_ms};

                        CHECK_EQ(sent(message, &copy, &out).properties.message_expiry_s,
                                 cases[i].left_s);
                        CHECK_EQ(mqtt_message_has_expired(message, cases[i].now_ms),
                                 cases[i].expired);
                }
        buffer_done(&out);
}

TEST(an_alias_and_identifiers_are_added_and_the_topic_is_left_out)
{
        const uint32_t ids[] = {1, 128, 268435455, 1};
        const struct mqtt_copy copy = {.version = MQTT_VERSION_5,
                                       .qos = 1,
                                       .packet_id = 1,
                                       .alias = 300,
                                       .without_topic = true,
                                       .ids = ids,
                                       .ids_count = 4};
        struct mqtt_publish publishes[] = {rich(), plain(0)}, got;
        struct buffer out;

        buffer_init(&out, 1000);
        for (size_t i = 0; i < 2; i++) {
                AUTO(mqtt_message) struct mqtt_message *message = message_of(publishes[i], &of_5);
                uint32_t at = 0, id, count = 0;

                got = sent(message, &copy, &out);
                CHECK_EQ(got.topic.length, 0);
                CHECK_EQ(got.properties.topic_alias, 300);
                while (mqtt_subscription_id_next(&got.properties, &at, &id))
                        CHECK_EQ(id, ids[count++]);
                CHECK_EQ(count, 4);
                CHECK_EQ(got.payload.length, publishes[i].payload.length);
        }
        buffer_done(&out);
}

TEST(a_message_can_be_looked_at_as_it_was_published)
{
        AUTO(mqtt_message) struct mqtt_message *with = message_of(rich(), &of_5);
        AUTO(mqtt_message) struct mqtt_message *without = message_of(plain(0), &of_311);
        struct mqtt_publish got;

        mqtt_message_view(with, &got);
        CHECK(texts_equal(got.topic, text("pi/up")));
        CHECK_EQ(got.qos, 2);
        CHECK(got.retain);
        CHECK_EQ(got.packet_id, 0);
        CHECK_EQ(got.properties.message_expiry_s, 10);
        CHECK_EQ(mqtt_message_size(with), 5 + 4 + 38 - 3);
        CHECK_EQ(with->publisher, 7);
        mqtt_message_view(without, &got);
        CHECK(texts_equal(got.topic, mqtt_message_topic(without)));
        CHECK_EQ(got.payload.length, 5);
        CHECK_EQ(mqtt_message_size(without), 3 + 5);
        CHECK(!mqtt_message_has_expired(without, UINT64_MAX - 1));
}

TEST(a_form_that_is_asked_for_often_is_made_but_not_for_what_is_retained)
{
        AUTO(mqtt_message) struct mqtt_message *message = message_of(plain(1), &of_311);
        struct mqtt_copy copy = {.version = MQTT_VERSION_311, .qos = 1, .packet_id = 5};
        struct buffer out;

        buffer_init(&out, 1000);
        sent(message, &copy, &out);
        CHECK_NULL(message->more);
        copy.version = MQTT_VERSION_5;
        copy.retain = true;
        sent(message, &copy, &out);
        CHECK_NULL(message->more);
        copy.retain = false;
        sent(message, &copy, &out);
        CHECK(message->more != NULL);
        /* With its own packet id, QoS and flags. */
        copy = (struct mqtt_copy){.version = MQTT_VERSION_5,
                                  .qos = 2,
                                  .packet_id = 0xabcd,
                                  .duplicate = true,
                                  .retain = true};
        CHECK_EQ(sent(message, &copy, &out).packet_id, 0xabcd);
        mqtt_message_unref(mqtt_message_ref(message));
        CHECK_EQ(message->references, 1);
        buffer_done(&out);
}

TEST(lengths_around_a_byte_more_of_remaining_length_are_right)
{
        static char long_payload[17000];
        struct buffer out;

        buffer_init(&out, 20000);
        for (uint32_t length = 100; length < 17000; length += length == 140 ? 16000 : 1) {
                struct mqtt_publish publish = {.topic = text("t"),
                                               .payload = {(const uint8_t *)long_payload, length}};
                AUTO(mqtt_message) struct mqtt_message *message = message_of(publish, &of_311);
                const struct mqtt_copy copy = {.version = MQTT_VERSION_5, .qos = 1, .packet_id = 5};
                struct mqtt_publish got;
                struct mqtt_frame frame;

                for (int i = 0; i < OFTEN; i++) {
                        buffer_truncate(&out, 0);
                        CHECK_EQ(mqtt_message_write(message, &copy, &out), 0);
                        CHECK_EQ(mqtt_message_copy_length(message, &copy), buffer_length(&out));
                }
                CHECK_EQ(mqtt_frame_next((uint8_t *)buffer_data(&out), buffer_length(&out), 20000,
                                         &frame),
                         MQTT_FRAME_FOUND);
                CHECK_EQ(mqtt_decode_publish(&frame, copy.version, &got), 0);
                CHECK_EQ(got.payload.length, length);
                CHECK_EQ(got.packet_id, 5);
        }
        buffer_done(&out);
}

TEST(what_would_be_longer_than_a_packet_is_refused)
{
        /* 2 + 1 + payload = MQTT_REMAINING_MAX; the bytes are only asked for, not touched. */
        const uint32_t most = MQTT_REMAINING_MAX - 3;
        uint8_t *bytes = calloc(1, most + 1);
        struct mqtt_publish publish = {.topic = text("t"), .payload = {bytes, most}};
        AUTO(mqtt_message) struct mqtt_message *message = NULL;
        const struct mqtt_copy copy = {.version = MQTT_VERSION_5};
        const struct mqtt_copy same = {.version = MQTT_VERSION_311};
        struct buffer out;

        CHECK(bytes != NULL);
        buffer_init(&out, 100);
        CHECK_EQ(mqtt_message_new(&publish, &of_311, &message), 0);
        CHECK_EQ(mqtt_message_copy_length(message, &same), MQTT_REMAINING_MAX + 5);
        CHECK_EQ(mqtt_message_copy_length(message, &copy), 0);
        CHECK_EQ(mqtt_message_write(message, &copy, &out), -EMSGSIZE);
        message = mqtt_message_unref(message);
        CHECK_EQ(mqtt_message_new(&publish, &of_5, &message), -EMSGSIZE);
        buffer_done(&out);
        free(bytes);
}

TEST(without_memory_there_is_no_message)
{
        AUTO(mqtt_message) struct mqtt_message *message = NULL;
        struct mqtt_publish publish = plain(1);

        allocation_fail_at(1);
        CHECK_EQ(mqtt_message_new(&publish, &of_5, &message), -ENOMEM);
        CHECK(allocation_end());
        CHECK_NULL(message);
}

TEST(without_memory_for_another_form_copies_are_made_all_the_same)
{
        const struct mqtt_copy copy = {.version = MQTT_VERSION_311, .qos = 2, .packet_id = 7};
        size_t n = 0, reached = 0;
        bool failed;

        do {
                AUTO(mqtt_message) struct mqtt_message *message = message_of(plain(1), &of_5);
                uint8_t bytes[100];

                allocation_fail_at(++n);
                for (int i = 0; i < OFTEN; i++) {
                        mqtt_message_put(message, &copy, bytes);
                        CHECK_EQ(bytes[0], 0x34);
                }
                failed = allocation_end();
                reached += failed;
        } while (failed);
        CHECK_EQ(reached, 2);
}
