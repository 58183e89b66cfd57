/* Who gets what is published: filters, their options, what changes meanwhile. */
#include "mqtt/topic-tree-fixture.h"

#include <errno.h>
#include <stdlib.h>

TEST(the_examples_of_4_7_match_as_they_say)
{
        static const struct {
                const char *filter, *topic;
                bool match;
        } cases[] = {
                /* 4.7.1.2 */
                {"sport/tennis/player1/#", "sport/tennis/player1", true},
                {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
                {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
                {"sport/tennis/player1/#", "sport/tennis/player10", false},
                {"sport/#", "sport", true},
                {"#", "sport", true},
                {"#", "/", true},
                {"sport/tennis/#", "sport/tennis/player1", true},
                /* 4.7.1.3 */
                {"sport/tennis/+", "sport/tennis/player1", true},
                {"sport/tennis/+", "sport/tennis/player1/ranking", false},
                {"sport/+", "sport", false},
                {"sport/+", "sport/", true},
                {"+", "sport", true},
                {"+/tennis/#", "sport/tennis/player1", true},
                {"sport/+/player1", "sport/tennis/player1", true},
                {"+/+", "/finance", true},
                {"/+", "/finance", true},
                {"+", "/finance", false},
                /* 4.7.2 */
                {"#", "$SYS/monitor", false},
                {"+/monitor/Clients", "$SYS/monitor/Clients", false},
                {"+", "$SYS", false},
                {"$SYS/#", "$SYS/monitor", true},
                {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
                {"a/#", "a/$SYS", true},
                {"a/+", "a/$SYS", true},
                /* 4.7.3 */
                {"ACCOUNTS", "Accounts", false},
                {"Accounts payable", "Accounts payable", true},
                {"finance", "/finance", false},
                {"/finance", "/finance", true},
                {"a//b", "a//b", true},
                {"a/+/b", "a//b", true},
                {"a//b", "a/b", false},
                {"a/#", "a/", true},
                {"+/+/#", "a/b", true},
                {"+/+/#", "a", false},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
                struct mqtt_subscriber subscriber;

                mqtt_subscriber_init(&subscriber);
                CHECK_EQ(topic_tree_add(tree, &subscriber, cases[i].filter), MQTT_SUBSCRIBED);
                /* Twice: looked for, and remembered. */
                for (int again = 0; again < 2; again++)
                        if (topic_tree_receivers(tree, cases[i].topic) != cases[i].match)
                                FAIL("%s and %s", cases[i].filter, cases[i].topic);
                CHECK_EQ(
                        mqtt_topic_matches(topic_text(cases[i].filter), topic_text(cases[i].topic)),
                        cases[i].match);
                mqtt_topic_tree_remove(tree, &subscriber);
                CHECK_EQ(topic_tree_receivers(tree, cases[i].topic), 0);
        }
}

TEST(MQTT_3_3_4_overlapping_filters_give_one_message_with_all_identifiers_and_the_highest_qos)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        const struct mqtt_subscription_options options[] = {
                {.id = 7, .qos = 1},
                {.id = 9, .qos = 2, .retain_as_published = true},
                {.qos = 0},
                {.id = 7, .qos = 0},
        };
        static const char *const filters[] = {"a/b", "a/#", "+/b", "#"};
        struct mqtt_subscriber subscriber;
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        unsigned sevens = 0, nines = 0;

        mqtt_subscriber_init(&subscriber);
        for (int i = 0; i < 4; i++)
                CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, topic_text(filters[i]),
                                                   &options[i]),
                         MQTT_SUBSCRIBED);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a/b"), NULL), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK(receiver.subscriber == &subscriber);
        CHECK_EQ(receiver.qos, 2);
        CHECK(receiver.retain_as_published);
        CHECK(!receiver.shared);
        CHECK_EQ(receiver.ids_count, 3);
        for (uint32_t i = 0; i < 3; i++) {
                sevens += receiver.ids[i] == 7;
                nines += receiver.ids[i] == 9;
        }
        CHECK_EQ(sevens, 2);
        CHECK_EQ(nines, 1);
        CHECK(!mqtt_match_next(&match, &receiver));
        mqtt_match_end(&match);
}

TEST(MQTT_3_8_4_3_the_same_filter_again_has_the_new_options_and_is_not_a_new_one)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        const struct mqtt_subscription_options options = {.id = 3, .qos = 2};
        struct mqtt_subscriber subscriber;
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "a"), MQTT_SUBSCRIBED);
        CHECK_EQ(topic_tree_receivers(tree, "a"), 1);
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, topic_text("a"), &options),
                 MQTT_SUBSCRIBED_AGAIN);
        CHECK_EQ(mqtt_topic_tree_count(tree), 1);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a"), NULL), 0);
        CHECK_EQ(match.work, 3); /* it was not remembered: root, node, subscription */
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.qos, 2);
        CHECK_EQ(receiver.ids[0], 3);
        mqtt_match_end(&match);
}

TEST(MQTT_3_8_3_3_filters_with_no_local_do_not_bring_a_publishers_own_message)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        const struct mqtt_subscription_options not_own = {
                .id = 1, .qos = 2, .no_local = true, .retain_as_published = true};
        const struct mqtt_subscription_options own = {.id = 2, .qos = 1};
        struct mqtt_subscriber subscriber, other;
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        mqtt_subscriber_init(&subscriber);
        mqtt_subscriber_init(&other);
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, topic_text("a"), &not_own), 0);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a"), &subscriber), 0);
        CHECK(!mqtt_match_next(&match, &receiver));
        mqtt_match_end(&match);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a"), &other), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.qos, 2);
        mqtt_match_end(&match);
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, topic_text("+"), &own), 0);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a"), &subscriber), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.qos, 1);
        CHECK(!receiver.retain_as_published);
        CHECK_EQ(receiver.ids_count, 1);
        CHECK_EQ(receiver.ids[0], 2);
        mqtt_match_end(&match);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a"), &other), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.ids_count, 2);
        CHECK_EQ(receiver.ids[0] + receiver.ids[1], 3);
        mqtt_match_end(&match);
}

TEST(what_was_not_subscribed_cannot_be_unsubscribed)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber, other;

        mqtt_subscriber_init(&subscriber);
        mqtt_subscriber_init(&other);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "a/+/b"), 0);
        CHECK_EQ(topic_tree_add(tree, &other, "$share/g/a/+/b"), 0);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &other, topic_text("a/+/b")), -ENOENT);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, topic_text("a/+")), -ENOENT);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, topic_text("$share/g/a/+/b")),
                 -ENOENT);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &other, topic_text("$share/h/a/+/b")), -ENOENT);
        CHECK_EQ(topic_tree_receivers(tree, "a/1/b"), 2);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, topic_text("a/+/b")), 0);
        CHECK_EQ(topic_tree_receivers(tree, "a/1/b"), 1);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &other, topic_text("$share/g/a/+/b")), 0);
        CHECK_EQ(topic_tree_receivers(tree, "a/1/b"), 0);
        CHECK_EQ(mqtt_topic_tree_count(tree), 0);
}

TEST(subscriptions_may_go_and_come_while_a_match_is_worked_off)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber *subscribers[4];
        struct mqtt_receiver receiver;
        struct mqtt_match match, inner;
        unsigned seats = 0, shares = 0;

        for (int i = 0; i < 4; i++) {
                subscribers[i] = malloc(sizeof(*subscribers[i]));
                CHECK(subscribers[i] != NULL);
                mqtt_subscriber_init(subscribers[i]);
                CHECK_EQ(topic_tree_add(tree, subscribers[i], "a/#"), 0);
                CHECK_EQ(topic_tree_add(tree, subscribers[i],
                                        i < 2 ? "$share/x/a/b" : "$share/y/a/b"),
                         0);
        }
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("a/b"), NULL), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        /* Two go for good, with all of share x. One unsubscribes. Another match runs. */
        for (int i = 0; i < 4; i++)
                if (i < 2) {
                        mqtt_topic_tree_remove(tree, subscribers[i]);
                        free(subscribers[i]);
                }
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, subscribers[2], topic_text("a/#")), 0);
        CHECK_EQ(topic_tree_add(tree, subscribers[3], "a/+"), 0);
        CHECK_EQ(topic_tree_add(tree, subscribers[3], "$share/z/c"), 0);
        CHECK_EQ(mqtt_match_begin(&inner, tree, topic_text("a/b"), NULL), 0);
        while (mqtt_match_next(&match, &receiver)) {
                CHECK(receiver.subscriber == subscribers[2] ||
                      receiver.subscriber == subscribers[3]);
                seats += !receiver.shared;
                shares += receiver.shared;
        }
        mqtt_match_end(&match);
        CHECK(seats == 2 || seats == 1);
        CHECK_EQ(shares, 1);
        seats = 0;
        while (mqtt_match_next(&inner, &receiver))
                seats += !receiver.shared;
        CHECK_EQ(seats, 1);
        mqtt_match_end(&inner);
        for (int i = 2; i < 4; i++) {
                mqtt_topic_tree_remove(tree, subscribers[i]);
                free(subscribers[i]);
        }
        CHECK_EQ(mqtt_topic_tree_count(tree), 0);
}

TEST(the_subscriptions_of_one_are_told_as_they_were_made)
{
        static const char *const filters[] = {"$share/g/a/+/#", "a//b", "#", "/", "+/x/+"};
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber;
        struct mqtt_subscription_options told;
        static char filter[MQTT_TEXT_MAX];
        unsigned seen = 0;
        uint32_t at = 0;
        uint16_t length;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(mqtt_topic_tree_next(tree, &subscriber, &at, filter, &told), 0);
        for (uint8_t i = 0; i < 5; i++) {
                const struct mqtt_subscription_options options = {
                        .id = i + 1U, .qos = i % 3, .retain_handling = 2, .no_local = i == 1};

                CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, topic_text(filters[i]),
                                                   &options),
                         0);
        }
        at = 0;
        while ((length = mqtt_topic_tree_next(tree, &subscriber, &at, filter, &told)) > 0) {
                const char *expected = filters[told.id - 1];

                CHECK_EQ(length, strlen(expected));
                CHECK(memcmp(filter, expected, length) == 0);
                CHECK_EQ(told.qos, (told.id - 1) % 3);
                CHECK_EQ(told.no_local, told.id == 2);
                CHECK_EQ(told.retain_handling, 2);
                seen |= 1U << told.id;
        }
        CHECK_EQ(seen, 0x3e);
}
