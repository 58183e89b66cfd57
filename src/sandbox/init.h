/* sandbox/init.h - the first process of a program's processes.
 *
 * Reports and listens on `report_fd`, a SOCK_SEQPACKET socket: anything that comes
 * asks it to end everything, its end means that the spawner is gone. */
#pragma once

#include "sandbox/launch.h"

/* In the child that launch_start() made. `others_fd`: the spawner's end. */
_Noreturn void init_run(const struct launch *launch, int report_fd, int others_fd);

/* One report; what goes wrong with it the spawner learns by our end. */
void init_report(int report_fd, const struct report *report);
