/* base/durable.h - files that are the old or the new content, whole, whatever
 * happens: temporary file, fsync, rename, fsync of the directory.
 *
 * Blocking: never on a loop thread that serves anybody. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Replaces `name` in the directory `directory_fd` (or makes it). A reader sees
 * the old bytes or the new ones; after a return of 0 the new ones survive a
 * power cut. A temporary file left by a kill is taken over by the next write.
 * `name` must be plain: -EINVAL for a slash, ".", ".." or over 200 bytes.
 * One writer per name at a time. -errno of the first call that failed; the old
 * file is then still in place, but for -EIO from the very last step, where the
 * new one stands and may not survive a power cut. */
int durable_write(int directory_fd, const char *name, mode_t mode, const void *bytes, size_t count);

/* The two halves of durable_write(), for changes of several files: all that may want of space
 * or memory comes first, and lies ready in ".NAME.partial". What is prepared is placed or
 * discarded. */
int durable_prepare(int directory_fd, const char *name, mode_t mode, const void *bytes,
                    size_t count);
/* What is prepared gets another owner and mode, so that who has to read it can from the moment
 * when it is placed. -EINVAL, -errno: it still lies there. */
int durable_hand_over(int directory_fd, const char *name, uid_t uid, gid_t gid, mode_t mode);
void durable_discard(int directory_fd, const char *name); /* fine when not prepared */

enum { DURABLE_UNSYNCED = 1 };

/* -errno: the old file is in place, the prepared one still lies there.
 * DURABLE_UNSYNCED: the new one is in place, and may not survive a power cut; errno tells why. */
int durable_place(int directory_fd, const char *name);

/* Reads a whole file into fresh memory (NUL behind the bytes, not counted).
 * -EFBIG: larger than `max`; -EISDIR; -EINVAL: neither a plain name nor a plain
 * file; -errno. The caller frees *ret. */
int durable_read(int directory_fd, const char *name, size_t max, char **ret, size_t *ret_count);
/* The same, but a link is not followed: -ELOOP. */
int durable_read_own(int directory_fd, const char *name, size_t max, char **ret, size_t *ret_count);
