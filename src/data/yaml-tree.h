/* data/yaml-tree.h - one YAML document as a tree of nodes, each with its place.
 *
 * libyaml's document API on top of a pass over its events, which refuses what
 * the tree no longer shows or what makes it dangerous: anchors, aliases, tags,
 * a second document, more than YAML_DEPTH_MAX levels, NULs, bad UTF-8. Keys may
 * still be of any shape and stand there twice: that is the walker's to check. */
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

enum { YAML_LENGTH_MAX = 1 << 20, YAML_DEPTH_MAX = 16 };

struct yaml_tree;

/* `name` goes before line and column in errors; it must outlive *ret, the text
 * need not. -EFBIG, -EINVAL with a sentence, -ENOMEM. */
int yaml_tree_new(const char *name, const char *text, size_t length, struct yaml_tree **ret,
                  struct error *error);
struct yaml_tree *yaml_tree_free(struct yaml_tree *tree);
DEFINE_CLEANUP(yaml_tree)

/* NULL: nothing but blanks and comments. */
const yaml_node_t *yaml_tree_root(const struct yaml_tree *tree);
/* The node behind the index in an item or a pair. */
const yaml_node_t *yaml_tree_at(const struct yaml_tree *tree, int index);

/* NULL: not a scalar. Without NULs inside. */
const char *yaml_node_text(const yaml_node_t *node);
/* A scalar without quotes: what may be a number or a boolean. */
bool yaml_node_is_plain(const yaml_node_t *node);
/* Nothing, ~ or null. */
bool yaml_node_is_null(const yaml_node_t *node);

/* "NAME:LINE:COLUMN: " and the sentence; returns -EINVAL. Counted from 1, in
 * characters. */
int yaml_tree_refuse(const struct yaml_tree *tree, const yaml_node_t *where, struct error *error,
                     const char *format, ...) PRINTF_LIKE(4, 5);
