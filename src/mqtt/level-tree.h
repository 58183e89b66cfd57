/* mqtt/level-tree.h - nodes of topic levels, of which each finds its children by name.
 *
 * What a tree of filters and one of topics have in common. There is one table of children
 * for all nodes, so one that has none costs nothing but itself. Embedded in its owner, whose
 * nodes begin with a struct mqtt_branch. */
#pragma once

#include "mqtt/levels.h"

/* Beside a name's number: what else is found by a name below the same node. */
#define MQTT_LEVEL_KIND UINT32_C(0x80000000)

struct mqtt_branch {
        uint32_t parent; /* 0: the root */
        uint32_t level;  /* number of its name, and perhaps MQTT_LEVEL_KIND */
};

struct mqtt_level_tree {
        struct mqtt_levels levels;
        struct mqtt_pool nodes;
        struct mqtt_index children; /* from a node and a name */
        uint32_t root;
};

/* With a root of zeros. -ENOMEM; -EIO: no random numbers. */
int mqtt_level_tree_init(struct mqtt_level_tree *tree, size_t node_size);
void mqtt_level_tree_done(struct mqtt_level_tree *tree);

/* The child by the number of its name, or by the name; 0: there is none. */
uint32_t mqtt_level_tree_child(const struct mqtt_level_tree *tree, uint32_t parent, uint32_t level);
uint32_t mqtt_level_tree_find(const struct mqtt_level_tree *tree, uint32_t parent,
                              struct mqtt_text name, uint32_t kind);
/* A new child, which is not there yet; all but its branch is zeros. -ENOMEM. */
int mqtt_level_tree_add(struct mqtt_level_tree *tree, uint32_t parent, struct mqtt_text name,
                        uint32_t kind, uint32_t *ret);
void mqtt_level_tree_remove(struct mqtt_level_tree *tree, uint32_t number);
