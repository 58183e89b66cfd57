/* agent/handler/handler-internal.h - what the files of this room know of the whole. */
#pragma once

#include "agent/handler/deployments.h"
#include "agent/handler/diagnosis.h"
#include "agent/handler/handler.h"
#include "agent/handler/repository.h"
#include "agent/handler/runner.h"
#include "base/map.h"
#include "store/thread.h"

/* Objects that another maker made are made anew. */
#define HANDLER_OBJECT_MAKER "pifleet-1 " __VERSION__

enum {
        HANDLER_STORE_JOBS_MAX = 1024,
        HANDLER_LOADING_MAX = 4,    /* hosts that load at once when the agent starts */
        HANDLER_QUESTIONS_MAX = 64, /* that wait; beyond: BUSY */
};

struct handler {
        struct loop *loop;
        struct command_registry *registry;
        const struct handler_config *config;
        int state_fd; /* the state directory */
        struct launch *launch;
        struct spawner *spawner;
        struct store_thread *store;
        /* The store thread's; NULL until it is open, or when it cannot be. */
        struct handler_repository *repository;
        struct map *runners; /* struct runner by file name */
        struct deployments *deployments;
        struct startup *startup;
        struct list questions; /* that wait (questions.c) */
        size_t questions_count;
        bool open; /* modules are in place, deployments may begin */
        bool stopped;
        char closed[HANDLER_WHY_MAX + 1]; /* why the repository cannot be used; "": it can */
};

struct runner *handler_runner(const struct handler *handler, const char *filename); /* or NULL */
/* Makes one where there is none. -ENOSPC: too many modules; -ENOMEM. */
int handler_add_runner(struct handler *handler, const char *filename, struct runner **ret);
/* Forgets one that has nothing in service and nobody waits for. */
void handler_drop_runner(struct handler *handler, struct runner *runner);

/* Written down on the disk some time; nobody waits. */
void handler_mark(struct handler *handler, struct runner *runner, enum handler_state state);
void handler_disable(struct handler *handler, struct runner *runner, const char *why);
void handler_publish(struct handler *handler, enum handler_event_kind kind, const char *filename,
                     const char *format, ...) PRINTF_LIKE(4, 5);

/* commands.c */

/* All of the room's commands, with the handler as their owner. */
int handler_register_commands(struct handler *handler, struct error *error);
void handler_unregister_commands(struct handler *handler);
/* deployment-reply.c */
void handler_reply_rejected(struct command_request *request, const struct diagnosis *diagnosis);

/* questions.c: what is asked of the disk, or of hosts, and answered later. */

enum question_kind { QUESTION_BACKUPS, QUESTION_LOG, QUESTION_CODE };
/* `filename` NULL: of all modules. Returns like a `run`. */
int question_ask_disk(struct handler *handler, struct command_request *request,
                      enum question_kind kind, const char *filename, size_t limit);
/* handler_stats: asks the hosts for what they use first. */
int question_ask_usage(struct handler *handler, struct command_request *request,
                       const char *filename);
/* Hosts have told something, or time has passed. */
void questions_stop(struct handler *handler);

/* startup.c */

int startup_new(struct handler *handler, struct startup **ret); /* -ENOMEM */
/* After the store thread. */
struct startup *startup_free(struct startup *startup);
int startup_begin(struct startup *startup);
/* The disk was read, what lies in handlers/ looked at; hosts may still be loading. */
bool startup_is_done(const struct startup *startup);
/* A host has loaded, or never will: the next may start. */
void startup_next(struct startup *startup);
