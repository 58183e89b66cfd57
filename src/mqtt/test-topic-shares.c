/* Shared subscriptions. */
#include "mqtt/topic-tree-fixture.h"

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
                CHECK_EQ(mqtt_match_begin(&match, tree, topic_text(topic), NULL), 0);
                while (mqtt_match_next(&match, &receiver))
                        ((struct worker *)receiver.subscriber)->got++;
                mqtt_match_end(&match);
        }
}

TEST(a_share_gives_each_message_to_one_member_in_turn_who_can_take_it)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 100,
                                                      .cache_bytes = TOPIC_TREE_CACHE_BYTES,
                                                      .may_take = is_not_busy};
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = NULL;
        struct worker workers[3] = {0};

        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(topic_tree_add(tree, &workers[i].subscriber, "$share/pool/job/+"), 0);
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
        CHECK_EQ(topic_tree_receivers(tree, "job/1"), 0);
}

TEST(shares_of_one_filter_are_apart_and_so_is_who_subscribed_without_one)
{
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct worker workers[2] = {0};
        const struct mqtt_subscription_options options = {.id = 5, .qos = 2};
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        unsigned shared = 0;

        for (int i = 0; i < 2; i++) {
                CHECK_EQ(topic_tree_add(tree, &workers[i].subscriber, "$share/a/job"), 0);
                CHECK_EQ(topic_tree_add(tree, &workers[i].subscriber, "$share/b/job"), 0);
        }
        CHECK_EQ(mqtt_topic_tree_subscribe(tree, &workers[0].subscriber, topic_text("$share/c/job"),
                                           &options),
                 0);
        CHECK_EQ(topic_tree_add(tree, &workers[0].subscriber, "job"), 0);
        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text("job"), NULL), 0);
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
        AUTO(mqtt_topic_tree) struct mqtt_topic_tree *tree = topic_tree_new();
        struct mqtt_subscriber subscriber;

        mqtt_subscriber_init(&subscriber);
        CHECK_EQ(topic_tree_add(tree, &subscriber, "$share/a/#"), 0);
        CHECK_EQ(topic_tree_receivers(tree, "$SYS/x"), 0);
        CHECK_EQ(topic_tree_receivers(tree, "$share/a/x"), 0);
        CHECK_EQ(topic_tree_receivers(tree, "x"), 1);
}
