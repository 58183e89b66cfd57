#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

/* The length of the well-formed sequence of two to four bytes at `bytes`, or 0. The
 * second byte's range is what keeps overlong forms (E0, F0), surrogates (ED)
 * and what lies beyond U+10FFFF (F4) out. */
static size_t sequence_length(const unsigned char *bytes, size_t available)
{
        unsigned char lead = bytes[0], low = 0x80, high = 0xBF;
        size_t length;

        if (lead >= 0xC2 && lead <= 0xDF)
                length = 2;
        else if (lead >= 0xE0 && lead <= 0xEF)
                length = 3;
        else if (lead >= 0xF0 && lead <= 0xF4)
                length = 4;
        else
                return 0;
        if (length > available)
                return 0;

        if (lead == 0xE0)
                low = 0xA0;
        else if (lead == 0xED)
                high = 0x9F;
        else if (lead == 0xF0)
                low = 0x90;
        else if (lead == 0xF4)
                high = 0x8F;
        if (bytes[1] < low || bytes[1] > high)
                return 0;
        for (size_t i = 2; i < length; i++)
                if ((bytes[i] & 0xC0) != 0x80)
                        return 0;
        return length;
}

size_t utf8_valid_prefix(const char *text, size_t length)
{
        const unsigned char *bytes = (const unsigned char *)text;
        size_t at = 0, step;
        uint64_t eight;

        while (at < length) {
                while (length - at >= sizeof(eight)) {
                        memcpy(&eight, bytes + at, sizeof(eight));
                        if (eight & 0x8080808080808080u)
                                break;
                        at += sizeof(eight);
                }
                while (at < length && bytes[at] < 0x80)
                        at++;
                if (at == length)
                        break;
                step = sequence_length(bytes + at, length - at);
                if (step == 0)
                        break;
                at += step;
        }
        return at;
}

/* Some byte of the eight is below 0x20, is 0x7f, or is not ASCII. */
static bool may_have_control(uint64_t eight)
{
        const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
        uint64_t other_than_delete = eight ^ (0x7f * ones);

        return (((eight - 0x20 * ones) | (other_than_delete - ones) | eight) & tops) != 0;
}

bool utf8_has_control(const char *text, size_t length)
{
        const unsigned char *bytes = (const unsigned char *)text;
        size_t at = 0;
        uint64_t eight;

        while (length - at >= sizeof(eight)) {
                memcpy(&eight, bytes + at, sizeof(eight));
                if (may_have_control(eight))
                        break;
                at += sizeof(eight);
        }
        for (; at < length; at++) {
                if (bytes[at] < 0x20 || bytes[at] == 0x7f)
                        return true;
                /* U+0080 to U+009F are C2 80 to C2 9F. */
                if (bytes[at] == 0xc2 && at + 1 < length && bytes[at + 1] < 0xa0)
                        return true;
        }
        return false;
}
