#include "mqtt/level-tree.h"

int mqtt_level_tree_init(struct mqtt_level_tree *tree, size_t node_size)
{
        int r = mqtt_levels_init(&tree->levels);

        if (r < 0)
                return r;
        mqtt_pool_init(&tree->nodes, node_size);
        mqtt_index_init(&tree->children);
        r = mqtt_pool_take(&tree->nodes, &tree->root);
        if (r < 0)
                mqtt_level_tree_done(tree);
        return r;
}

void mqtt_level_tree_done(struct mqtt_level_tree *tree)
{
        mqtt_index_done(&tree->children);
        mqtt_pool_done(&tree->nodes);
        mqtt_levels_done(&tree->levels);
}

static struct mqtt_branch *at(const struct mqtt_level_tree *tree, uint32_t number)
{
        return mqtt_pool_at(&tree->nodes, number);
}

static uint32_t hash_of(const struct mqtt_level_tree *tree, uint32_t parent, uint32_t level)
{
        return (uint32_t)siphash_number(&tree->levels.key, (uint64_t)parent << 32 | level);
}

uint32_t mqtt_level_tree_child(const struct mqtt_level_tree *tree, uint32_t parent, uint32_t level)
{
        uint32_t hash = hash_of(tree, parent, level);
        uint32_t place = mqtt_index_begin(&tree->children, hash), number;

        while ((number = mqtt_index_next(&tree->children, hash, &place)) > 0) {
                const struct mqtt_branch *branch = at(tree, number);

                if (branch->parent == parent && branch->level == level)
                        break;
        }
        return number;
}

uint32_t mqtt_level_tree_find(const struct mqtt_level_tree *tree, uint32_t parent,
                              struct mqtt_text name, uint32_t kind)
{
        uint32_t level = mqtt_levels_find(&tree->levels, name);

        return level > 0 ? mqtt_level_tree_child(tree, parent, level | kind) : 0;
}

static int add(struct mqtt_level_tree *tree, uint32_t parent, uint32_t level, uint32_t *ret)
{
        uint32_t number;
        int r = mqtt_pool_take(&tree->nodes, &number);

        if (r < 0)
                return r;
        *at(tree, number) = (struct mqtt_branch){parent, level};
        r = mqtt_index_add(&tree->children, hash_of(tree, parent, level), number);
        if (r < 0) {
                mqtt_pool_give(&tree->nodes, number);
                return r;
        }
        *ret = number;
        return 0;
}

int mqtt_level_tree_add(struct mqtt_level_tree *tree, uint32_t parent, struct mqtt_text name,
                        uint32_t kind, uint32_t *ret)
{
        uint32_t level;
        int r = mqtt_levels_hold(&tree->levels, name, &level);

        if (r < 0)
                return r;
        r = add(tree, parent, level | kind, ret);
        if (r < 0)
                mqtt_levels_drop(&tree->levels, level);
        return r;
}

void mqtt_level_tree_remove(struct mqtt_level_tree *tree, uint32_t number)
{
        struct mqtt_branch branch = *at(tree, number);

        mqtt_index_remove(&tree->children, hash_of(tree, branch.parent, branch.level), number);
        mqtt_levels_drop(&tree->levels, branch.level & ~MQTT_LEVEL_KIND);
        mqtt_pool_give(&tree->nodes, number);
}
