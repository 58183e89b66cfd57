/* cli/console.h - where a subcommand's output goes, and in which of two shapes:
 * for people on a terminal, one line of JSON otherwise. */
#pragma once

#include "base/attributes.h"
#include "base/buffer.h"
#include "cli/render.h"
#include "data/json.h"

#include <stdbool.h>

struct console {
        bool readable;             /* for people */
        struct render_style style; /* of standard output */
        struct render_style error_style;
};

/* `json` and `text` force the shape; else a terminal on standard output decides.
 * Colours only on a terminal that has them, and never with $NO_COLOR set. */
void console_init(struct console *console, bool json, bool text);

/* Writes to standard output at once. -errno (-EPIPE: nobody reads). */
int console_write(const struct buffer *bytes);
/* An object, readable or as JSON. `envelope`: see cli/render.h. */
int console_write_object(const struct console *console, const cJSON *object, bool envelope);

/* "pifleet: ..." to standard error, whatever it holds made printable. */
void console_complain(const struct console *console, const char *format, ...) PRINTF_LIKE(2, 3);

/* What a person should know beside the output: to standard error, as it is. The
 * caller's own words and texts that are printable only. */
void console_note(const char *format, ...) PRINTF_LIKE(1, 2);
