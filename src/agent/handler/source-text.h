/* agent/handler/source-text.h - the bytes of a module, in sealed memory.
 *
 * What was checked is what is loaded: all programs that look at a module are given the
 * same memory, which nobody can change any more (memfd_create(2), F_ADD_SEALS). */
#pragma once

#include <stddef.h>

/* A descriptor, close-on-exec, at its beginning. `name` shows in /proc. -EMFILE, -ENOMEM,
 * -errno. */
int source_text_seal(const char *name, const void *bytes, size_t count, int *ret);
/* Another descriptor of the same memory, with a position of its own. -errno. */
int source_text_reopen(int fd, int *ret);
