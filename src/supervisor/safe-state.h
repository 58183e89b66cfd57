/* supervisor/safe-state.h - drives what a supervisor that is gone had held.
 *
 * Reads the record in the run directory, requests every line that nobody holds,
 * drives it into its safe state, and removes the record. What somebody still holds
 * is left alone, and then the record stays for the next start: that somebody may be
 * an agent that outlived its supervisor and hangs, which the service manager kills
 * only after this. */
#pragma once

#include "base/log.h"
#include "supervisor/line-driver.h"

/* 0, also when there is nothing to do; -EBADMSG: the record is damaged, nothing was
 * driven; -EIO: some could not be driven, the record stays for another try. Logs
 * what it did. */
int safe_state_run(const struct line_driver *driver, int directory_fd, struct log *log);
