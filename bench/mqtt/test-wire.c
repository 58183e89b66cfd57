#include "bench/mqtt/wire.h"
#include "support/test.h"

#include <errno.h>

static struct wire_packet packet_of(const uint8_t *bytes, size_t count)
{
        struct wire_packet packet;

        CHECK_EQ(wire_next(bytes, count, &packet), 1);
        CHECK_EQ(packet.length, count);
        return packet;
}

static void check_text(struct wire_text text, const char *expected)
{
        CHECK_EQ(text.length, strlen(expected));
        CHECK(memcmp(text.bytes, expected, text.length) == 0);
}

TEST(a_publish_is_read_as_it_was_written)
{
        uint8_t bytes[256];
        struct wire_publish read;
        struct wire_packet packet;
        int length;

        for (unsigned version_5 = 0; version_5 < 2; version_5++)
                for (uint8_t qos = 0; qos < 3; qos++) {
                        const struct wire_publish publish = {.qos = qos,
                                                             .retain = qos == 1,
                                                             .id = 0x1234,
                                                             .topic = wire_text_of("a/topic"),
                                                             .payload = wire_text_of("words")};

                        length = wire_write_publish(bytes, sizeof(bytes), version_5, &publish);
                        CHECK(length > 0);
                        packet = packet_of(bytes, (size_t)length);
                        CHECK_EQ(packet.type, WIRE_PUBLISH);
                        CHECK_EQ(wire_read_publish(&packet, version_5, &read), 0);
                        CHECK_EQ(read.qos, qos);
                        CHECK_EQ(read.retain, qos == 1);
                        CHECK_EQ(read.id, qos > 0 ? 0x1234 : 0);
                        check_text(read.topic, "a/topic");
                        check_text(read.payload, "words");
                }
}

TEST(properties_of_a_request_come_back_and_others_are_passed_over)
{
        static const uint8_t others[] = {0x30, 26,   0,  1, 't', 21,  1, 1, 2,   0, 0, 0, 9,   11,
                                         0xff, 0x01, 38, 0, 1,   'a', 0, 1, 'b', 9, 0, 1, 'c', '!'};
        const struct wire_publish request = {.topic = wire_text_of("rpc/request"),
                                             .payload = wire_text_of("{}"),
                                             .response_topic = wire_text_of("rpc/reply/1"),
                                             .correlation = wire_text_of("00000007")};
        uint8_t bytes[256];
        struct wire_publish read;
        int length = wire_write_publish(bytes, sizeof(bytes), true, &request);
        struct wire_packet packet = packet_of(bytes, (size_t)length);

        CHECK_EQ(wire_read_publish(&packet, true, &read), 0);
        check_text(read.response_topic, "rpc/reply/1");
        check_text(read.correlation, "00000007");
        check_text(read.payload, "{}");

        packet = packet_of(others, sizeof(others));
        CHECK_EQ(wire_read_publish(&packet, true, &read), 0);
        check_text(read.correlation, "c");
        check_text(read.payload, "!");
}

TEST(every_packet_that_is_cut_short_is_not_whole_yet)
{
        const struct wire_publish publish = {.topic = wire_text_of("t"),
                                             .payload = wire_text_of("words")};
        uint8_t bytes[64];
        struct wire_packet packet;
        int length = wire_write_publish(bytes, sizeof(bytes), false, &publish);

        for (int count = 0; count < length; count++)
                CHECK_EQ(wire_next(bytes, (size_t)count, &packet), 0);
}

TEST(lengths_that_lie_are_refused)
{
        static const uint8_t endless[] = {0x30, 0xff, 0xff, 0xff, 0xff, 0x01};
        static const uint8_t huge[] = {0x30, 0xff, 0xff, 0xff, 0x7f};
        static const uint8_t topic[] = {0x30, 4, 0, 9, 'a', 'b'};
        static const uint8_t no_id[] = {0x32, 3, 0, 1, 'a'};
        static const uint8_t properties[] = {0x30, 5, 0, 1, 'a', 9, 8};
        static const uint8_t acknowledgement[] = {0x40, 1, 7};
        struct wire_packet packet;
        struct wire_publish publish;
        uint16_t id;

        CHECK_EQ(wire_next(endless, sizeof(endless), &packet), -EPROTO);
        CHECK_EQ(wire_next(huge, sizeof(huge), &packet), -EPROTO);
        packet = packet_of(topic, sizeof(topic));
        CHECK_EQ(wire_read_publish(&packet, false, &publish), -EPROTO);
        packet = packet_of(no_id, sizeof(no_id));
        CHECK_EQ(wire_read_publish(&packet, false, &publish), -EPROTO);
        packet = packet_of(properties, sizeof(properties));
        CHECK_EQ(wire_read_publish(&packet, true, &publish), -EPROTO);
        packet = packet_of(acknowledgement, sizeof(acknowledgement));
        CHECK_EQ(wire_read_id(&packet, &id), -EPROTO);
}

static const struct wire_connect me = {.client_id = {(const uint8_t *)"me", 2}, .keep_alive_s = 60};
static const struct wire_connect me_5 = {
        .version_5 = true, .client_id = {(const uint8_t *)"me", 2}, .keep_alive_s = 60};

TEST(what_has_no_room_is_not_written)
{
        const struct wire_publish publish = {.topic = wire_text_of("t"),
                                             .payload = wire_text_of("words")};
        const struct wire_text filter = wire_text_of("a/#");
        uint8_t bytes[64];

        for (size_t room = 0; room < 10; room++)
                CHECK_EQ(wire_write_publish(bytes, room, false, &publish), -ENOBUFS);
        CHECK_EQ(wire_write_publish(bytes, 10, false, &publish), 10);
        CHECK_EQ(wire_write_subscribe(bytes, 9, false, 1, &filter, 1, 0), -ENOBUFS);
        CHECK_EQ(wire_write_subscribe(bytes, 10, false, 1, &filter, 1, 0), 10);
        CHECK_EQ(wire_write_connect(bytes, 15, &me), -ENOBUFS);
        CHECK_EQ(wire_write_connect(bytes, 16, &me), 16);
}

TEST(a_session_that_lasts_says_so_in_the_words_of_its_version)
{
        static const uint8_t connect_311[] = {0x10, 14, 0, 4,  'M', 'Q', 'T', 'T',
                                              4,    0,  0, 60, 0,   2,   'm', 'e'};
        static const uint8_t connect_5[] = {0x10, 20, 0,  4,    'M',  'Q',  'T',  'T', 5, 0,   0,
                                            60,   5,  17, 0xff, 0xff, 0xff, 0xff, 0,   2, 'm', 'e'};
        struct wire_connect connect = me;
        uint8_t bytes[64];

        connect.lasting = true;
        CHECK_EQ(wire_write_connect(bytes, sizeof(bytes), &connect), sizeof(connect_311));
        CHECK(memcmp(bytes, connect_311, sizeof(connect_311)) == 0);
        connect.version_5 = true;
        CHECK_EQ(wire_write_connect(bytes, sizeof(connect_5) - 1, &connect), -ENOBUFS);
        CHECK_EQ(wire_write_connect(bytes, sizeof(bytes), &connect), sizeof(connect_5));
        CHECK(memcmp(bytes, connect_5, sizeof(connect_5)) == 0);
}

TEST(the_set_up_says_what_the_standards_say)
{
        static const uint8_t connect_311[] = {0x10, 14, 0, 4,  'M', 'Q', 'T', 'T',
                                              4,    2,  0, 60, 0,   2,   'm', 'e'};
        static const uint8_t connect_5[] = {0x10, 15, 0,  4, 'M', 'Q', 'T', 'T', 5,
                                            2,    0,  60, 0, 0,   2,   'm', 'e'};
        static const uint8_t subscribe[] = {0x82, 12, 0, 7, 0, 1, 'a', 1, 0, 3, 'b', '/', '#', 1};
        static const uint8_t pubrel[] = {0x62, 2, 0x12, 0x34};
        const struct wire_text filters[] = {wire_text_of("a"), wire_text_of("b/#")};
        uint8_t bytes[64];

        CHECK_EQ(wire_write_connect(bytes, sizeof(bytes), &me), sizeof(connect_311));
        CHECK(memcmp(bytes, connect_311, sizeof(connect_311)) == 0);
        CHECK_EQ(wire_write_connect(bytes, sizeof(bytes), &me_5), sizeof(connect_5));
        CHECK(memcmp(bytes, connect_5, sizeof(connect_5)) == 0);
        CHECK_EQ(wire_write_subscribe(bytes, sizeof(bytes), false, 7, filters, 2, 1),
                 sizeof(subscribe));
        CHECK(memcmp(bytes, subscribe, sizeof(subscribe)) == 0);
        wire_write_acknowledgement(bytes, WIRE_PUBREL, 0x1234);
        CHECK(memcmp(bytes, pubrel, sizeof(pubrel)) == 0);
}
