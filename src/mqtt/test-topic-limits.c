/* Bounds of the tree: subscriptions, levels, work, what is remembered, memory. */
#include "mqtt/topic-tree-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

TEST(beyond_its_bound_a_new_subscription_is_refused_and_an_old_one_replaced)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 2};
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "a"), MQTT_SUBSCRIBED);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "b/+"), MQTT_SUBSCRIBED);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "c"), -ENOSPC);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "a"), MQTT_SUBSCRIBED_AGAIN);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, topic_text("a")), 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "c"), MQTT_SUBSCRIBED);
        CHECK_EQ(topic_tree_receivers(tree, "a"), 0);
        CHECK_EQ(topic_tree_receivers(tree, "c"), 1);
}

TEST(deep_filters_that_share_no_level_are_bounded_together)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 10};
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
        char filter[MQTT_TOPIC_LEVELS_MAX * 2];
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        for (int i = 0; i < MQTT_TOPIC_LEVELS_MAX; i++) {
                filter[2 * i] = 'x';
                filter[2 * i + 1] = '/';
        }
        filter[sizeof(filter) - 1] = '\0';
        /* 1,024 and eight for each of ten subscriptions. */
        for (int first = 'a'; first < 'a' + 5; first++) {
                filter[0] = (char)first;
                CHECK_EQ(topic_tree_add(tree, &subscriber, filter), MQTT_SUBSCRIBED);
        }
        filter[0] = 'f';
        CHECK_EQ(topic_tree_add(tree, &subscriber, filter), -ENOSPC);
        filter[0] = 'a';
        CHECK_EQ(topic_tree_add(tree, &subscriber, filter), MQTT_SUBSCRIBED_AGAIN);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "shallow/#"), MQTT_SUBSCRIBED);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, topic_text(filter)), 0);
        filter[0] = 'f';
        CHECK_EQ(topic_tree_add(tree, &subscriber, filter), MQTT_SUBSCRIBED);
}

static uint32_t work_of(struct mqtt_topic_tree *tree, const char *topic)
{
        struct mqtt_match match;
        uint32_t work;

        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text(topic), NULL), 0);
        work = match.work;
        mqtt_match_end(&match);
        return work;
}

TEST(a_topic_that_comes_again_is_remembered_until_a_change_that_could_concern_it)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(work_of(tree, "a/b"), 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "a/c"), 0);
        CHECK_EQ(work_of(tree, "a/b"), 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "a/b"), 0);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "$share/x/a/b"), 0);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "x/+"), 0);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(work_of(tree, "a/b"), 0);
        mqtt_topic_tree_remove(tree, &subscriber);
        CHECK(work_of(tree, "a/b") > 0);
}

TEST(what_is_remembered_stays_within_its_bytes_and_is_right)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber;
        unsigned remembered = 0;
        char topic[300];

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "t/+"), 0);
        /* 200 bytes each and what an audience takes: a fraction fits. */
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 2000; i++) {
                        snprintf(topic, sizeof(topic), "t/%0200d", i);
                        CHECK_EQ(topic_tree_receivers(tree, topic), 1);
                }
        for (int i = 0; i < 2000; i++) {
                snprintf(topic, sizeof(topic), "t/%0200d", i);
                remembered += work_of(tree, topic) == 0;
        }
        CHECK(remembered < TOPIC_TREE_CACHE_BYTES / 200);
        /* One that is asked for all the time survives that. */
        CHECK_EQ(topic_tree_receivers(tree, "t/often"), 1);
        for (int i = 0; i < 2000; i++) {
                snprintf(topic, sizeof(topic), "t/%0200d", i);
                CHECK_EQ(topic_tree_receivers(tree, topic), 1);
                remembered += work_of(tree, "t/often") == 0;
        }
        CHECK(remembered > 1500);
}

TEST(two_hundred_levels_are_matched_and_told)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber;
        struct mqtt_subscription_options options;
        char topic[MQTT_TOPIC_LEVELS_MAX * 2], plus[MQTT_TOPIC_LEVELS_MAX * 2];
        static char told[MQTT_TEXT_MAX];
        uint32_t at = 0;

        for (int i = 0; i < MQTT_TOPIC_LEVELS_MAX; i++) {
                topic[2 * i] = 'a';
                plus[2 * i] = '+';
                topic[2 * i + 1] = plus[2 * i + 1] = '/';
        }
        topic[sizeof(topic) - 1] = plus[sizeof(plus) - 1] = '\0';
        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(topic_tree_add(tree, &subscriber, topic), 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, plus), 0);
        CHECK_EQ(topic_tree_receivers(tree, topic), 1);
        CHECK_EQ(mqtt_topic_tree_next(tree, &subscriber, &at, told, &options), sizeof(plus) - 1);
        CHECK(memcmp(told, plus, sizeof(plus) - 1) == 0);
        CHECK(work_of(tree, plus) > 0);
        mqtt_topic_tree_remove(tree, &subscriber);
}

TEST(a_storm_of_wildcards_costs_no_more_than_the_tree_has_nodes)
{
        enum { LEVELS = 10 };
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber;
        char filter[2 * LEVELS + 2], topic[2 * LEVELS];

        mqtt_subscriber_init(&subscriber);
        for (unsigned i = 0; i < 1U << LEVELS; i++) {
                for (unsigned j = 0; j < LEVELS; j++) {
                        filter[2 * j] = i >> j & 1 ? '+' : 'a';
                        topic[2 * j] = 'a';
                        filter[2 * j + 1] = topic[2 * j + 1] = '/';
                }
                filter[2 * LEVELS] = 'x';
                filter[2 * LEVELS + 1] = topic[2 * LEVELS - 1] = '\0';
                CHECK_EQ(topic_tree_add(tree, &subscriber, filter), 0);
        }
        CHECK_EQ(topic_tree_receivers(tree, topic), 0);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "b/+"), 0);
        CHECK(work_of(tree, topic) < 2U << LEVELS);
}

TEST(without_memory_a_subscription_is_refused_and_all_is_as_it_was)
{
        static const char *const filters[] = {"a/+/a-name-that-is-longer-than-sixteen", "a/#",
                                              "$share/g/a/+", "b"};
        size_t reached = 0;

        for (unsigned which = 0; which < 4; which++)
                for (unsigned others = 0; others < 20; others += 1 + others) {
                        struct mqtt_subscriber subscriber, other[20];
                        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
                        size_t n = 0;
                        bool failed;
                        int r;

                        do {
                                tree = topic_tree_new();
                                mqtt_subscriber_init(&subscriber);
                                for (unsigned i = 0; i < others; i++) {
                                        mqtt_subscriber_init(&other[i]);
                                        CHECK_EQ(topic_tree_add(tree, &other[i], filters[which]),
                                                 0);
                                }
                                allocation_fail_at(++n);
                                r = topic_tree_add(tree, &subscriber, filters[which]);
                                failed = allocation_end();
                                reached += failed;
                                CHECK_EQ(r, failed ? -ENOMEM : MQTT_SUBSCRIBED);
                                CHECK_EQ(mqtt_topic_tree_count(tree), others + !failed);
                                CHECK_EQ(subscriber.count, !failed);
                                CHECK_EQ(topic_tree_add(tree, &subscriber, filters[which]),
                                         failed ? MQTT_SUBSCRIBED : MQTT_SUBSCRIBED_AGAIN);
                                for (unsigned i = 0; i < others; i++)
                                        mqtt_topic_tree_remove(tree, &other[i]);
                                mqtt_topic_tree_remove(tree, &subscriber);
                                tree = mqtt_topic_tree_free(tree);
                        } while (failed);
                }
        CHECK(reached > 20);
}

TEST(without_memory_a_match_fails_or_is_right_and_the_next_is_right)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
        struct mqtt_subscriber subscribers[2];
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        unsigned receivers;
        size_t n = 0;
        bool failed;
        int r;

        do {
                tree = topic_tree_new();
                for (int i = 0; i < 2; i++) {
                        mqtt_subscriber_init(&subscribers[i]);
                        CHECK_EQ(topic_tree_add(tree, &subscribers[i], "a/#"), 0);
                        CHECK_EQ(topic_tree_add(tree, &subscribers[i], "a"), 0);
                }
                receivers = 0;
                allocation_fail_at(++n);
                r = mqtt_match_begin(&match, tree, topic_text("a"), NULL);
                failed = allocation_end();
                if (r == 0) {
                        while (mqtt_match_next(&match, &receiver))
                                receivers++;
                        mqtt_match_end(&match);
                        CHECK_EQ(receivers, 2);
                } else {
                        CHECK_EQ(r, -ENOMEM);
                }
                CHECK_EQ(topic_tree_receivers(tree, "a"), 2);
                tree = mqtt_topic_tree_free(tree);
        } while (failed);
        CHECK(n > 3);
}

TEST(without_memory_there_is_no_tree)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 1};
        struct mqtt_topic_tree *tree = NULL;
        size_t n = 0;
        bool failed;

        do {
                int r;

                allocation_fail_at(++n);
                r = mqtt_topic_tree_new(&config, &tree);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 3);
        mqtt_topic_tree_free(tree);
}
