/* sandbox/wall-limits.h - what each process of a program may use (setrlimit(2)). */
#pragma once

#include "sandbox/sandbox.h"

/* The defaults in place of what is 0. */
struct sandbox_limits limits_with_defaults(const struct sandbox_limits *limits);

/* `own_uid`: nobody else's processes count as the program's, so their number can
 * be limited; else a bound on all of this user's is set. Limits that are lower
 * already stay. -errno. */
int limits_enter(const struct sandbox_limits *limits, bool own_uid);

/* The first to go when the machine is out of memory (proc(5), oom_score_adj).
 * Where that cannot be said, nothing happens. */
void limits_volunteer_for_oom(void);
