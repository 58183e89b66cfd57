/* agent/state-dir.h - the directory of what must survive a restart: one agent's,
 * and nobody else's. Nothing is kept open for writing. */
#pragma once

#include "base/error.h"

/* Makes the directory (0700, parents 0755) where it is not there, and locks it
 * for as long as *ret_fd is open; on a read-only disk too, where it is there. A lock ends with its
 * process, however that ends. -EBUSY: another agent has it, the sentence names its process; -errno.
 */
int state_dir_open(const char *path, int *ret_fd, struct error *error);
