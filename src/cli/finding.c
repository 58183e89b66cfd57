#include "cli/finding.h"

#include "data/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {"ok", "warning", "problem"};

struct finding *finding_add(struct findings *findings, enum finding_level level, const char *area,
                            const char *format, ...)
{
        /* The last place is taken again when all are: it is never reached in practice, and a
         * problem still counts. */
        size_t place = findings->count < FINDINGS_MAX ? findings->count++ : FINDINGS_MAX - 1;
        struct finding *finding = &findings->items[place];
        va_list arguments;

        findings->warnings += level == FINDING_WARNING;
        findings->problems += level == FINDING_PROBLEM;
        *finding = (struct finding){.level = level, .area = area};
        va_start(arguments, format);
        vsnprintf(finding->text, sizeof(finding->text), format, arguments);
        va_end(arguments);
        return finding;
}

void finding_advise(struct finding *finding, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(finding->advice, sizeof(finding->advice), format, arguments);
        va_end(arguments);
}

static int render_one(const struct finding *finding, const struct render_style *style,
                      struct buffer *out)
{
        static const enum render_paint paints[] = {RENDER_GOOD, RENDER_WARNING, RENDER_BAD};
        const char *level = level_names[finding->level];
        int r = render_text(out, level, paints[finding->level], style);

        if (r == 0)
                r = buffer_printf(out, "%*s%-12s", (int)(9 - strlen(level)), "", finding->area);
        if (r == 0)
                r = render_text(out, finding->text, RENDER_PLAIN, style);
        if (r == 0 && *finding->advice) {
                r = buffer_printf(out, "\n%*s-> ", 21, "");
                if (r == 0)
                        r = render_text(out, finding->advice, RENDER_PLAIN, style);
        }
        return r == 0 ? buffer_append_text(out, "\n") : r;
}

static const char *plural(size_t count)
{
        return count == 1 ? "" : "s";
}

int findings_render(const struct findings *findings, const struct render_style *style,
                    struct buffer *out)
{
        int r = 0;

        for (size_t i = 0; i < findings->count && r == 0; i++)
                r = render_one(&findings->items[i], style, out);
        if (r < 0)
                return r;
        return buffer_printf(out, "\n%zu problem%s, %zu warning%s\n", findings->problems,
                             plural(findings->problems), findings->warnings,
                             plural(findings->warnings));
}

static int add_json(cJSON *list, const struct finding *finding)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();

        if (!cJSON_AddStringToObject(object, "area", finding->area) ||
            !cJSON_AddStringToObject(object, "level", level_names[finding->level]) ||
            !cJSON_AddStringToObject(object, "text", finding->text) ||
            (*finding->advice && !cJSON_AddStringToObject(object, "advice", finding->advice)))
                return -ENOMEM;
        return cJSON_AddItemToArray(list, TAKE(object)) ? 0 : -ENOMEM;
}

cJSON *findings_to_json(const struct findings *findings)
{
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        cJSON *list;

        if (!cJSON_AddNumberToObject(object, "problems", (double)findings->problems) ||
            !cJSON_AddNumberToObject(object, "warnings", (double)findings->warnings))
                return NULL;
        list = cJSON_AddArrayToObject(object, "findings");
        if (!list)
                return NULL;
        for (size_t i = 0; i < findings->count; i++)
                if (add_json(list, &findings->items[i]) < 0)
                        return NULL;
        return TAKE(object);
}
