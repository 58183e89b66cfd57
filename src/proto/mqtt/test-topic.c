#include "base/attributes.h"
#include "proto/mqtt/topic.h"
#include "support/test.h"

#include <stdlib.h>

static struct mqtt_text text(const char *bytes)
{
        return (struct mqtt_text){bytes, (uint16_t)strlen(bytes)};
}

TEST(names_are_valid_as_4_7_says)
{
        static const struct {
                const char *name;
                bool valid;
        } cases[] = {
                {"a", true},    {"/", true},    {"//", true},  {"a/b", true},
                {"/a", true},   {"a/", true},   {" ", true},   {"$SYS/x", true},
                {"", false},    {"+", false},   {"#", false},  {"a/+", false},
                {"a/#", false}, {"a+b", false}, {"a#", false}, {"Zo\xc3\xab", true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (mqtt_topic_name_is_valid(text(cases[i].name)) != cases[i].valid)
                        FAIL("\"%s\"", cases[i].name);
        CHECK(!mqtt_topic_name_is_valid((struct mqtt_text){"a\0b", 3}));
}

TEST(filters_are_valid_as_4_7_1_says)
{
        static const struct {
                const char *filter;
                bool valid;
        } cases[] = {
                {"#", true},     {"+", true},     {"a/#", true},    {"+/+", true}, {"/+", true},
                {"+/a/#", true}, {"a/+/b", true}, {"/", true},      {"//#", true}, {"", false},
                {"a#", false},   {"#/a", false},  {"a/#/b", false}, {"a+", false}, {"+a", false},
                {"a/b+", false}, {"##", false},   {"++", false},    {"+#", false}, {"a/#b", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (mqtt_topic_filter_is_valid(text(cases[i].filter)) != cases[i].valid)
                        FAIL("\"%s\"", cases[i].filter);
        CHECK(!mqtt_topic_filter_is_valid((struct mqtt_text){"a/\0", 3}));
}

TEST(shared_filters_are_valid_as_4_8_2_says)
{
        static const struct {
                const char *filter;
                bool valid;
        } cases[] = {
                {"$share/g/a", true},   {"$share/g/#", true},  {"$share/g//", true},
                {"$share/g/+/a", true}, {"$share", true},      {"$sharex/g/a", true},
                {"$share/", false},     {"$share//a", false},  {"$share/g", false},
                {"$share/g/", false},   {"$share/+/a", false}, {"$share/#/a", false},
                {"$share/g/a#", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (mqtt_topic_filter_is_valid(text(cases[i].filter)) != cases[i].valid)
                        FAIL("\"%s\"", cases[i].filter);
}

TEST(a_shared_filter_falls_into_its_parts)
{
        struct mqtt_text share, rest;

        CHECK(mqtt_topic_filter_split_shared(text("$share/group/a/b"), &share, &rest));
        CHECK_EQ(share.length, 5);
        CHECK(memcmp(share.bytes, "group", 5) == 0);
        CHECK_EQ(rest.length, 3);
        CHECK(memcmp(rest.bytes, "a/b", 3) == 0);
        CHECK(!mqtt_topic_filter_split_shared(text("$share"), &share, &rest));
        CHECK(!mqtt_topic_filter_split_shared(text("share/g/a"), &share, &rest));
}

TEST(filters_match_names_as_4_7_1_and_4_7_2_say)
{
        static const struct {
                const char *filter, *name;
                bool matches;
        } cases[] = {
                {"a/b", "a/b", true},
                {"a/b", "a/c", false},
                {"a/b", "a", false},
                {"a", "a/b", false},
                {"sport/tennis/player1/#", "sport/tennis/player1", true},
                {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
                {"sport/#", "sport", true},
                {"sport/tennis/+", "sport/tennis/player1", true},
                {"sport/tennis/+", "sport/tennis/player1/ranking", false},
                {"sport/+", "sport", false},
                {"sport/+", "sport/", true},
                {"+/+", "/finance", true},
                {"/+", "/finance", true},
                {"+", "/finance", false},
                {"#", "/", true},
                {"+/monitor/Clients", "$SYS/monitor/Clients", false},
                {"#", "$SYS/x", false},
                {"$SYS/#", "$SYS/x", true},
                {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
                {"a/+", "a/$x", true},
                {"A", "a", false},
                {"a//b", "a/b", false},
                {"a/+/b", "a//b", true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (mqtt_topic_matches(text(cases[i].filter), text(cases[i].name)) !=
                    cases[i].matches)
                        FAIL("\"%s\" and \"%s\"", cases[i].filter, cases[i].name);
}

TEST(the_longest_topic_and_the_deepest_have_an_answer)
{
        char *bytes = malloc(MQTT_TEXT_MAX);
        struct mqtt_text topic = {bytes, MQTT_TEXT_MAX};

        CHECK(bytes != NULL);
        memset(bytes, 'x', MQTT_TEXT_MAX);
        CHECK(mqtt_topic_name_is_valid(topic));
        CHECK(mqtt_topic_filter_is_valid(topic));
        CHECK(mqtt_topic_matches(topic, topic));
        memset(bytes, '/', MQTT_TEXT_MAX);
        topic.length = MQTT_TOPIC_LEVELS_MAX - 1;
        CHECK(mqtt_topic_name_is_valid(topic) && mqtt_topic_filter_is_valid(topic));
        topic.length = MQTT_TOPIC_LEVELS_MAX;
        CHECK(!mqtt_topic_name_is_valid(topic) && !mqtt_topic_filter_is_valid(topic));
        free(bytes);
}

TEST(the_levels_of_a_topic_come_in_turn)
{
        static const char *const levels[] = {"", "a", "", "b", ""};
        struct mqtt_text level;
        uint32_t at = 0;

        for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
                CHECK(mqtt_topic_level_next(text("/a//b/"), &at, &level));
                CHECK_EQ(level.length, strlen(levels[i]));
                CHECK(memcmp(level.bytes, levels[i], level.length) == 0);
        }
        CHECK(!mqtt_topic_level_next(text("/a//b/"), &at, &level));
}
