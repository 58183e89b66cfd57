#include "mqtt/topic-nodes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int mqtt_nodes_init(struct mqtt_nodes *nodes)
{
        mqtt_pool_init(&nodes->entries, sizeof(struct mqtt_entry));
        mqtt_members_init(nodes);
        return mqtt_level_tree_init(&nodes->tree, sizeof(struct mqtt_node));
}

void mqtt_nodes_done(struct mqtt_nodes *nodes)
{
        mqtt_members_done(nodes);
        mqtt_pool_done(&nodes->entries);
        mqtt_level_tree_done(&nodes->tree);
}

static bool is(struct mqtt_text level, char wildcard)
{
        return level.length == 1 && level.bytes[0] == wildcard;
}

static uint32_t find_below(const struct mqtt_nodes *nodes, uint32_t parent, struct mqtt_text level)
{
        if (is(level, '+'))
                return mqtt_node_at(nodes, parent)->below.plus;
        if (is(level, '#'))
                return mqtt_node_at(nodes, parent)->below.hash;
        return mqtt_level_tree_find(&nodes->tree, parent, level, 0);
}

static uint32_t find_share(const struct mqtt_nodes *nodes, uint32_t parent, struct mqtt_text share)
{
        return mqtt_level_tree_find(&nodes->tree, parent, share, MQTT_LEVEL_SHARE);
}

uint32_t mqtt_nodes_find(const struct mqtt_nodes *nodes, struct mqtt_text filter)
{
        struct mqtt_text share, rest = filter, level;
        bool shared = mqtt_topic_filter_split_shared(filter, &share, &rest);
        uint32_t number = nodes->tree.root, at = 0;

        while (number > 0 && mqtt_topic_level_next(rest, &at, &level))
                number = find_below(nodes, number, level);
        return shared && number > 0 ? find_share(nodes, number, share) : number;
}

static void link_share(struct mqtt_nodes *nodes, struct mqtt_node *parent, uint32_t number)
{
        struct mqtt_node *node = mqtt_node_at(nodes, number);

        node->share.next = parent->below.shares;
        if (node->share.next > 0)
                mqtt_node_at(nodes, node->share.next)->share.previous = number;
        parent->below.shares = number;
}

static void unlink_share(struct mqtt_nodes *nodes, struct mqtt_node *parent,
                         const struct mqtt_node *node)
{
        if (node->share.next > 0)
                mqtt_node_at(nodes, node->share.next)->share.previous = node->share.previous;
        if (node->share.previous > 0)
                mqtt_node_at(nodes, node->share.previous)->share.next = node->share.next;
        else
                parent->below.shares = node->share.next;
}

static int add_wildcard(struct mqtt_nodes *nodes, uint32_t parent, uint32_t level, uint32_t *ret)
{
        uint32_t number;
        int r = mqtt_pool_take(&nodes->tree.nodes, &number);

        if (r < 0)
                return r;
        mqtt_node_at(nodes, number)->branch = (struct mqtt_branch){parent, level};
        if (level == MQTT_LEVEL_PLUS)
                mqtt_node_at(nodes, parent)->below.plus = number;
        else
                mqtt_node_at(nodes, parent)->below.hash = number;
        mqtt_node_at(nodes, parent)->children++;
        *ret = number;
        return 0;
}

static int add_named(struct mqtt_nodes *nodes, uint32_t parent, struct mqtt_text name,
                     uint32_t kind, uint32_t *ret)
{
        int r = mqtt_level_tree_add(&nodes->tree, parent, name, kind, ret);

        if (r < 0)
                return r;
        mqtt_node_at(nodes, parent)->children++;
        if (kind == MQTT_LEVEL_SHARE)
                link_share(nodes, mqtt_node_at(nodes, parent), *ret);
        return 0;
}

static int make_below(struct mqtt_nodes *nodes, uint32_t parent, struct mqtt_text level,
                      uint32_t *ret)
{
        uint32_t there = find_below(nodes, parent, level);

        if (there > 0) {
                *ret = there;
                return 0;
        }
        if (is(level, '+'))
                return add_wildcard(nodes, parent, MQTT_LEVEL_PLUS, ret);
        if (is(level, '#'))
                return add_wildcard(nodes, parent, MQTT_LEVEL_HASH, ret);
        return add_named(nodes, parent, level, 0, ret);
}

int mqtt_nodes_make(struct mqtt_nodes *nodes, struct mqtt_text filter, uint32_t *ret)
{
        struct mqtt_text share, rest = filter, level;
        bool shared = mqtt_topic_filter_split_shared(filter, &share, &rest);
        uint32_t number = nodes->tree.root, at = 0;
        int r = 0;

        while (r == 0 && mqtt_topic_level_next(rest, &at, &level))
                r = make_below(nodes, number, level, &number);
        if (r == 0 && shared) {
                uint32_t there = find_share(nodes, number, share);

                if (there > 0)
                        number = there;
                else
                        r = add_named(nodes, number, share, MQTT_LEVEL_SHARE, &number);
        }
        if (r < 0) {
                mqtt_nodes_prune(nodes, number);
                return r;
        }
        *ret = number;
        return 0;
}

static void take_out(struct mqtt_nodes *nodes, uint32_t number)
{
        const struct mqtt_node *node = mqtt_node_at(nodes, number);
        struct mqtt_node *parent = mqtt_node_at(nodes, node->branch.parent);

        parent->children--;
        if (node->branch.level == MQTT_LEVEL_PLUS) {
                parent->below.plus = 0;
                mqtt_pool_give(&nodes->tree.nodes, number);
        } else if (node->branch.level == MQTT_LEVEL_HASH) {
                parent->below.hash = 0;
                mqtt_pool_give(&nodes->tree.nodes, number);
        } else {
                if (node->branch.level & MQTT_LEVEL_SHARE)
                        unlink_share(nodes, parent, node);
                mqtt_level_tree_remove(&nodes->tree, number);
        }
}

void mqtt_nodes_prune(struct mqtt_nodes *nodes, uint32_t number)
{
        while (number != nodes->tree.root) {
                const struct mqtt_node *node = mqtt_node_at(nodes, number);
                uint32_t parent = node->branch.parent;

                if (node->children > 0 || node->members > 0)
                        return;
                take_out(nodes, number);
                number = parent;
        }
}

static char *put_level(const struct mqtt_nodes *nodes, const struct mqtt_node *node, char *at)
{
        struct mqtt_text text = {"+", 1};

        if (node->branch.level == MQTT_LEVEL_HASH)
                text.bytes = "#";
        else if (node->branch.level != MQTT_LEVEL_PLUS)
                text = mqtt_levels_text(&nodes->tree.levels,
                                        node->branch.level & ~MQTT_LEVEL_SHARE);
        memcpy(at, text.bytes, text.length);
        return at + text.length;
}

uint16_t mqtt_nodes_filter(const struct mqtt_nodes *nodes, uint32_t number, char *filter)
{
        static const char prefix[] = "$share/";
        uint32_t path[MQTT_TOPIC_LEVELS_MAX], count = 0;
        char *at = filter;

        if (mqtt_node_at(nodes, number)->branch.level & MQTT_LEVEL_SHARE) {
                memcpy(at, prefix, sizeof(prefix) - 1);
                at = put_level(nodes, mqtt_node_at(nodes, number), at + sizeof(prefix) - 1);
                *at++ = '/';
                number = mqtt_node_at(nodes, number)->branch.parent;
        }
        for (; number != nodes->tree.root; number = mqtt_node_at(nodes, number)->branch.parent) {
                assert(count < MQTT_TOPIC_LEVELS_MAX);
                path[count++] = number;
        }
        while (count-- > 0) {
                at = put_level(nodes, mqtt_node_at(nodes, path[count]), at);
                if (count > 0)
                        *at++ = '/';
        }
        return (uint16_t)(at - filter);
}
