/* supervisor/run-file.h - the record of all holds in the run directory, for when
 * the supervisor itself is gone.
 *
 * One file, "guard", old or new as a whole, on a file system that is empty after
 * a restart of the machine (/run): so its paths are of this boot. Written by us and
 * still checked like a stranger's: it is read with more privileges than it may
 * have been written with. */
#pragma once

#include "ipc/guard.h"

#include <stddef.h>

struct run_file_header {
        char magic[8];
        uint32_t version;
        uint32_t count; /* of struct guard_hold, which follow */
};

enum {
        RUN_FILE_VERSION = 1,
        RUN_FILE_BYTES_MAX =
                sizeof(struct run_file_header) + GUARD_HOLDS_MAX * sizeof(struct guard_hold),
};

/* -errno of the first call that failed; the old record is still there then. */
int run_file_write(int directory_fd, const struct guard_hold holds[], size_t count);
/* `holds` has room for GUARD_HOLDS_MAX. -ENOENT: no record; -EBADMSG: not one of
 * ours; -errno. */
int run_file_read(int directory_fd, struct guard_hold holds[], size_t *ret_count);
int run_file_remove(int directory_fd); /* fine when there is none */

/* The decoder: each hold is sound and no id comes twice. -EBADMSG. */
int run_file_decode(const void *bytes, size_t count, struct guard_hold holds[], size_t *ret_count);
