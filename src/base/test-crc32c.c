#include "base/crc32c.h"

#include "base/crc32c-cpu.h"

#include "support/test.h"

/* RFC 3720, B.4, and the usual check value. */
TEST(known_bytes_have_their_known_sums)
{
        unsigned char bytes[32];

        CHECK_EQ(crc32c_extend(0, "", 0), 0);
        CHECK_EQ(crc32c_extend(0, "123456789", 9), 0xE3069283);
        memset(bytes, 0, sizeof(bytes));
        CHECK_EQ(crc32c_extend(0, bytes, sizeof(bytes)), 0x8A9136AA);
        memset(bytes, 0xFF, sizeof(bytes));
        CHECK_EQ(crc32c_extend(0, bytes, sizeof(bytes)), 0x62A8AB43);
        for (unsigned i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char)i;
        CHECK_EQ(crc32c_extend(0, bytes, sizeof(bytes)), 0x46DD794E);
}

/* Bit by bit, as the polynomial says. */
static uint32_t slow(const unsigned char *bytes, size_t count)
{
        uint32_t sum = UINT32_MAX;

        for (size_t i = 0; i < count; i++) {
                sum ^= bytes[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        sum = sum >> 1 ^ (sum & 1 ? 0x82F63B78U : 0);
        }
        return ~sum;
}

TEST(a_sum_is_the_same_however_its_bytes_come)
{
        unsigned char bytes[67];

        for (unsigned i = 0; i < sizeof(bytes); i++)
                bytes[i] = (unsigned char)(i * 181 + 7);
        for (size_t from = 0; from < 9; from++)
                for (size_t to = from; to <= sizeof(bytes); to++) {
                        uint32_t sum = slow(bytes + from, to - from);

                        CHECK_EQ(crc32c_extend(0, bytes + from, to - from), sum);
                        CHECK_EQ(crc32c_table_extend(0, bytes + from, to - from), sum);
                        for (size_t cut = from; cut <= to; cut++)
                                CHECK_EQ(crc32c_extend(crc32c_extend(0, bytes + from, cut - from),
                                                       bytes + cut, to - cut),
                                         sum);
                }
}

TEST(each_byte_value_counts)
{
        for (unsigned i = 0; i < 256; i++) {
                unsigned char bytes[9] = {(unsigned char)i, [8] = (unsigned char)i};

                CHECK_EQ(crc32c_extend(0, bytes, 9), slow(bytes, 9));
                memset(bytes, (int)i, sizeof(bytes));
                CHECK_EQ(crc32c_extend(0, bytes, 8), slow(bytes, 8));
                CHECK_EQ(crc32c_table_extend(0, bytes, 8), slow(bytes, 8));
        }
}
