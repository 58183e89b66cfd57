/* sandbox/program-exec.h - the last steps of a program that is to run. */
#pragma once

#include "sandbox/launch.h"

/* In a child of `parent`, which is init. What goes wrong goes to `report_fd`, and a
 * byte to `tell_fd`, which a successful execve(2) closes. */
_Noreturn void program_exec(const struct launch *launch, pid_t parent, int report_fd, int tell_fd);
