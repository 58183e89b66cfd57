/* cli/render.h - a reply as people read it: names and values in columns, what is
 * nested indented, lists of alike things as tables, numbers with their units.
 *
 * Everything that came from the other side is made printable first
 * (cli/printable.h). */
#pragma once

#include "base/buffer.h"
#include "data/json.h"

#include <stdbool.h>
#include <stddef.h>

struct render_style {
        bool colour;
        size_t width; /* columns of the terminal */
};

enum render_paint { RENDER_PLAIN, RENDER_GOOD, RENDER_WARNING, RENDER_BAD, RENDER_TITLE };

/* The members of an object, a line or more each. Of a reply (`envelope` true)
 * those that every reply has (success, type, timestamp) are left out, and "ok"
 * stands for a reply that has no others. -EMSGSIZE, -ENOMEM. */
int render_object(struct buffer *out, const cJSON *object, bool envelope,
                  const struct render_style *style);

/* One line of JSON, harmless on a terminal too, with its line break. */
int render_json(struct buffer *out, const cJSON *value);

/* Printable text in colour, where there is any. */
int render_text(struct buffer *out, const char *text, enum render_paint paint,
                const struct render_style *style);
