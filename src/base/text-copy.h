/* base/text-copy.h - bytes that have no end of their own, as text on the heap.
 *
 * strndup(3) looks for a NUL first, and so one byte beyond bytes that have none. */
#pragma once

#include <stddef.h>

/* `length` bytes and a NUL. The caller frees it. NULL: no memory. */
char *text_copy(const char *bytes, size_t length);
