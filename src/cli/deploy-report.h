/* cli/deploy-report.h - how a deployment ended, as its author wants to see it: a
 * line for each check, and on failure the line of the source with a caret below,
 * as compilers show it.
 *
 *     camera_handlers.py
 *       ok      syntax
 *       refused security
 *     camera_handlers.py:4:5: Dangerous pattern detected: os.system(
 *        4 |     os.system("ls")
 *          |     ^
 *
 * Pure: a reply and a source in, text out. */
#pragma once

#include "base/buffer.h"
#include "cli/render.h"
#include "data/json.h"

#include <stddef.h>

struct deploy_source {
        const char *path; /* as it was named */
        const char *text; /* what was sent */
        size_t length;
};

/* `milliseconds`: how long the answer took. -EMSGSIZE, -ENOMEM. */
int deploy_report(struct buffer *out, const cJSON *reply, const struct deploy_source *source,
                  double milliseconds, const struct render_style *style);
