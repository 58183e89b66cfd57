#include "cli/printable.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdint.h>

struct character {
        uint32_t code;
        size_t length;
        bool valid; /* false: `code` is one byte that belongs to no character */
};

struct range {
        uint32_t first, last;
};

/* Formatting characters that change how their neighbours look. The joiners
 * U+200C and U+200D are not among them: some scripts need them. */
static const struct range invisible[] = {
        {0x0000, 0x001f},   {0x007f, 0x009f}, {0x061c, 0x061c},   {0x200b, 0x200b},
        {0x200e, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f},   {0xfeff, 0xfeff},
        {0xfff9, 0xfffb},   {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe0fff},
};

static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf}, {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60}, {0x1f300, 0x1f64f},
        {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};

static const struct range combining[] = {
        {0x0300, 0x036f}, {0x0483, 0x0489}, {0x200c, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
};

static bool is_in(const struct range ranges[], size_t count, uint32_t code)
{
        for (size_t i = 0; i < count; i++)
                if (code >= ranges[i].first && code <= ranges[i].last)
                        return true;
        return false;
}

#define IS_IN(ranges, code) is_in(ranges, ARRAY_SIZE(ranges), code)

static struct character decode(const char *text, size_t length)
{
        const unsigned char *byte = (const unsigned char *)text;
        size_t count = byte[0] < 0x80 ? 1 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
        uint32_t code;

        if (count > length || utf8_valid_prefix(text, count) != count)
                return (struct character){.code = byte[0], .length = 1, .valid = false};
        code = count == 1 ? byte[0] : byte[0] & (0x7fU >> count);
        for (size_t i = 1; i < count; i++)
                code = code << 6 | (byte[i] & 0x3fU);
        return (struct character){.code = code, .length = count, .valid = true};
}

static int append_escape(struct buffer *out, const struct character *c)
{
        if (!c->valid || c->code < 0x100) {
                switch (c->valid ? c->code : 0) {
                case '\n':
                        return buffer_append_text(out, "\\n");
                case '\r':
                        return buffer_append_text(out, "\\r");
                case '\t':
                        return buffer_append_text(out, "\\t");
                default:
                        return buffer_printf(out, "\\x%02x", (unsigned)c->code);
                }
        }
        return buffer_printf(out, "\\u{%04x}", (unsigned)c->code);
}

static int append_json_escape(struct buffer *out, const struct character *c)
{
        uint32_t rest;

        if (c->code < 0x10000)
                return buffer_printf(out, "\\u%04x", (unsigned)c->code);
        rest = c->code - 0x10000; /* a surrogate pair: RFC 8259, 7 */
        return buffer_printf(out, "\\u%04x\\u%04x", (unsigned)(0xd800 + (rest >> 10)),
                             (unsigned)(0xdc00 + (rest & 0x3ff)));
}

typedef int escape_fn(struct buffer *out, const struct character *c);

static int append(struct buffer *out, const char *text, size_t length, bool keep_tabs,
                  escape_fn *escape)
{
        size_t plain = 0; /* where the text begins that needs no escape */
        int r;

        for (size_t i = 0; i < length;) {
                struct character c = decode(text + i, length - i);

                if (c.valid && ((keep_tabs && c.code == '\t') || !IS_IN(invisible, c.code))) {
                        i += c.length;
                        continue;
                }
                r = buffer_append(out, text + plain, i - plain);
                if (r < 0)
                        return r;
                r = escape(out, &c);
                if (r < 0)
                        return r;
                i += c.length;
                plain = i;
        }
        return buffer_append(out, text + plain, length - plain);
}

int printable_append(struct buffer *out, const char *text, size_t length)
{
        return append(out, text, length, false, append_escape);
}

int printable_append_line(struct buffer *out, const char *text, size_t length)
{
        return append(out, text, length, true, append_escape);
}

int printable_append_json(struct buffer *out, const char *json, size_t length)
{
        return append(out, json, length, false, append_json_escape);
}

size_t printable_width(const char *text, size_t length)
{
        size_t width = 0;

        for (size_t i = 0; i < length;) {
                struct character c = decode(text + i, length - i);

                i += c.length;
                if (c.valid && IS_IN(combining, c.code))
                        continue;
                width += c.valid && IS_IN(wide, c.code) ? 2 : 1;
        }
        return width;
}
