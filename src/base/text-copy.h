/* base/text-copy.h - copies of text: of bytes that have no end of their own on the heap, and into
 * a place that may be too small. */
#pragma once

#include <stddef.h>

/* `length` bytes and a NUL. The caller frees it. NULL: no memory. strndup(3) looks for a NUL
 * first, and so one byte beyond bytes that have none. */
char *text_copy(const char *bytes, size_t length);

/* As much of `text` (NULL: nothing) as fits into `size` bytes with a NUL behind it; `size` is not
 * 0. snprintf(3) takes a hundred times as long. */
void text_copy_into(char *to, size_t size, const char *text);
