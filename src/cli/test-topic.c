#include "cli/topic.h"

#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

TEST(topics_and_filters_that_are_some)
{
        static const char *const names[] = {"a", "/", "a/b", "a//b", "\xc3\xa4", "$SYS/x", " "};
        static const char *const filters[] = {"a", "+", "#", "a/+/b/#", "$share/g/+"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                CHECK_EQ(topic_check_name(names[i], NULL), 0);
                CHECK_EQ(topic_check_filter(names[i], NULL), 0);
        }
        for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
                CHECK_EQ(topic_check_filter(filters[i], NULL), 0);
}

TEST(what_is_none_is_refused_with_a_sentence)
{
        static const struct {
                int (*check)(const char *text, struct error *error);
                const char *text, *sentence;
        } cases[] = {
                {topic_check_name, "", "a topic cannot be empty"},
                {topic_check_name, "a/\xff", "a topic is text in UTF-8"},
                {topic_check_name, "a/+",
                 "\"a/+\": + and # are for subscribing; one message goes to one topic"},
                {topic_check_filter, "", "a topic cannot be empty"},
                {topic_check_filter, "a+",
                 "\"a+\" is no filter: + stands for one whole level, # for the rest, as in a/+/c "
                 "or "
                 "a/#; $share/GROUP/FILTER shares"},
                {topic_check_filter, "$share/g",
                 "\"$share/g\" is no filter: + stands for one whole level, # for the rest, as in "
                 "a/+/c or a/#; $share/GROUP/FILTER shares"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error error = {0};

                CHECK_EQ(cases[i].check(cases[i].text, &error), -EINVAL);
                CHECK_TEXT(error.text, cases[i].sentence);
        }
}

TEST(a_topic_has_an_end)
{
        char *text = malloc(65537);
        struct error error = {0};

        memset(text, 'a', 65536);
        text[65536] = '\0';
        CHECK_EQ(topic_check_name(text, &error), -EINVAL);
        CHECK_TEXT(error.text, "a topic has at most 65535 bytes");
        text[65535] = '\0';
        CHECK_EQ(topic_check_name(text, NULL), 0);
        memset(text, '/', 1000);
        CHECK_EQ(topic_check_name(text, &error), -EINVAL);
        CHECK_TEXT(error.text, "a topic has at most 201 levels");
        free(text);
}
