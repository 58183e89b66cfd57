#include "data/config-refuse.h"

#include "base/spelling.h"

#include <errno.h>
#include <stdio.h>

enum { LISTED_MAX = 16 };

void config_names_add(struct config_names *names, const char *name)
{
        if (names->count < CONFIG_NAMES_MAX)
                names->items[names->count++] = name;
}

void config_names_add_keys(struct config_names *names, const struct config_key *keys, size_t count)
{
        for (size_t i = 0; i < count; i++)
                config_names_add(names, keys[i].name);
}

void config_names_suggest(const struct config_names *names, const char *typed, char *text,
                          size_t size)
{
        const char *best[2];
        size_t length = 0, near;

        near = spelling_near(typed, names->items, names->count, best, ARRAY_SIZE(best));
        text[0] = '\0';
        if (near > 0) {
                snprintf(text, size, "; did you mean `%s`%s%s%s?", best[0], near > 1 ? " or `" : "",
                         near > 1 ? best[1] : "", near > 1 ? "`" : "");
                return;
        }
        for (size_t i = 0; i < names->count && i < LISTED_MAX && length < size; i++)
                length += (size_t)snprintf(text + length, size - length, "%s`%s`",
                                           i == 0 ? "; known are " : ", ", names->items[i]);
}

const char *config_full_name(const struct config_walk *walk, const char *name,
                             char text[CONFIG_PATH_MAX])
{
        snprintf(text, CONFIG_PATH_MAX, "%.60s%s%.64s", walk->path, walk->path[0] ? "." : "", name);
        return text;
}

int config_refuse_value(const struct config_walk *walk, const struct config_key *key,
                        const yaml_node_t *node)
{
        char name[CONFIG_PATH_MAX];
        const char *text = yaml_node_text(node);

        config_full_name(walk, key->name, name);
        if (yaml_node_is_null(node))
                return yaml_tree_refuse(
                        walk->tree, node, walk->error,
                        "%s has no value: leave it out for its default, or expected: %s", name,
                        key->expected);
        if (!text)
                return yaml_tree_refuse(
                        walk->tree, node, walk->error, "%s cannot be a %s; expected: %s", name,
                        node->type == YAML_MAPPING_NODE ? "mapping" : "list", key->expected);
        return yaml_tree_refuse(walk->tree, node, walk->error,
                                "%s cannot be %s%.64s%s; expected: %s", name,
                                yaml_node_is_plain(node) ? "" : "the text \"", text,
                                yaml_node_is_plain(node) ? "" : "\"", key->expected);
}

int config_refuse_many(const struct config_walk *walk, const struct config_key *key,
                       const yaml_node_t *node, size_t count)
{
        char name[CONFIG_PATH_MAX];

        return yaml_tree_refuse(walk->tree, node, walk->error,
                                "%s has %zu items, but at most %.0f may be there; expected: %s",
                                config_full_name(walk, key->name, name), count, key->maximum,
                                key->expected);
}

int config_refuse_unknown(const struct config_walk *walk, const yaml_node_t *node,
                          const struct config_names *names)
{
        char suggestion[256], name[CONFIG_PATH_MAX];

        config_names_suggest(names, yaml_node_text(node), suggestion, sizeof(suggestion));
        return yaml_tree_refuse(walk->tree, node, walk->error, "`%s` is not known%s",
                                config_full_name(walk, yaml_node_text(node), name), suggestion);
}

int config_refuse_memory(const struct config_walk *walk)
{
        return error_set(walk->error, -ENOMEM, "out of memory");
}
