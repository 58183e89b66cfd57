#include "data/config.h"

#include "base/cleanup.h"
#include "data/config-read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_section(struct config_walk *walk, const struct config_section *section,
                        const yaml_node_t *node)
{
        struct config_walk inner = *walk;

        if (section->keys_count == 0) {
                *(bool *)section->target = true;
                return 0;
        }
        /* A section whose keys are all commented out is an empty one. */
        if (yaml_node_is_null(node))
                return 0;
        if (node->type != YAML_MAPPING_NODE)
                return yaml_tree_refuse(
                        walk->tree, node, walk->error,
                        "`%s` is a section: expected keys with values, such as `%s: "
                        "...`",
                        section->name, section->keys[0].name);
        snprintf(inner.path, sizeof(inner.path), "%s", section->name);
        return config_read_keys(&inner, node, section->keys, section->keys_count, section->target);
}

static int refuse_section(struct config_walk *walk, const yaml_node_t *name,
                          const struct config_section sections[], size_t count)
{
        struct config_names names = {.count = 0};

        for (size_t i = 0; i < count; i++) {
                if (sections[i].name)
                        config_names_add(&names, sections[i].name);
                else
                        config_names_add_keys(&names, sections[i].keys, sections[i].keys_count);
        }
        return config_refuse_unknown(walk, name, &names);
}

/* One pair of the top level: a section, or a key of the section without a name. */
static int read_top(struct config_walk *walk, const yaml_node_pair_t *pair,
                    const struct config_section sections[], size_t count)
{
        const yaml_node_t *name = yaml_tree_at(walk->tree, pair->key);
        const yaml_node_t *node = yaml_tree_at(walk->tree, pair->value);
        const struct config_key *key;

        for (size_t i = 0; i < count; i++) {
                if (sections[i].name && strcmp(sections[i].name, yaml_node_text(name)) == 0)
                        return read_section(walk, &sections[i], node);
                if (sections[i].name)
                        continue;
                key = config_find_key(sections[i].keys, sections[i].keys_count,
                                      yaml_node_text(name));
                if (key)
                        return config_read_value(walk, key, node, sections[i].target);
        }
        return refuse_section(walk, name, sections, count);
}

static int read_document(struct config_walk *walk, const struct config_section sections[],
                         size_t count)
{
        const yaml_node_t *root = yaml_tree_root(walk->tree);
        int r;

        if (!root || yaml_node_is_null(root))
                return 0;
        if (root->type != YAML_MAPPING_NODE)
                return yaml_tree_refuse(walk->tree, root, walk->error,
                                        "expected sections with keys, such as `%s:`",
                                        count > 0 && sections[0].name ? sections[0].name : "name");
        for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
             pair < root->data.mapping.pairs.top; pair++) {
                r = config_check_name(walk, root, pair);
                if (r == 0)
                        r = read_top(walk, pair, sections, count);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void clear(const struct config_section *section)
{
        for (size_t i = 0; i < section->keys_count; i++) {
                void *value = config_value_of(&section->keys[i], section->target);

                if (section->keys[i].type == CONFIG_TYPE_TEXT)
                        *(char **)value = NULL;
                else if (section->keys[i].type == CONFIG_TYPE_TEXTS)
                        *(struct config_texts *)value = (struct config_texts){0};
                else if (section->keys[i].type == CONFIG_TYPE_LIST ||
                         section->keys[i].type == CONFIG_TYPE_MAP)
                        *(struct config_list *)value = (struct config_list){0};
        }
}

int config_defaults(const struct config_section sections[], size_t count)
{
        /* First of all owns nothing, so that everything can be let go of. */
        for (size_t i = 0; i < count; i++)
                clear(&sections[i]);
        for (size_t i = 0; i < count; i++) {
                if (sections[i].keys_count == 0)
                        *(bool *)sections[i].target = false;
                for (size_t j = 0; j < sections[i].keys_count; j++) {
                        if (config_value_default(&sections[i].keys[j], sections[i].target) < 0) {
                                config_done(sections, count);
                                return -ENOMEM;
                        }
                }
        }
        return 0;
}

void config_done(const struct config_section sections[], size_t count)
{
        for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < sections[i].keys_count; j++)
                        config_value_done(&sections[i].keys[j], sections[i].target);
}

int config_parse(const char *name, const char *text, size_t length,
                 const struct config_section sections[], size_t count, struct error *error)
{
        AUTO(yaml_tree) struct yaml_tree *tree = NULL;
        struct config_walk walk = {.error = error};
        int r;

        r = config_defaults(sections, count);
        if (r < 0)
                return error_set(error, r, "%s: out of memory", name);
        r = yaml_tree_new(name, text, length, &tree, error);
        if (r == 0) {
                walk.tree = tree;
                r = read_document(&walk, sections, count);
        }
        if (r < 0)
                config_done(sections, count);
        return r;
}

int config_read_file(const char *path, size_t max, char **ret, size_t *ret_length,
                     struct error *error)
{
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        AUTO_FREE char *text = NULL;
        size_t length = 0;
        ssize_t got;

        if (fd < 0)
                return error_set(error, -errno, "cannot read %s: %s", path, strerror(errno));
        text = malloc(max + 1);
        if (!text)
                return error_set(error, -ENOMEM, "cannot read %s: out of memory", path);
        do {
                got = read(fd, text + length, max + 1 - length);
                if (got < 0 && errno != EINTR)
                        return error_set(error, -errno, "cannot read %s: %s", path,
                                         strerror(errno));
                length += got > 0 ? (size_t)got : 0;
        } while (got != 0 && length <= max);
        *ret = TAKE(text);
        *ret_length = length;
        return 0;
}

int config_load(const char *path, const struct config_section sections[], size_t count,
                struct error *error)
{
        AUTO_FREE char *text = NULL;
        size_t length = 0;
        int r;

        /* For the caller whose file is not there: the targets are sound. */
        for (size_t i = 0; i < count; i++)
                clear(&sections[i]);
        r = config_read_file(path, YAML_LENGTH_MAX, &text, &length, error);
        if (r < 0)
                return r;
        return config_parse(path, text, length, sections, count, error);
}

static const struct config_section *find_section(const struct config_section sections[],
                                                 size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++) {
                const char *other = sections[i].name;

                if (name && other ? strcmp(name, other) == 0 : name == other)
                        return &sections[i];
        }
        return NULL;
}

int config_override(const struct config_section sections[], size_t count, const char *section,
                    const char *key, const char *text, struct error *error)
{
        const struct config_section *found = find_section(sections, count, section);
        const struct config_key *found_key =
                found ? config_find_key(found->keys, found->keys_count, key) : NULL;
        const char *before = section ? section : "", *dot = section ? "." : "";
        struct config_names names = {.count = 0};
        char suggestion[256] = "";
        int r;

        if (!found_key) {
                if (found)
                        config_names_add_keys(&names, found->keys, found->keys_count);
                config_names_suggest(&names, key, suggestion, sizeof(suggestion));
                return error_set(error, -EINVAL, "`%s%s%s` is not known%s", before, dot, key,
                                 suggestion);
        }
        r = config_value_read(found_key, text, true, found->target);
        if (r == -ENOMEM)
                return error_set(error, r, "out of memory");
        if (r < 0)
                return error_set(error, r, "%s%s%s cannot be \"%.64s\"; expected: %s", before, dot,
                                 key, text, found_key->expected);
        return 0;
}
