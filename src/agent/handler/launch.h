/* agent/handler/launch.h - what is started for a module, and with which rights.
 *
 * Where the programs lie, the words they are started with, what a module sees of the
 * machine by default and by the grants of the configuration. Loop thread. */
#pragma once

#include "agent/handler/config.h"
#include "agent/handler/host.h"

enum {
        LAUNCH_CHECK_MEMORY = 256 << 20,   /* bytes, for the validator */
        LAUNCH_COMPILE_MEMORY = 768 << 20, /* for the compiler */
        LAUNCH_COMPILE_TASKS = 32,
        LAUNCH_HIDDEN_MAX = 16,
};

struct launch_options {
        const struct handler_config *config;
        /* What modules are not to see wherever it lies: keys, state, sockets. Ends with NULL; at
         * most LAUNCH_HIDDEN_MAX. Copied; what is nowhere is left out. */
        const char *const *hidden;
        /* Where a spawner that the agent starts itself keeps the modules' own folders. */
        const char *spawner_dir;
};

struct launch;

/* Finds the programs: beside this program (a build directory), else where they are
 * installed. -ENOMEM; -ENOENT: not even the folder of options->spawner_dir is there. */
int launch_new(struct loop *loop, const struct launch_options *options, struct launch **ret);
struct launch *launch_free(struct launch *launch);
DEFINE_CLEANUP(launch)

/* For spawner_new(); lives as long as the launch. */
const struct sandbox_options *launch_spawner(const struct launch *launch);

/* A host for a module. `code_fd`: its source, or for C the shared object; stays the caller's.
 * Errors of host_start(). */
int launch_host(const struct launch *launch, struct spawner *spawner, const char *filename,
                int code_fd, struct host_log *log, const struct host_listener *listener,
                void *owner, struct host **ret);

/* The program that checks a module without running it: the validator, or for C the compiler.
 * `descriptors`: its source, its report, and for C what it makes; they stay the caller's. Errors
 * of spawner_start(). */
int launch_check(const struct launch *launch, struct spawner *spawner, const char *filename,
                 const int descriptors[3], struct spawner_program *program,
                 spawner_event_fn *on_event);
bool launch_is_compiled(const char *filename);
