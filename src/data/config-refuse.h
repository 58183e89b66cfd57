/* data/config-refuse.h - what is wrong with a config, where, and what was expected.
 *
 * All return the errno value that they put into walk->error: -EINVAL, -ENOMEM for memory. */
#pragma once

#include "data/config-value.h"
#include "data/yaml-tree.h"

enum { CONFIG_PATH_MAX = 128, CONFIG_NAMES_MAX = 128 };

/* Where the reader is: the document, and the names on the way down. */
struct config_walk {
        const struct yaml_tree *tree;
        struct error *error;
        char path[CONFIG_PATH_MAX]; /* "access.tokens[1]"; empty at the top */
};

/* The names that may stand somewhere; more than CONFIG_NAMES_MAX are left out. */
struct config_names {
        const char *items[CONFIG_NAMES_MAX];
        size_t count;
};

void config_names_add(struct config_names *names, const char *name);
void config_names_add_keys(struct config_names *names, const struct config_key *keys, size_t count);
/* "; did you mean a?" or "; known are a, b, c". */
void config_names_suggest(const struct config_names *names, const char *typed, char *text,
                          size_t size);

/* The name with its place: "command.port". Returns `text`. */
const char *config_full_name(const struct config_walk *walk, const char *name,
                             char text[CONFIG_PATH_MAX]);

int config_refuse_value(const struct config_walk *walk, const struct config_key *key,
                        const yaml_node_t *node);
int config_refuse_many(const struct config_walk *walk, const struct config_key *key,
                       const yaml_node_t *node, size_t count);
int config_refuse_unknown(const struct config_walk *walk, const yaml_node_t *node,
                          const struct config_names *names);
int config_refuse_memory(const struct config_walk *walk);
