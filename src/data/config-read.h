/* data/config-read.h - the keys and values of a config from its tree into the targets. */
#pragma once

#include "data/config-refuse.h"

/* All pairs of a mapping: each one known, there once, with a value of its type; and those
 * that are required. What was read before a failure stays: the caller lets go of it. */
int config_read_keys(struct config_walk *walk, const yaml_node_t *mapping,
                     const struct config_key *keys, size_t keys_count, void *target);
int config_read_value(struct config_walk *walk, const struct config_key *key,
                      const yaml_node_t *node, void *target);
/* Names are text, and stand there once. Pairs before `pair` were checked already. */
int config_check_name(const struct config_walk *walk, const yaml_node_t *mapping,
                      const yaml_node_pair_t *pair);
/* NULL: there is none of that name. */
const struct config_key *config_find_key(const struct config_key *keys, size_t count,
                                         const char *name);
