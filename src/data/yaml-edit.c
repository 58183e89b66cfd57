#include "data/yaml-edit.h"

#include "base/utf8.h"
#include "data/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { LENGTH_MAX = 1 << 20, DEPTH_MAX = 16, KEYS_MAX = 4096 };

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct source {
        const char *text;
        size_t length;
        size_t mark; /* bytes of a byte order mark, which libyaml never sees */
        yaml_document_t document;
};

/* The next document of the parser; a document without a root is the end. */
static int load(yaml_parser_t *parser, yaml_document_t *document, struct error *error)
{
        if (yaml_parser_load(parser, document))
                return 0;
        if (parser->error == YAML_MEMORY_ERROR)
                return error_set(error, -ENOMEM, "out of memory");
        return error_set(error, -EINVAL, "line %zu, column %zu: not YAML: %s",
                         parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                         parser->problem ? parser->problem : "unreadable");
}

/* A stream that goes on behind the first document is not a config file. */
static int check_single(yaml_parser_t *parser, struct error *error)
{
        yaml_document_t second;
        int r = load(parser, &second, error);

        if (r < 0)
                return r;
        if (yaml_document_get_root_node(&second))
                r = error_set(error, -EINVAL, "line %zu: a second document begins",
                              second.start_mark.line + 1);
        yaml_document_delete(&second);
        return r;
}

static int source_init(struct source *source, const char *text, size_t length, struct error *error)
{
        yaml_parser_t parser;
        size_t mark = length >= 3 && memcmp(text, byte_order_mark, 3) == 0 ? 3 : 0;
        int r;

        if (length > LENGTH_MAX)
                return error_set(error, -EINVAL, "larger than 1 MiB");
        if (memchr(text, '\0', length) || utf8_valid_prefix(text, length) != length)
                return error_set(error, -EINVAL, "not text in UTF-8");
        if (!yaml_parser_initialize(&parser))
                return error_set(error, -ENOMEM, "out of memory");
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)text + mark, length - mark);
        source->text = text;
        source->length = length;
        source->mark = mark;
        r = load(&parser, &source->document, error);
        if (r == 0 && yaml_document_get_root_node(&source->document)) {
                r = check_single(&parser, error);
                if (r < 0)
                        yaml_document_delete(&source->document);
        }
        yaml_parser_delete(&parser);
        return r;
}

static void source_done(struct source *source)
{
        yaml_document_delete(&source->document);
}

static yaml_node_t *node_at(struct source *source, int index)
{
        return yaml_document_get_node(&source->document, index);
}

/* libyaml counts characters; we cut bytes. */
static size_t byte_of(const struct source *source, size_t characters)
{
        size_t at = source->mark;

        for (; at < source->length; at++) {
                bool starts = ((unsigned char)source->text[at] & 0xc0) != 0x80;

                if (starts && characters-- == 0)
                        break;
        }
        return at;
}

/* ---- outline ---- */

struct outline {
        struct source *source;
        bool *seen; /* by node: a node that comes twice was an alias */
        struct error *error;
};

static int outline_node(struct outline *outline, int index, unsigned depth, cJSON **ret);

static int refuse(struct error *error, const yaml_node_t *node, const char *what)
{
        return error_set(error, -EINVAL, "line %zu, column %zu: %s", node->start_mark.line + 1,
                         node->start_mark.column + 1, what);
}

static int outline_scalar(struct outline *outline, const yaml_node_t *node, cJSON **ret)
{
        const char *value = (const char *)node->data.scalar.value;
        size_t length = node->data.scalar.length;
        AUTO_FREE char *text = NULL;

        if (memchr(value, '\0', length))
                return refuse(outline->error, node, "a NUL is not text");
        text = malloc(length + 2);
        if (!text)
                return error_set(outline->error, -ENOMEM, "out of memory");
        text[0] = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? '=' : '"';
        memcpy(text + 1, value, length);
        text[length + 1] = '\0';
        *ret = cJSON_CreateString(text);
        return *ret ? 0 : error_set(outline->error, -ENOMEM, "out of memory");
}

static int outline_sequence(struct outline *outline, const yaml_node_t *node, unsigned depth,
                            cJSON **ret)
{
        AUTO_JSON cJSON *array = cJSON_CreateArray();

        if (!array)
                return error_set(outline->error, -ENOMEM, "out of memory");
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++) {
                cJSON *value;
                int r = outline_node(outline, *item, depth + 1, &value);

                if (r < 0)
                        return r;
                cJSON_AddItemToArray(array, value);
        }
        *ret = TAKE(array);
        return 0;
}

static int outline_mapping(struct outline *outline, const yaml_node_t *node, unsigned depth,
                           cJSON **ret)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();

        if (!object)
                return error_set(outline->error, -ENOMEM, "out of memory");
        if (node->data.mapping.pairs.top - node->data.mapping.pairs.start > KEYS_MAX)
                return refuse(outline->error, node, "more keys than any config has");
        for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             pair < node->data.mapping.pairs.top; pair++) {
                const yaml_node_t *key = node_at(outline->source, pair->key);
                const char *name;
                AUTO_JSON cJSON *value = NULL;
                int r;

                if (key->type != YAML_SCALAR_NODE)
                        return refuse(outline->error, key, "a key must be a word");
                name = (const char *)key->data.scalar.value;
                if (strlen(name) != key->data.scalar.length || json_get(object, name))
                        return refuse(outline->error, key, "this key stands here twice");
                r = outline_node(outline, pair->value, depth + 1, &value);
                if (r < 0)
                        return r;
                if (!cJSON_AddItemToObject(object, name, value))
                        return error_set(outline->error, -ENOMEM, "out of memory");
                value = NULL;
        }
        *ret = TAKE(object);
        return 0;
}

static int outline_node(struct outline *outline, int index, unsigned depth, cJSON **ret)
{
        const yaml_node_t *node = node_at(outline->source, index);

        if (depth >= DEPTH_MAX)
                return refuse(outline->error, node, "nested too deep");
        if (outline->seen[index - 1])
                return refuse(outline->error, node, "aliases are not supported");
        outline->seen[index - 1] = true;
        switch (node->type) {
        case YAML_SCALAR_NODE:
                return outline_scalar(outline, node, ret);
        case YAML_SEQUENCE_NODE:
                return outline_sequence(outline, node, depth, ret);
        case YAML_MAPPING_NODE:
                return outline_mapping(outline, node, depth, ret);
        case YAML_NO_NODE:
                break;
        }
        return refuse(outline->error, node, "an unknown kind of value");
}

static int outline_source(struct source *source, cJSON **ret, struct error *error)
{
        size_t nodes = (size_t)(source->document.nodes.top - source->document.nodes.start);
        AUTO_FREE bool *seen = NULL;
        struct outline outline = {.source = source, .error = error};
        const yaml_node_t *root = yaml_document_get_root_node(&source->document);

        if (!root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0)) {
                *ret = cJSON_CreateObject();
                return *ret ? 0 : error_set(error, -ENOMEM, "out of memory");
        }
        seen = calloc(nodes, sizeof(*seen));
        if (!seen)
                return error_set(error, -ENOMEM, "out of memory");
        outline.seen = seen;
        return outline_node(&outline, 1, 0, ret);
}

int yaml_edit_outline(const char *text, size_t length, cJSON **ret, struct error *error)
{
        struct source source;
        int r = source_init(&source, text, length, error);

        if (r < 0)
                return r;
        r = outline_source(&source, ret, error);
        source_done(&source);
        return r;
}

/* ---- places ---- */

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

/* The line break, or the end of the text, at or behind `at`. */
static size_t line_end(const struct source *source, size_t at)
{
        const char *newline = memchr(source->text + at, '\n', source->length - at);
        size_t end = newline ? (size_t)(newline - source->text) : source->length;

        return end > at && newline && source->text[end - 1] == '\r' ? end - 1 : end;
}

/* One past the last byte of a node. A block collection has no end of its own in
 * libyaml's marks (it ends where the next thing begins), so its last child
 * tells; bounded by the depth that the outline has checked. */
static size_t node_end(struct source *source, const yaml_node_t *node)
{
        int last = 0;

        if (node->type == YAML_SEQUENCE_NODE &&
            node->data.sequence.style != YAML_FLOW_SEQUENCE_STYLE)
                last = node->data.sequence.items.top[-1];
        else if (node->type == YAML_MAPPING_NODE &&
                 node->data.mapping.style != YAML_FLOW_MAPPING_STYLE)
                last = node->data.mapping.pairs.top[-1].value;
        if (last)
                return node_end(source, node_at(source, last));
        return byte_of(source, node->end_mark.index);
}

/* The end of the line on which the node ends. A block scalar's mark lies behind
 * the line breaks that follow it. */
static size_t last_line_end(struct source *source, const yaml_node_t *node)
{
        size_t start = byte_of(source, node->start_mark.index);
        size_t end = node_end(source, node);

        while (end > start && strchr(" \t\r\n", source->text[end - 1]))
                end--;
        return line_end(source, end);
}

static const yaml_node_pair_t *find_pair(struct source *source, const yaml_node_t *mapping,
                                         const char *name)
{
        for (const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
             pair < mapping->data.mapping.pairs.top; pair++) {
                const yaml_node_t *key = node_at(source, pair->key);

                if (strcmp((const char *)key->data.scalar.value, name) == 0)
                        return pair;
        }
        return NULL;
}

static bool is_flow(const yaml_node_t *node)
{
        return (node->type == YAML_MAPPING_NODE &&
                node->data.mapping.style == YAML_FLOW_MAPPING_STYLE) ||
               (node->type == YAML_SEQUENCE_NODE &&
                node->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE);
}

static bool is_null(const yaml_node_t *node)
{
        const char *value;

        if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
                return false;
        value = (const char *)node->data.scalar.value;
        return *value == '\0' || strcmp(value, "~") == 0 || strcmp(value, "null") == 0 ||
               strcmp(value, "Null") == 0 || strcmp(value, "NULL") == 0;
}

/* The bytes between two children of a flow collection are blanks, line breaks,
 * comments and one comma. Where is it, if it is there? */
static bool find_comma(const struct source *source, size_t at, size_t *ret)
{
        for (; at < source->length; at++) {
                if (source->text[at] == '#')
                        at = line_end(source, at);
                else if (source->text[at] == ',')
                        break;
                else if (!strchr(" \t\r\n", source->text[at]))
                        return false;
        }
        *ret = at;
        return at < source->length;
}

/* Behind the last child of a flow collection: `first` is where that child (or
 * its key) begins, `end` one past it. */
static void place_in_flow(struct source *source, size_t first, size_t end, size_t closing,
                          struct yaml_place *place)
{
        size_t line = first, comma = 0;
        bool trailing = find_comma(source, end, &comma);
        size_t at = line_end(source, trailing ? comma : end);

        place->form = YAML_FORM_FLOW;
        place->comma = true;
        place->at = place->until = place->comma_at = end;
        while (line > 0 && is_blank(source->text[line - 1]))
                line--;
        if (line == 0 || source->text[line - 1] != '\n' || at >= closing)
                return;
        /* Each child has a line of its own: so shall the new one. */
        place->own_line = true;
        place->at = place->until = at;
        place->comma = !trailing;
        place->trailing_comma = trailing;
        place->indent_at = line;
        place->indent_length = first - line;
}

static bool is_empty(const yaml_node_t *collection)
{
        if (collection->type == YAML_MAPPING_NODE)
                return collection->data.mapping.pairs.top == collection->data.mapping.pairs.start;
        return collection->data.sequence.items.top == collection->data.sequence.items.start;
}

static void place_in_flow_collection(struct source *source, const yaml_node_t *node,
                                     struct yaml_place *place)
{
        const yaml_node_t *first, *last;

        if (is_empty(node)) {
                place->form = YAML_FORM_FLOW;
                place->at = place->until = byte_of(source, node->start_mark.index) + 1;
                return;
        }
        if (node->type == YAML_MAPPING_NODE) {
                first = node_at(source, node->data.mapping.pairs.top[-1].key);
                last = node_at(source, node->data.mapping.pairs.top[-1].value);
                place->quoted = first->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        } else {
                first = last = node_at(source, node->data.sequence.items.top[-1]);
        }
        place_in_flow(source, byte_of(source, first->start_mark.index), node_end(source, last),
                      byte_of(source, node->end_mark.index) - 1, place);
}

/* The value of `key` is nothing yet: `key:` or `key: null`. */
static int place_at_null(struct source *source, const yaml_node_t *key, const yaml_node_t *value,
                         bool in_flow, struct yaml_place *place, struct error *error)
{
        size_t at = byte_of(source, value->start_mark.index);
        size_t until = byte_of(source, value->end_mark.index);

        /* An anchor or a tag lies within the marks too: it is not ours to replace. */
        if (until - at != value->data.scalar.length)
                return refuse(error, value, "anchors and tags are not supported");
        place->at = at;
        place->until = until;
        place->form = YAML_FORM_VALUE;
        if (!in_flow && at == until) {
                place->form = YAML_FORM_LINES;
                place->at = place->until = line_end(source, at);
                place->column = key->start_mark.column + 2;
        }
        return 0;
}

static int locate_item(struct source *source, const yaml_node_t *list, struct yaml_place *place,
                       struct error *error)
{
        const yaml_node_t *last;

        if (list->type != YAML_SEQUENCE_NODE)
                return refuse(error, list, "a list is expected here");
        if (is_flow(list)) {
                place_in_flow_collection(source, list, place);
                return 0;
        }
        last = node_at(source, list->data.sequence.items.top[-1]);
        place->form = YAML_FORM_LINES;
        place->at = place->until = last_line_end(source, last);
        place->column = list->start_mark.column;
        place->flow_item = is_flow(last);
        return 0;
}

static int locate_list(struct source *source, const yaml_node_t *section, const char *list,
                       struct yaml_place *place, struct error *error)
{
        const yaml_node_pair_t *pair;
        const yaml_node_t *key, *value;

        if (section->type != YAML_MAPPING_NODE)
                return refuse(error, section, "keys and values are expected here");
        pair = find_pair(source, section, list);
        if (pair) {
                key = node_at(source, pair->key);
                value = node_at(source, pair->value);
                place->missing = YAML_MISSING_ITEM;
                place->quoted = key->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
                if (!is_null(value))
                        return locate_item(source, value, place, error);
                return place_at_null(source, key, value, is_flow(section), place, error);
        }
        place->missing = YAML_MISSING_LIST;
        if (is_flow(section)) {
                place_in_flow_collection(source, section, place);
                return 0;
        }
        key = node_at(source, section->data.mapping.pairs.start->key);
        value = node_at(source, section->data.mapping.pairs.top[-1].value);
        place->form = YAML_FORM_LINES;
        place->at = place->until = last_line_end(source, value);
        place->column = key->start_mark.column;
        return 0;
}

static int locate_section(struct source *source, const yaml_node_t *root, const char *section,
                          const char *list, struct yaml_place *place, struct error *error)
{
        const yaml_node_pair_t *pair;
        const yaml_node_t *key, *value;

        place->missing = YAML_MISSING_SECTION;
        place->form = YAML_FORM_LINES;
        place->at = place->until = source->length;
        if (!root || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0))
                return 0;
        if (root->type != YAML_MAPPING_NODE)
                return refuse(error, root, "keys and values are expected here");
        pair = find_pair(source, root, section);
        if (pair) {
                key = node_at(source, pair->key);
                value = node_at(source, pair->value);
                place->missing = YAML_MISSING_LIST;
                place->quoted = key->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
                if (!is_null(value))
                        return locate_list(source, value, list, place, error);
                return place_at_null(source, key, value, is_flow(root), place, error);
        }
        place->quoted = is_flow(root) && is_empty(root); /* "{}" is how JSON says nothing */
        if (is_flow(root))
                place_in_flow_collection(source, root, place);
        else
                place->column = root->start_mark.column;
        return 0;
}

int yaml_edit_locate(const char *text, size_t length, const char *section, const char *list,
                     struct yaml_place *ret, struct error *error)
{
        AUTO_JSON cJSON *outline = NULL;
        struct yaml_place place = {0};
        struct source source;
        int r;

        r = source_init(&source, text, length, error);
        if (r < 0)
                return r;
        /* What has an outline has scalar keys, no aliases and a bounded depth. */
        r = outline_source(&source, &outline, error);
        if (r == 0)
                r = locate_section(&source, yaml_document_get_root_node(&source.document), section,
                                   list, &place, error);
        source_done(&source);
        if (r < 0)
                return r;
        *ret = place;
        return 0;
}
