/* mqtt/topic-nodes.h - a tree of filters by their levels, and the subscriptions at each.
 *
 * A node stands for a filter or the begin of one; a share ("$share/NAME/…") is a node below
 * the filter that it shares. Nodes and subscriptions are known by their numbers in pools.
 * A node is there as long as something stands at or below it. Inside of mqtt/topic-tree. */
#pragma once

#include "mqtt/level-tree.h"
#include "mqtt/topic-tree.h"

/* The name of a share, not of a level. */
#define MQTT_LEVEL_SHARE MQTT_LEVEL_KIND

struct mqtt_node {
        struct mqtt_branch branch; /* its level may be MQTT_LEVEL_PLUS or _HASH */
        uint32_t children;         /* of all kinds, shares included */
        uint32_t members;          /* who subscribed to just this, see below */
        union {
                struct {
                        uint32_t plus, hash; /* the children of that name */
                        uint32_t shares;     /* the first of them */
                } below;
                struct {
                        uint32_t next, previous; /* others of the same filter */
                        uint32_t turn;           /* whose it is, modulo their number */
                } share;
        };
};

/* A subscription: it is a member of its node, and in a list of its subscriber's. */
struct mqtt_entry {
        struct mqtt_subscriber *subscriber;
        uint32_t node;
        uint32_t next, previous; /* the subscriber's */
        uint32_t position;       /* among the node's members */
        uint32_t id;
        uint8_t qos, retain_handling;
        bool no_local, retain_as_published;
};

struct mqtt_nodes {
        struct mqtt_level_tree tree;
        struct mqtt_pool entries;
        struct mqtt_pool lists; /* of members, where there are several */
};

int mqtt_nodes_init(struct mqtt_nodes *nodes); /* -ENOMEM; -EIO: no random numbers */
void mqtt_nodes_done(struct mqtt_nodes *nodes);

static inline struct mqtt_node *mqtt_node_at(const struct mqtt_nodes *nodes, uint32_t number)
{
        return mqtt_pool_at(&nodes->tree.nodes, number);
}
static inline struct mqtt_entry *mqtt_entry_at(const struct mqtt_nodes *nodes, uint32_t number)
{
        return mqtt_pool_at(&nodes->entries, number);
}

/* Of a valid filter, which may be shared; 0: there is none. */
uint32_t mqtt_nodes_find(const struct mqtt_nodes *nodes, struct mqtt_text filter);
/* The same, made if need be. -ENOMEM: all is as it was. */
int mqtt_nodes_make(struct mqtt_nodes *nodes, struct mqtt_text filter, uint32_t *ret);
/* If nothing stands at or below it, it goes, and so do its parents. */
void mqtt_nodes_prune(struct mqtt_nodes *nodes, uint32_t number);
/* Writes the filter, at most MQTT_TEXT_MAX bytes; returns its length. */
uint16_t mqtt_nodes_filter(const struct mqtt_nodes *nodes, uint32_t number, char *filter);

/* members.c: one subscription is the node's member by itself; several have a list. */
void mqtt_members_init(struct mqtt_nodes *nodes);
void mqtt_members_done(struct mqtt_nodes *nodes);
int mqtt_members_add(struct mqtt_nodes *nodes, uint32_t node, uint32_t entry); /* -ENOMEM */
void mqtt_members_remove(struct mqtt_nodes *nodes, uint32_t node, uint32_t entry);
/* Numbers of the subscriptions; valid until the next change. */
const uint32_t *mqtt_members_of(const struct mqtt_nodes *nodes, const struct mqtt_node *node,
                                uint32_t *ret_count);
