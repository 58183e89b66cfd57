#include "base/crc32.h"

/* IEEE 802.3, 3.2.9, bits reversed. */
#define POLYNOMIAL 0xEDB88320U

uint32_t crc32_of(const void *bytes, size_t count)
{
        const unsigned char *byte = bytes;
        uint32_t crc = UINT32_MAX;

        /* Bit by bit: no table to fill, and files here are small. */
        for (size_t i = 0; i < count; i++) {
                crc ^= byte[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
        }
        return ~crc;
}
