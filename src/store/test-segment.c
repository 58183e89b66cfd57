#include "store/segment.h"

#include "base/attributes.h"
#include "store/little-endian.h"
#include "store/record.h"
#include "support/test.h"

#include <errno.h>

static struct store_header some_header(uint8_t bytes[STORE_HEADER])
{
        struct store_header header = {
                .schema = 0x01020304,
                .kind = STORE_IMAGE,
                .fresh = true,
                .generation = 0x1122334455667788,
                .first = 0x00FFEEDDCCBBAA99,
                .salt = 0xF0E0D0C0B0A09080,
        };

        store_header_encode(&header, bytes);
        return header;
}

TEST(a_header_is_read_as_it_was_written)
{
        uint8_t bytes[STORE_HEADER];
        struct store_header header = some_header(bytes), got = {0};

        CHECK_EQ(store_header_decode(bytes, &got), 0);
        CHECK_EQ(got.version, STORE_VERSION);
        CHECK_EQ(got.schema, header.schema);
        CHECK_EQ(got.kind, header.kind);
        CHECK_EQ(got.fresh, header.fresh);
        CHECK_EQ(got.generation, header.generation);
        CHECK_EQ(got.first, header.first);
        CHECK_EQ(got.salt, header.salt);
        CHECK_EQ(got.seed, header.seed);
}

/* What is on disks: a change of it is a new version. */
TEST(the_format_is_what_it_was)
{
        static const uint8_t expected[STORE_HEADER] = {
                'p',  'f',  's',  't',  'o',  'r',  'e',  '\n', 1,    0,    0,
                0,    2,    0,    1,    0,    0x04, 0x03, 0x02, 0x01, 0x88, 0x77,
                0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x99, 0xAA, 0xBB, 0xCC, 0xDD,
                0xEE, 0xFF, 0x00, 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
        };
        static const uint8_t record[] = {3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x42, 'a', 'b', 'c'};
        uint8_t bytes[STORE_HEADER], whole[STORE_RECORD_HEADER + 3];

        some_header(bytes);
        CHECK_EQ(memcmp(bytes, expected, STORE_HEADER - 4), 0);
        CHECK_EQ(get_u32(bytes + STORE_HEADER - 4), 0x1186ED3D);
        store_record_begin(whole, 0x42, 5, 3);
        memcpy(whole + STORE_RECORD_HEADER, "abc", 3);
        CHECK_EQ(store_record_seal(whole, 0x1186ED3D), sizeof(whole));
        CHECK_EQ(memcmp(whole + 4, record, sizeof(record)), 0);
        CHECK_EQ(get_u32(whole), 0x5015D077);
}

TEST(a_header_with_any_flipped_bit_is_damaged)
{
        uint8_t bytes[STORE_HEADER];
        struct store_header got;

        some_header(bytes);
        for (size_t bit = 0; bit < STORE_HEADER * 8; bit++) {
                bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
                CHECK_EQ(store_header_decode(bytes, &got), -EBADMSG);
                bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
}

TEST(a_header_of_another_version_is_told_from_damage)
{
        uint8_t bytes[STORE_HEADER];
        struct store_header got;

        some_header(bytes);
        put_u32(bytes + 8, 2);
        store_header_seal(bytes);
        CHECK_EQ(store_header_decode(bytes, &got), -EPROTONOSUPPORT);
        CHECK_EQ(got.version, 2);
}

TEST(a_header_with_a_sequence_that_cannot_be_is_damaged)
{
        uint8_t bytes[STORE_HEADER];
        struct store_header header = some_header(bytes), got;

        header.first = 0;
        store_header_encode(&header, bytes);
        CHECK_EQ(store_header_decode(bytes, &got), -EBADMSG);
        header.first = STORE_SEQUENCE_MAX + 1;
        store_header_encode(&header, bytes);
        CHECK_EQ(store_header_decode(bytes, &got), -EBADMSG);
}

TEST(a_record_with_any_flipped_bit_is_damaged)
{
        uint8_t record[STORE_RECORD_HEADER + 5] = {0};
        struct store_record got;

        store_record_begin(record, 7, STORE_SEQUENCE_MAX, 5);
        store_record_seal(record, 1);
        CHECK_EQ(store_record_check(record, 1), 0);
        CHECK_EQ(store_record_check(record, 2), -EBADMSG);
        store_record_peek(record, &got);
        CHECK_EQ(got.type, 7);
        CHECK_EQ(got.sequence, STORE_SEQUENCE_MAX);
        CHECK_EQ(got.count, 5);
        CHECK(got.bytes == record + STORE_RECORD_HEADER);
        for (size_t bit = 0; bit < sizeof(record) * 8; bit++) {
                record[bit / 8] ^= (uint8_t)(1U << bit % 8);
                /* A longer one would be looked for beyond: that is the reader's to refuse. */
                store_record_peek(record, &got);
                if (got.count <= 5)
                        CHECK_EQ(store_record_check(record, 1), -EBADMSG);
                record[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
}

TEST(names_are_read_as_they_were_written)
{
        char name[STORE_NAME_SIZE];
        uint64_t generation = 0;
        enum store_kind kind = 0;

        store_name(name, 0x1A, STORE_SEGMENT);
        CHECK_TEXT(name, "000000000000001a.log");
        CHECK_EQ(store_name_parse(name, &generation, &kind), STORE_NAME_WHOLE);
        CHECK_EQ(generation, 0x1A);
        CHECK_EQ(kind, STORE_SEGMENT);
        store_name(name, INT64_MAX, STORE_IMAGE);
        CHECK_TEXT(name, "7fffffffffffffff.snapshot");
        CHECK_EQ(store_name_parse(name, &generation, &kind), STORE_NAME_WHOLE);
        CHECK_EQ(generation, INT64_MAX);
        CHECK_EQ(kind, STORE_IMAGE);
        store_name_partial(name, 2);
        CHECK_EQ(store_name_parse(name, &generation, &kind), STORE_NAME_PARTIAL);
        store_name_damaged(name, 3, STORE_SEGMENT);
        CHECK_EQ(store_name_parse(name, &generation, &kind), STORE_NAME_DAMAGED);
        CHECK_EQ(kind, STORE_SEGMENT);
}

TEST(other_names_are_not_ours)
{
        static const char *const names[] = {
                "",
                ".",
                "000000000000001a",
                "000000000000001A.log",
                "00000000000001a.log",
                "0000000000000001a.log",
                "8000000000000000.log",
                "000000000000001a.lo",
                "000000000000001a.logs",
                "000000000000001a.log.partial",
                "000000000000001a.snapshot.",
                "000000000000001a.s",
        };
        uint64_t generation;
        enum store_kind kind;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                CHECK_EQ(store_name_parse(names[i], &generation, &kind), STORE_NAME_OTHER);
}
