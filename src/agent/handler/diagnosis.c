#include "agent/handler/diagnosis.h"

#include "base/text-copy.h"
#include "base/utf8.h"
#include "data/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const layer_names[] = {
        [DIAGNOSIS_NONE] = "none",
        [DIAGNOSIS_SYNTAX] = "syntax",
        [DIAGNOSIS_SECURITY] = "security",
        [DIAGNOSIS_PROTECTED] = "protected",
        [DIAGNOSIS_DEPENDENCY] = "dependency",
        [DIAGNOSIS_IMPORT] = "import",
        [DIAGNOSIS_RUNTIME] = "runtime",
        [DIAGNOSIS_QUOTA] = "quota",
};

const char *diagnosis_layer_name(enum diagnosis_layer layer)
{
        return layer_names[layer];
}

bool diagnosis_layer_from_name(const char *name, enum diagnosis_layer *ret)
{
        for (size_t i = DIAGNOSIS_SYNTAX; i < ARRAY_SIZE(layer_names); i++) {
                if (strcmp(layer_names[i], name) == 0) {
                        *ret = (enum diagnosis_layer)i;
                        return true;
                }
        }
        return false;
}

void diagnosis_init(struct diagnosis *diagnosis)
{
        *diagnosis = (struct diagnosis){0};
}

static void finding_done(struct diagnosis_finding *finding)
{
        free(finding->message);
        free(finding->rule);
        free(finding->fragment);
        free(finding->severity);
        *finding = (struct diagnosis_finding){0};
}

void diagnosis_done(struct diagnosis *diagnosis)
{
        for (size_t i = 0; i < diagnosis->count; i++)
                finding_done(&diagnosis->findings[i]);
        free(diagnosis->traceback);
        diagnosis_init(diagnosis);
}

/* NULL for NULL and for a failure, which *failed then tells. */
static char *copy_cut(const char *text, size_t max, bool *failed)
{
        size_t length;
        char *copy;

        if (!text)
                return NULL;
        length = strnlen(text, max);
        copy = text_copy(text, utf8_valid_prefix(text, length));
        if (!copy)
                *failed = true;
        return copy;
}

int diagnosis_add_finding(struct diagnosis *diagnosis, enum diagnosis_layer layer,
                          const struct diagnosis_finding *finding)
{
        struct diagnosis_finding copy = {.line = finding->line, .column = finding->column};
        bool failed = false;

        diagnosis->layer = layer;
        if (diagnosis->count == DIAGNOSIS_FINDINGS_MAX) {
                diagnosis->left_out++;
                return 0;
        }
        copy.message = copy_cut(finding->message, DIAGNOSIS_MESSAGE_MAX, &failed);
        copy.rule = copy_cut(finding->rule, DIAGNOSIS_RULE_MAX, &failed);
        copy.fragment = copy_cut(finding->fragment, DIAGNOSIS_FRAGMENT_MAX, &failed);
        copy.severity = copy_cut(finding->severity, DIAGNOSIS_RULE_MAX, &failed);
        if (failed) {
                finding_done(&copy);
                diagnosis->left_out++;
                return -ENOMEM;
        }
        diagnosis->findings[diagnosis->count++] = copy;
        return 0;
}

int diagnosis_add(struct diagnosis *diagnosis, enum diagnosis_layer layer, const char *format, ...)
{
        char text[DIAGNOSIS_MESSAGE_MAX + 1];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        return diagnosis_add_finding(diagnosis, layer,
                                     &(struct diagnosis_finding){.message = text});
}

int diagnosis_add_report(struct diagnosis *diagnosis, const cJSON *report)
{
        const cJSON *findings = json_get(report, "findings"), *item;
        const char *name = json_get_string(report, "layer");
        enum diagnosis_layer layer;
        size_t before = diagnosis->count + diagnosis->left_out;

        if (!name || !diagnosis_layer_from_name(name, &layer) || !cJSON_IsArray(findings))
                return -EBADMSG;
        cJSON_ArrayForEach(item, findings)
        {
                struct diagnosis_finding finding = {
                        .message = (char *)json_get_string(item, "message"),
                        .rule = (char *)json_get_string(item, "rule"),
                        .fragment = (char *)json_get_string(item, "fragment"),
                        .severity = (char *)json_get_string(item, "severity"),
                };

                (void)json_get_integer(item, "line", &finding.line);
                (void)json_get_integer(item, "column", &finding.column);
                if (finding.message && finding.line >= 0 && finding.column >= 0)
                        (void)diagnosis_add_finding(diagnosis, layer, &finding);
        }
        return diagnosis->count + diagnosis->left_out > before ? 0 : -EBADMSG;
}

int diagnosis_set_traceback(struct diagnosis *diagnosis, const char *text)
{
        bool failed = false;

        free(diagnosis->traceback);
        diagnosis->traceback = copy_cut(text, DIAGNOSIS_TRACEBACK_MAX, &failed);
        return failed ? -ENOMEM : 0;
}

const char *diagnosis_sentence(const struct diagnosis *diagnosis)
{
        return diagnosis->count > 0 ? diagnosis->findings[0].message : NULL;
}

static void write_place(const struct diagnosis_finding *finding, struct json_writer *writer)
{
        if (finding->line > 0)
                json_write_integer(writer, "line", finding->line);
        if (finding->column > 0)
                json_write_integer(writer, "column", finding->column);
}

static void write_findings(const struct diagnosis *diagnosis, struct json_writer *writer)
{
        json_write_array(writer, "findings");
        for (size_t i = 0; i < diagnosis->count; i++) {
                const struct diagnosis_finding *finding = &diagnosis->findings[i];

                json_write_object(writer, NULL);
                json_write_string(writer, "message", finding->message);
                write_place(finding, writer);
                if (finding->rule)
                        json_write_string(writer, "rule", finding->rule);
                if (finding->fragment)
                        json_write_string(writer, "fragment", finding->fragment);
                if (finding->severity)
                        json_write_string(writer, "severity", finding->severity);
                json_write_end(writer);
        }
        json_write_end(writer);
}

void diagnosis_write(const struct diagnosis *diagnosis, struct json_writer *writer)
{
        json_write_bool(writer, "valid", diagnosis->layer == DIAGNOSIS_NONE);
        json_write_string(writer, "layer", diagnosis_layer_name(diagnosis->layer));
        json_write_array(writer, "errors");
        for (size_t i = 0; i < diagnosis->count; i++)
                json_write_string(writer, NULL, diagnosis->findings[i].message);
        json_write_end(writer);
        /* One for each error, in their order; empty where no place is known. */
        json_write_array(writer, "locations");
        for (size_t i = 0; i < diagnosis->count; i++) {
                json_write_object(writer, NULL);
                write_place(&diagnosis->findings[i], writer);
                json_write_end(writer);
        }
        json_write_end(writer);
        write_findings(diagnosis, writer);
        if (diagnosis->left_out > 0)
                json_write_integer(writer, "left_out", (int64_t)diagnosis->left_out);
        if (diagnosis->traceback)
                json_write_string(writer, "traceback", diagnosis->traceback);
}
