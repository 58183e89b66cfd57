/* cli/printable.h - strangers' text, made fit for a terminal.
 *
 * A reply may hold anything that JSON can: escape sequences that retitle the
 * window or hide a line, characters that turn the reading direction around.
 * None of these leave this program raw. Text that people read gets visible
 * escapes; JSON gets JSON's own, so that it stays the same value.
 *
 * What is escaped: C0 and C1 controls and DEL (ECMA-48), line and paragraph
 * separators, bidirectional controls (UAX #9), byte order marks, interlinear
 * and tag characters, and bytes that are not UTF-8. */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends `length` bytes; "\n", "\t" and "\e"-like controls come out as \n, \t,
 * \x1b, other characters as \u{202e}. -EMSGSIZE, -ENOMEM. */
int printable_append(struct buffer *out, const char *text, size_t length);

/* The same for a line of a longer text: tabs stay. */
int printable_append_line(struct buffer *out, const char *text, size_t length);

/* `json` is well-formed JSON on one line: what could harm a terminal can only
 * stand inside its strings, and becomes \uXXXX there. -EMSGSIZE, -ENOMEM. */
int printable_append_json(struct buffer *out, const char *json, size_t length);

/* How many columns printable text takes; East Asian wide characters take two,
 * combining marks none. An estimate, for aligning. */
size_t printable_width(const char *text, size_t length);
