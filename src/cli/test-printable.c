#include "cli/printable.h"

#include "support/test.h"

#include <errno.h>

struct text_case {
        const char *in;
        size_t length;
        const char *out;
};

#define BYTES(text) text, sizeof(text) - 1

typedef int append_fn(struct buffer *out, const char *text, size_t length);

static void check(append_fn *append, const struct text_case *c)
{
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_EQ(append(&out, c->in, c->length), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), c->out);
        buffer_done(&out);
}

TEST(nothing_that_commands_a_terminal_is_left_raw)
{
        static const struct text_case cases[] = {
                {BYTES(""), ""},
                {BYTES("plain text, \xc3\xbc and \xe2\x82\xac"),
                 "plain text, \xc3\xbc and \xe2\x82\xac"},
                {BYTES("\033]0;title\007"), "\\x1b]0;title\\x07"},
                {BYTES("a\nb\rc\td"), "a\\nb\\rc\\td"},
                {BYTES("nul\0here"), "nul\\x00here"},
                {BYTES("del\x7f"), "del\\x7f"},
                {BYTES("c1 \xc2\x9b"
                       "31m"),
                 "c1 \\x9b31m"},
                {BYTES("\xe2\x80\xaetxt.exe"), "\\u{202e}txt.exe"},
                {BYTES("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u{2066}x\\u{2069}"},
                {BYTES("\xef\xbb\xbfx"), "\\u{feff}x"},
                {BYTES("\xf3\xa0\x81\x81"), "\\u{e0041}"},
                {BYTES("broken \xc3"), "broken \\xc3"},
                {BYTES("\xff\xfe"), "\\xff\\xfe"},
                {BYTES("\xe2\x82"), "\\xe2\\x82"},
                {BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80"},
                {BYTES("\x80"
                       "a"),
                 "\\x80"
                 "a"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(printable_append, &cases[i]);
}

TEST(a_line_of_a_longer_text_keeps_its_tabs)
{
        check(printable_append_line, &(struct text_case){BYTES("\tif x:\033"), "\tif x:\\x1b"});
}

TEST(json_stays_the_same_value)
{
        static const struct text_case cases[] = {
                {BYTES("{\"a\":1}"), "{\"a\":1}"},
                {BYTES("\"\x7f\""), "\"\\u007f\""},
                {BYTES("\"\xc2\x9b\""), "\"\\u009b\""},
                {BYTES("\"\xe2\x80\xae\""), "\"\\u202e\""},
                {BYTES("\"\xf3\xa0\x81\x81\""), "\"\\udb40\\udc41\""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check(printable_append_json, &cases[i]);
}

TEST(width_counts_columns_not_bytes)
{
        CHECK_EQ(printable_width(BYTES("abc")), 3);
        CHECK_EQ(printable_width(BYTES("\xc3\xbc")), 1);
        CHECK_EQ(printable_width(BYTES("\xe6\xbc\xa2")), 2);
        CHECK_EQ(printable_width(BYTES("e\xcc\x81")), 1);
        CHECK_EQ(printable_width(BYTES("\xff")), 1);
}

TEST(a_full_buffer_is_reported)
{
        struct buffer out;

        buffer_init(&out, 3);
        CHECK_EQ(printable_append(&out, BYTES("\033")), -EMSGSIZE);
        CHECK_EQ(printable_append(&out, BYTES("abcd")), -EMSGSIZE);
        buffer_done(&out);
}
