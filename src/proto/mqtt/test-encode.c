#include "base/attributes.h"
#include "proto/mqtt/encode.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct mqtt_text text(const char *bytes)
{
        return (struct mqtt_text){bytes, (uint16_t)strlen(bytes)};
}

/* What a buffer holds, in hexadecimal; the buffer is empty after. */
static const char *hex_of(struct buffer *out)
{
        static char hex[512];
        size_t length = buffer_length(out);

        CHECK(length * 2 < sizeof(hex));
        for (size_t i = 0; i < length; i++)
                snprintf(hex + 2 * i, 3, "%02x", (unsigned char)buffer_data(out)[i]);
        buffer_consume(out, length);
        return hex;
}

TEST(a_refusal_is_said_in_the_words_of_the_version)
{
        static const struct {
                enum mqtt_reason reason;
                const char *of_5, *of_311;
        } cases[] = {
                {MQTT_SUCCESS, "2003000000", "20020000"},
                {MQTT_UNSUPPORTED_VERSION, "2003008400", "20020001"},
                {MQTT_CLIENT_ID_NOT_VALID, "2003008500", "20020002"},
                {MQTT_SERVER_UNAVAILABLE, "2003008800", "20020003"},
                {MQTT_SERVER_BUSY, "2003008900", "20020003"},
                {MQTT_BAD_CREDENTIALS, "2003008600", "20020004"},
                {MQTT_NOT_AUTHORIZED, "2003008700", "20020005"},
                {MQTT_BANNED, "2003008a00", "20020005"},
        };
        struct buffer out;

        buffer_init(&out, 1024);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mqtt_connack connack = {.reason = cases[i].reason};

                CHECK_EQ(mqtt_encode_connack(&out, MQTT_VERSION_5, &connack), 0);
                CHECK_TEXT(hex_of(&out), cases[i].of_5);
                CHECK_EQ(mqtt_encode_connack(&out, MQTT_VERSION_311, &connack), 0);
                CHECK_TEXT(hex_of(&out), cases[i].of_311);
        }
        buffer_done(&out);
}

/* [MQTT-3.2.2-8], [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.9.3-2], [MQTT-3.11.3-2],
 * [MQTT-3.14.2-1]. */
TEST(a_reason_that_a_packet_does_not_know_is_0x80)
{
        static const uint8_t reasons[] = {MQTT_SERVER_BUSY, MQTT_QUOTA_EXCEEDED};
        struct mqtt_connack connack = {.reason = MQTT_SERVER_SHUTTING_DOWN};
        struct mqtt_acknowledgement puback = {.packet_id = 1, .reason = MQTT_SERVER_BUSY};
        struct mqtt_disconnect disconnect = {.reason = MQTT_BANNED};
        struct mqtt_suback suback = {.packet_id = 1, .reasons = {reasons, sizeof(reasons)}};
        struct buffer out;

        buffer_init(&out, 1024);
        CHECK_EQ(mqtt_encode_connack(&out, MQTT_VERSION_5, &connack), 0);
        CHECK_TEXT(hex_of(&out), "2003008000");
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_5, MQTT_PUBACK, &puback), 0);
        CHECK_TEXT(hex_of(&out), "4003000180");
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_5, MQTT_PUBREC, &puback), 0);
        CHECK_TEXT(hex_of(&out), "5003000180");
        CHECK_EQ(mqtt_encode_suback(&out, MQTT_VERSION_5, MQTT_SUBACK, &suback), 0);
        CHECK_TEXT(hex_of(&out), "90050001008097");
        CHECK_EQ(mqtt_encode_suback(&out, MQTT_VERSION_5, MQTT_UNSUBACK, &suback), 0);
        CHECK_TEXT(hex_of(&out), "b0050001008080");
        CHECK_EQ(mqtt_encode_disconnect(&out, MQTT_VERSION_5, MQTT_DISCONNECT, &disconnect), 0);
        CHECK_TEXT(hex_of(&out), "e00180");
        buffer_done(&out);
}

TEST(an_acknowledgement_is_as_short_as_it_may_be)
{
        struct mqtt_acknowledgement acknowledgement = {.packet_id = 258};
        struct buffer out;

        buffer_init(&out, 1024);
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_5, MQTT_PUBACK, &acknowledgement),
                 0);
        CHECK_TEXT(hex_of(&out), "40020102");
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_5, MQTT_PUBREL, &acknowledgement),
                 0);
        CHECK_TEXT(hex_of(&out), "62020102");
        acknowledgement.reason = MQTT_NOT_AUTHORIZED;
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_5, MQTT_PUBACK, &acknowledgement),
                 0);
        CHECK_TEXT(hex_of(&out), "4003010287");
        acknowledgement.properties.present = mqtt_property_bit(MQTT_REASON_STRING);
        acknowledgement.properties.reason_string = text("no");
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_5, MQTT_PUBREC, &acknowledgement),
                 0);
        CHECK_TEXT(hex_of(&out), "5009010287051f00026e6f");
        CHECK_EQ(mqtt_encode_acknowledgement(&out, MQTT_VERSION_311, MQTT_PUBREC, &acknowledgement),
                 0);
        CHECK_TEXT(hex_of(&out), "50020102");
        buffer_done(&out);
}

TEST(a_refused_filter_is_0x80_in_3_1_1)
{
        static const uint8_t reasons[] = {MQTT_GRANTED_QOS_1, MQTT_NOT_AUTHORIZED};
        struct mqtt_suback suback = {.packet_id = 1, .reasons = {reasons, sizeof(reasons)}};
        struct buffer out;

        buffer_init(&out, 1024);
        CHECK_EQ(mqtt_encode_suback(&out, MQTT_VERSION_5, MQTT_SUBACK, &suback), 0);
        CHECK_TEXT(hex_of(&out), "90050001000187");
        CHECK_EQ(mqtt_encode_suback(&out, MQTT_VERSION_311, MQTT_SUBACK, &suback), 0);
        CHECK_TEXT(hex_of(&out), "900400010180");
        CHECK_EQ(mqtt_encode_suback(&out, MQTT_VERSION_311, MQTT_UNSUBACK, &suback), 0);
        CHECK_TEXT(hex_of(&out), "b0020001");
        buffer_done(&out);
}

TEST(the_length_takes_as_many_bytes_as_it_needs)
{
        static const struct {
                uint32_t payload;
                size_t header;
        } cases[] = {{124, 2}, {125, 3}, {16380, 3}, {16381, 4}, {2097148, 4}, {2097149, 5}};
        uint8_t *payload = calloc(1, 2097149);
        struct mqtt_frame frame;
        struct buffer out;

        CHECK(payload != NULL);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mqtt_publish publish = {.topic = text("a"),
                                               .payload = {payload, cases[i].payload}};

                buffer_init(&out, 4 << 20);
                CHECK_EQ(mqtt_encode_publish(&out, MQTT_VERSION_311, &publish), 0);
                CHECK_EQ(buffer_length(&out), cases[i].header + 3 + cases[i].payload);
                CHECK_EQ(mqtt_frame_next((uint8_t *)buffer_data(&out), buffer_length(&out),
                                         SIZE_MAX, &frame),
                         MQTT_FRAME_FOUND);
                CHECK_EQ(frame.length, buffer_length(&out));
                buffer_done(&out);
        }
        free(payload);
}

TEST(what_does_not_fit_leaves_the_buffer_as_it_was)
{
        struct mqtt_publish publish = {.topic = text("topic"),
                                       .payload = {(const uint8_t *)"0123456789", 10}};
        struct buffer out;

        buffer_init(&out, 20);
        CHECK_EQ(mqtt_encode_ping(&out, MQTT_PINGREQ), 0);
        CHECK_EQ(mqtt_encode_publish(&out, MQTT_VERSION_5, &publish), -EMSGSIZE);
        CHECK_EQ(buffer_length(&out), 2);
        publish.payload.length = MQTT_REMAINING_MAX;
        CHECK_EQ(mqtt_encode_publish(&out, MQTT_VERSION_5, &publish), -EMSGSIZE);
        CHECK_TEXT(hex_of(&out), "c000");
        buffer_done(&out);
}

TEST(user_properties_go_on_as_they_came_and_in_their_order)
{
        static const uint8_t packet[] = {0x30, 0x16, 0, 1,  'a', 16, 38,  0, 1, 'z', 0,   1,
                                         '1',  1,    0, 38, 0,   1,  'a', 0, 1, '2', 'x', 'y'};
        struct mqtt_publish publish;
        struct mqtt_frame frame;
        struct buffer out;

        buffer_init(&out, 1024);
        CHECK_EQ(mqtt_frame_next(packet, sizeof(packet), SIZE_MAX, &frame), MQTT_FRAME_FOUND);
        CHECK_EQ(mqtt_decode_publish(&frame, MQTT_VERSION_5, &publish), 0);
        CHECK_EQ(mqtt_encode_publish(&out, MQTT_VERSION_5, &publish), 0);
        CHECK_TEXT(hex_of(&out), "301600016110"
                                 "0100"
                                 "2600017a000131"
                                 "26000161000132"
                                 "7879");
        buffer_done(&out);
}

TEST(each_type_and_reason_has_a_name)
{
        CHECK_TEXT(mqtt_type_name(MQTT_PUBCOMP), "PUBCOMP");
        CHECK_TEXT(mqtt_type_name((enum mqtt_type)0), "no packet");
        CHECK_TEXT(mqtt_type_name((enum mqtt_type)99), "no packet");
        CHECK_TEXT(mqtt_reason_name(MQTT_NOT_AUTHORIZED), "Not authorized");
        CHECK_TEXT(mqtt_reason_name((enum mqtt_reason)0x7f), "unknown reason");
}
