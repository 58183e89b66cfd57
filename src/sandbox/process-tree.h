/* sandbox/process-tree.h - all that came of a process, by /proc.
 *
 * For where no control group and no PID namespace knows it. The root has to be a
 * subreaper (PR_SET_CHILD_SUBREAPER): then what turned its back on its parent is
 * found as a child of the root. */
#pragma once

#include "base/cleanup.h"
#include "sandbox/sandbox.h"

enum { PROCESS_TABLE_MAX = 8192 /* processes of a machine; the rest is not seen */ };

/* All processes of the machine, as they were at one moment (nearly). */
struct process_table;

int process_table_read(struct process_table **ret);
struct process_table *process_table_free(struct process_table *table);
DEFINE_CLEANUP(process_table)

/* Those that come of `root`, without it and without the dead; at most `max`. */
size_t process_table_descendants(const struct process_table *table, pid_t root, pid_t ret[],
                                 size_t max);

/* Adds up memory, CPU time and tasks; what ended meanwhile counts nothing. Not private_bytes. */
void process_tree_measure(const pid_t pids[], size_t count, struct sandbox_usage *usage);
/* What would be free if these processes were not there: Private_* of smaps_rollup (proc(5)). The
 * kernel walks all their pages for it. Of one that we may not look into so closely (another's, and
 * no CAP_SYS_PTRACE): what is backed by no file. */
uint64_t process_tree_private(const pid_t pids[], size_t count);
/* Of one, as smaps_rollup has it only; 0: not to be had. */
uint64_t process_private(pid_t pid);
/* Of children it waited for. */
uint64_t process_children_cpu_us(pid_t pid);

typedef void process_ended_fn(void *owner, pid_t pid, int status);

/* Kills all that came of this process but the children in `spared` and what came
 * of them; each is stopped before the first is killed, so that they do not multiply
 * meanwhile. `ended`, unless NULL, is told of those that were waited for here.
 * -ETIME: some lived on for `timeout_ms`; -ENOMEM, -errno: for so long there was not even a
 * way to look. */
int process_tree_kill(const pid_t spared[], size_t spared_count, unsigned timeout_ms,
                      process_ended_fn *ended, void *owner);
