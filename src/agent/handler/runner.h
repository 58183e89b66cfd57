/* agent/handler/runner.h - one module in service: its commands, its host, its queue.
 *
 * Calls go to the host one at a time, in their order; a host that breaks is started again
 * (agent/handler/restart.h), and whoever's call broke it is told. A new version takes over
 * between two calls: the one that is under way ends on the host it began on, which then is
 * killed with all that came of it. Loop thread. */
#pragma once

#include "agent/handler/launch.h"
#include "agent/handler/module-statistics.h"
#include "agent/handler/version.h"
#include "command/registry.h"

enum {
        RUNNER_QUEUE_MAX = 64, /* calls that wait; beyond: BUSY */
        RUNNER_DRAINING_MAX =
                4, /* hosts of former versions; beyond, the oldest is not waited for */
};

struct runner;

/* What the runner does not decide by itself. May be called from anywhere below. */
struct runner_listener {
        /* The version in place has served well for a while. */
        void (*on_good)(void *owner, struct runner *runner);
        /* More errors of one command than can be well; once a version. */
        void (*on_suggestion)(void *owner, struct runner *runner, const char *command,
                              unsigned errors);
        /* It crashed too often for a version that is new: the one before has to come back. */
        void (*on_unfit)(void *owner, struct runner *runner, const char *why);
        /* Started again in vain; nothing more is tried. */
        void (*on_disabled)(void *owner, struct runner *runner, const char *why);
        /* It broke; it is started again in `delay_ms`. */
        void (*on_broken)(void *owner, struct runner *runner, const char *why, uint64_t delay_ms);
        /* It has loaded: its commands are these. */
        void (*on_loaded)(void *owner, struct runner *runner);
        /* They are others than were known; before on_loaded. */
        void (*on_learned)(void *owner, struct runner *runner);
};

struct runner_setup {
        struct loop *loop;
        struct command_registry *registry;
        struct spawner *spawner;
        const struct launch *launch;
        const struct handler_config *config;
        const struct runner_listener *listener;
        void *owner;
};

/* A version, ready to be served. */
struct runner_version {
        struct handler_version version;
        int code_fd;                     /* sealed memory; owned */
        struct module_commands commands; /* owned */
};
void runner_version_done(struct runner_version *version);

/* `setup` is copied. -ENOMEM. */
int runner_new(const struct runner_setup *setup, const char *filename, struct runner **ret);
/* Kills what is left, answers whoever waits. */
struct runner *runner_free(struct runner *runner);
DEFINE_CLEANUP(runner)

/* When the agent starts: `version` is taken over, commands may be none, which then are learned
 * when it has loaded. -EEXIST, with a sentence: another module has one of its commands. */
int runner_install(struct runner *runner, struct runner_version *version, struct error *error);
/* Starts what is to be started now; a lazy one waits for a call, unless its commands are not
 * known. */
void runner_start(struct runner *runner);
/* The spawner is there again. */
void runner_retry(struct runner *runner);

/* The former host is gone; `children_killed` that were left of it. */
typedef void runner_drained_fn(void *context, unsigned children_killed);

/* `host` has loaded `version` (NULL: it ended meanwhile, another is started): both are taken over,
 * on success. `drained` is called later, once; or
 * NULL. -EEXIST, -ENOMEM and others of command_registry_replace(): all is as before. */
int runner_switch(struct runner *runner, struct runner_version *version, struct host *host,
                  runner_drained_fn *drained, void *context, struct error *error);
/* Its commands go; `drained` as above. */
void runner_withdraw(struct runner *runner, runner_drained_fn *drained, void *context);
/* Whoever `drained` was to tell is gone. */
void runner_forget_drained(struct runner *runner, void *context);
/* No calls from here on; those under way end. */
void runner_stop(struct runner *runner);
/* Is not started any more, and says why when called. */
void runner_disable(struct runner *runner, const char *why);

const char *runner_filename(const struct runner *runner);
const char *runner_source(const struct runner *runner); /* "handlers/camera_handlers.py" */
bool runner_in_service(const struct runner *runner);    /* has a version */
bool runner_is_loaded(const struct runner *runner);
bool runner_is_draining(const struct runner *runner);
const char *runner_disabled(const struct runner *runner); /* why; "": it is not */
/* Valid until the next change. */
const struct runner_version *runner_version(const struct runner *runner);
struct host *runner_host(const struct runner *runner); /* NULL: none */
struct host_log *runner_log(const struct runner *runner);
/* The version in place is known as good from now on. */
void runner_set_good(struct runner *runner);
/* An object for handler_stats, under its file name. */
void runner_write_statistics(const struct runner *runner, struct json_writer *writer);
