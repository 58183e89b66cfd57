#include "cli/config-edit.h"

#include "base/cleanup.h"
#include "data/json.h"
#include "data/yaml-edit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct text {
        struct buffer *out;
        const char *newline;
        int error; /* the first failure; the rest is then left out */
};

static void put(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

static void put(struct text *text, const char *format, ...)
{
        va_list arguments;

        if (text->error < 0)
                return;
        va_start(arguments, format);
        text->error = buffer_vprintf(text->out, format, arguments);
        va_end(arguments);
}

static void put_bytes(struct text *text, const char *bytes, size_t count)
{
        if (text->error == 0 && count > 0)
                text->error = buffer_append(text->out, bytes, count);
}

/* Words that YAML would not take for a number, a bool or a null. */
static bool is_plain_word(const char *value)
{
        static const char *const reserved[] = {"y",   "n",    "yes",   "no",  "on",
                                               "off", "true", "false", "null"};
        size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-_");

        if (value[length] != '\0' || *value < 'a' || *value > 'z')
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
                if (strcmp(value, reserved[i]) == 0)
                        return false;
        return true;
}

static bool is_quotable(const char *value)
{
        for (; *value; value++)
                if (*value < ' ' || *value > '~' || *value == '"' || *value == '\\')
                        return false;
        return true;
}

static void put_word(struct text *text, const char *word, bool quoted)
{
        bool plain = !quoted && is_plain_word(word);

        put(text, "%s%s%s", plain ? "" : "\"", word, plain ? "" : "\"");
}

static void put_flow_item(struct text *text, const struct config_edit_item *item, bool quoted)
{
        put(text, "{");
        for (size_t i = 0; i < item->count; i++) {
                put(text, "%s", i > 0 ? ", " : "");
                put_word(text, item->members[i].name, quoted);
                put(text, ": ");
                put_word(text, item->members[i].value, quoted);
        }
        put(text, "}");
}

/* The item with what is missing around it, in flow style. */
static void put_flow(struct text *text, const struct config_edit_item *item,
                     const struct yaml_place *place, enum yaml_missing missing)
{
        bool value_only = place->form == YAML_FORM_VALUE && missing == place->missing;

        switch (missing) {
        case YAML_MISSING_SECTION:
                put_word(text, item->section, place->quoted);
                put(text, ": {");
                put_flow(text, item, place, YAML_MISSING_LIST);
                put(text, "}");
                return;
        case YAML_MISSING_LIST:
                /* In place of a section's null: the whole section. */
                put(text, "%s", value_only ? "{" : "");
                put_word(text, item->list, place->quoted);
                put(text, ": [");
                put_flow_item(text, item, place->quoted);
                put(text, "]%s", value_only ? "}" : "");
                return;
        case YAML_MISSING_ITEM:
                put(text, "%s", value_only ? "[" : "");
                put_flow_item(text, item, place->quoted);
                put(text, "%s", value_only ? "]" : "");
                return;
        }
}

static void put_line_start(struct text *text, bool *first, size_t column)
{
        put(text, "%s%*s", *first ? "" : text->newline, (int)column, "");
        *first = false;
}

/* The same in lines of its own; no line break before the first or after the last. */
static void put_lines(struct text *text, const struct config_edit_item *item,
                      const struct yaml_place *place)
{
        size_t column = place->column;
        bool first = true;

        if (place->missing == YAML_MISSING_SECTION) {
                put_line_start(text, &first, column);
                put(text, "%s:", item->section);
                column += 2;
        }
        if (place->missing <= YAML_MISSING_LIST) {
                put_line_start(text, &first, column);
                put(text, "%s:", item->list);
                column += 2;
        }
        if (place->flow_item) {
                put_line_start(text, &first, column);
                put(text, "- ");
                put_flow_item(text, item, false);
                return;
        }
        for (size_t i = 0; i < item->count; i++) {
                put_line_start(text, &first, column);
                put(text, "%s%s: ", i == 0 ? "- " : "  ", item->members[i].name);
                put_word(text, item->members[i].value, false);
        }
}

/* Copies the text and puts the item at its place. */
static void compose(struct text *text, const char *old, size_t length,
                    const struct config_edit_item *item, const struct yaml_place *place)
{
        if (place->form == YAML_FORM_LINES) {
                bool starts_line = place->at == 0 || old[place->at - 1] == '\n';

                put_bytes(text, old, place->at);
                put(text, "%s", starts_line ? "" : text->newline);
                /* A section of its own is set apart from those before it. */
                if (place->missing == YAML_MISSING_SECTION && length > 0)
                        put(text, "%s", text->newline);
                put_lines(text, item, place);
                put(text, "%s", place->at == length ? text->newline : "");
        } else if (place->form == YAML_FORM_FLOW && place->own_line) {
                size_t comma_at = place->comma ? place->comma_at : place->at;

                put_bytes(text, old, comma_at);
                put(text, "%s", place->comma ? "," : "");
                put_bytes(text, old + comma_at, place->at - comma_at);
                put(text, "%s", text->newline);
                put_bytes(text, old + place->indent_at, place->indent_length);
                put_flow(text, item, place, place->missing);
                put(text, "%s", place->trailing_comma ? "," : "");
        } else {
                bool touches_colon = place->form == YAML_FORM_VALUE && place->at > 0 &&
                                     old[place->at - 1] == ':';

                put_bytes(text, old, place->at);
                put(text, "%s", place->comma ? ", " : touches_colon ? " " : "");
                put_flow(text, item, place, place->missing);
        }
        put_bytes(text, old + place->until, length - place->until);
}

/* A scalar as yaml_edit_outline() tells of it. */
static cJSON *outline_of(const char *value, bool quoted)
{
        char text[512];

        snprintf(text, sizeof(text), "%c%s", !quoted && is_plain_word(value) ? '=' : '"', value);
        return cJSON_CreateString(text);
}

/* The member `name` of `object`, made anew when it is absent or a null. */
static cJSON *member_or_new(cJSON *object, const char *name, cJSON *make(void))
{
        cJSON *there = cJSON_GetObjectItemCaseSensitive(object, name);
        cJSON *fresh;

        if (there && !cJSON_IsString(there))
                return there;
        fresh = make();
        if (there ? cJSON_ReplaceItemInObjectCaseSensitive(object, name, fresh)
                  : cJSON_AddItemToObject(object, name, fresh))
                return fresh;
        cJSON_Delete(fresh);
        return NULL;
}

/* Does `changed` say what `old` says, and the item, and nothing else? */
static int verify(const char *old, size_t old_length, const struct buffer *changed, size_t start,
                  const struct config_edit_item *item, bool quoted, struct error *error)
{
        AUTO_JSON cJSON *expected = NULL;
        AUTO_JSON cJSON *found = NULL;
        AUTO_JSON cJSON *added = cJSON_CreateObject();
        cJSON *list;
        int r;

        r = yaml_edit_outline(old, old_length, &expected, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < item->count; i++) {
                AUTO_JSON cJSON *value = outline_of(item->members[i].value, quoted);

                if (!value || !cJSON_AddItemToObject(added, item->members[i].name, value))
                        return error_set(error, -ENOMEM, "out of memory");
                value = NULL;
        }
        list = member_or_new(expected, item->section, cJSON_CreateObject);
        list = list ? member_or_new(list, item->list, cJSON_CreateArray) : NULL;
        if (!list || !cJSON_AddItemToArray(list, added))
                return error_set(error, -ENOMEM, "out of memory");
        added = NULL;

        r = yaml_edit_outline(buffer_data(changed) + start, buffer_length(changed) - start, &found,
                              NULL);
        if (r == -ENOMEM)
                return error_set(error, r, "out of memory");
        if (r < 0 || !cJSON_Compare(expected, found, true))
                return error_set(error, -ENOTSUP,
                                 "it is written in a way that cannot be changed safely");
        return 0;
}

static const char *newline_of(const char *text, size_t length)
{
        const char *newline = memchr(text, '\n', length);

        return newline && newline > text && newline[-1] == '\r' ? "\r\n" : "\n";
}

int config_edit_add(const char *old, size_t length, const struct config_edit_item *item,
                    struct buffer *out, struct error *error)
{
        struct text text = {.out = out, .newline = newline_of(old, length)};
        size_t start = buffer_length(out);
        struct yaml_place place;
        int r;

        for (size_t i = 0; i < item->count; i++)
                if (!is_quotable(item->members[i].value))
                        return error_set(error, -EINVAL, "\"%s\" cannot stand in the file",
                                         item->members[i].name);
        r = yaml_edit_locate(old, length, item->section, item->list, &place, error);
        if (r < 0)
                return r;
        compose(&text, old, length, item, &place);
        if (text.error < 0)
                r = error_set(error, text.error,
                              text.error == -ENOMEM ? "out of memory" : "too large to be changed");
        else
                r = verify(old, length, out, start, item,
                           place.quoted && place.form != YAML_FORM_LINES, error);
        if (r < 0)
                buffer_truncate(out, start);
        return r;
}

int config_edit_snippet(const struct config_edit_item *item, struct buffer *out)
{
        struct text text = {.out = out, .newline = "\n"};
        struct yaml_place place = {.missing = YAML_MISSING_SECTION};

        put_lines(&text, item, &place);
        put(&text, "\n");
        return text.error;
}
