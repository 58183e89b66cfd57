/* agent/handler/runner-internal.h - what the files of a runner know of it, and nobody else
 * needs to: its versions (runner.c), the host in service (runner-host.c), those of former
 * versions (runner-drain.c), calls (runner-calls.c). */
#pragma once

#include "agent/handler/healing.h"
#include "agent/handler/restart.h"
#include "agent/handler/runner.h"
#include "base/list.h"
#include "loop/timer.h"

/* A host of a former version, until it is gone. */
struct drain {
        struct list link;
        struct runner *runner;
        struct host *host;
        runner_drained_fn *drained;
        void *context;
};

/* A request on its way through a host. */
struct call {
        struct list link; /* while it waits */
        struct runner *runner;
        struct command_request *request;
        uint64_t begun_ns;
        uint32_t timeout_ms;
        struct loop_timer deadline; /* while it waits */
};

struct runner {
        struct runner_setup setup;
        char filename[HANDLER_NAME_MAX + 1];
        char source[sizeof("handlers/") + HANDLER_NAME_MAX];
        const struct handler_grant *grant;
        struct host_log *log;

        struct runner_version version; /* sha256 "": none */
        struct host *host;             /* NULL: none */
        bool starting_again;           /* once `host` has ended */
        uint64_t delay_ms;             /* after which */
        char broken[HOST_WHY_MAX + 1]; /* why, while it is not there */
        char disabled[HANDLER_WHY_MAX + 1];
        bool stopped;

        struct list waiting; /* calls */
        size_t waiting_count;
        struct list draining;
        size_t draining_count;

        struct restart restart;
        uint64_t restarts;
        struct healing healing;
        struct loop_timer start, prove; /* of the host; of the version */
        char suggestion[MODULE_ERROR_TEXT_MAX + 1];
};

/* runner-calls.c */

command_run_fn runner_run_command;
/* Hands calls to the host as long as it takes them. */
void runner_dispatch(struct runner *runner);
/* What the host said to the call it had; `served`: it is the one in service. */
void runner_on_reply(struct runner *runner, struct host *host, const struct host_message *message,
                     bool served);
/* The call it had ends with it. */
void runner_on_call_broken(struct runner *runner, struct host *host, enum host_fault fault,
                           const char *why, bool served);
/* All that wait are answered so. */
void runner_refuse_waiting(struct runner *runner);
/* Why a call cannot be taken now, and answered so; false: it can. */
bool runner_refuses(struct runner *runner, struct command_request *request);

/* runner-host.c */

extern const struct host_listener runner_serving; /* its owner is the runner */
void runner_start_host(struct runner *runner);

/* runner-drain.c */

/* `host` is killed once it has answered. `drain` was allocated before anything changed, and is
 * taken over. */
void runner_drain(struct runner *runner, struct drain *drain, struct host *host,
                  runner_drained_fn *drained, void *context);
/* They end now, and so do the calls they have. */
void runner_drop_drains(struct runner *runner);

/* runner.c */

/* Its commands are these from now on. */
int runner_register(struct runner *runner, const struct module_commands *commands,
                    struct error *error);
/* Looks whether the version is good, or when to look again. */
void runner_prove_later(struct runner *runner);
void runner_error_counted(struct runner *runner, struct module_command *command);
void runner_success_counted(struct runner *runner);
