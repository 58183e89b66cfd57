#include "proto/mqtt/quoted.h"

#include "base/attributes.h"
#include "support/test.h"

#include <string.h>

static struct mqtt_text text(const char *words)
{
        return (struct mqtt_text){words, (uint16_t)strlen(words)};
}

TEST(what_stands_between_quotes_does_not_end_them)
{
        struct mqtt_quoted quoted;

        CHECK_TEXT(mqtt_quote(text("x\" who=\"admin\\"), &quoted), "x? who=?admin?");
        CHECK_TEXT(mqtt_quote(text("k\xc3\xbc"
                                   "che/1"),
                              &quoted),
                   "k\xc3\xbc"
                   "che/1");
        CHECK_TEXT(mqtt_quote(text(""), &quoted), "");
        CHECK_TEXT(mqtt_quote((struct mqtt_text){"", 0}, &quoted), "");
}

TEST(long_words_are_cut_and_say_so)
{
        struct mqtt_quoted quoted;
        char words[300];

        memset(words, 'a', sizeof(words));
        words[255] = '\0';
        CHECK_TEXT(mqtt_quote(text(words), &quoted), words);
        words[255] = 'a';
        words[256] = '\0';
        CHECK_EQ(strlen(mqtt_quote(text(words), &quoted)), 255);
        CHECK_TEXT(quoted.text + 251, "a...");
}

TEST(a_word_stands_as_it_is_and_all_else_between_quotes)
{
        static const struct {
                const char *text, *quoted;
        } cases[] = {
                {"", ""},
                {"pi-17/door:1", "pi-17/door:1"},
                {"a b", "\"a b\""},
                {" ", "\" \""},
                {"user=boss", "\"user=boss\""},
                {"x\" peer=10.0.0.1", "\"x? peer=10.0.0.1\""},
                {"a\\", "\"a?\""},
                {"a\tb", "\"a\tb\""},
                {"a\x7f", "\"a\x7f\""},
                {"a\xc2\xa0"
                 "b",
                 "\"a\xc2\xa0"
                 "b\""},
        };
        struct mqtt_quoted quoted;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                CHECK_TEXT(mqtt_quote_unless_word(text(cases[i].text), &quoted), cases[i].quoted);
        CHECK_TEXT(mqtt_quote_unless_word((struct mqtt_text){NULL, 0}, &quoted), "");
}

TEST(a_long_word_ends_with_its_quote)
{
        struct mqtt_quoted quoted;
        char words[UINT16_MAX + 1];

        memset(words, 'a', sizeof(words));
        words[255] = '\0';
        CHECK_TEXT(mqtt_quote_unless_word(text(words), &quoted), words);
        words[255] = 'a';
        words[UINT16_MAX] = '\0';
        CHECK_EQ(strlen(mqtt_quote_unless_word(text(words), &quoted)), 255);
        CHECK(quoted.text[0] == '"' && quoted.text[1] == 'a');
        CHECK_TEXT(quoted.text + 250, "a...\"");
        words[0] = ' ';
        words[253] = '\0';
        CHECK_EQ(strlen(mqtt_quote_unless_word(text(words), &quoted)), 255);
        CHECK_TEXT(quoted.text + 253, "a\"");
}
