#include "cli/render.h"

#include "cli/printable.h"
#include "cli/unit.h"
#include "data/json-writer.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum {
        KEY_WIDTH_MAX = 32,
        COLUMNS_MAX = 12,
        CELL_MAX = 128 << 20, /* bytes of one value on one line */
        STEP = 2,             /* of indentation */
        WRAP_MIN = 20,        /* columns: a narrower text is not broken into lines */
};

struct render {
        struct buffer *out;
        struct buffer cell; /* one value, while it is measured */
        const struct render_style *style;
        int error; /* the first failure; the rest is then left out */
};

static void note(struct render *render, int result)
{
        if (render->error == 0 && result < 0)
                render->error = result;
}

static void put(struct render *render, const char *text)
{
        note(render, buffer_append_text(render->out, text));
}

static void put_blanks(struct render *render, size_t count)
{
        note(render, buffer_printf(render->out, "%*s", (int)count, ""));
}

static const char *paint_of(enum render_paint paint)
{
        switch (paint) {
        case RENDER_GOOD:
                return "\033[32m";
        case RENDER_WARNING:
                return "\033[33m";
        case RENDER_BAD:
                return "\033[1;31m";
        case RENDER_TITLE:
                return "\033[1m";
        case RENDER_PLAIN:
                break;
        }
        return "";
}

int render_text(struct buffer *out, const char *text, enum render_paint paint,
                const struct render_style *style)
{
        bool coloured = style->colour && paint != RENDER_PLAIN;
        int r = coloured ? buffer_append_text(out, paint_of(paint)) : 0;

        if (r == 0)
                r = printable_append(out, text, strlen(text));
        if (r == 0 && coloured)
                r = buffer_append_text(out, "\033[0m");
        return r;
}

static void put_name(struct render *render, const char *name, enum render_paint paint)
{
        note(render, render_text(render->out, name, paint, render->style));
}

/* ---- values on one line ---- */

static bool is_scalar(const cJSON *value)
{
        return !cJSON_IsObject(value) && !cJSON_IsArray(value);
}

static bool is_text_of_lines(const cJSON *value)
{
        const char *newline = cJSON_IsString(value) ? strchr(value->valuestring, '\n') : NULL;

        return newline && newline[1] != '\0';
}

static bool is_on_one_line(const cJSON *value)
{
        if (is_scalar(value))
                return !is_text_of_lines(value);
        for (const cJSON *item = value->child; item; item = item->next)
                if (!cJSON_IsArray(value) || !is_scalar(item) || is_text_of_lines(item))
                        return false;
        return true; /* empty, or a list of plain values */
}

static int append_scalar(struct buffer *out, const cJSON *value, enum unit unit)
{
        size_t length;

        if (cJSON_IsNumber(value))
                return unit_append(out, value->valuedouble, unit);
        if (cJSON_IsBool(value))
                return buffer_append_text(out, cJSON_IsTrue(value) ? "yes" : "no");
        if (!cJSON_IsString(value))
                return buffer_append_text(out, "-");
        length = strlen(value->valuestring);
        if (length > 0 && value->valuestring[length - 1] == '\n')
                length--;
        return printable_append(out, value->valuestring, length);
}

static void append_line(struct buffer *out, const cJSON *value, enum unit unit, int *error)
{
        int r = 0;

        if (is_scalar(value)) {
                r = append_scalar(out, value, unit);
        } else if (!value->child) {
                r = buffer_append_text(out, "none");
        } else {
                for (const cJSON *item = value->child; item && r == 0; item = item->next) {
                        r = append_scalar(out, item, unit);
                        if (r == 0 && item->next)
                                r = buffer_append_text(out, ", ");
                }
        }
        if (*error == 0 && r < 0)
                *error = r;
}

/* Fills render->cell; its content is valid until the next call. */
static size_t measure(struct render *render, const cJSON *value, enum unit unit)
{
        buffer_truncate(&render->cell, 0);
        append_line(&render->cell, value, unit, &render->error);
        if (buffer_length(&render->cell) == 0)
                return 0;
        return printable_width(buffer_data(&render->cell), buffer_length(&render->cell));
}

static void put_cell(struct render *render)
{
        if (buffer_length(&render->cell) > 0)
                note(render, buffer_append(render->out, buffer_data(&render->cell),
                                           buffer_length(&render->cell)));
}

/* The cell, broken at blanks where it would run over the terminal's edge; its
 * further lines begin below its first. */
static void put_wrapped_cell(struct render *render, size_t indent)
{
        size_t room = render->style->width > indent ? render->style->width - indent : 0;
        const char *text = buffer_data(&render->cell);
        size_t length = buffer_length(&render->cell);

        while (room >= WRAP_MIN && length > room) {
                const char *blank = memrchr(text, ' ', room + 1);
                size_t taken = blank ? (size_t)(blank - text) : 0;

                if (taken == 0)
                        break;
                note(render, buffer_append(render->out, text, taken));
                put(render, "\n");
                put_blanks(render, indent);
                text += taken + 1;
                length -= taken + 1;
        }
        if (length > 0)
                note(render, buffer_append(render->out, text, length));
}

static size_t name_width(struct render *render, const char *name)
{
        buffer_truncate(&render->cell, 0);
        note(render, printable_append(&render->cell, name, strlen(name)));
        if (buffer_length(&render->cell) == 0)
                return 0;
        return printable_width(buffer_data(&render->cell), buffer_length(&render->cell));
}

static void put_text_of_lines(struct render *render, const char *text, size_t indent)
{
        while (*text) {
                size_t length = strcspn(text, "\n");

                put_blanks(render, indent);
                note(render, printable_append_line(render->out, text, length));
                put(render, "\n");
                text += length + (text[length] == '\n');
        }
}

/* ---- tables ---- */

struct column {
        const char *name;
        size_t width;
};

struct table {
        struct column columns[COLUMNS_MAX];
        size_t count;
        size_t name_width; /* of the rows' own names; 0: they have none */
};

static struct column *find_column(struct table *table, const char *name)
{
        for (size_t i = 0; i < table->count; i++)
                if (strcmp(table->columns[i].name, name) == 0)
                        return &table->columns[i];
        return NULL;
}

static bool add_row(struct render *render, struct table *table, const cJSON *row)
{
        for (const cJSON *member = row->child; member; member = member->next) {
                struct column *column = find_column(table, member->string);
                size_t width;

                if (!is_on_one_line(member))
                        return false;
                if (!column) {
                        if (table->count == COLUMNS_MAX)
                                return false;
                        column = &table->columns[table->count++];
                        *column =
                                (struct column){member->string, name_width(render, member->string)};
                }
                width = measure(render, member, unit_of(member->string, row->string));
                if (width > column->width)
                        column->width = width;
        }
        return row->child != NULL;
}

/* Are the children of `list` (an array or an object) alike enough, and narrow
 * enough, to stand in a table? */
static bool make_table(struct render *render, const cJSON *list, size_t indent, struct table *table)
{
        size_t width = indent;

        *table = (struct table){0};
        for (const cJSON *row = list->child; row; row = row->next) {
                if (!cJSON_IsObject(row) || !add_row(render, table, row))
                        return false;
                if (row->string) {
                        size_t name = name_width(render, row->string);

                        table->name_width = name > table->name_width ? name : table->name_width;
                }
        }
        width += table->name_width + (table->name_width > 0 ? STEP : 0);
        for (size_t i = 0; i < table->count; i++)
                width += table->columns[i].width + (i > 0 ? STEP : 0);
        return table->count > 0 && width <= render->style->width;
}

static void put_row(struct render *render, const struct table *table, const cJSON *row,
                    size_t indent)
{
        size_t pending = indent; /* blanks that are due before the next cell */

        if (table->name_width > 0) {
                size_t width = name_width(render, row->string);

                put_blanks(render, pending);
                put_name(render, row->string, RENDER_TITLE);
                pending = table->name_width - width + STEP;
        }
        for (size_t i = 0; i < table->count; i++) {
                const struct column *column = &table->columns[i];
                const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, column->name);
                size_t width = 0;

                if (value) {
                        put_blanks(render, pending);
                        pending = 0;
                        width = measure(render, value, unit_of(column->name, row->string));
                        put_cell(render);
                }
                /* A name that stands twice may be wider the second time. */
                pending += (column->width > width ? column->width - width : 0) + STEP;
        }
        put(render, "\n");
}

static void put_table(struct render *render, const struct table *table, const cJSON *list,
                      size_t indent)
{
        size_t pending = indent + (table->name_width > 0 ? table->name_width + STEP : 0);

        for (size_t i = 0; i < table->count; i++) {
                put_blanks(render, pending);
                pending =
                        table->columns[i].width - name_width(render, table->columns[i].name) + STEP;
                put_name(render, table->columns[i].name, RENDER_TITLE);
        }
        put(render, "\n");
        for (const cJSON *row = list->child; row; row = row->next)
                put_row(render, table, row, indent);
}

/* ---- what is nested ---- */

static void put_members(struct render *render, const cJSON *object, size_t indent, size_t first,
                        bool (*is_left_out)(const char *name));

/* The children of a list that is no table, each behind a dash. */
static void put_items(struct render *render, const cJSON *list, const char *name, size_t indent)
{
        for (const cJSON *item = list->child; item; item = item->next) {
                put_blanks(render, indent);
                put(render, "- ");
                if (cJSON_IsObject(item) && item->child) {
                        put_members(render, item, indent + STEP, 0, NULL);
                } else if (is_on_one_line(item)) {
                        measure(render, item, unit_of(name, NULL));
                        put_cell(render);
                        put(render, "\n");
                } else if (is_text_of_lines(item)) {
                        put(render, "\n");
                        put_text_of_lines(render, item->valuestring, indent + STEP);
                } else {
                        put(render, "\n");
                        put_items(render, item, name, indent + STEP);
                }
        }
}

static void put_nested(struct render *render, const cJSON *value, const char *name, size_t indent)
{
        struct table table;

        if (is_text_of_lines(value))
                put_text_of_lines(render, value->valuestring, indent);
        else if (make_table(render, value, indent, &table))
                put_table(render, &table, value, indent);
        else if (cJSON_IsArray(value))
                put_items(render, value, name, indent);
        else
                put_members(render, value, indent, indent, NULL);
}

/* `first` is the indentation of the first line, which a dash may have begun. */
static void put_members(struct render *render, const cJSON *object, size_t indent, size_t first,
                        bool (*is_left_out)(const char *name))
{
        size_t column = 0;

        for (const cJSON *member = object->child; member; member = member->next) {
                size_t width = name_width(render, member->string);

                if (is_on_one_line(member) && width > column && width <= KEY_WIDTH_MAX &&
                    !(is_left_out && is_left_out(member->string)))
                        column = width;
        }
        for (const cJSON *member = object->child; member; member = member->next) {
                size_t width;

                if (is_left_out && is_left_out(member->string))
                        continue;
                put_blanks(render, first);
                first = indent;
                width = name_width(render, member->string);
                put_name(render, member->string, RENDER_TITLE);
                if (is_on_one_line(member)) {
                        size_t padded = column > width ? column : width;

                        put_blanks(render, padded - width + STEP);
                        measure(render, member, unit_of(member->string, object->string));
                        put_wrapped_cell(render, indent + padded + STEP);
                        put(render, "\n");
                } else {
                        put(render, "\n");
                        put_nested(render, member, member->string, indent + STEP);
                }
        }
}

static bool is_envelope(const char *name)
{
        return strcmp(name, "success") == 0 || strcmp(name, "type") == 0 ||
               strcmp(name, "timestamp") == 0;
}

int render_object(struct buffer *out, const cJSON *object, bool envelope,
                  const struct render_style *style)
{
        struct render render = {.out = out, .style = style};
        size_t start = buffer_length(out);

        buffer_init(&render.cell, CELL_MAX);
        put_members(&render, object, 0, 0, envelope ? is_envelope : NULL);
        if (buffer_length(out) == start)
                put(&render, envelope ? "ok\n" : "none\n");
        buffer_done(&render.cell);
        return render.error;
}

int render_json(struct buffer *out, const cJSON *value)
{
        struct json_writer writer;
        struct buffer json;
        int r;

        buffer_init(&json, SIZE_MAX / 4);
        json_writer_init(&writer, &json);
        json_write_tree(&writer, NULL, value);
        r = json_writer_error(&writer);
        if (r == 0)
                r = printable_append_json(out, buffer_data(&json), buffer_length(&json));
        if (r == 0)
                r = buffer_append_text(out, "\n");
        buffer_done(&json);
        return r;
}
