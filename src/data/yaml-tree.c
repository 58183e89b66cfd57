#include "data/yaml-tree.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct yaml_tree {
        const char *name;
        yaml_document_t document;
        bool loaded;
};

/* A text that is on its way through libyaml. */
struct source {
        const char *name, *text;
        size_t length;
        struct error *error;
};

static int refuse_at_mark(const struct source *source, const yaml_mark_t *mark,
                          const char *sentence)
{
        return error_set(source->error, -EINVAL, "%s:%zu:%zu: %s", source->name, mark->line + 1,
                         mark->column + 1, sentence);
}

static int refuse_at_byte(const struct source *source, size_t at, const char *sentence)
{
        yaml_mark_t mark = {0};

        for (size_t i = 0; i < at; i++) {
                if (source->text[i] == '\n') {
                        mark.line++;
                        mark.column = 0;
                } else if (((unsigned char)source->text[i] & 0xC0) != 0x80) {
                        mark.column++;
                }
        }
        return refuse_at_mark(source, &mark, sentence);
}

static int refuse_by_parser(const struct source *source, const yaml_parser_t *parser)
{
        const char *problem = parser->problem ? parser->problem : "syntax error";
        char sentence[256];

        if (parser->error == YAML_MEMORY_ERROR)
                return error_set(source->error, -ENOMEM, "%s: out of memory", source->name);
        /* A bracket that is missing is missed at the end of the file. */
        if (parser->context && parser->context_mark.line < parser->problem_mark.line)
                snprintf(sentence, sizeof(sentence), "not YAML: %s %s that begins in line %zu",
                         problem, parser->context, parser->context_mark.line + 1);
        else if (parser->context)
                snprintf(sentence, sizeof(sentence), "not YAML: %s %s", problem, parser->context);
        else
                snprintf(sentence, sizeof(sentence), "not YAML: %s", problem);
        /* The reader knows no lines yet. */
        if (parser->error == YAML_READER_ERROR)
                return refuse_at_byte(source,
                                      parser->problem_offset < source->length
                                              ? parser->problem_offset
                                              : source->length,
                                      sentence);
        return refuse_at_mark(source, &parser->problem_mark, sentence);
}

static int check_bytes(const struct source *source)
{
        const char *nul = memchr(source->text, '\0', source->length);
        size_t valid;

        if (nul)
                return refuse_at_byte(source, (size_t)(nul - source->text),
                                      "a NUL byte: this is not a text file");
        valid = utf8_valid_prefix(source->text, source->length);
        if (valid < source->length)
                return refuse_at_byte(source, valid, "not UTF-8: save the file as UTF-8");
        return 0;
}

struct outline {
        unsigned depth, documents;
};

/* Anchors and tags hang on three kinds of events. */
static int check_properties(const struct source *source, const yaml_event_t *event,
                            const yaml_char_t *anchor, const yaml_char_t *tag)
{
        if (anchor)
                return refuse_at_mark(source, &event->start_mark,
                                      "anchors (&name) are not supported: write the value out "
                                      "where it is needed");
        if (tag)
                return refuse_at_mark(source, &event->start_mark,
                                      "tags (!name) are not supported: leave it out");
        return 0;
}

static int check_deeper(const struct source *source, const yaml_event_t *event,
                        struct outline *outline)
{
        if (++outline->depth > YAML_DEPTH_MAX)
                return refuse_at_mark(source, &event->start_mark, "nested deeper than 16 levels");
        return 0;
}

static int check_event(const struct source *source, const yaml_event_t *event,
                       struct outline *outline)
{
        int r;

        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                if (++outline->documents > 1)
                        return refuse_at_mark(source, &event->start_mark,
                                              "a second document begins here: only one is read");
                return 0;
        case YAML_ALIAS_EVENT:
                return refuse_at_mark(source, &event->start_mark,
                                      "aliases (*name) are not supported: write the value out; "
                                      "text that begins with * needs quotes");
        case YAML_SCALAR_EVENT:
                if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
                        return refuse_at_mark(source, &event->start_mark,
                                              "a NUL (\\0) is not allowed in text");
                return check_properties(source, event, event->data.scalar.anchor,
                                        event->data.scalar.tag);
        case YAML_SEQUENCE_START_EVENT:
                r = check_properties(source, event, event->data.sequence_start.anchor,
                                     event->data.sequence_start.tag);
                return r < 0 ? r : check_deeper(source, event, outline);
        case YAML_MAPPING_START_EVENT:
                r = check_properties(source, event, event->data.mapping_start.anchor,
                                     event->data.mapping_start.tag);
                return r < 0 ? r : check_deeper(source, event, outline);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                outline->depth--;
                return 0;
        default:
                return 0;
        }
}

static int check_events(const struct source *source, yaml_parser_t *parser)
{
        struct outline outline = {0};
        bool end = false;

        while (!end) {
                yaml_event_t event;
                int r;

                if (!yaml_parser_parse(parser, &event))
                        return refuse_by_parser(source, parser);
                end = event.type == YAML_STREAM_END_EVENT;
                r = check_event(source, &event, &outline);
                yaml_event_delete(&event);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_document(const struct source *source, yaml_parser_t *parser, struct yaml_tree *tree)
{
        if (!yaml_parser_load(parser, &tree->document))
                return refuse_by_parser(source, parser);
        tree->loaded = true;
        return 0;
}

/* A parser reads its input once; `tree` NULL: the check of the events. */
static int parse(const struct source *source, struct yaml_tree *tree)
{
        yaml_parser_t parser;
        int r;

        if (!yaml_parser_initialize(&parser))
                return error_set(source->error, -ENOMEM, "%s: out of memory", source->name);
        yaml_parser_set_input_string(&parser, (const unsigned char *)source->text, source->length);
        r = tree ? load_document(source, &parser, tree) : check_events(source, &parser);
        yaml_parser_delete(&parser);
        return r;
}

int yaml_tree_new(const char *name, const char *text, size_t length, struct yaml_tree **ret,
                  struct error *error)
{
        const struct source source = {name, text, length, error};
        AUTO(yaml_tree) struct yaml_tree *tree = NULL;
        int r;

        if (length > YAML_LENGTH_MAX)
                return error_set(error, -EFBIG, "%s: larger than 1 MiB", name);
        r = check_bytes(&source);
        if (r == 0)
                r = parse(&source, NULL);
        if (r < 0)
                return r;

        tree = calloc(1, sizeof(*tree));
        if (!tree)
                return error_set(error, -ENOMEM, "%s: out of memory", name);
        tree->name = name;
        r = parse(&source, tree);
        if (r < 0)
                return r;
        *ret = TAKE(tree);
        return 0;
}

struct yaml_tree *yaml_tree_free(struct yaml_tree *tree)
{
        if (!tree)
                return NULL;
        if (tree->loaded)
                yaml_document_delete(&tree->document);
        free(tree);
        return NULL;
}

/* libyaml's getters take documents that they might change, and do not. */
const yaml_node_t *yaml_tree_root(const struct yaml_tree *tree)
{
        return yaml_document_get_root_node((yaml_document_t *)&tree->document);
}

const yaml_node_t *yaml_tree_at(const struct yaml_tree *tree, int index)
{
        return yaml_document_get_node((yaml_document_t *)&tree->document, index);
}

const char *yaml_node_text(const yaml_node_t *node)
{
        return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

bool yaml_node_is_plain(const yaml_node_t *node)
{
        return node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

bool yaml_node_is_null(const yaml_node_t *node)
{
        static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

        for (size_t i = 0; yaml_node_is_plain(node) && i < ARRAY_SIZE(nulls); i++)
                if (strcmp(yaml_node_text(node), nulls[i]) == 0)
                        return true;
        return false;
}

int yaml_tree_refuse(const struct yaml_tree *tree, const yaml_node_t *where, struct error *error,
                     const char *format, ...)
{
        struct error inner = {0};
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(inner.text, sizeof(inner.text), format, arguments);
        va_end(arguments);
        return error_set(error, -EINVAL, "%s:%zu:%zu: %s", tree->name, where->start_mark.line + 1,
                         where->start_mark.column + 1, inner.text);
}
