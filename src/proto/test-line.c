#include "proto/line.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>

static int next(const char *bytes, size_t max, struct line *line)
{
        struct line_framer framer = {0};

        return line_next(&framer, bytes, strlen(bytes), max, line);
}

TEST(a_line_ends_with_a_newline_with_or_without_a_carriage_return)
{
        static const struct {
                const char *bytes;
                size_t max;
                int outcome;
                size_t length, consumed;
        } cases[] = {
                {"", 8, LINE_NEED_MORE},
                {"abc", 8, LINE_NEED_MORE},
                {"abc\r", 8, LINE_NEED_MORE},
                {"\n", 8, LINE_FOUND, 0, 1},
                {"\r\n", 8, LINE_FOUND, 0, 2},
                {"abc\n", 8, LINE_FOUND, 3, 4},
                {"abc\r\n", 8, LINE_FOUND, 3, 5},
                {"abc\ndef\n", 8, LINE_FOUND, 3, 4},
                {"a\rb\n", 8, LINE_FOUND, 3, 4},
                {"a\r\r\n", 8, LINE_FOUND, 2, 4},
                /* At the limit, and one over it. */
                {"12345678", 8, LINE_NEED_MORE},
                {"12345678\n", 8, LINE_FOUND, 8, 9},
                {"12345678\r", 8, LINE_NEED_MORE},
                {"12345678\r\n", 8, LINE_FOUND, 8, 10},
                {"123456789", 8, -EMSGSIZE},
                {"123456789\n", 8, -EMSGSIZE},
                {"123456789\r\n", 8, -EMSGSIZE},
                {"12345678\r\r", 8, -EMSGSIZE},
                {"12345678\r\r\n", 8, -EMSGSIZE},
                {"12345678901234\nx\n", 8, -EMSGSIZE},
                {"", 0, LINE_NEED_MORE},
                {"\n", 0, LINE_FOUND, 0, 1},
                {"\r\n", 0, LINE_FOUND, 0, 2},
                {"x", 0, -EMSGSIZE},
                {"abc\n", SIZE_MAX, LINE_FOUND, 3, 4},
                {"abc", SIZE_MAX, LINE_NEED_MORE},
                {"abc\n", SIZE_MAX - 1, LINE_FOUND, 3, 4},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct line line = {0};

                CHECK_EQ(next(cases[i].bytes, cases[i].max, &line), cases[i].outcome);
                CHECK_EQ(line.length, cases[i].length);
                CHECK_EQ(line.consumed, cases[i].consumed);
        }
}

TEST(a_line_that_comes_byte_by_byte_is_searched_once)
{
        static const char bytes[] = "hello\nworld\n";
        struct line_framer framer = {0};
        struct line line;

        for (size_t count = 1; count <= 5; count++) {
                CHECK_EQ(line_next(&framer, bytes, count, 100, &line), LINE_NEED_MORE);
                CHECK_EQ(framer.scanned, count);
        }
        CHECK_EQ(line_next(&framer, bytes, 6, 100, &line), LINE_FOUND);
        CHECK_EQ(framer.scanned, 0);
        CHECK_EQ(line.length, 5);
        CHECK_EQ(line_next(&framer, bytes + 6, 6, 100, &line), LINE_FOUND);
        CHECK(memcmp(line.text, "world", 5) == 0);
}

TEST(a_limit_that_shrinks_meanwhile_holds)
{
        struct line_framer framer = {0};
        struct line line;

        CHECK_EQ(line_next(&framer, "123456", 6, 100, &line), LINE_NEED_MORE);
        CHECK_EQ(line_next(&framer, "123456\n", 7, 5, &line), -EMSGSIZE);
        CHECK_EQ(line_next(&framer, "1234567\n", 8, 100, &line), LINE_FOUND);
}

TEST(a_nul_is_a_byte_like_others)
{
        struct line_framer framer = {0};
        struct line line;

        CHECK_EQ(line_next(&framer, "a\0b\n", 4, 100, &line), LINE_FOUND);
        CHECK_EQ(line.length, 3);
}

TEST(blank_lines_are_spaces_and_tabs)
{
        static const struct {
                const char *text;
                bool blank;
        } cases[] = {{"", true},     {" ", true},   {"\t \t", true}, {"\r", false},
                     {" x ", false}, {"\v", false}, {"\xa0", false}, {"{}", false}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct line line = {.text = cases[i].text, .length = strlen(cases[i].text)};

                CHECK_EQ(line_is_blank(&line), cases[i].blank);
        }
}
