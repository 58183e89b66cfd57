/* store/thread.h - one thread on which everything that may wait for a disk runs.
 *
 * Jobs run one at a time, in the order in which they were submitted, and come
 * back to the loop in that order. All functions belong to the loop's thread, but
 * for `run`. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct store_thread;
struct store_job;
typedef void store_job_fn(struct store_job *job);

/* Embedded by its owner, whose memory must stay until `done`. The owner sets `run`
 * and `done` and leaves the rest alone. */
struct store_job {
        store_job_fn *run;  /* on the store thread; touches the job's own data and what belongs
                             * to that thread */
        store_job_fn *done; /* on the loop's thread; called once; may submit, free the owner */
        bool ran;           /* for `done`; false: the thread was stopped before its turn came */
        struct list link;
};

/* `capacity` (1 to 65536) bounds the jobs that are submitted and not done. -EINVAL;
 * -ENOMEM; -EAGAIN: no thread. */
int store_thread_new(struct loop *loop, size_t capacity, struct store_thread **ret);
/* Waits for the job that runs, however long its disk takes. Those that wait behind
 * it are done without having run, all before this returns. Not inside a `done`. */
struct store_thread *store_thread_free(struct store_thread *thread);
DEFINE_CLEANUP(store_thread)

/* -EAGAIN: `capacity` jobs are under way, or the thread is being freed; the job was
 * not taken and will not be done. Never waits for a disk. */
int store_thread_submit(struct store_thread *thread, struct store_job *job);
