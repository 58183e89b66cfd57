/* access/text-lines.h - the lines of a file that people and tools write, one after the other.
 *
 *     struct text_lines lines = {.text = text, .length = length};
 *     while ((r = text_lines_next(&lines, line, sizeof(line), &error)) > 0) … */
#pragma once

#include "base/error.h"

#include <stddef.h>

struct text_lines {
        const char *text;
        size_t length, at;
        size_t number; /* of the line that was read last, from 1 */
};

/* 1: *line holds the next one, terminated, without blanks at its ends and without the end of the
 * line, be it of Unix or of DOS; 0: there is none. -EINVAL with a sentence: it does not fit, or
 * has a byte 0. */
int text_lines_next(struct text_lines *lines, char *line, size_t size, struct error *error);
