/* loop/loop.h - one thread's event loop: descriptors, timers, signals, tasks.
 *
 * libuv underneath; sources are embedded in their owners, so that an object and
 * its sources are one allocation and one lifetime. Time is read once per round
 * and is the same for everybody in it. A loop belongs to the thread that runs
 * it; only an inbox (loop/inbox.h) may be used from others.
 *
 * A round: wait for events - callbacks of descriptors, inboxes and signals -
 * closings - timers that are due - tasks (loop/task.h), among them each
 * stream's one flush. What a timer or task closes is gone after the next wait,
 * which then takes no time. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop;

/* -ENOMEM or what the kernel says. */
int loop_new(struct loop **ret);
/* For tests: its clock stands at `start_ms` and moves by loop_advance_ms()
 * only, and the wall clock with it; descriptors are real. */
int loop_new_virtual(uint64_t start_ms, struct loop **ret);
/* Closes what is left and runs the closings; tasks and timers are forgotten.
 * Sources must not be used after. */
struct loop *loop_free(struct loop *loop);
DEFINE_CLEANUP(loop)

/* Runs until loop_stop(); returns the code given there. The round that is
 * stopped is finished, its tasks included. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int code);
/* One round: runs the tasks that wait already, waits for an event at most
 * `wait_ms` of real time (0: not at all), then what a round does. */
void loop_run_once(struct loop *loop, uint64_t wait_ms);
/* Virtual clock only: runs all timers due on the way, each at its own time, and
 * the tasks they post. */
void loop_advance_ms(struct loop *loop, uint64_t ms);

/* Which round this is: two readings that agree are of the same one. */
uint64_t loop_round(const struct loop *loop);
/* The round's time: read after the wait, and once more before timers. Monotonic;
 * standing still in suspend. */
uint64_t loop_now_ms(const struct loop *loop);
/* The round's wall clock, in nanoseconds since the epoch. */
int64_t loop_wall_ns(struct loop *loop);
/* The same as text for replies, seconds with three decimals: "1701234567.890".
 * Made once per round, valid until the next. */
const char *loop_wall_text(struct loop *loop);

/* For the sources of this room only. */
uv_loop_t *loop_uv(struct loop *loop);
