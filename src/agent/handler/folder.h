/* agent/handler/folder.h - directories by descriptor, never through a link.
 *
 * Blocking; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Opens `name` in `parent_fd`, and makes it where it is not there. -ENOTDIR or
 * -ELOOP: something else stands in its place; -errno. */
int folder_open(int parent_fd, const char *name, mode_t mode, int *ret_fd);

/* Without "." and "..". The entry may be removed during the call. */
typedef void folder_each_fn(void *owner, int folder_fd, const char *name);
/* At most `max` entries. 1: there were more; -errno. */
int folder_each(int folder_fd, size_t max, folder_each_fn *each, void *owner);

/* Removes what durable_prepare() left there before a kill. */
void folder_sweep(int folder_fd);

/* What reading a file said of the file itself: it is missing, or not what it was, and will not be
 * better the next time. All else (memory, descriptors, rights) is about us. */
bool folder_is_damage(int r);

/* A plain file is to lie there: a link goes, a folder is renamed to NAME.odd. True: something
 * was in the way. */
bool folder_clear(int folder_fd, const char *name);
