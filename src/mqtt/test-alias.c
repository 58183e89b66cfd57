#include "mqtt/alias.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

static const struct mqtt_text first = {"a/1", 3}, second = {"a/2", 3}, third = {"a/3", 3};

TEST(a_number_stands_for_what_it_was_last_set_to)
{
        AUTO(mqtt_alias) struct mqtt_alias *alias = NULL;
        struct mqtt_text topic;

        CHECK_EQ(mqtt_alias_new(2, NULL, &alias), 0);
        CHECK(!mqtt_alias_topic(alias, 0, &topic));
        CHECK(!mqtt_alias_topic(alias, 1, &topic));
        CHECK(!mqtt_alias_topic(alias, 3, &topic));
        CHECK_EQ(mqtt_alias_set(alias, 2, first), 0);
        CHECK_EQ(mqtt_alias_set(alias, 2, second), 0);
        CHECK(mqtt_alias_topic(alias, 2, &topic));
        CHECK(topic.length == 3 && memcmp(topic.bytes, "a/2", 3) == 0);
        CHECK(!mqtt_alias_topic(alias, 1, &topic));
}

TEST(the_first_topics_get_the_numbers_and_keep_them)
{
        AUTO(mqtt_alias) struct mqtt_alias *alias = NULL;
        bool known;

        CHECK_EQ(mqtt_alias_new(2, NULL, &alias), 0);
        CHECK_EQ(mqtt_alias_give(alias, first, &known), 1);
        CHECK(!known);
        CHECK_EQ(mqtt_alias_give(alias, second, &known), 2);
        CHECK(!known);
        CHECK_EQ(mqtt_alias_give(alias, third, &known), 0);
        CHECK(!known);
        CHECK_EQ(mqtt_alias_give(alias, first, &known), 1);
        CHECK(known);
        CHECK_EQ(mqtt_alias_give(alias, second, &known), 2);
        CHECK(known);
}

TEST(without_memory_a_topic_is_sent_in_full)
{
        AUTO(mqtt_alias) struct mqtt_alias *alias = NULL;
        bool known = true;
        uint16_t number;
        int r;

        allocation_fail_at(1);
        r = mqtt_alias_new(2, NULL, &alias);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_EQ(mqtt_alias_new(2, NULL, &alias), 0);
        allocation_fail_at(1);
        number = mqtt_alias_give(alias, first, &known);
        CHECK(allocation_end());
        CHECK_EQ(number, 0);
        CHECK(!known);
}
