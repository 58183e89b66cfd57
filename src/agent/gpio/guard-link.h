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

/* A line request or PWM channel as the dead agent left it; already in its safe
 * state, but for what is to be kept. `descriptor` is the callee's to keep or
 * close. It stays held under its id until guard_link_let_go(); for another
 * action or configuration, guard_link_hold() with the same id. */
typedef void guard_returned_fn(void *owner, const struct guard_hold *hold, int descriptor);
/* HELLO was answered: lines may be held from here on. */
typedef void guard_ready_fn(void *owner);
/* The supervisor is gone or speaks nonsense: nothing is guarded from here on.
 * Whatever waited for an answer was answered with -EPIPE before. */
typedef void guard_lost_fn(void *owner, int reason);

struct guard_link_owner {
        void *owner;
        guard_returned_fn *on_returned;
        guard_ready_fn *on_ready;
        guard_lost_fn *on_lost;
};

/* Reads $PIFLEET_GUARD, maps the page and starts the thread that says by its
 * death that the agent died. Takes the descriptors over and removes the
 * variable, so that no child of ours believes it were meant: before other
 * threads exist. -ENOENT: no supervisor; -EPROTO: what is there is no page and
 * no channel; -errno. */
int guard_link_open(struct guard_link **ret);
/* On the worker's thread, with its loop: says HELLO; what was held comes by
 * on_returned before `on_ready`. */
int guard_link_start(struct guard_link *link, struct loop *loop,
                     const struct guard_link_owner *owner);
/* STOPPING: the end that follows is wanted. -EPIPE: nobody is there to hear it. */
int guard_link_stopping(struct guard_link *link);
/* The worker's thread, before its loop is freed, or any if it was never started.
 * What waits for an answer is answered with -ECANCELED. The supervisor takes
 * this for the agent's end: it drives what it still holds. */
struct guard_link *guard_link_free(struct guard_link *link);
DEFINE_CLEANUP(guard_link)

/* `error` 0: acknowledged, the line may be driven; else why not (struct
 * guard_answer, ipc/guard.h). */
typedef void guard_answered_fn(void *context, int error);
/* `descriptor` stays the caller's, its duplicate is the supervisor's. Answered
 * once, later. -EAGAIN: too many questions under way; -EINVAL: not a sound hold;
 * -EPIPE: on_lost was called, or not yet ready; -ENOMEM, -EMFILE. */
int guard_link_hold(struct guard_link *link, const struct guard_hold *hold, int descriptor,
                    guard_answered_fn *answered, void *context);
/* The line may be freed and requested anew once this was answered: until then
 * the supervisor's duplicate keeps it. */
int guard_link_let_go(struct guard_link *link, uint64_t id, guard_answered_fn *answered,
                      void *context);
/* Whoever asked is about to be gone: nobody is told of the answers that are awaited. What was
 * asked stays asked. */
void guard_link_forget(struct guard_link *link);
/* An id that no hold has, those that were returned included. */
uint64_t guard_link_new_id(struct guard_link *link);
/* The worker is alive: each GUARD_BEAT_MS at least. From the first on, a missing
 * one counts as a hang. */
void guard_link_beat(struct guard_link *link);
/* The worker will not beat for a while, and that is no hang (it stops). */
void guard_link_rest(struct guard_link *link);
