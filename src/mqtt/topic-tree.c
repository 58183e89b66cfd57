#include "mqtt/topic-tree-internal.h"

#include "base/attributes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Of a subscriber that goes with more, all that is remembered is forgotten, and not topic by
 * topic. */
enum { FORGET_ONE_BY_ONE_MAX = 16 };
/* A few deep filters are fine; many would cost far more than others. */
enum { LEVELS_PER_SUBSCRIPTION = 8, LEVELS_ALWAYS = 1024 };

int mqtt_topic_tree_new(const struct mqtt_topic_tree_config *config, struct mqtt_topic_tree **ret)
{
        struct mqtt_topic_tree *tree = calloc(1, sizeof(*tree));
        int r;

        if (!tree)
                return -ENOMEM;
        tree->config = *config;
        r = mqtt_nodes_init(&tree->nodes);
        if (r < 0) {
                free(tree);
                return r;
        }
        mqtt_index_init(&tree->subscriptions);
        mqtt_audience_cache_init(&tree->cache, config->cache_bytes);
        list_init(&tree->matches);
        *ret = tree;
        return 0;
}

struct mqtt_topic_tree *mqtt_topic_tree_free(struct mqtt_topic_tree *tree)
{
        if (!tree)
                return NULL;
        assert(list_is_empty(&tree->matches));
        mqtt_audience_cache_done(&tree->cache);
        free(tree->reached.nodes);
        mqtt_index_done(&tree->subscriptions);
        mqtt_nodes_done(&tree->nodes);
        free(tree);
        return NULL;
}

bool mqtt_topic_tree_has_below(const struct mqtt_topic_tree *tree, struct mqtt_text begin)
{
        return mqtt_nodes_find(&tree->nodes, begin) > 0;
}

uint32_t mqtt_topic_tree_count(const struct mqtt_topic_tree *tree)
{
        return tree->nodes.entries.count;
}

static uint32_t hash_of(const struct mqtt_topic_tree *tree, uint32_t node,
                        const struct mqtt_subscriber *subscriber)
{
        return (uint32_t)siphash_number(&tree->nodes.tree.levels.key,
                                        (uint64_t)node << 32 ^ (uintptr_t)subscriber);
}

static uint32_t find(const struct mqtt_topic_tree *tree, uint32_t node,
                     const struct mqtt_subscriber *subscriber)
{
        uint32_t hash = hash_of(tree, node, subscriber);
        uint32_t at = mqtt_index_begin(&tree->subscriptions, hash), number;

        while ((number = mqtt_index_next(&tree->subscriptions, hash, &at)) > 0) {
                const struct mqtt_entry *entry = mqtt_entry_at(&tree->nodes, number);

                if (entry->node == node && entry->subscriber == subscriber)
                        break;
        }
        return number;
}

static void set_options(struct mqtt_entry *entry, const struct mqtt_subscription_options *options)
{
        entry->id = options->id;
        entry->qos = options->qos;
        entry->retain_handling = options->retain_handling;
        entry->no_local = options->no_local;
        entry->retain_as_published = options->retain_as_published;
}

static void link_entry(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                       uint32_t number)
{
        struct mqtt_entry *entry = mqtt_entry_at(&tree->nodes, number);

        entry->next = subscriber->first;
        if (entry->next > 0)
                mqtt_entry_at(&tree->nodes, entry->next)->previous = number;
        subscriber->first = number;
        subscriber->count++;
}

static void unlink_entry(struct mqtt_topic_tree *tree, const struct mqtt_entry *entry)
{
        if (entry->next > 0)
                mqtt_entry_at(&tree->nodes, entry->next)->previous = entry->previous;
        if (entry->previous > 0)
                mqtt_entry_at(&tree->nodes, entry->previous)->next = entry->next;
        else
                entry->subscriber->first = entry->next;
        entry->subscriber->count--;
}

static int add_entry(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                     uint32_t node, const struct mqtt_subscription_options *options)
{
        uint32_t hash = hash_of(tree, node, subscriber), number;
        int r = mqtt_pool_take(&tree->nodes.entries, &number);

        if (r < 0)
                return r;
        *mqtt_entry_at(&tree->nodes, number) =
                (struct mqtt_entry){.subscriber = subscriber, .node = node};
        set_options(mqtt_entry_at(&tree->nodes, number), options);
        r = mqtt_index_add(&tree->subscriptions, hash, number);
        if (r == 0) {
                r = mqtt_members_add(&tree->nodes, node, number);
                if (r < 0)
                        mqtt_index_remove(&tree->subscriptions, hash, number);
        }
        if (r < 0) {
                mqtt_pool_give(&tree->nodes.entries, number);
                return r;
        }
        link_entry(tree, subscriber, number);
        return 0;
}

/* What is remembered and may now be different. A filter without a wildcard is a topic. */
static void forget(struct mqtt_topic_tree *tree, struct mqtt_text filter)
{
        struct mqtt_text share, topic = filter;

        (void)mqtt_topic_filter_split_shared(filter, &share, &topic);
        if (mqtt_topic_filter_has_wildcard(topic))
                mqtt_audience_cache_forget_all(&tree->cache);
        else
                mqtt_audience_cache_forget(&tree->cache, topic, mqtt_topic_hash(tree, topic));
}

/* Are there nodes left for a filter of which there may be none yet? */
static bool has_room(const struct mqtt_topic_tree *tree, struct mqtt_text filter)
{
        uint64_t most = (uint64_t)tree->config.subscriptions * LEVELS_PER_SUBSCRIPTION;
        uint64_t nodes = tree->nodes.tree.nodes.count;
        struct mqtt_text level;
        uint32_t at = 0;

        while (mqtt_topic_level_next(filter, &at, &level))
                nodes++;
        return nodes <= most + LEVELS_ALWAYS;
}

int mqtt_topic_tree_subscribe(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                              struct mqtt_text filter,
                              const struct mqtt_subscription_options *options)
{
        uint32_t node = mqtt_nodes_find(&tree->nodes, filter);
        uint32_t number = node > 0 ? find(tree, node, subscriber) : 0;
        int r = 0;

        if (number > 0) {
                set_options(mqtt_entry_at(&tree->nodes, number), options);
                forget(tree, filter);
                return MQTT_SUBSCRIBED_AGAIN;
        }
        if (tree->nodes.entries.count >= tree->config.subscriptions)
                return -ENOSPC;
        if (node == 0 && !has_room(tree, filter))
                return -ENOSPC;
        if (node == 0)
                r = mqtt_nodes_make(&tree->nodes, filter, &node);
        if (r < 0)
                return r;
        assert(!options->no_local ||
               !(mqtt_node_at(&tree->nodes, node)->branch.level & MQTT_LEVEL_SHARE));
        r = add_entry(tree, subscriber, node, options);
        if (r < 0) {
                mqtt_nodes_prune(&tree->nodes, node);
                return r;
        }
        forget(tree, filter);
        return MQTT_SUBSCRIBED;
}

/* Its number may be another's soon. */
static void take_share_out_of_matches(struct mqtt_topic_tree *tree, uint32_t share)
{
        list_for_each (&tree->matches, position) {
                struct mqtt_audience *audience =
                        container_of(position, struct mqtt_match, link)->audience;

                for (uint32_t i = 0; i < audience->shares_count; i++)
                        if (audience->shares[i] == share)
                                audience->shares[i] = 0;
        }
}

static void remove_entry(struct mqtt_topic_tree *tree, uint32_t number)
{
        struct mqtt_entry *entry = mqtt_entry_at(&tree->nodes, number);
        const struct mqtt_node *node = mqtt_node_at(&tree->nodes, entry->node);
        uint32_t node_number = entry->node;

        mqtt_members_remove(&tree->nodes, node_number, number);
        mqtt_index_remove(&tree->subscriptions, hash_of(tree, node_number, entry->subscriber),
                          number);
        unlink_entry(tree, entry);
        mqtt_pool_give(&tree->nodes.entries, number);
        if (node->branch.level & MQTT_LEVEL_SHARE && node->members == 0)
                take_share_out_of_matches(tree, node_number);
        mqtt_nodes_prune(&tree->nodes, node_number);
}

int mqtt_topic_tree_unsubscribe(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber,
                                struct mqtt_text filter)
{
        uint32_t node = mqtt_nodes_find(&tree->nodes, filter);
        uint32_t number = node > 0 ? find(tree, node, subscriber) : 0;

        if (number == 0)
                return -ENOENT;
        remove_entry(tree, number);
        forget(tree, filter);
        return 0;
}

void mqtt_topic_tree_remove(struct mqtt_topic_tree *tree, struct mqtt_subscriber *subscriber)
{
        bool one_by_one = subscriber->count <= FORGET_ONE_BY_ONE_MAX;
        char filter[MQTT_TEXT_MAX];

        if (!one_by_one)
                mqtt_audience_cache_forget_all(&tree->cache);
        while (subscriber->first > 0) {
                uint32_t number = subscriber->first;
                uint32_t node = mqtt_entry_at(&tree->nodes, number)->node;

                if (one_by_one) {
                        uint16_t length = mqtt_nodes_filter(&tree->nodes, node, filter);

                        forget(tree, (struct mqtt_text){filter, length});
                }
                remove_entry(tree, number);
        }
        list_for_each (&tree->matches, position) {
                struct mqtt_audience *audience =
                        container_of(position, struct mqtt_match, link)->audience;

                for (uint32_t i = 0; i < audience->seats_count; i++)
                        if (audience->seats[i].subscriber == subscriber)
                                audience->seats[i].subscriber = NULL;
        }
}

uint16_t mqtt_topic_tree_next(const struct mqtt_topic_tree *tree,
                              const struct mqtt_subscriber *subscriber, uint32_t *at, char *filter,
                              struct mqtt_subscription_options *ret)
{
        const struct mqtt_entry *entry;

        /* UINT32_MAX: the last was the end; no number is as large. */
        if (*at == 0)
                *at = subscriber->first > 0 ? subscriber->first : UINT32_MAX;
        if (*at == UINT32_MAX)
                return 0;
        entry = mqtt_entry_at(&tree->nodes, *at);
        *ret = (struct mqtt_subscription_options){
                .id = entry->id,
                .qos = entry->qos,
                .retain_handling = entry->retain_handling,
                .no_local = entry->no_local,
                .retain_as_published = entry->retain_as_published,
        };
        *at = entry->next > 0 ? entry->next : UINT32_MAX;
        return mqtt_nodes_filter(&tree->nodes, entry->node, filter);
}
