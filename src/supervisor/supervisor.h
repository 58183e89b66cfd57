/* supervisor/supervisor.h - the parent of the agent: starts it, watches it, makes
 * its lines safe when it is gone, starts it again.
 *
 * One thread and one poll, and beside them one thread for each life of the agent
 * that waits for its death (death-watch.h). */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "supervisor/line-driver.h"

struct supervisor;

/* What is left of a predecessor is made safe first. `run_dir_fd` (-1: no record)
 * and `log` are borrowed. */
int supervisor_new(const struct line_driver *driver, int run_dir_fd, struct log *log,
                   char *const program[], struct supervisor **ret, struct error *error);
/* Until the agent has ended as it was asked to. The exit status: 0; 1: the agent
 * ended badly when it was asked to stop; 2: the program or its configuration is
 * such that the first start already failed. */
int supervisor_run(struct supervisor *supervisor);
struct supervisor *supervisor_free(struct supervisor *supervisor);
DEFINE_CLEANUP(supervisor)
