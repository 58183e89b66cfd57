#include "mqtt/topic-tree.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct mqtt_text text(const char *bytes)
{
        return (struct mqtt_text){bytes, (uint16_t)strlen(bytes)};
}

enum { CACHE_BYTES = 1 << 16 };

static struct mqtt_topic_tree *tree_new(void)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 100000,
                                                      .cache_bytes = CACHE_BYTES};
        struct mqtt_topic_tree *tree = NULL;

        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        return tree;
}

static int subscribe(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                     const char *filter)
{
        const struct mqtt_subscription_options options = {.qos = 1};

        return mqtt_topic_tree_subscribe(tree, subscriber, text(filter), &options);
}

static unsigned receivers_of(struct mqtt_topic_tree *tree, const char *topic)
{
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        unsigned count = 0;

        CHECK_EQ(mqtt_match_begin(&match, tree, text(topic), NULL), 0);
        while (mqtt_match_next(&match, &receiver))
                count++;
        mqtt_match_end(&match);
        return count;
}

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
                AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
                struct mqtt_subscriber subscriber;

                mqtt_subscriber_init(&subscriber);
                CHECK_EQ(subscribe(tree, &subscriber, cases[i].filter), MQTT_SUBSCRIBED);
                /* Twice: looked for, and remembered. */
                for (int again = 0; again < 2; again++)
                        if (receivers_of(tree, cases[i].topic) != cases[i].match)
                                FAIL("%s and %s", cases[i].filter, cases[i].topic);
                CHECK_EQ(mqtt_topic_matches(text(cases[i].filter), text(cases[i].topic)),
                         cases[i].match);
                mqtt_topic_tree_remove(tree, &subscriber);
                CHECK_EQ(receivers_of(tree, cases[i].topic), 0);
        }
}

TEST(MQTT_3_3_4_overlapping_filters_give_one_message_with_all_identifiers_and_the_highest_qos)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
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
                CHECK_EQ(
                        mqtt_topic_tree_subscribe(tree, &subscriber, text(filters[i]), &options[i]),
                        MQTT_SUBSCRIBED);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a/b"), NULL), 0);
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
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        const struct mqtt_subscription_options options = {.id = 3, .qos = 2};
        struct mqtt_subscriber subscriber;
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(subscribe(tree, &subscriber, "a"), MQTT_SUBSCRIBED);
        CHECK_EQ(receivers_of(tree, "a"), 1);
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, text("a"), &options),
                 MQTT_SUBSCRIBED_AGAIN);
        CHECK_EQ(mqtt_topic_tree_count(tree), 1);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a"), NULL), 0);
        CHECK_EQ(match.work, 3); /* it was not remembered: root, node, subscription */
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.qos, 2);
        CHECK_EQ(receiver.ids[0], 3);
        mqtt_match_end(&match);
}

TEST(MQTT_3_8_3_3_filters_with_no_local_do_not_bring_a_publishers_own_message)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        const struct mqtt_subscription_options not_own = {
                .id = 1, .qos = 2, .no_local = true, .retain_as_published = true};
        const struct mqtt_subscription_options own = {.id = 2, .qos = 1};
        struct mqtt_subscriber subscriber, other;
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        mqtt_subscriber_init(&subscriber);
        mqtt_subscriber_init(&other);
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, text("a"), &not_own), 0);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a"), &subscriber), 0);
        CHECK(!mqtt_match_next(&match, &receiver));
        mqtt_match_end(&match);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a"), &other), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.qos, 2);
        mqtt_match_end(&match);
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, text("+"), &own), 0);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a"), &subscriber), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.qos, 1);
        CHECK(!receiver.retain_as_published);
        CHECK_EQ(receiver.ids_count, 1);
        CHECK_EQ(receiver.ids[0], 2);
        mqtt_match_end(&match);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a"), &other), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK_EQ(receiver.ids_count, 2);
        CHECK_EQ(receiver.ids[0] + receiver.ids[1], 3);
        mqtt_match_end(&match);
}

TEST(what_was_not_subscribed_cannot_be_unsubscribed)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        struct mqtt_subscriber subscriber, other;

        mqtt_subscriber_init(&subscriber);
        mqtt_subscriber_init(&other);
        CHECK_EQ(subscribe(tree, &subscriber, "a/+/b"), 0);
        CHECK_EQ(subscribe(tree, &other, "$share/g/a/+/b"), 0);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &other, text("a/+/b")), -ENOENT);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, text("a/+")), -ENOENT);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, text("$share/g/a/+/b")), -ENOENT);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &other, text("$share/h/a/+/b")), -ENOENT);
        CHECK_EQ(receivers_of(tree, "a/1/b"), 2);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, text("a/+/b")), 0);
        CHECK_EQ(receivers_of(tree, "a/1/b"), 1);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &other, text("$share/g/a/+/b")), 0);
        CHECK_EQ(receivers_of(tree, "a/1/b"), 0);
        CHECK_EQ(mqtt_topic_tree_count(tree), 0);
}

/* Subscribers whose may_take() is what a test says. */
struct worker {
        struct mqtt_subscriber subscriber;
        bool busy;
        unsigned got;
};

static bool is_not_busy(void *owner, const struct mqtt_subscriber *subscriber)
{
        CHECK(owner == NULL);
        return !((const struct worker *)subscriber)->busy;
}

static void publish_to_workers(struct mqtt_topic_tree *tree, const char *topic, unsigned times)
{
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        while (times-- > 0) {
                CHECK_EQ(mqtt_match_begin(&match, tree, text(topic), NULL), 0);
                while (mqtt_match_next(&match, &receiver))
                        ((struct worker *)receiver.subscriber)->got++;
                mqtt_match_end(&match);
        }
}

TEST(a_share_gives_each_message_to_one_member_in_turn_who_can_take_it)
{
        const struct mqtt_topic_tree_config config = {
                .subscriptions = 100, .cache_bytes = CACHE_BYTES, .may_take = is_not_busy};
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
        struct worker workers[3] = {0};

        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(subscribe(tree, &workers[i].subscriber, "$share/pool/job/+"), 0);
        publish_to_workers(tree, "job/1", 6);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(workers[i].got, 2);
        workers[1].busy = true;
        publish_to_workers(tree, "job/1", 6);
        CHECK_EQ(workers[1].got, 2);
        CHECK_EQ(workers[0].got + workers[2].got, 10);
        /* When nobody can, somebody has to. */
        workers[0].busy = workers[2].busy = true;
        publish_to_workers(tree, "job/1", 3);
        CHECK_EQ(workers[0].got + workers[1].got + workers[2].got, 15);
        mqtt_topic_tree_remove(tree, &workers[0].subscriber);
        mqtt_topic_tree_remove(tree, &workers[2].subscriber);
        publish_to_workers(tree, "job/1", 3);
        CHECK(workers[1].got >= 5);
        mqtt_topic_tree_remove(tree, &workers[1].subscriber);
        CHECK_EQ(receivers_of(tree, "job/1"), 0);
}

TEST(shares_of_one_filter_are_apart_and_so_is_who_subscribed_without_one)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        struct worker workers[2] = {0};
        const struct mqtt_subscription_options options = {.id = 5, .qos = 2};
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        unsigned shared = 0;

        for (int i = 0; i < 2; i++) {
                CHECK_EQ(subscribe(tree, &workers[i].subscriber, "$share/a/job"), 0);
                CHECK_EQ(subscribe(tree, &workers[i].subscriber, "$share/b/job"), 0);
        }
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &workers[0].subscriber, text("$share/c/job"),
                                           &options),
                 0);
        CHECK_EQ(subscribe(tree, &workers[0].subscriber, "job"), 0);
        CHECK_EQ(mqtt_match_begin(&match, tree, text("job"), NULL), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        CHECK(!receiver.shared && receiver.subscriber == &workers[0].subscriber);
        while (mqtt_match_next(&match, &receiver)) {
                CHECK(receiver.shared);
                shared++;
                if (receiver.ids_count > 0)
                        CHECK(receiver.ids[0] == 5 && receiver.qos == 2);
        }
        mqtt_match_end(&match);
        CHECK_EQ(shared, 3);
}

TEST(a_share_of_a_wildcard_does_not_get_reserved_topics)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(subscribe(tree, &subscriber, "$share/a/#"), 0);
        CHECK_EQ(receivers_of(tree, "$SYS/x"), 0);
        CHECK_EQ(receivers_of(tree, "$share/a/x"), 0);
        CHECK_EQ(receivers_of(tree, "x"), 1);
}

TEST(subscriptions_may_go_and_come_while_a_match_is_worked_off)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        struct mqtt_subscriber *subscribers[4];
        struct mqtt_receiver receiver;
        struct mqtt_match match, inner;
        unsigned seats = 0, shares = 0;

        for (int i = 0; i < 4; i++) {
                subscribers[i] = malloc(sizeof(*subscribers[i]));
                CHECK(subscribers[i] != NULL);
                mqtt_subscriber_init(subscribers[i]);
                CHECK_EQ(subscribe(tree, subscribers[i], "a/#"), 0);
                CHECK_EQ(subscribe(tree, subscribers[i], i < 2 ? "$share/x/a/b" : "$share/y/a/b"),
                         0);
        }
        CHECK_EQ(mqtt_match_begin(&match, tree, text("a/b"), NULL), 0);
        CHECK(mqtt_match_next(&match, &receiver));
        /* Two go for good, with all of share x. One unsubscribes. Another match runs. */
        for (int i = 0; i < 4; i++)
                if (i < 2) {
                        mqtt_topic_tree_remove(tree, subscribers[i]);
                        free(subscribers[i]);
                }
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, subscribers[2], text("a/#")), 0);
        CHECK_EQ(subscribe(tree, subscribers[3], "a/+"), 0);
        CHECK_EQ(subscribe(tree, subscribers[3], "$share/z/c"), 0);
        CHECK_EQ(mqtt_match_begin(&inner, tree, text("a/b"), NULL), 0);
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
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
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

                CHECK_EQ(mqtt_topic_tree_subscribe(tree, &subscriber, text(filters[i]), &options),
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

TEST(beyond_its_bound_a_new_subscription_is_refused_and_an_old_one_replaced)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 2};
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        CHECK_EQ(subscribe(tree, &subscriber, "a"), MQTT_SUBSCRIBED);
        CHECK_EQ(subscribe(tree, &subscriber, "b/+"), MQTT_SUBSCRIBED);
        CHECK_EQ(subscribe(tree, &subscriber, "c"), -ENOSPC);
        CHECK_EQ(subscribe(tree, &subscriber, "a"), MQTT_SUBSCRIBED_AGAIN);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, text("a")), 0);
        CHECK_EQ(subscribe(tree, &subscriber, "c"), MQTT_SUBSCRIBED);
        CHECK_EQ(receivers_of(tree, "a"), 0);
        CHECK_EQ(receivers_of(tree, "c"), 1);
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
        for (char first = 'a'; first < 'a' + 5; first++) {
                filter[0] = first;
                CHECK_EQ(subscribe(tree, &subscriber, filter), MQTT_SUBSCRIBED);
        }
        filter[0] = 'f';
        CHECK_EQ(subscribe(tree, &subscriber, filter), -ENOSPC);
        filter[0] = 'a';
        CHECK_EQ(subscribe(tree, &subscriber, filter), MQTT_SUBSCRIBED_AGAIN);
        CHECK_EQ(subscribe(tree, &subscriber, "shallow/#"), MQTT_SUBSCRIBED);
        CHECK_EQ(mqtt_topic_tree_unsubscribe(tree, &subscriber, text(filter)), 0);
        filter[0] = 'f';
        CHECK_EQ(subscribe(tree, &subscriber, filter), MQTT_SUBSCRIBED);
}

static uint32_t work_of(struct mqtt_topic_tree *tree, const char *topic)
{
        struct mqtt_match match;
        uint32_t work;

        CHECK_EQ(mqtt_match_begin(&match, tree, text(topic), NULL), 0);
        work = match.work;
        mqtt_match_end(&match);
        return work;
}

TEST(a_topic_that_comes_again_is_remembered_until_a_change_that_could_concern_it)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(work_of(tree, "a/b"), 0);
        CHECK_EQ(subscribe(tree, &subscriber, "a/c"), 0);
        CHECK_EQ(work_of(tree, "a/b"), 0);
        CHECK_EQ(subscribe(tree, &subscriber, "a/b"), 0);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(subscribe(tree, &subscriber, "$share/x/a/b"), 0);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(subscribe(tree, &subscriber, "x/+"), 0);
        CHECK(work_of(tree, "a/b") > 0);
        CHECK_EQ(work_of(tree, "a/b"), 0);
        mqtt_topic_tree_remove(tree, &subscriber);
        CHECK(work_of(tree, "a/b") > 0);
}

TEST(what_is_remembered_stays_within_its_bytes_and_is_right)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
        struct mqtt_subscriber subscriber;
        unsigned remembered = 0;
        char topic[300];

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(subscribe(tree, &subscriber, "t/+"), 0);
        /* 200 bytes each and what an audience takes: a fraction fits. */
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 2000; i++) {
                        snprintf(topic, sizeof(topic), "t/%0200d", i);
                        CHECK_EQ(receivers_of(tree, topic), 1);
                }
        for (int i = 0; i < 2000; i++) {
                snprintf(topic, sizeof(topic), "t/%0200d", i);
                remembered += work_of(tree, topic) == 0;
        }
        CHECK(remembered < CACHE_BYTES / 200);
        /* One that is asked for all the time survives that. */
        CHECK_EQ(receivers_of(tree, "t/often"), 1);
        for (int i = 0; i < 2000; i++) {
                snprintf(topic, sizeof(topic), "t/%0200d", i);
                CHECK_EQ(receivers_of(tree, topic), 1);
                remembered += work_of(tree, "t/often") == 0;
        }
        CHECK(remembered > 1500);
}

TEST(two_hundred_levels_are_matched_and_told)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
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
        CHECK_EQ(subscribe(tree, &subscriber, topic), 0);
        CHECK_EQ(subscribe(tree, &subscriber, plus), 0);
        CHECK_EQ(receivers_of(tree, topic), 1);
        CHECK_EQ(mqtt_topic_tree_next(tree, &subscriber, &at, told, &options), sizeof(plus) - 1);
        CHECK(memcmp(told, plus, sizeof(plus) - 1) == 0);
        CHECK(work_of(tree, plus) > 0);
        mqtt_topic_tree_remove(tree, &subscriber);
}

TEST(a_storm_of_wildcards_costs_no_more_than_the_tree_has_nodes)
{
        enum { LEVELS = 10 };
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = tree_new();
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
                CHECK_EQ(subscribe(tree, &subscriber, filter), 0);
        }
        CHECK_EQ(receivers_of(tree, topic), 0);
        CHECK_EQ(subscribe(tree, &subscriber, "b/+"), 0);
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
                                tree = tree_new();
                                mqtt_subscriber_init(&subscriber);
                                for (unsigned i = 0; i < others; i++) {
                                        mqtt_subscriber_init(&other[i]);
                                        CHECK_EQ(subscribe(tree, &other[i], filters[which]), 0);
                                }
                                allocation_fail_at(++n);
                                r = subscribe(tree, &subscriber, filters[which]);
                                failed = allocation_end();
                                reached += failed;
                                CHECK_EQ(r, failed ? -ENOMEM : MQTT_SUBSCRIBED);
                                CHECK_EQ(mqtt_topic_tree_count(tree), others + !failed);
                                CHECK_EQ(subscriber.count, !failed);
                                CHECK_EQ(subscribe(tree, &subscriber, filters[which]),
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
                tree = tree_new();
                for (int i = 0; i < 2; i++) {
                        mqtt_subscriber_init(&subscribers[i]);
                        CHECK_EQ(subscribe(tree, &subscribers[i], "a/#"), 0);
                        CHECK_EQ(subscribe(tree, &subscribers[i], "a"), 0);
                }
                receivers = 0;
                allocation_fail_at(++n);
                r = mqtt_match_begin(&match, tree, text("a"), NULL);
                failed = allocation_end();
                if (r == 0) {
                        while (mqtt_match_next(&match, &receiver))
                                receivers++;
                        mqtt_match_end(&match);
                        CHECK_EQ(receivers, 2);
                } else {
                        CHECK_EQ(r, -ENOMEM);
                }
                CHECK_EQ(receivers_of(tree, "a"), 2);
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
