#include "cli/deploy-report.h"

#include "cli/client.h"
#include "cli/printable.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum {
        FINDINGS_MAX = 20,     /* shown; the rest is counted */
        SOURCE_LINE_MAX = 240, /* bytes of a source line that are shown */
        UTF8_BYTES_MAX = 4,    /* of a character */
};

static const struct {
        const char *name, *means;
} layers[] = {
        {"quota", "name and size"},
        {"syntax", "it compiles"},
        {"security", "nothing dangerous in it"},
        {"protected", "nothing of the agent's own is touched"},
        {"dependency", "all imports are installed"},
        {"import", "it loads, in its sandbox"},
        {"runtime", "it answers"},
};

struct report {
        struct buffer *out;
        const struct render_style *style;
        int error; /* the first; the rest is then left out */
};

static void note(struct report *report, int r)
{
        if (report->error == 0 && r < 0)
                report->error = r;
}

static void paint(struct report *report, const char *text, enum render_paint colour)
{
        note(report, render_text(report->out, text, colour, report->style));
}

static void put(struct report *report, const char *text)
{
        note(report, buffer_append_text(report->out, text));
}

static void put_layer(struct report *report, const char *mark, enum render_paint colour,
                      const char *name, const char *means)
{
        note(report, buffer_printf(report->out, "  "));
        paint(report, mark, colour);
        note(report, buffer_printf(report->out, "%*s%-*s%s\n", (int)(9 - strlen(mark)), "",
                                   *means ? 11 : 0, name, means));
}

/* Every layer before the one that failed was passed; those behind it were not
 * looked at. What the failed one means would read as if it were so. */
static void put_layers(struct report *report, const char *failed)
{
        for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
                bool bad = failed && strcmp(layers[i].name, failed) == 0;

                put_layer(report, bad ? "refused" : "ok", bad ? RENDER_BAD : RENDER_GOOD,
                          layers[i].name, bad ? "" : layers[i].means);
                if (bad)
                        return;
        }
}

static bool is_layer(const char *name)
{
        for (size_t i = 0; name && i < ARRAY_SIZE(layers); i++)
                if (strcmp(layers[i].name, name) == 0)
                        return true;
        return false;
}

/* Line `number` (from 1) of the source. */
static bool find_line(const struct deploy_source *source, int64_t number, const char **text,
                      size_t *length)
{
        const char *end = source->text + source->length;
        const char *line = source->text;

        for (int64_t i = 1; i < number; i++) {
                line = memchr(line, '\n', (size_t)(end - line));
                if (!line)
                        return false;
                line++;
        }
        if (number < 1 || line == end)
                return false;
        *text = line;
        *length = strcspn(line, "\r\n");
        if (*length > (size_t)(end - line))
                *length = (size_t)(end - line);
        return true;
}

/* The bytes of the first `columns` characters of a line. */
static size_t bytes_before(const char *line, size_t length, int64_t columns)
{
        size_t i = 0;

        for (; i < length && columns > 0; columns--)
                do
                        i++;
                while (i < length && ((unsigned char)line[i] & 0xc0) == 0x80);
        return i;
}

/* As wide as the text it stands below; tabs stay tabs, whatever they are worth. */
static void put_padding(struct report *report, const char *text, size_t length)
{
        for (size_t i = 0, next; i < length; i += next) {
                next = bytes_before(text + i, length - i, 1);
                if (text[i] == '\t')
                        put(report, "\t");
                else
                        note(report, buffer_printf(report->out, "%*s",
                                                   (int)printable_width(text + i, next), ""));
        }
}

static void put_source(struct report *report, const struct deploy_source *source, int64_t number,
                       int64_t column)
{
        size_t length, before;
        const char *line;

        if (!find_line(source, number, &line, &length))
                return;
        if (length > SOURCE_LINE_MAX)
                length = bytes_before(line, length, SOURCE_LINE_MAX / UTF8_BYTES_MAX);
        note(report, buffer_printf(report->out, "%5" PRId64 " | ", number));
        note(report, printable_append_line(report->out, line, length));
        put(report, "\n");
        if (column < 1)
                return;
        before = bytes_before(line, length, column - 1);
        put(report, "      | ");
        put_padding(report, line, before);
        paint(report, "^", RENDER_BAD);
        put(report, "\n");
}

static void put_finding(struct report *report, const struct deploy_source *source,
                        const cJSON *location, const char *sentence)
{
        int64_t line = 0, column = 0;

        (void)json_get_integer(location, "line", &line);
        (void)json_get_integer(location, "column", &column);
        paint(report, source->path, RENDER_TITLE);
        if (line > 0)
                note(report, buffer_printf(report->out, ":%" PRId64, line));
        if (line > 0 && column > 0)
                note(report, buffer_printf(report->out, ":%" PRId64, column));
        put(report, ": ");
        paint(report, sentence, RENDER_BAD);
        put(report, "\n");
        put_source(report, source, line, column);
}

static void put_findings(struct report *report, const struct deploy_source *source,
                         const cJSON *details)
{
        const cJSON *errors = json_get(details, "errors");
        const cJSON *locations = json_get(details, "locations");
        const cJSON *location = cJSON_IsArray(locations) ? locations->child : NULL;
        size_t count = 0;

        for (const cJSON *item = cJSON_IsArray(errors) ? errors->child : NULL; item;
             item = item->next) {
                if (count++ < FINDINGS_MAX && cJSON_IsString(item))
                        put_finding(report, source, location, item->valuestring);
                location = location ? location->next : NULL;
        }
        if (count > FINDINGS_MAX)
                note(report, buffer_printf(report->out, "and %zu more\n", count - FINDINGS_MAX));
}

/* Of what the module raised while it was loaded: its own lines only. */
static void put_traceback(struct report *report, const char *text)
{
        while (*text) {
                size_t length = strcspn(text, "\n");

                put(report, "  ");
                note(report, printable_append_line(report->out, text, length));
                put(report, "\n");
                text += length + (text[length] == '\n');
        }
}

static void put_refusal(struct report *report, const cJSON *reply,
                        const struct deploy_source *source)
{
        const cJSON *details = json_get(reply, "validation_details");
        const char *layer = json_get_string(details, "layer");
        const char *sentence = json_get_string(reply, "error");
        const char *traceback = json_get_string(details, "traceback");
        const cJSON *errors = json_get(details, "errors");

        if (is_layer(layer))
                put_layers(report, layer);
        if (cJSON_IsArray(errors) && errors->child) {
                put_findings(report, source, details);
        } else {
                paint(report, sentence ? sentence : "the agent refused without saying why",
                      RENDER_BAD);
                put(report, "\n");
        }
        if (traceback)
                put_traceback(report, traceback);
}

static void put_commands(struct report *report, const cJSON *reload)
{
        const cJSON *commands = json_get(reload, "commands");
        size_t count = 0;

        for (const cJSON *item = cJSON_IsArray(commands) ? commands->child : NULL; item;
             item = item->next) {
                put(report, count++ ? ", " : "  commands ");
                if (cJSON_IsString(item))
                        paint(report, item->valuestring, RENDER_TITLE);
        }
        put(report, count ? "\n" : "  no commands\n");
}

static void put_success(struct report *report, const cJSON *reply, double milliseconds)
{
        const char *type = json_get_string(reply, "type");
        const char *backup = json_get_string(reply, "backup_created");
        bool checked = type && strcmp(type, "handler_checked") == 0;
        bool unchanged = false;

        (void)json_get_bool(reply, "unchanged", &unchanged);
        if (unchanged) {
                note(report,
                     buffer_printf(report->out, "  unchanged: this very code is live already\n"));
                return;
        }
        put_layers(report, NULL);
        put(report, "  ");
        paint(report, checked ? "checked" : "live", RENDER_GOOD);
        note(report, buffer_printf(report->out, " after %.0f ms%s\n", milliseconds,
                                   checked ? "; nothing was changed" : ""));
        put_commands(report, json_get(reply, "reload"));
        if (backup) {
                put(report, "  before   ");
                paint(report, backup, RENDER_PLAIN);
                put(report, "\n");
        }
}

int deploy_report(struct buffer *out, const cJSON *reply, const struct deploy_source *source,
                  double milliseconds, const struct render_style *style)
{
        struct report report = {.out = out, .style = style};

        paint(&report, source->path, RENDER_TITLE);
        put(&report, "\n");
        if (client_reply_is_good(reply))
                put_success(&report, reply, milliseconds);
        else
                put_refusal(&report, reply, source);
        return report.error;
}
