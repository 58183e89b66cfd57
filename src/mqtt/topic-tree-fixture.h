/* mqtt/topic-tree-fixture.h - for tests of the tree of filters: a tree, a filter in it, who gets a
 * topic. */
#pragma once

#include "mqtt/topic-tree.h"
#include "support/test.h"

#include <string.h>

static inline struct mqtt_text topic_text(const char *bytes)
{
        return (struct mqtt_text){bytes, (uint16_t)strlen(bytes)};
}

enum { TOPIC_TREE_CACHE_BYTES = 1 << 16 };

static inline struct mqtt_topic_tree *topic_tree_new(void)
{
        const struct mqtt_topic_tree_config config = {.subscriptions = 100000,
                                                      .cache_bytes = TOPIC_TREE_CACHE_BYTES};
        struct mqtt_topic_tree *tree = NULL;

        CHECK_EQ(mqtt_topic_tree_new(&config, &tree), 0);
        return tree;
}

static inline int topic_tree_add(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                                 const char *filter)
{
        const struct mqtt_subscription_options options = {.qos = 1};

        return mqtt_topic_tree_subscribe(tree, subscriber, topic_text(filter), &options);
}

static inline unsigned topic_tree_receivers(struct mqtt_topic_tree *tree, const char *topic)
{
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        unsigned count = 0;

        CHECK_EQ(mqtt_match_begin(&match, tree, topic_text(topic), NULL), 0);
        while (mqtt_match_next(&match, &receiver))
                count++;
        mqtt_match_end(&match);
        return count;
}
