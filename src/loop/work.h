/* loop/work.h - short computations off the loop (password hashes), one at a time.
 *
 * A queue of jobs over libuv's pool: at most one runs, `capacity` wait. Never
 * for anything that may block on a disk or a network. They run with less weight
 * than the loop: where both want the same core, it is the loop's. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"

#include <stddef.h>

enum { LOOP_WORK_NICE = 15 }; /* at least; setpriority(2) */

struct loop_work;
struct loop_job;
typedef void loop_job_fn(struct loop_job *job);

/* Embedded by its owner, whose memory must stay until `done`. */
struct loop_job {
        struct list link;
        loop_job_fn *run;  /* on a pool thread; touches the job's own data only */
        loop_job_fn *done; /* on the loop thread; always called once */
};

int loop_work_new(struct loop *loop, size_t capacity, struct loop_work **ret);
/* Waits for the job that runs; those that wait are done without having run, all
 * before this returns. */
struct loop_work *loop_work_free(struct loop_work *work);
DEFINE_CLEANUP(loop_work)

/* -EAGAIN: `capacity` jobs wait already, or the queue is being freed. */
int loop_work_submit(struct loop_work *work, struct loop_job *job);
