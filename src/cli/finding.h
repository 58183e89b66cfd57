/* cli/finding.h - what `pifleet doctor` found: one line each, and what to do. */
#pragma once

#include "base/attributes.h"
#include "base/buffer.h"
#include "cli/render.h"
#include "data/json.h"

#include <stddef.h>

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_PROBLEM };

enum { FINDING_TEXT_MAX = 400, FINDINGS_MAX = 64 };

struct finding {
        enum finding_level level;
        const char *area; /* "config", "clock"; static */
        char text[FINDING_TEXT_MAX];
        char advice[FINDING_TEXT_MAX]; /* empty: nothing to do */
};

struct findings {
        struct finding items[FINDINGS_MAX];
        size_t count; /* beyond FINDINGS_MAX: left out */
        size_t warnings, problems;
};

/* Returns the finding, so that finding_advise() can follow; longer texts are cut. */
struct finding *finding_add(struct findings *findings, enum finding_level level, const char *area,
                            const char *format, ...) PRINTF_LIKE(4, 5);
void finding_advise(struct finding *finding, const char *format, ...) PRINTF_LIKE(2, 3);

/* For people, ending in one line that counts. -EMSGSIZE, -ENOMEM. */
int findings_render(const struct findings *findings, const struct render_style *style,
                    struct buffer *out);
/* {"problems": 0, "warnings": 1, "findings": [{...}]}; NULL: no memory. */
cJSON *findings_to_json(const struct findings *findings);
