#include "data/config.h"

#include "base/cleanup.h"
#include "base/spelling.h"
#include "data/config-value.h"
#include "data/yaml-tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LENGTH_MAX = 128, NAMES_MAX = 128, NAMES_LISTED_MAX = 16 };

/* Where we are: the document, and the names on the way down. */
struct walk {
        const struct yaml_tree *tree;
        struct error *error;
        char path[PATH_LENGTH_MAX]; /* "access.tokens[1]"; empty at the top */
};

/* The names that may stand somewhere, for errors. */
struct names {
        const char *items[NAMES_MAX];
        size_t count;
};

static void names_add(struct names *names, const char *name)
{
        if (names->count < NAMES_MAX)
                names->items[names->count++] = name;
}

static void names_add_keys(struct names *names, const struct config_key *keys, size_t count)
{
        for (size_t i = 0; i < count; i++)
                names_add(names, keys[i].name);
}

/* "; did you mean a?" or "; known are a, b, c". */
static void names_suggest(const struct names *names, const char *typed, char *text, size_t size)
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
        for (size_t i = 0; i < names->count && i < NAMES_LISTED_MAX && length < size; i++)
                length += (size_t)snprintf(text + length, size - length, "%s`%s`",
                                           i == 0 ? "; known are " : ", ", names->items[i]);
}

/* The key's name with its place: "command.port". */
static const char *full_name(const struct walk *walk, const char *name, char text[PATH_LENGTH_MAX])
{
        snprintf(text, PATH_LENGTH_MAX, "%.60s%s%.64s", walk->path, walk->path[0] ? "." : "", name);
        return text;
}

static int refuse_value(const struct walk *walk, const struct config_key *key,
                        const yaml_node_t *node)
{
        char name[PATH_LENGTH_MAX];
        const char *text = yaml_node_text(node);

        full_name(walk, key->name, name);
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

static int refuse_many(const struct walk *walk, const struct config_key *key,
                       const yaml_node_t *node, size_t count)
{
        char name[PATH_LENGTH_MAX];

        return yaml_tree_refuse(walk->tree, node, walk->error,
                                "%s has %zu items, but at most %.0f may be there; expected: %s",
                                full_name(walk, key->name, name), count, key->maximum,
                                key->expected);
}

static int refuse_unknown(const struct walk *walk, const yaml_node_t *node,
                          const struct names *names)
{
        char suggestion[256], name[PATH_LENGTH_MAX];

        names_suggest(names, yaml_node_text(node), suggestion, sizeof(suggestion));
        return yaml_tree_refuse(walk->tree, node, walk->error, "`%s` is not known%s",
                                full_name(walk, yaml_node_text(node), name), suggestion);
}

static int no_memory(const struct walk *walk)
{
        return error_set(walk->error, -ENOMEM, "out of memory");
}

static int read_keys(struct walk *walk, const yaml_node_t *mapping, const struct config_key *keys,
                     size_t keys_count, void *target);
static int read_value(struct walk *walk, const struct config_key *key, const yaml_node_t *node,
                      void *target);
static int check_name(const struct walk *walk, const yaml_node_t *mapping,
                      const yaml_node_pair_t *pair);

static int read_texts(struct walk *walk, const struct config_key *key, const yaml_node_t *node,
                      void *target)
{
        struct config_texts *texts = config_value_of(key, target);
        const yaml_node_item_t *first, *last;

        if (node->type != YAML_SEQUENCE_NODE)
                return refuse_value(walk, key, node);
        first = node->data.sequence.items.start;
        last = node->data.sequence.items.top;
        if ((double)(last - first) > key->maximum)
                return refuse_many(walk, key, node, (size_t)(last - first));
        config_value_done(key, target);
        if (first == last)
                return 0;
        texts->items = calloc((size_t)(last - first), sizeof(*texts->items));
        if (!texts->items)
                return no_memory(walk);
        for (const yaml_node_item_t *item = first; item < last; item++) {
                const yaml_node_t *child = yaml_tree_at(walk->tree, *item);

                if (!yaml_node_text(child) || yaml_node_is_null(child))
                        return refuse_value(walk, key, child);
                texts->items[texts->count] = strdup(yaml_node_text(child));
                if (!texts->items[texts->count])
                        return no_memory(walk);
                texts->count++;
        }
        return 0;
}

static int read_item(struct walk *walk, const struct config_key *key, const yaml_node_t *node,
                     void *target)
{
        int r;

        for (size_t i = 0; i < key->items_count; i++) {
                r = config_value_default(&key->items[i], target);
                if (r < 0)
                        return no_memory(walk);
        }
        return read_keys(walk, node, key->items, key->items_count, target);
}

static int read_list(struct walk *walk, const struct config_key *key, const yaml_node_t *node,
                     struct config_list *list)
{
        const yaml_node_item_t *first;
        size_t count;
        int r;

        if (node->type != YAML_SEQUENCE_NODE)
                return refuse_value(walk, key, node);
        first = node->data.sequence.items.start;
        count = (size_t)(node->data.sequence.items.top - first);
        if ((double)count > key->maximum)
                return refuse_many(walk, key, node, count);
        if (count == 0)
                return 0;
        /* All zero is a struct that owns nothing, whatever fails below. */
        list->items = calloc(count, key->item_size);
        if (!list->items)
                return no_memory(walk);
        list->count = count;
        for (size_t i = 0; i < count; i++) {
                const yaml_node_t *item = yaml_tree_at(walk->tree, first[i]);
                struct walk inner = *walk;
                char name[PATH_LENGTH_MAX];

                if (item->type != YAML_MAPPING_NODE)
                        return refuse_value(walk, key, item);
                snprintf(inner.path, sizeof(inner.path), "%.100s[%zu]",
                         full_name(walk, key->name, name), i);
                r = read_item(&inner, key, item, (char *)list->items + i * key->item_size);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One pair of a map, its name and what it stands for, into the item at `target`. */
static int read_pair(struct walk *walk, const struct config_key *key, const yaml_node_pair_t *pair,
                     void *target)
{
        const yaml_node_t *value = yaml_tree_at(walk->tree, pair->value);
        const char *text = yaml_node_text(yaml_tree_at(walk->tree, pair->key));
        struct config_key only;
        char *name;

        name = *(char **)((char *)target + key->name_offset) = strdup(text);
        if (!name)
                return no_memory(walk);
        only = key->items[0].name ? *key : key->items[0];
        only.name = name;
        if (key->items[0].name) {
                struct walk inner = *walk;

                if (value->type != YAML_MAPPING_NODE)
                        return refuse_value(walk, &only, value);
                full_name(walk, name, inner.path);
                return read_item(&inner, key, value, target);
        }
        return read_value(walk, &only, value, target);
}

static int read_map(struct walk *walk, const struct config_key *key, const yaml_node_t *node,
                    struct config_list *list)
{
        const yaml_node_pair_t *first;
        struct walk inner = *walk;
        size_t count;
        int r;

        if (node->type != YAML_MAPPING_NODE)
                return refuse_value(walk, key, node);
        first = node->data.mapping.pairs.start;
        count = (size_t)(node->data.mapping.pairs.top - first);
        if ((double)count > key->maximum)
                return refuse_many(walk, key, node, count);
        if (count == 0)
                return 0;
        list->items = calloc(count, key->item_size);
        if (!list->items)
                return no_memory(walk);
        list->count = count;
        full_name(walk, key->name, inner.path);
        for (size_t i = 0; i < count; i++) {
                r = check_name(&inner, node, &first[i]);
                if (r == 0)
                        r = read_pair(&inner, key, &first[i],
                                      (char *)list->items + i * key->item_size);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_value(struct walk *walk, const struct config_key *key, const yaml_node_t *node,
                      void *target)
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
                        return refuse_value(walk, key, node);
                r = config_value_read(key, yaml_node_text(node), yaml_node_is_plain(node), target);
                if (r == -ENOMEM)
                        return no_memory(walk);
                return r < 0 ? refuse_value(walk, key, node) : 0;
        }
}

static const struct config_key *find_key(const struct config_key *keys, size_t count,
                                         const char *name)
{
        for (size_t i = 0; i < count; i++)
                if (strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

/* Names are text, and stand there once. Pairs before `pair` are known to be
 * good, so there are no more of them than keys. */
static int check_name(const struct walk *walk, const yaml_node_t *mapping,
                      const yaml_node_pair_t *pair)
{
        const yaml_node_t *node = yaml_tree_at(walk->tree, pair->key);
        char name[PATH_LENGTH_MAX];

        if (!yaml_node_text(node))
                return yaml_tree_refuse(walk->tree, node, walk->error, "a key must be a word");
        for (const yaml_node_pair_t *other = mapping->data.mapping.pairs.start; other < pair;
             other++) {
                const yaml_node_t *before = yaml_tree_at(walk->tree, other->key);

                if (strcmp(yaml_node_text(before), yaml_node_text(node)) == 0)
                        return yaml_tree_refuse(walk->tree, node, walk->error,
                                                "%s is there twice, first in line %zu: remove one",
                                                full_name(walk, yaml_node_text(node), name),
                                                before->start_mark.line + 1);
        }
        return 0;
}

static int check_required(const struct walk *walk, const yaml_node_t *mapping,
                          const struct config_key *key)
{
        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++)
                if (strcmp(yaml_node_text(yaml_tree_at(walk->tree, pair->key)), key->name) == 0)
                        return 0;
        return yaml_tree_refuse(walk->tree, mapping, walk->error, "%s needs `%s`: %s", walk->path,
                                key->name, key->expected);
}

static int read_keys(struct walk *walk, const yaml_node_t *mapping, const struct config_key *keys,
                     size_t keys_count, void *target)
{
        struct names names = {.count = 0};
        int r;

        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++) {
                const yaml_node_t *name = yaml_tree_at(walk->tree, pair->key);
                const struct config_key *key;

                r = check_name(walk, mapping, pair);
                if (r < 0)
                        return r;
                key = find_key(keys, keys_count, yaml_node_text(name));
                if (!key) {
                        names_add_keys(&names, keys, keys_count);
                        return refuse_unknown(walk, name, &names);
                }
                r = read_value(walk, key, yaml_tree_at(walk->tree, pair->value), target);
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

static int read_section(struct walk *walk, const struct config_section *section,
                        const yaml_node_t *node)
{
        struct walk inner = *walk;

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
        return read_keys(&inner, node, section->keys, section->keys_count, section->target);
}

static int refuse_section(struct walk *walk, const yaml_node_t *name,
                          const struct config_section sections[], size_t count)
{
        struct names names = {.count = 0};

        for (size_t i = 0; i < count; i++) {
                if (sections[i].name)
                        names_add(&names, sections[i].name);
                else
                        names_add_keys(&names, sections[i].keys, sections[i].keys_count);
        }
        return refuse_unknown(walk, name, &names);
}

/* One pair of the top level: a section, or a key of the section without a name. */
static int read_top(struct walk *walk, const yaml_node_pair_t *pair,
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
                key = find_key(sections[i].keys, sections[i].keys_count, yaml_node_text(name));
                if (key)
                        return read_value(walk, key, node, sections[i].target);
        }
        return refuse_section(walk, name, sections, count);
}

static int read_document(struct walk *walk, const struct config_section sections[], size_t count)
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
                r = check_name(walk, root, pair);
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
        struct walk walk = {.error = error};
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

/* Whatever can be read: a pipe is fine too. */
static int read_file(const char *path, char **ret, size_t *ret_length)
{
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        AUTO_FREE char *text = NULL;
        size_t length = 0;
        ssize_t got;

        if (fd < 0)
                return -errno;
        text = malloc(YAML_LENGTH_MAX + 1);
        if (!text)
                return -ENOMEM;
        do {
                got = read(fd, text + length, YAML_LENGTH_MAX + 1 - length);
                if (got < 0 && errno != EINTR)
                        return -errno;
                length += got > 0 ? (size_t)got : 0;
        } while (got != 0 && length <= YAML_LENGTH_MAX);
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
        r = read_file(path, &text, &length);
        if (r < 0)
                return error_set(error, r, "cannot read %s: %s", path, strerror(-r));
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
                found ? find_key(found->keys, found->keys_count, key) : NULL;
        const char *before = section ? section : "", *dot = section ? "." : "";
        struct names names = {.count = 0};
        char suggestion[256] = "";
        int r;

        if (!found_key) {
                if (found)
                        names_add_keys(&names, found->keys, found->keys_count);
                names_suggest(&names, key, suggestion, sizeof(suggestion));
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
