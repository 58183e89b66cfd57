/* mqtt/retained-internal.h - the tree of retained messages as its files know it: retained.c
 * changes it, retained-cursor.c walks over it, retained-expiry.c knows who is due. */
#pragma once

#include "mqtt/level-tree.h"
#include "mqtt/retained.h"

/* A topic or the begin of one. It is there as long as it has a message, something is below
 * it, or a cursor stands on it. */
struct mqtt_retained_node {
        struct mqtt_branch branch;
        uint32_t first;               /* of its children */
        uint32_t next, previous;      /* of its parent's */
        uint32_t cursors;             /* that stand here */
        uint32_t due_at;              /* its place in the heap, from 1; 0: does not expire */
        struct mqtt_message *message; /* a reference; NULL: only the begin of a topic */
        uint64_t set_at;              /* how many were set before */
};

/* Those that expire, the next one first: a binary heap. */
struct mqtt_retained_heap {
        struct mqtt_retained_due {
                uint64_t due_ms;
                uint32_t node;
        } * places;
        uint32_t count, capacity;
};

struct mqtt_retained {
        struct mqtt_level_tree tree;
        struct mqtt_retained_heap heap;
        uint32_t names, names_max;
        size_t bytes, bytes_max;
        uint64_t sets;
        uint32_t cursors;
        mqtt_retained_fn *on_change;
        void *owner; /* of that */
};

static inline struct mqtt_retained_node *mqtt_retained_at(const struct mqtt_retained *retained,
                                                          uint32_t number)
{
        return mqtt_pool_at(&retained->tree.nodes, number);
}

/* Goes with those of its parents that are not needed any more. */
void mqtt_retained_prune(struct mqtt_retained *retained, uint32_t number);

/* Room for one more, so that the next mqtt_retained_heap_set() succeeds. -ENOMEM. */
int mqtt_retained_heap_reserve(struct mqtt_retained *retained);
/* When a node is due: anew, or MQTT_NEVER_EXPIRES. */
void mqtt_retained_heap_set(struct mqtt_retained *retained, uint32_t node, uint64_t due_ms);
