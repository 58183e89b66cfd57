/* agent/handler/runner-internal.h - what runner.c and runner-calls.c know of a
 * runner, and nobody else needs to. */
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

/* runner.c */

void runner_start_host(struct runner *runner);
void runner_error_counted(struct runner *runner, struct module_command *command);
void runner_success_counted(struct runner *runner);
