#include "base/crc32c.h"

#include "base/crc32c-cpu.h"

/* An entry is the exclusive or of those of its bits, so that the compiler makes the tables from
 * eight numbers each. slices[k] holds what a byte does to the sum k bytes later. */
#define ENTRY(n, b0, b1, b2, b3, b4, b5, b6, b7)                                                   \
        (((n)&1 ? (b0) : 0U) ^ ((n)&2 ? (b1) : 0U) ^ ((n)&4 ? (b2) : 0U) ^ ((n)&8 ? (b3) : 0U) ^   \
         ((n)&16 ? (b4) : 0U) ^ ((n)&32 ? (b5) : 0U) ^ ((n)&64 ? (b6) : 0U) ^                      \
         ((n)&128 ? (b7) : 0U))
#define ENTRIES_4(slice, n) slice(n), slice((n) + 1), slice((n) + 2), slice((n) + 3)
#define ENTRIES_16(slice, n)                                                                       \
        ENTRIES_4(slice, n), ENTRIES_4(slice, (n) + 4), ENTRIES_4(slice, (n) + 8),                 \
                ENTRIES_4(slice, (n) + 12)
#define ENTRIES_64(slice, n)                                                                       \
        ENTRIES_16(slice, n), ENTRIES_16(slice, (n) + 16), ENTRIES_16(slice, (n) + 32),            \
                ENTRIES_16(slice, (n) + 48)
#define ENTRIES_256(slice)                                                                         \
        ENTRIES_64(slice, 0), ENTRIES_64(slice, 64), ENTRIES_64(slice, 128), ENTRIES_64(slice, 192)

#define SLICE_0(n)                                                                                 \
        ENTRY(n, 0xF26B8303, 0xE13B70F7, 0xC79A971F, 0x8AD958CF, 0x105EC76F, 0x20BD8EDE,           \
              0x417B1DBC, 0x82F63B78)
#define SLICE_1(n)                                                                                 \
        ENTRY(n, 0x13A29877, 0x274530EE, 0x4E8A61DC, 0x9D14C3B8, 0x3FC5F181, 0x7F8BE302,           \
              0xFF17C604, 0xFBC3FAF9)
#define SLICE_2(n)                                                                                 \
        ENTRY(n, 0xA541927E, 0x4F6F520D, 0x9EDEA41A, 0x38513EC5, 0x70A27D8A, 0xE144FB14,           \
              0xC76580D9, 0x8B277743)
#define SLICE_3(n)                                                                                 \
        ENTRY(n, 0xDD45AAB8, 0xBF672381, 0x7B2231F3, 0xF64463E6, 0xE964B13D, 0xD725148B,           \
              0xABA65FE7, 0x52A0C93F)
#define SLICE_4(n)                                                                                 \
        ENTRY(n, 0x38116FAC, 0x7022DF58, 0xE045BEB0, 0xC5670B91, 0x8F2261D3, 0x1BA8B557,           \
              0x37516AAE, 0x6EA2D55C)
#define SLICE_5(n)                                                                                 \
        ENTRY(n, 0xEF306B19, 0xDB8CA0C3, 0xB2F53777, 0x6006181F, 0xC00C303E, 0x85F4168D,           \
              0x0E045BEB, 0x1C08B7D6)
#define SLICE_6(n)                                                                                 \
        ENTRY(n, 0x68032CC8, 0xD0065990, 0xA5E0C5D1, 0x4E2DFD53, 0x9C5BFAA6, 0x3D5B83BD,           \
              0x7AB7077A, 0xF56E0EF4)
#define SLICE_7(n)                                                                                 \
        ENTRY(n, 0x493C7D27, 0x9278FA4E, 0x211D826D, 0x423B04DA, 0x847609B4, 0x0D006599,           \
              0x1A00CB32, 0x34019664)

static const uint32_t slices[8][256] = {
        {ENTRIES_256(SLICE_0)}, {ENTRIES_256(SLICE_1)}, {ENTRIES_256(SLICE_2)},
        {ENTRIES_256(SLICE_3)}, {ENTRIES_256(SLICE_4)}, {ENTRIES_256(SLICE_5)},
        {ENTRIES_256(SLICE_6)}, {ENTRIES_256(SLICE_7)},
};

static uint32_t little_endian(const unsigned char *byte)
{
        return (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 |
               (uint32_t)byte[3] << 24;
}

uint32_t crc32c_table_extend(uint32_t sum, const void *bytes, size_t count)
{
        const unsigned char *byte = bytes;

        sum = ~sum;
        for (; count >= 8; count -= 8, byte += 8) {
                uint32_t low = sum ^ little_endian(byte), high = little_endian(byte + 4);

                sum = slices[7][low & 0xFF] ^ slices[6][low >> 8 & 0xFF] ^
                      slices[5][low >> 16 & 0xFF] ^ slices[4][low >> 24] ^ slices[3][high & 0xFF] ^
                      slices[2][high >> 8 & 0xFF] ^ slices[1][high >> 16 & 0xFF] ^
                      slices[0][high >> 24];
        }
        for (; count > 0; count--)
                sum = slices[0][(sum ^ *byte++) & 0xFF] ^ sum >> 8;
        return ~sum;
}

uint32_t crc32c_extend(uint32_t sum, const void *bytes, size_t count)
{
        return crc32c_cpu_is_able() ? crc32c_cpu_extend(sum, bytes, count)
                                    : crc32c_table_extend(sum, bytes, count);
}
