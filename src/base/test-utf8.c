#include "base/utf8.h"
#include "support/test.h"

static const struct {
        const char *name;
        const char *text;
        size_t length, valid;
} cases[] = {
        {"nothing", "", 0, 0},
        {"ascii", "hello, world", 12, 12},
        {"nul is a character", "a\0b", 3, 3},
        {"two bytes, first and last", "\xC2\x80\xDF\xBF", 4, 4},
        {"three bytes, first and last", "\xE0\xA0\x80\xEF\xBF\xBF", 6, 6},
        {"around the surrogates", "\xED\x9F\xBF\xEE\x80\x80", 6, 6},
        {"four bytes, first and last", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8, 8},
        {"a continuation alone", "ab\x80", 3, 2},
        {"overlong slash, two bytes", "\xC0\xAF", 2, 0},
        {"overlong, C1", "\xC1\xBF", 2, 0},
        {"overlong, three bytes", "\xE0\x9F\xBF", 3, 0},
        {"overlong, four bytes", "\xF0\x8F\xBF\xBF", 4, 0},
        {"first surrogate", "\xED\xA0\x80", 3, 0},
        {"last surrogate", "\xED\xBF\xBF", 3, 0},
        {"beyond U+10FFFF", "\xF4\x90\x80\x80", 4, 0},
        {"F5", "\xF5\x80\x80\x80", 4, 0},
        {"FE and FF", "a\xFE\xFF", 3, 1},
        {"cut after one of two", "abcdefghijk\xC3", 12, 11},
        {"cut after two of three", "\xE2\x82", 2, 0},
        {"cut after three of four", "\xF0\x9F\x98", 3, 0},
        {"second byte is not one", "\xE2\x28\xA1", 3, 0},
        {"third byte is not one", "\xE2\x82\x28", 3, 0},
        {"fourth byte is not one", "\xF0\x9F\x98\x28", 4, 0},
        {"after eight plain ones", "01234567\xE2\x82\xAC\xFF", 12, 11},
};

TEST(the_well_formed_prefix_ends_where_table_3_7_says)
{
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                if (utf8_valid_prefix(cases[i].text, cases[i].length) != cases[i].valid)
                        FAIL("%s", cases[i].name);
}

/* Every code point there is, encoded by hand, and every other value refused. */
TEST(all_code_points_but_surrogates_pass)
{
        for (uint32_t c = 0x80; c <= 0x110FFF; c++) {
                char text[4];
                size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
                static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};

                for (size_t i = 0; i < n; i++)
                        text[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
                text[0] = (char)(leads[n] | c >> 6 * (n - 1));
                if (utf8_valid_prefix(text, n) !=
                    ((c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF ? 0 : n))
                        FAIL("U+%04X", (unsigned)c);
        }
}

static bool is_control(unsigned code)
{
        return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* Wherever it stands among others, eight of which are looked at in one go. */
TEST(control_characters_are_found_wherever_they_stand)
{
        for (unsigned code = 0; code < 0x800; code++)
                for (size_t before = 0; before < 20; before++) {
                        char text[32];
                        size_t length = before;

                        memset(text, 'x', sizeof(text));
                        if (code >= 0x80)
                                text[length++] = (char)(0xc0 | code >> 6);
                        text[length++] = (char)(code < 0x80 ? code : 0x80 | (code & 0x3f));
                        CHECK_EQ(utf8_has_control(text, before), false);
                        CHECK_EQ(utf8_has_control(text, length), is_control(code));
                        CHECK_EQ(utf8_has_control(text, length + 9), is_control(code));
                }
}
