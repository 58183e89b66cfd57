/* agent/handler/deployment.h - one change of one module, from its code to its service.
 *
 *     name, size, signature
 *     validator behind walls            |  meanwhile the candidate's process starts
 *     stage: the code is on the disk    |  meanwhile the candidate imports it and tests itself
 *     commit: one rename on the disk
 *     route: calls go to the candidate; the former host ends its call and is killed
 *
 * Whoever refuses on the way ends it, and all is as before. Loop thread; the disk's work
 * is done on the store thread, one job of a deployment at a time. */
#pragma once

#include "agent/handler/version.h"
#include "base/list.h"
#include "command/principal.h"

#include <stdbool.h>
#include <stddef.h>

struct handler;
struct command_request;

enum deployment_kind {
        DEPLOYMENT_UPDATE,
        DEPLOYMENT_CHECK, /* as update, but nothing is switched */
        DEPLOYMENT_ROLLBACK,
        DEPLOYMENT_RELOAD,
        DEPLOYMENT_REMOVE,
};

enum { DEPLOYMENT_ORIGIN_MAX = 160, DEPLOYMENT_VERSION_MAX = 159, DEPLOYMENT_DRAIN_MS = 2000 };

struct deployment_order {
        enum deployment_kind kind;
        char filename[HANDLER_NAME_MAX + 1];
        char *code; /* UPDATE, CHECK; owned */
        size_t length;
        char *signature;                          /* NULL: none; owned */
        char version[DEPLOYMENT_VERSION_MAX + 1]; /* ROLLBACK; "": whichever is best */
        char who[COMMAND_PRINCIPAL_NAME_MAX], from[DEPLOYMENT_ORIGIN_MAX];
        bool automatic;                  /* the agent's own decision: a ROLLBACK ... */
        uint64_t leaves;                 /* ... of this version, and of no other that came since */
        bool local;                      /* a file that somebody put there */
        struct command_request *request; /* gets the reply; NULL: nobody waits */
};
void deployment_order_done(struct deployment_order *order);

struct deployment;

/* It is over, and may be freed. */
typedef void deployment_ended_fn(void *owner, struct deployment *deployment);

/* Takes the order over, on success. -ENOMEM. */
int deployment_new(struct handler *handler, struct deployment_order *order,
                   deployment_ended_fn *ended, void *owner, struct deployment **ret);
/* What is under way is ended; not while a job of it is on the store thread. */
struct deployment *deployment_free(struct deployment *deployment);
void deployment_begin(struct deployment *deployment);
/* The agent is stopping: whoever waits is told. */
void deployment_abort(struct deployment *deployment);

const char *deployment_filename(const struct deployment *deployment);
/* It is about to make this command its own. */
bool deployment_claims(const struct deployment *deployment, const char *command);
struct list *deployment_link(struct deployment *deployment);
struct deployment *deployment_of_link(struct list *link);
