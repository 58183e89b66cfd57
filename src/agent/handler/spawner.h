/* agent/handler/spawner.h - the agent's programs behind walls, on its loop.
 *
 * Brings sandbox/sandbox.h and the loop together: events go to the program they are of, a
 * spawner that ended is replaced by a new one (at once, then 1 s, doubled up to 30 s), a
 * kill that the spawner could not take is asked for again. Loop thread. */
#pragma once

#include "base/cleanup.h"
#include "base/list.h"
#include "loop/loop.h"
#include "sandbox/sandbox.h"

enum { SPAWNER_RETRY_MAX_MS = 30000, SPAWNER_KILL_RETRY_MS = 20, SPAWNER_WHY_MAX = 255 };

struct spawner;
struct spawner_program;

/* STARTED, FAILED, ENDED, USAGE as they come; FAILED, ENDED and GONE are the last. */
typedef void spawner_event_fn(struct spawner_program *program, const struct sandbox_event *event);

/* Embedded by its owner. All zero: nothing runs. */
struct spawner_program {
        struct list link;
        struct spawner *spawner;
        uint64_t id; /* 0: nothing runs */
        bool kill_wanted;
        spawner_event_fn *on_event;
};

/* The spawner is there and takes programs (`up`), or is gone: programs were told. */
typedef void spawner_state_fn(void *owner, bool up, const char *why);

/* `options` and its texts must outlive it. Does not wait for READY. -ENOMEM, -errno. */
int spawner_new(struct loop *loop, const struct sandbox_options *options,
                spawner_state_fn *on_state, void *owner, struct spawner **ret);
/* Ends all programs; nobody is told. What is embedded may be freed before or after. */
struct spawner *spawner_free(struct spawner *spawner);
DEFINE_CLEANUP(spawner)

bool spawner_is_up(const struct spawner *spawner);
/* Those that can be had; set 0 before READY. */
const struct sandbox_walls *spawner_walls(const struct spawner *spawner);

/* -EAGAIN: not now; -EPIPE: the spawner is gone; others of sandbox_start(). `program` is
 * untouched then. */
int spawner_start(struct spawner *spawner, struct spawner_program *program,
                  const struct sandbox_program *what, spawner_event_fn *on_event);
/* ENDED, or FAILED, comes soon. Nothing runs: fine. */
void spawner_kill(struct spawner_program *program);
/* Kills it, and nobody is told: its memory may be freed. Nothing runs: fine. */
void spawner_forget(struct spawner_program *program);
/* A name that is not to come back (sandbox_forget()). Where the spawner cannot hear it now, the
 * name keeps its user id. */
void spawner_forget_name(struct spawner *spawner, const char *name);
/* Of a FAILED event: why, about what, and what can be done about a refusal. Cut to `size`. */
void spawner_failure_text(const struct sandbox_event *event, char *ret, size_t size);
/* A USAGE event will come, perhaps. */
void spawner_ask_usage(struct spawner_program *program);
