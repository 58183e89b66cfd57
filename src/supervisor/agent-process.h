/* supervisor/agent-process.h - one life of the agent: the process, its channel,
 * its page.
 *
 * Channel and page are made anew for each start, so that nothing a dead agent
 * left in them meets its successor. */
#pragma once

#include "ipc/guard.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct agent_process {
        pid_t pid;
        int pidfd;                  /* readable: it ended and waits to be reaped */
        struct ipc_channel channel; /* our end */
        struct guard_page *page;
};

/* Forks and executes argv[0], looked for in $PATH, with $PIFLEET_GUARD, this
 * signal mask and the environment otherwise. When we die it is sent SIGTERM. Its
 * crashes leave no core: writing one would put its death off. *ret_missing: the
 * error is of executing the program. -errno. */
int agent_process_start(char *const argv[], const sigset_t *mask, struct agent_process *ret,
                        bool *ret_missing);
/* Fine when it ended already. */
void agent_process_signal(const struct agent_process *process, int number);
/* Once pidfd is readable: its status as of waitpid(2). -errno. */
int agent_process_reap(struct agent_process *process, int *ret_status);
/* Closes what is left; `leave_page`: somebody still looks at it. */
void agent_process_done(struct agent_process *process, bool leave_page);
