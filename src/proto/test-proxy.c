#include "proto/proxy.h"

#include "base/attributes.h"
#include "base/crc32c.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

static int decode(const void *bytes, size_t count, struct proxy_header *header)
{
        /* Of exactly this size, so that a byte beyond is found. */
        uint8_t *copy = malloc(count > 0 ? count : 1);
        int r;

        CHECK(copy != NULL);
        memcpy(copy, bytes, count);
        r = proxy_header_decode(copy, count, header);
        if (r > 0 && header->common_name)
                header->common_name =
                        (const char *)bytes + ((const uint8_t *)header->common_name - copy);
        free(copy);
        return r;
}

static int decode_text(const char *text, struct proxy_header *header)
{
        return decode(text, strlen(text), header);
}

/* ---- version 1 ---- */

TEST(a_line_says_who_it_is)
{
        struct proxy_header header;
        char text[INET6_ADDRSTRLEN];

        CHECK_EQ(decode_text("PROXY TCP4 192.0.2.1 198.51.100.2 65535 0\r\nCONNECT", &header), 43);
        CHECK_EQ(header.family, PROXY_IPV4);
        CHECK(!header.local && !header.tls);
        CHECK_TEXT(inet_ntop(AF_INET, header.source, text, sizeof(text)), "192.0.2.1");
        CHECK_TEXT(inet_ntop(AF_INET, header.destination, text, sizeof(text)), "198.51.100.2");
        CHECK_EQ(header.source_port, 65535);
        CHECK_EQ(header.destination_port, 0);
        CHECK_EQ(decode_text("PROXY TCP6 2001:db8::1 ::1 1 8883\r\n", &header), 35);
        CHECK_EQ(header.family, PROXY_IPV6);
        CHECK_TEXT(inet_ntop(AF_INET6, header.source, text, sizeof(text)), "2001:db8::1");
        CHECK_EQ(decode_text("PROXY UNKNOWN\r\n", &header), 15);
        CHECK_EQ(header.family, PROXY_UNKNOWN);
        CHECK_EQ(decode_text("PROXY UNKNOWN ffff:: what ever\r\n", &header), 32);
}

TEST(a_line_that_is_not_to_the_letter_is_refused)
{
        static const char *const lines[] = {
                "GET / HTTP/1.1\r\n",
                "PROXX ",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\r\n",
                "PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 1 -2\r\n",
                "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
                "PROXY TCP4 192.0.2 198.51.100.2 1 2\r\n",
                "PROXY TCP4 2001:db8::1 ::1 1 2\r\n",
                "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
                "PROXY TCP6 2001:db8::1%eth0 ::1 1 2\r\n",
                "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n",
                "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
                "PROXY UNKNOWNS\r\n",
                "PROXY TCP4\r\n",
                "PROXY \r\n",
        };
        struct proxy_header header;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                if (decode_text(lines[i], &header) != -EBADMSG)
                        FAIL("taken: %s", lines[i]);
        CHECK_EQ(decode("PROXY UNKNOWN\0 \r", 16, &header), 0);
        CHECK_EQ(decode("PROXY TCP4 192.0.2.1\0 198.51.100.2 1 2\r\n", 41, &header), -EBADMSG);
}

TEST(a_line_has_107_bytes_at_most)
{
        struct proxy_header header;
        char line[PROXY_LINE_MAX + 1];

        memset(line, 'x', sizeof(line));
        memcpy(line, "PROXY UNKNOWN ", 14);
        memcpy(line + PROXY_LINE_MAX - 2, "\r\n", 2);
        CHECK_EQ(decode(line, PROXY_LINE_MAX, &header), PROXY_LINE_MAX);
        line[PROXY_LINE_MAX - 2] = 'x';
        memcpy(line + PROXY_LINE_MAX - 1, "\r\n", 2);
        CHECK_EQ(decode(line, PROXY_LINE_MAX + 1, &header), -EBADMSG);
        CHECK_EQ(decode(line, PROXY_LINE_MAX - 1, &header), -EBADMSG);
        CHECK_EQ(decode(line, PROXY_LINE_MAX - 2, &header), 0);
}

/* ---- version 2 ---- */

struct binary {
        uint8_t bytes[2048];
        size_t count;
};

static void append(struct binary *binary, const void *bytes, size_t count)
{
        memcpy(binary->bytes + binary->count, bytes, count);
        binary->count += count;
        binary->bytes[14] = (uint8_t)((binary->count - 16) >> 8);
        binary->bytes[15] = (uint8_t)(binary->count - 16);
}

static void begin(struct binary *binary, uint8_t command, uint8_t kind)
{
        memcpy(binary->bytes, "\r\n\r\n\0\r\nQUIT\n", 12);
        binary->bytes[12] = command;
        binary->bytes[13] = kind;
        binary->count = 16;
        append(binary, "", 0);
}

static void append_tlv(struct binary *binary, uint8_t type, const void *value, size_t length)
{
        const uint8_t head[] = {type, (uint8_t)(length >> 8), (uint8_t)length};

        append(binary, head, sizeof(head));
        append(binary, value, length);
}

static const uint8_t ipv4[] = {192, 0, 2, 1, 198, 51, 100, 2, 0x30, 0x39, 0x22, 0xb3};

static void begin_ipv4(struct binary *binary)
{
        begin(binary, 0x21, 0x11);
        append(binary, ipv4, sizeof(ipv4));
}

TEST(binary_addresses_of_each_family_are_read)
{
        static const uint8_t zeros[216] = {0x20, 0x01, 0x0d, 0xb8};
        struct binary binary;
        struct proxy_header header;

        begin_ipv4(&binary);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), 28);
        CHECK_EQ(header.family, PROXY_IPV4);
        CHECK_EQ(memcmp(header.source, ipv4, 4), 0);
        CHECK_EQ(memcmp(header.destination, ipv4 + 4, 4), 0);
        CHECK_EQ(header.source_port, 12345);
        CHECK_EQ(header.destination_port, 8883);
        begin(&binary, 0x21, 0x21);
        append(&binary, zeros, 36);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), 52);
        CHECK_EQ(header.family, PROXY_IPV6);
        CHECK_EQ(memcmp(header.source, zeros, 16), 0);
        begin(&binary, 0x21, 0x31);
        append(&binary, zeros, 216);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), 232);
        CHECK_EQ(header.family, PROXY_UNIX);
        begin(&binary, 0x21, 0x00);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), 16);
        CHECK_EQ(header.family, PROXY_UNKNOWN);
        CHECK(!header.local);
}

TEST(of_a_health_check_only_the_length_counts)
{
        struct proxy_header header;
        struct binary binary;

        begin(&binary, 0x20, 0x11);
        append(&binary, "whatever", 8);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), 24);
        CHECK(header.local);
        CHECK_EQ(header.family, PROXY_UNKNOWN);
}

TEST(a_binary_header_that_is_not_to_the_letter_is_refused)
{
        static const uint8_t kinds[] = {0x01, 0x02, 0x10, 0x12, 0x13, 0x20, 0x22, 0x32, 0x41, 0xff};
        static const uint8_t commands[] = {0x00, 0x01, 0x11, 0x22, 0x2f, 0x30, 0x31};
        static const size_t short_of[][2] = {{0x11, 11}, {0x21, 35}, {0x31, 215}};
        static const uint8_t zeros[600];
        struct proxy_header header;
        struct binary binary;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                begin(&binary, 0x21, kinds[i]);
                append(&binary, zeros, 216);
                CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        }
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                begin(&binary, commands[i], 0x11);
                append(&binary, ipv4, sizeof(ipv4));
                CHECK_EQ(decode(binary.bytes, 13, &header), -EBADMSG);
        }
        for (size_t i = 0; i < ARRAY_SIZE(short_of); i++) {
                begin(&binary, 0x21, (uint8_t)short_of[i][0]);
                append(&binary, zeros, short_of[i][1]);
                CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        }
        begin(&binary, 0x21, 0x00);
        append_tlv(&binary, 0x04, zeros, PROXY_HEADER_MAX - 16 - 3);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), PROXY_HEADER_MAX);
        append(&binary, zeros, 1);
        CHECK_EQ(decode(binary.bytes, 16, &header), -EMSGSIZE);
        begin_ipv4(&binary);
        append(&binary, "\x04\x00", 2);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        begin_ipv4(&binary);
        append(&binary, "\x04\x00\x01", 3);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
}

static size_t make_tls(uint8_t *value, uint8_t bits, uint8_t verify, const char *name,
                       size_t length)
{
        memcpy(value, (const uint8_t[]){bits, 0, 0, 0, verify, 0x22, 0, (uint8_t)length}, 8);
        memcpy(value + 8, name, length);
        return 8 + length;
}

TEST(a_certificate_counts_when_it_was_verified)
{
        static const struct {
                uint8_t bits, verify;
                bool tls, verified;
        } cases[] = {
                {0x07, 0, true, true},   {0x03, 0, true, true},  {0x05, 0, true, true},
                {0x01, 0, true, false},  {0x07, 1, true, false}, {0x06, 0, false, false},
                {0x00, 0, false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct proxy_header header;
                struct binary binary;
                uint8_t value[32];

                begin_ipv4(&binary);
                append_tlv(&binary, 0x01, "mqtt", 4);
                append_tlv(&binary, 0x20, value,
                           make_tls(value, cases[i].bits, cases[i].verify, "ann", 3));
                CHECK_EQ(decode(binary.bytes, binary.count, &header), binary.count);
                CHECK_EQ(header.tls, cases[i].tls);
                CHECK_EQ(header.verified, cases[i].verified);
                if (cases[i].verified) {
                        CHECK_EQ(header.common_name_length, 3);
                        CHECK_EQ(memcmp(header.common_name, "ann", 3), 0);
                } else {
                        CHECK_NULL(header.common_name);
                }
        }
}

TEST(a_name_that_is_none_and_what_comes_twice_are_refused)
{
        static const struct {
                const char *name;
                size_t length;
        } names[] = {{"", 0}, {"a\0b", 3}, {"\xff", 1}, {"\xed\xa0\x80", 3}};
        struct proxy_header header;
        struct binary binary;
        uint8_t value[64];
        size_t length;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                begin_ipv4(&binary);
                append_tlv(&binary, 0x20, value,
                           make_tls(value, 7, 0, names[i].name, names[i].length));
                CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        }
        length = make_tls(value, 7, 0, "ann", 3);
        begin_ipv4(&binary);
        append_tlv(&binary, 0x20, value, length);
        append_tlv(&binary, 0x20, value, length);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        memcpy(value + length, value + 5, length - 5);
        begin_ipv4(&binary);
        append_tlv(&binary, 0x20, value, 2 * length - 5);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        begin_ipv4(&binary);
        append_tlv(&binary, 0x20, value, 4);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        begin_ipv4(&binary);
        append_tlv(&binary, 0x20, value, length - 1);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
}

TEST(a_checksum_is_checked)
{
        struct proxy_header header;
        struct binary binary;
        uint32_t sum;

        begin_ipv4(&binary);
        append_tlv(&binary, 0x03, "\0\0\0\0", 4);
        append_tlv(&binary, 0x04, "padding", 7);
        sum = htonl(crc32c_extend(0, binary.bytes, binary.count));
        memcpy(binary.bytes + 31, &sum, 4);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), binary.count);
        binary.bytes[16] ^= 1;
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
        begin_ipv4(&binary);
        append_tlv(&binary, 0x03, "\0\0\0", 3);
        CHECK_EQ(decode(binary.bytes, binary.count, &header), -EBADMSG);
}

TEST(what_has_not_come_is_waited_for)
{
        static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n";
        struct proxy_header header;
        struct binary binary;
        uint8_t value[32];

        begin_ipv4(&binary);
        append_tlv(&binary, 0x20, value, make_tls(value, 7, 0, "ann", 3));
        for (size_t i = 0; i < binary.count; i++)
                CHECK_EQ(decode(binary.bytes, i, &header), 0);
        for (size_t i = 0; i < sizeof(line) - 1; i++)
                CHECK_EQ(decode(line, i, &header), 0);
}
