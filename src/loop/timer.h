/* loop/timer.h - one-shot timers; never allocate, never fail.
 *
 * A pairing heap of timers that live in their owners, over one timer of the
 * kernel. Stopping is immediate: the memory may be freed right after. */
#pragma once

#include "loop/loop.h"

struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *timer);

struct loop_timer {
        struct loop *loop;
        loop_timer_fn *on_due;
        uint64_t due_ms;
        uint64_t order : 63; /* timers due in the same millisecond run in order of start */
        uint64_t armed : 1;
        struct loop_timer *child, *sibling, *parent_or_previous;
};

void loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due);
/* Runs on_due once, `delay_ms` after the round's time; restarts when armed. */
void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer); /* fine when not armed */
