/* mqtt/topic-tree-internal.h - the tree as its two files know it: topic-tree.c changes it,
 * match.c asks it. */
#pragma once

#include "mqtt/audience.h"

struct mqtt_topic_tree {
        struct mqtt_topic_tree_config config;
        struct mqtt_nodes nodes;
        struct mqtt_index subscriptions; /* from a node and a subscriber to the entry */
        struct mqtt_audience_cache cache;
        struct mqtt_reached reached; /* of the walk under way */
        struct list matches;         /* under way */
};

static inline uint64_t mqtt_topic_hash(const struct mqtt_topic_tree *tree, struct mqtt_text topic)
{
        return siphash(&tree->nodes.tree.levels.key, topic.bytes, topic.length);
}
