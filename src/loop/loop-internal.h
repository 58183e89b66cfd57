/* loop/loop-internal.h - what the files of this room know of a loop, and nobody
 * else needs to. */
#pragma once

#include "base/attributes.h"
#include "base/list.h"
#include "loop/loop.h"
#include "loop/timer.h"

struct loop {
        uv_loop_t uv;
        uv_prepare_t before_wait; /* runs the tasks; keeps the loop alive */
        uv_idle_t hurry;          /* active while tasks wait: no waiting then */
        uv_timer_t alarm;         /* when the first of `timers` is due */
        uv_timer_t limit;         /* how long loop_run_once() waits */

        struct list tasks, last_tasks;
        struct loop_timer *timers; /* root of the pairing heap */
        uint64_t timer_order;      /* of the next timer that is started */
        uint64_t alarm_ms;         /* what `alarm` is set to, LOOP_NEVER: not at all */

        uint64_t round;
        bool is_virtual;
        uint64_t virtual_ms;
        int code;

        int64_t wall_ns; /* 0: not yet asked for in this round */
        char wall_text[24];
};

#define LOOP_NEVER UINT64_MAX

/* task.c: one batch; those posted meanwhile wait for the next. */
void loop_tasks_run(struct loop *loop);
bool loop_tasks_wait(const struct loop *loop); /* for the next round */
void loop_tasks_forget(struct loop *loop);

/* timer.c */
void loop_timers_run(struct loop *loop); /* those due by the loop's time */
uint64_t loop_timers_next_ms(const struct loop *loop);
void loop_timers_forget(struct loop *loop);
