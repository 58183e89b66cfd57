#include "data/prometheus.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void prometheus_writer_init(struct prometheus_writer *writer, struct buffer *out)
{
        *writer = (struct prometheus_writer){.out = out};
}

int prometheus_writer_error(const struct prometheus_writer *writer)
{
        return writer->error;
}

static void keep_error(struct prometheus_writer *writer, int r)
{
        if (r < 0 && writer->error == 0)
                writer->error = r;
}

static void append(struct prometheus_writer *writer, const char *text, size_t length)
{
        if (writer->error == 0)
                keep_error(writer, buffer_append(writer->out, text, length));
}

static void append_text(struct prometheus_writer *writer, const char *text)
{
        append(writer, text, strlen(text));
}

void prometheus_family(struct prometheus_writer *writer, const char *name,
                       enum prometheus_type type, const char *help)
{
        writer->family = name;
        if (writer->error == 0)
                keep_error(writer,
                           buffer_printf(writer->out, "# HELP %s %s\n# TYPE %s %s\n", name, help,
                                         name, type == PROMETHEUS_COUNTER ? "counter" : "gauge"));
}

/* Backslash, quote and line feed are all that the format escapes. */
static void append_escaped(struct prometheus_writer *writer, const char *value)
{
        while (*value) {
                size_t plain = strcspn(value, "\\\"\n");

                append(writer, value, plain);
                value += plain;
                if (*value == '\n')
                        append(writer, "\\n", 2);
                else if (*value)
                        append(writer, (const char[]){'\\', *value}, 2);
                value += *value != '\0';
        }
}

void prometheus_label(struct prometheus_writer *writer, const char *name, const char *value)
{
        if (writer->labelled) {
                append(writer, ",", 1);
        } else {
                append_text(writer, writer->family);
                append(writer, "{", 1);
        }
        writer->labelled = true;
        append_text(writer, name);
        append(writer, "=\"", 2);
        append_escaped(writer, value);
        append(writer, "\"", 1);
}

/* What stands in front of the value. */
static void begin_value(struct prometheus_writer *writer)
{
        if (writer->labelled)
                append(writer, "} ", 2);
        else {
                append_text(writer, writer->family);
                append(writer, " ", 1);
        }
        writer->labelled = false;
}

void prometheus_count(struct prometheus_writer *writer, uint64_t value)
{
        begin_value(writer);
        if (writer->error == 0)
                keep_error(writer, buffer_printf(writer->out, "%" PRIu64 "\n", value));
}

void prometheus_number(struct prometheus_writer *writer, double value)
{
        begin_value(writer);
        if (isnan(value))
                append_text(writer, "NaN\n");
        else if (isinf(value))
                append_text(writer, value > 0 ? "+Inf\n" : "-Inf\n");
        else if (writer->error == 0)
                keep_error(writer, buffer_printf(writer->out, "%.15g\n", value));
}
