/* agent/handler/host.h - one process that runs one module, as its agent sees it.
 *
 * Starts it through the spawner, has it load the module, and asks it one call at a time,
 * each with its deadline. A host that breaks the protocol, floods its output, misses a
 * deadline or ends is broken: told once, at once, and killed with all that came of it; that
 * it is gone is told after. Loop thread.
 *
 *     host_start()  ->  on_loaded | on_load_failed  ->  host_call() -> on_reply ...
 *     at any time:      on_broken  ->  on_ended      (after host_kill() only on_ended) */
#pragma once

#include "agent/handler/host-log.h"
#include "agent/handler/host-protocol.h"
#include "agent/handler/spawner.h"

#include <stdbool.h>
#include <stdint.h>

enum {
        HOST_LOAD_MS = 10000,        /* from `load` to an answer; its self-test included */
        HOST_START_MS = 20000,       /* until the spawner has started it */
        HOST_OUTPUT_BURST = 4 << 20, /* bytes that it may print at once, */
        HOST_OUTPUT_RATE = 64 << 10, /* and a second; beyond, it is killed */
        HOST_WHY_MAX = 255,
};

enum host_fault {
        HOST_FAULT_ENDED,   /* exited or crashed */
        HOST_FAULT_TIMEOUT, /* of a call or of loading */
        HOST_FAULT_MEMORY,  /* beyond its limit */
        HOST_FAULT_TASKS,
        HOST_FAULT_STORAGE,
        HOST_FAULT_FLOOD,    /* printed too much */
        HOST_FAULT_PROTOCOL, /* said what is not of the protocol */
        HOST_FAULT_START,    /* could not be started at all */
        HOST_FAULT_SPAWNER,  /* went with its spawner: no fault of its own */
};

struct host;

struct host_listener {
        /* `message` is valid during the call. */
        void (*on_loaded)(void *owner, struct host *host, const struct host_message *message);
        void (*on_load_failed)(void *owner, struct host *host, const struct host_message *message);
        void (*on_reply)(void *owner, struct host *host, const struct host_message *message);
        /* `why`: how a sentence about it goes on, "was killed by SIGSEGV". */
        void (*on_broken)(void *owner, struct host *host, enum host_fault fault, const char *why);
        /* The last of all; the host may be freed in it. */
        void (*on_ended)(void *owner, struct host *host, unsigned children_killed);
};

struct host_setup {
        struct loop *loop;
        struct spawner *spawner;
        const char *module;   /* its file name; copied */
        struct host_log *log; /* NULL: what it prints is dropped; must outlive the host */
        /* Descriptors are the host's to fill in; descriptors[4], the module, stays the
         * caller's. */
        struct sandbox_program program;
};

/* Starts the process; the module's code does not run before host_load(). -EAGAIN, -EPIPE and
 * others of spawner_start(); -ENOMEM, -EMFILE. */
int host_start(const struct host_setup *setup, const struct host_listener *listener, void *owner,
               struct host **ret);
/* Kills what is left, tells nobody. NULL is fine. Not inside a callback but on_ended. */
struct host *host_free(struct host *host);
DEFINE_CLEANUP(host)
/* Somebody else listens from here on. */
void host_set_listener(struct host *host, const struct host_listener *listener, void *owner,
                       struct host_log *log);

/* Once. May come before the process is there. -ENOMEM. */
int host_load(struct host *host, bool self_test);
/* One at a time, after on_loaded. `context`, not NULL, is for host_take_context(). -EBUSY; -EPIPE:
 * it is broken; -EMSGSIZE: larger than a frame; -ENOMEM. */
int host_call(struct host *host, const char *command, const cJSON *arguments, const cJSON *id,
              uint32_t timeout_ms, void *context);
bool host_is_busy(const struct host *host);
bool host_is_loaded(const struct host *host);
/* Of the call that is under way, or was when the host answered or broke. Once: NULL
 * from then on, since what is broken may take its time to end. */
void *host_take_context(struct host *host);
/* Told by on_ended only. */
void host_kill(struct host *host);
void host_ask_usage(struct host *host);
/* As last told; false: not yet. */
bool host_usage(const struct host *host, struct sandbox_usage *ret);
uint64_t host_usage_count(const struct host *host); /* how often it was told */
pid_t host_pid(const struct host *host);            /* 0: not started */
const struct sandbox_walls *host_walls(const struct host *host);
uint64_t host_loaded_ms(const struct host *host); /* loop time when it had loaded */
