/* data/json-text.h - how far text is plain, eight bytes at a time; for this room.
 *
 * Plain are the bytes that stand in a JSON string as they are and alone: ASCII
 * without control characters, quote and backslash. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool json_byte_is_plain(unsigned char c)
{
        return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* The top bit of each byte that is not plain; bytes behind the first such may be
 * told wrong. A byte's top bit shows: zero after the exclusive or; below 0x20;
 * 0x7F or more. Borrows and carries disturb only bytes of higher value. */
static inline uint64_t json_special_bytes(uint64_t eight)
{
        const uint64_t ones = 0x0101010101010101;
        const uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';

        return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                ((eight - 0x20 * ones) & ~eight) | (eight + ones) | eight) &
               0x80 * ones;
}

/* How many plain bytes lead. */
static inline size_t json_plain_run(const char *text, size_t length)
{
        size_t at = 0;

        for (; length - at >= 8; at += 8) {
                uint64_t eight, special;

                memcpy(&eight, text + at, 8);
                special = json_special_bytes(le64toh(eight));
                if (special)
                        return at + (size_t)__builtin_ctzll(special) / 8;
        }
        while (at < length && json_byte_is_plain((unsigned char)text[at]))
                at++;
        return at;
}

/* Are all of them plain? The last bytes are looked at together with some before
 * them once more, which is faster than one by one. */
static inline bool json_is_plain(const char *text, size_t length)
{
        uint64_t eight = 0;
        uint32_t first, last;

        if (length >= 8) {
                for (size_t at = 0; at < length - 8; at += 8) {
                        memcpy(&eight, text + at, 8);
                        if (json_special_bytes(eight))
                                return false;
                }
                memcpy(&eight, text + length - 8, 8);
                return !json_special_bytes(eight);
        }
        if (length >= 4) {
                memcpy(&first, text, 4);
                memcpy(&last, text + length - 4, 4);
                return !json_special_bytes((uint64_t)first << 32 | last);
        }
        return json_plain_run(text, length) == length;
}
