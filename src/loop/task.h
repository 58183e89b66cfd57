/* loop/task.h - work put off to the end of the round.
 *
 * Tasks run in the order they were posted, after all callbacks of the round and
 * before the loop waits again. One that is posted by a running task runs in the
 * next round, which then does not wait; so nobody can starve the descriptors. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"

struct loop_task;
typedef void loop_task_fn(struct loop_task *task);

struct loop_task {
        struct list link;
        struct loop *loop;
        loop_task_fn *run;
};

void loop_task_init(struct loop_task *task, struct loop *loop, loop_task_fn *run);
void loop_task_post(struct loop_task *task); /* fine when posted already */
/* Runs after all that loop_task_post() has put off: what nobody waits for. */
void loop_task_post_last(struct loop_task *task);
void loop_task_cancel(struct loop_task *task); /* fine when not posted */
