/* supervisor/safe-state.h - drives what a supervisor that is gone had held.
 *
 * Reads the record in the run directory, requests every line that nobody holds,
 * drives it into its safe state, and removes the record. What somebody still holds
 * is left alone: that process lives, and answers for it. */
#pragma once

#include "base/log.h"
#include "supervisor/line-driver.h"

/* 0, also when there is nothing to do; -EBADMSG: the record is damaged, nothing was
 * driven; -EIO: some could not be driven, the record stays for another try. Logs
 * what it did. */
int safe_state_run(const struct line_driver *driver, int directory_fd, struct log *log);
