#include "base/siphash.h"
#include "support/test.h"

/* What another implementation made of them, with a key of zeros: Python's hash() of bytes,
 * which is SipHash-1-3 since 3.11, with PYTHONHASHSEED=0. */
TEST(bytes_of_any_length_have_the_hash_that_others_give_them)
{
        static const struct {
                const char *bytes;
                uint64_t hash;
        } cases[] = {
                {"a", 0x407448d2b89b1813},
                {"abcdefg", 0x6db12aae9070f506},
                {"abcdefgh", 0x3f7b849c0b8e35ea},
                {"fleet/pi-00042/state", 0x023a02cf1fb1007d},
        };
        const struct siphash_key zeros = {{0, 0}};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK(siphash(&zeros, cases[i].bytes, strlen(cases[i].bytes)) == cases[i].hash);
}

TEST(a_number_has_the_hash_of_its_bytes)
{
        const struct siphash_key key = {{1, 2}};
        const unsigned char bytes[] = {8, 7, 6, 5, 4, 3, 2, 1};

        CHECK(siphash_number(&key, 0x0102030405060708) == siphash(&key, bytes, sizeof(bytes)));
}

TEST(keys_that_are_drawn_differ_and_so_do_their_hashes)
{
        struct siphash_key one, other;

        CHECK_EQ(siphash_key_draw(&one), 0);
        CHECK_EQ(siphash_key_draw(&other), 0);
        CHECK(memcmp(&one, &other, sizeof(one)) != 0);
        CHECK(siphash(&one, "a", 1) != siphash(&other, "a", 1));
        CHECK(siphash(&one, "", 0) != siphash(&one, "\0", 1));
}
