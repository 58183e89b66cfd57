/* agent/handler/deployment-internal.h - what the files of a deployment know of it: its
 * way (deployment.c), what is looked at before the module runs (deployment-checks.c), the
 * host it is tried in (deployment-candidate.c), its jobs on the disk (deployment-disk.c), its
 * replies (deployment-reply.c), its ends (deployment-end.c). */
#pragma once

#include "agent/handler/deployment.h"
#include "agent/handler/diagnosis.h"
#include "agent/handler/handler-internal.h"
#include "agent/handler/validation.h"
#include "base/attributes.h"
#include "command/code.h"
#include "loop/timer.h"

enum deployment_disk_step {
        DISK_IDLE,
        DISK_FIND,   /* the code of a rollback or a reload */
        DISK_STAGE,  /* the change begins */
        DISK_COMMIT, /* it is done; of a version in place: what was made of it is kept */
        DISK_REMOVE, /* the module goes */
        DISK_END,    /* it came to nothing, or there was none; the update log says so */
};

enum { DEPLOYMENT_FORGOTTEN_MAX = 4 };

/* What the store thread reads and writes while a job is under way, and nobody else. */
struct deployment_disk {
        struct store_job job;
        enum deployment_disk_step step;
        struct handler_repository *repository;
        int result;
        struct error error;
        bool asked;      /* FIND: by somebody who has to know what cannot be read */
        uint64_t change; /* staged; 0: none */
        struct handler_committed committed;
        struct handler_version found; /* FIND: what the code is of */
        bool dropped;                 /* FIND: a file that somebody put there */
        bool reenabled;               /* END: of a reload */
        char forgotten[DEPLOYMENT_FORGOTTEN_MAX][HANDLER_NAME_MAX + 1]; /* names, for the spawner */
        size_t forgotten_count;
        /* END */
        const char *outcome, *layer;
        char message[DIAGNOSIS_MESSAGE_MAX + 1];
};

struct deployment {
        struct list link;
        struct handler *handler;
        struct deployment_order order;
        deployment_ended_fn *ended;
        void *owner;

        struct runner *runner;
        char sha256[HANDLER_SHA256_HEX + 1];
        int code_fd;   /* the source in sealed memory; -1 */
        int object_fd; /* what a compiler makes of it; -1 */
        struct diagnosis diagnosis;
        struct validation *validation;
        struct host *candidate; /* until it is in service, or gone */
        bool candidate_dying;
        struct module_commands commands;
        struct handler_version version; /* RELOAD, `in_place`: the one in place */
        bool in_place;                  /* on the disk already, though not in service */

        bool validated, loaded, staged; /* what commit waits for */
        bool switched;
        bool drained;
        unsigned children_killed;
        struct loop_timer drain;
        bool answered;
        bool concluded;   /* nothing more is to happen but its end */
        bool end_written; /* to the update log, or given up */
        struct deployment_disk disk;
};

/* deployment.c */

/* `disk` has come back from the store thread; `ran`: it was there. */
void deployment_on_disk(struct deployment *deployment, bool ran);
/* Goes on when all that has to be there is. */
void deployment_proceed(struct deployment *deployment);

/* deployment-checks.c */

/* From name, size and signature on. */
void deployment_try_out(struct deployment *deployment);

/* deployment-candidate.c */

/* The process only. False: the deployment has failed. */
bool deployment_start_candidate(struct deployment *deployment);
/* The module runs from here on. */
void deployment_load_candidate(struct deployment *deployment);

/* deployment-end.c */

/* The diagnosis says why. */
void deployment_reject(struct deployment *deployment);
/* Adds this to the diagnosis. */
void deployment_refuse(struct deployment *deployment, enum diagnosis_layer layer,
                       const char *format, ...) PRINTF_LIKE(3, 4);
/* Not the module's fault. */
void deployment_fail(struct deployment *deployment, enum command_code code, const char *format, ...)
        PRINTF_LIKE(3, 4);
/* Fails it when the store thread takes no more. */
void deployment_to_disk(struct deployment *deployment, enum deployment_disk_step step);
/* It has its reply. `outcome` NULL: the update log has it already. */
void deployment_conclude(struct deployment *deployment, const char *outcome, const char *layer,
                         const char *message);
/* Is everything over? Then it is told, and `deployment` may be gone. */
void deployment_settle(struct deployment *deployment);

/* deployment-disk.c */

/* One at a time. -EAGAIN: the store thread takes no more. */
int deployment_disk_submit(struct deployment *deployment, enum deployment_disk_step step);

/* deployment-reply.c: each answers whoever waits, once. */

void deployment_reply_done(struct deployment *deployment);
void deployment_reply_unchanged(struct deployment *deployment);
void deployment_reply_removed(struct deployment *deployment);
/* The diagnosis says why. */
void deployment_reply_rejected(struct deployment *deployment);
void deployment_reply_failed(struct deployment *deployment, enum command_code code,
                             const char *sentence);
