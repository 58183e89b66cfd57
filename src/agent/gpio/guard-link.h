/* agent/gpio/guard-link.h - the agent's end of the conversation with its
 * supervisor about lines that must not stay driven (ipc/guard.h).
 *
 * Lives on the hardware worker's loop. Without a supervisor (started by hand)
 * guard_link_open() says so, and lines are driven unguarded: the daemon logs that
 * a crash then leaves them as they are. */
#pragma once

#include "ipc/guard.h"
#include "loop/loop.h"

struct guard_link;

/* A line request or PWM channel as the dead agent left it. `descriptor` is the
 * callee's to keep or close. */
typedef void guard_returned_fn(void *owner, const struct guard_hold *hold, int descriptor);
/* The supervisor is gone or speaks nonsense: nothing is guarded from here on. */
typedef void guard_lost_fn(void *owner, int reason);

struct guard_link_owner {
        void *owner;
        guard_returned_fn *on_returned;
        guard_lost_fn *on_lost;
};

/* Reads $PIFLEET_GUARD, maps the page and locks its mutex: on the process's main
 * thread, which keeps it as long as the process lives. -ENOENT: no supervisor;
 * -EPROTO, -errno. */
int guard_link_open(struct guard_link **ret);
/* On the worker's thread, with its loop: says HELLO; what was held comes by
 * on_returned before `on_ready`. */
int guard_link_start(struct guard_link *link, struct loop *loop,
                     const struct guard_link_owner *owner, void (*on_ready)(void *owner));
/* STOPPING: the end that follows is wanted. */
void guard_link_stopping(struct guard_link *link);
struct guard_link *guard_link_free(struct guard_link *link);

/* `error` 0: acknowledged, the line may be driven; else why not. */
typedef void guard_answered_fn(void *context, int error);
/* `descriptor` stays the caller's, its duplicate is the supervisor's. Answered
 * once, later. -ENOSPC: GUARD_HOLDS_MAX; -EPIPE: on_lost was called. */
int guard_link_hold(struct guard_link *link, const struct guard_hold *hold, int descriptor,
                    guard_answered_fn *answered, void *context);
int guard_link_let_go(struct guard_link *link, uint64_t id, guard_answered_fn *answered,
                      void *context);
/* The worker is alive: each GUARD_BEAT_MS at least. */
void guard_link_beat(struct guard_link *link);
