/* support/disk-faults.h - what happens when a call to the disk fails, or is the last?
 *
 * The linker sends the calls that change a disk through here (--wrap; see disk_faults in
 * src/base/meson.build). Each is counted; the n-th fails with an error, or ends the
 * process before it takes effect, as SIGKILL does. A write that fails has written half;
 * a close that fails has closed.
 *
 * One thread; a recorder may hear several, one at a time. Reading is not counted, but for
 * opening. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DISK_KILLED = 77 }; /* the exit status */

/* From here on calls are counted, and nothing fails. */
void disk_watch(void);
/* The same, but the n-th call (from 1) fails; `lasting`: and all after it. */
void disk_fail_at(size_t n, int error, bool lasting);
/* The same, but the process ends before the n-th call. */
void disk_kill_at(size_t n);
/* Ends it; true: the n-th call was reached. */
bool disk_end(void);
size_t disk_calls(void); /* since it began */

/* What the wrapped calls tell a recorder (disk-record.h): after they took effect. NULL:
 * nobody. */
struct disk_recorder {
        void (*opened)(int fd, int directory_fd, const char *name, int flags);
        void (*closed)(int fd); /* before it is */
        void (*written)(int fd, const void *bytes, size_t count);
        void (*truncated)(int fd, size_t length);
        void (*synced)(int fd);
        void (*renamed)(int from_fd, const char *from, int to_fd, const char *to);
        void (*linked)(int from_fd, const char *from, int to_fd, const char *to);
        void (*unlinked)(int directory_fd, const char *name);
};
void disk_record_with(const struct disk_recorder *recorder);
