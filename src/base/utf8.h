/* base/utf8.h - is this text well-formed UTF-8? (Unicode 15, table 3-7) */
#pragma once

#include <stddef.h>

/* The length of the longest well-formed prefix: `length` when all of it is. NUL
 * is a character like any other here. */
size_t utf8_valid_prefix(const char *text, size_t length);
