#include "agent/gate/quoted.h"

#include "support/test.h"

#include <string.h>

static struct mqtt_text text(const char *words)
{
        return (struct mqtt_text){words, (uint16_t)strlen(words)};
}

TEST(what_stands_between_quotes_does_not_end_them)
{
        struct gate_quoted quoted;

        CHECK_TEXT(gate_quote(text("x\" who=\"admin\\"), &quoted), "x? who=?admin?");
        CHECK_TEXT(gate_quote(text("k\xc3\xbc"
                                   "che/1"),
                              &quoted),
                   "k\xc3\xbc"
                   "che/1");
        CHECK_TEXT(gate_quote(text(""), &quoted), "");
        CHECK_TEXT(gate_quote((struct mqtt_text){"", 0}, &quoted), "");
}

TEST(long_words_are_cut_and_say_so)
{
        struct gate_quoted quoted;
        char words[300];

        memset(words, 'a', sizeof(words));
        words[255] = '\0';
        CHECK_TEXT(gate_quote(text(words), &quoted), words);
        words[255] = 'a';
        words[256] = '\0';
        CHECK_EQ(strlen(gate_quote(text(words), &quoted)), 255);
        CHECK_TEXT(quoted.text + 251, "a...");
}
