/* agent/handler/source-text.h - the bytes of a module, in sealed memory.
 *
 * What was checked is what is loaded: all programs that look at a module are given the
 * same memory, which nobody can change any more (memfd_create(2), F_ADD_SEALS). */
#pragma once

#include <stddef.h>

/* A descriptor, close-on-exec, at its beginning. `name` shows in /proc. -EMFILE, -ENOMEM,
 * -errno. */
int source_text_seal(const char *name, const void *bytes, size_t count, int *ret);
/* Memory that somebody is still to write; source_text_close_writing() when it has. */
int source_text_open(const char *name, int *ret);
/* -EBUSY: somebody can still write to it, through a mapping; -EFBIG: more than `max` bytes;
 * -ENODATA: none. */
int source_text_close_writing(int fd, size_t max);
/* A copy of the bytes, for the disk. The caller frees *ret. -errno. */
int source_text_copy(int fd, char **ret, size_t *ret_count);
/* Another descriptor of the same memory, with a position of its own. -errno. */
int source_text_reopen(int fd, int *ret);
