/* supervisor/run-dir.h - the directory of one supervisor's record, locked.
 *
 * Two supervisors in one directory would overwrite each other's record. The lock
 * ends with the process, however that ends. */
#pragma once

#include "base/error.h"

/* `path` NULL: $RUNTIME_DIRECTORY (systemd.exec(5)), else /run/pifleet. Made when
 * it is not there, for us alone. -EBUSY: a supervisor lives there; -errno. */
int run_dir_open(const char *path, int *ret_fd, struct error *error);
