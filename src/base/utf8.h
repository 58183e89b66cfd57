/* base/utf8.h - is this text well-formed UTF-8? (Unicode 15, table 3-7) */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The length of the longest well-formed prefix: `length` when all of it is. NUL
 * is a character like any other here. */
size_t utf8_valid_prefix(const char *text, size_t length);

/* Is there a control character in it, U+0000 to U+001F or U+007F to U+009F? Of well-formed
 * text. */
bool utf8_has_control(const char *text, size_t length);
