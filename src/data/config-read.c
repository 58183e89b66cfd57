#include "data/config-read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_texts(struct config_walk *walk, const struct config_key *key,
                      const yaml_node_t *node, void *target)
{
        struct config_texts *texts = config_value_of(key, target);
        const yaml_node_item_t *first, *last;

        if (node->type != YAML_SEQUENCE_NODE)
                return config_refuse_value(walk, key, node);
        first = node->data.sequence.items.start;
        last = node->data.sequence.items.top;
        if ((double)(last - first) > key->maximum)
                return config_refuse_many(walk, key, node, (size_t)(last - first));
        config_value_done(key, target);
        if (first == last)
                return 0;
        texts->items = calloc((size_t)(last - first), sizeof(*texts->items));
        if (!texts->items)
                return config_refuse_memory(walk);
        for (const yaml_node_item_t *item = first; item < last; item++) {
                const yaml_node_t *child = yaml_tree_at(walk->tree, *item);

                if (!yaml_node_text(child) || yaml_node_is_null(child))
                        return config_refuse_value(walk, key, child);
                texts->items[texts->count] = strdup(yaml_node_text(child));
                if (!texts->items[texts->count])
                        return config_refuse_memory(walk);
                texts->count++;
        }
        return 0;
}

static int read_item(struct config_walk *walk, const struct config_key *key,
                     const yaml_node_t *node, void *target)
{
        int r;

        for (size_t i = 0; i < key->items_count; i++) {
                r = config_value_default(&key->items[i], target);
                if (r < 0)
                        return config_refuse_memory(walk);
        }
        return config_read_keys(walk, node, key->items, key->items_count, target);
}

static int begin_items(const struct config_walk *walk, const struct config_key *key,
                       const yaml_node_t *node, size_t count, struct config_list *list)
{
        if ((double)count > key->maximum)
                return config_refuse_many(walk, key, node, count);
        if (count == 0)
                return 0;
        /* All zero is a struct that owns nothing, whatever fails later. */
        list->items = calloc(count, key->item_size);
        if (!list->items)
                return config_refuse_memory(walk);
        list->count = count;
        return 0;
}

static int read_list(struct config_walk *walk, const struct config_key *key,
                     const yaml_node_t *node, struct config_list *list)
{
        const yaml_node_item_t *first;
        size_t count;
        int r;

        if (node->type != YAML_SEQUENCE_NODE)
                return config_refuse_value(walk, key, node);
        first = node->data.sequence.items.start;
        count = (size_t)(node->data.sequence.items.top - first);
        r = begin_items(walk, key, node, count, list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list->count; i++) {
                const yaml_node_t *item = yaml_tree_at(walk->tree, first[i]);
                struct config_walk inner = *walk;
                char name[CONFIG_PATH_MAX];

                if (item->type != YAML_MAPPING_NODE)
                        return config_refuse_value(walk, key, item);
                snprintf(inner.path, sizeof(inner.path), "%.100s[%zu]",
                         config_full_name(walk, key->name, name), i);
                r = read_item(&inner, key, item, (char *)list->items + i * key->item_size);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One pair of a map, its name and what it stands for, into the item at `target`. */
static int read_pair(struct config_walk *walk, const struct config_key *key,
                     const yaml_node_pair_t *pair, void *target)
{
        const yaml_node_t *value = yaml_tree_at(walk->tree, pair->value);
        const char *text = yaml_node_text(yaml_tree_at(walk->tree, pair->key));
        struct config_key only;
        char *name;

        name = *(char **)((char *)target + key->name_offset) = strdup(text);
        if (!name)
                return config_refuse_memory(walk);
        only = key->items[0].name ? *key : key->items[0];
        only.name = name;
        if (key->items[0].name) {
                struct config_walk inner = *walk;

                if (value->type != YAML_MAPPING_NODE)
                        return config_refuse_value(walk, &only, value);
                config_full_name(walk, name, inner.path);
                return read_item(&inner, key, value, target);
        }
        return config_read_value(walk, &only, value, target);
}

static int read_map(struct config_walk *walk, const struct config_key *key, const yaml_node_t *node,
                    struct config_list *list)
{
        const yaml_node_pair_t *first;
        struct config_walk inner = *walk;
        size_t count;
        int r;

        if (node->type != YAML_MAPPING_NODE)
                return config_refuse_value(walk, key, node);
        first = node->data.mapping.pairs.start;
        count = (size_t)(node->data.mapping.pairs.top - first);
        r = begin_items(walk, key, node, count, list);
        if (r < 0)
                return r;
        config_full_name(walk, key->name, inner.path);
        for (size_t i = 0; i < list->count; i++) {
                r = config_check_name(&inner, node, &first[i]);
                if (r == 0)
                        r = read_pair(&inner, key, &first[i],
                                      (char *)list->items + i * key->item_size);
                if (r < 0)
                        return r;
        }
        return 0;
}

int config_read_value(struct config_walk *walk, const struct config_key *key,
                      const yaml_node_t *node, void *target)
{
        void *value = config_value_of(key, target);
        int r;

        switch (key->type) {
        case CONFIG_TYPE_TEXTS:
                return read_texts(walk, key, node, target);
        case CONFIG_TYPE_LIST:
                return read_list(walk, key, node, value);
        case CONFIG_TYPE_MAP:
                return read_map(walk, key, node, value);
        case CONFIG_TYPE_RESERVED:
                *(bool *)value = true;
                return 0;
        default:
                if (!yaml_node_text(node) || yaml_node_is_null(node))
                        return config_refuse_value(walk, key, node);
                r = config_value_read(key, yaml_node_text(node), yaml_node_is_plain(node), target);
                if (r == -ENOMEM)
                        return config_refuse_memory(walk);
                return r < 0 ? config_refuse_value(walk, key, node) : 0;
        }
}

const struct config_key *config_find_key(const struct config_key *keys, size_t count,
                                         const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

/* Pairs before `pair` are known to be good, so there are no more of them than keys. */
int config_check_name(const struct config_walk *walk, const yaml_node_t *mapping,
                      const yaml_node_pair_t *pair)
{
        const yaml_node_t *node = yaml_tree_at(walk->tree, pair->key);
        char name[CONFIG_PATH_MAX];

        if (!yaml_node_text(node))
                return yaml_tree_refuse(walk->tree, node, walk->error, "a key must be a word");
        for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair;
             other++) {
                const yaml_node_t *before = yaml_tree_at(walk->tree, other->key);

                if (strcmp(yaml_node_text(before), yaml_node_text(node)) == 0)
                        return yaml_tree_refuse(walk->tree, node, walk->error,
                                                "%s is there twice, first in line %zu: remove one",
                                                config_full_name(walk, yaml_node_text(node), name),
                                                before->start_mark.line + 1);
        }
        return 0;
}

static int check_required(const struct config_walk *walk, const yaml_node_t *mapping,
                          const struct config_key *key)
{
        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++)
                if (strcmp(yaml_node_text(yaml_tree_at(walk->tree, pair->key)), key->name) == 0)
                        return 0;
        return yaml_tree_refuse(walk->tree, mapping, walk->error, "%s needs `%s`: %s", walk->path,
                                key->name, key->expected);
}

int config_read_keys(struct config_walk *walk, const yaml_node_t *mapping,
                     const struct config_key *keys, size_t keys_count, void *target)
{
        struct config_names names = {.count = 0};
        int r;

        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++) {
                const yaml_node_t *name = yaml_tree_at(walk->tree, pair->key);
                const struct config_key *key;

                r = config_check_name(walk, mapping, pair);
                if (r < 0)
                        return r;
                key = config_find_key(keys, keys_count, yaml_node_text(name));
                if (!key) {
                        config_names_add_keys(&names, keys, keys_count);
                        return config_refuse_unknown(walk, name, &names);
                }
                r = config_read_value(walk, key, yaml_tree_at(walk->tree, pair->value), target);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < keys_count; i++) {
                r = keys[i].required ? check_required(walk, mapping, &keys[i]) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}
