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

/* How many plain bytes lead. */
static inline size_t json_plain_run(const char *text, size_t length)
{
        const uint64_t ones = 0x0101010101010101, tops = 0x80 * ones;
        size_t at = 0;

        for (; length - at >= 8; at += 8) {
                uint64_t eight, quote, backslash, special;

                memcpy(&eight, text + at, 8);
                eight = le64toh(eight);
                /* A byte's top bit tells: it is zero after the exclusive or; it is
                 * below 0x20; it is 0x7F or more. Borrows and carries disturb only
                 * bytes behind one that was told right, and the first counts. */
                quote = eight ^ ones * '"';
                backslash = eight ^ ones * '\\';
                special = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
                          ((eight - 0x20 * ones) & ~eight) | (eight + ones) | eight;
                special &= tops;
                if (special)
                        return at + (size_t)__builtin_ctzll(special) / 8;
        }
        while (at < length && json_byte_is_plain((unsigned char)text[at]))
                at++;
        return at;
}
