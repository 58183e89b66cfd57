#include "base/crc32.h"

#include "support/test.h"

TEST(known_texts_have_their_known_sums)
{
        CHECK_EQ(crc32_of("", 0), 0);
        CHECK_EQ(crc32_of("123456789", 9), 0xCBF43926);
        CHECK_EQ(crc32_of("The quick brown fox jumps over the lazy dog", 43), 0x414FA339);
}

TEST(each_flipped_bit_of_a_text_changes_the_sum)
{
        unsigned char bytes[64] = {0};
        uint32_t sum = crc32_of(bytes, sizeof(bytes));

        for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
                bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
                CHECK(crc32_of(bytes, sizeof(bytes)) != sum);
                bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        }
}
