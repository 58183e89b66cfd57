/* Depth first, with the nodes that are still to be visited on a stack of our own: from each
 * level at most two go on, so it is never deeper than the topic. */
#include "mqtt/topic-tree-internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum { REACHED_FIRST = 64, ASKED_MAX = 64 };

struct visit {
        uint32_t node, depth;
};

struct walk {
        const struct mqtt_nodes *nodes;
        struct mqtt_reached *reached;
        uint32_t levels[MQTT_TOPIC_LEVELS_MAX]; /* 0: in no filter */
        uint32_t depth;                         /* levels of the topic */
        bool is_reserved;                       /* begins with '$' */
        struct visit stack[MQTT_TOPIC_LEVELS_MAX + 2];
        uint32_t height;
        uint32_t visited;
};

static void read_levels(struct walk *walk, struct mqtt_text topic)
{
        struct mqtt_text level;
        uint32_t at = 0;

        walk->is_reserved = topic.length > 0 && topic.bytes[0] == '$';
        while (mqtt_topic_level_next(topic, &at, &level)) {
                assert(walk->depth < MQTT_TOPIC_LEVELS_MAX);
                walk->levels[walk->depth++] = mqtt_levels_find(&walk->nodes->tree.levels, level);
        }
}

static int reach(struct mqtt_reached *reached, const struct mqtt_nodes *nodes, uint32_t number)
{
        const struct mqtt_node *node = mqtt_node_at(nodes, number);
        uint32_t capacity = reached->capacity > 0 ? reached->capacity * 2 : REACHED_FIRST;
        uint32_t *grown;

        if (node->members == 0 && node->below.shares == 0)
                return 0;
        if (reached->count == reached->capacity) {
                grown = reallocarray(reached->nodes, capacity, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                reached->nodes = grown;
                reached->capacity = capacity;
        }
        reached->nodes[reached->count++] = number;
        return 0;
}

static void push(struct walk *walk, uint32_t node, uint32_t depth)
{
        if (node == 0)
                return;
        assert(walk->height < MQTT_TOPIC_LEVELS_MAX + 2);
        walk->stack[walk->height++] = (struct visit){node, depth};
}

static int visit(struct walk *walk, struct visit at)
{
        const struct mqtt_node *node = mqtt_node_at(walk->nodes, at.node);
        /* [MQTT-4.7.2-1] */
        bool wild = at.depth > 0 || !walk->is_reserved;
        uint32_t level;
        int r = 0;

        walk->visited++;
        /* '#' stands for its parent too (4.7.1.2). */
        if (wild && node->below.hash > 0)
                r = reach(walk->reached, walk->nodes, node->below.hash);
        if (at.depth == walk->depth)
                return r < 0 ? r : reach(walk->reached, walk->nodes, at.node);
        if (wild)
                push(walk, node->below.plus, at.depth + 1);
        level = walk->levels[at.depth];
        if (level > 0 && node->children > 0)
                push(walk, mqtt_level_tree_child(&walk->nodes->tree, at.node, level), at.depth + 1);
        return r;
}

static int find_audience(struct mqtt_topic_tree *tree, struct mqtt_text topic, uint32_t *work,
                         struct mqtt_audience **ret)
{
        struct walk walk;
        int r = 0;

        /* The arrays are large, and filled as far as they are read. */
        walk.nodes = &tree->nodes;
        walk.reached = &tree->reached;
        walk.depth = walk.height = walk.visited = 0;
        tree->reached.count = 0;
        read_levels(&walk, topic);
        push(&walk, tree->nodes.tree.root, 0);
        while (r == 0 && walk.height > 0)
                r = visit(&walk, walk.stack[--walk.height]);
        *work += walk.visited;
        return r < 0 ? r : mqtt_audience_new(&tree->nodes, &tree->reached, topic, work, ret);
}

int mqtt_match_begin(struct mqtt_match *match, struct mqtt_topic_tree *tree, struct mqtt_text topic,
                     const struct mqtt_subscriber *publisher)
{
        uint64_t hash = mqtt_topic_hash(tree, topic);
        struct mqtt_audience *audience = mqtt_audience_cache_find(&tree->cache, topic, hash);
        uint32_t work = 0;
        int r;

        if (audience) {
                audience->references++;
        } else {
                r = find_audience(tree, topic, &work, &audience);
                if (r < 0)
                        return r;
                mqtt_audience_cache_keep(&tree->cache, audience, hash);
        }
        *match = (struct mqtt_match){
                .tree = tree, .audience = audience, .publisher = publisher, .work = work};
        list_append(&tree->matches, &match->link);
        return 0;
}

bool mqtt_match_is_empty(const struct mqtt_match *match)
{
        return match->audience->seats_count == 0 && match->audience->shares_count == 0;
}

void mqtt_match_end(struct mqtt_match *match)
{
        list_remove(&match->link);
        match->audience = mqtt_audience_unref(match->audience);
}

static bool take_seat(const struct mqtt_match *match, const struct mqtt_seat *seat,
                      struct mqtt_receiver *ret)
{
        bool own = seat->subscriber == match->publisher;

        if (!seat->subscriber || (own && !seat->takes_own))
                return false;
        *ret = (struct mqtt_receiver){
                .subscriber = seat->subscriber,
                .ids = match->audience->ids + seat->ids_at,
                .ids_count = own ? seat->own_ids_count : seat->ids_count,
                .qos = own ? seat->own_qos : seat->qos,
                .retain_as_published =
                        own ? seat->own_retain_as_published : seat->retain_as_published,
        };
        return true;
}

/* Whose turn it is. */
static const struct mqtt_entry *choose_member(const struct mqtt_topic_tree *tree,
                                              struct mqtt_node *share)
{
        uint32_t count, turn;
        const uint32_t *members = mqtt_members_of(&tree->nodes, share, &count);

        turn = share->share.turn % count;
        for (uint32_t i = 0; tree->config.may_take && i < count && i < ASKED_MAX; i++) {
                uint32_t at = (turn + i) % count;

                if (tree->config.may_take(tree->config.owner,
                                          mqtt_entry_at(&tree->nodes, members[at])->subscriber)) {
                        turn = at;
                        break;
                }
        }
        share->share.turn = turn + 1;
        return mqtt_entry_at(&tree->nodes, members[turn]);
}

static void take_share(struct mqtt_match *match, uint32_t share, struct mqtt_receiver *ret)
{
        const struct mqtt_entry *entry =
                choose_member(match->tree, mqtt_node_at(&match->tree->nodes, share));

        match->shared_id = entry->id;
        *ret = (struct mqtt_receiver){
                .subscriber = entry->subscriber,
                .ids = &match->shared_id,
                .ids_count = entry->id > 0,
                .qos = entry->qos,
                .retain_as_published = entry->retain_as_published,
                .shared = true,
        };
}

bool mqtt_match_next(struct mqtt_match *match, struct mqtt_receiver *ret)
{
        const struct mqtt_audience *audience = match->audience;

        while (match->next_seat < audience->seats_count)
                if (take_seat(match, &audience->seats[match->next_seat++], ret))
                        return true;
        while (match->next_share < audience->shares_count) {
                uint32_t share = audience->shares[match->next_share++];

                if (share > 0) {
                        take_share(match, share, ret);
                        return true;
                }
        }
        return false;
}
