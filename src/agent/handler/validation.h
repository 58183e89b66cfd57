/* agent/handler/validation.h - a module is checked without being run: layers one to four; one in C
 * is compiled on the way.
 *
 * The validator is a program of its own behind walls, with its deadline. It decides; what
 * cannot be decided (it crashed, hung, or answered nonsense) is no pass. Loop thread. */
#pragma once

#include "agent/handler/diagnosis.h"
#include "agent/handler/launch.h"

enum {
        VALIDATION_MS = 5000,
        VALIDATION_COMPILE_MS = 30000,  /* of a module in C */
        VALIDATION_START_MS = 20000,    /* until the spawner has started it */
        VALIDATION_REPORT_MAX = 1 << 20 /* bytes */
};

enum validation_verdict {
        VALIDATION_PASSED,
        VALIDATION_REFUSED, /* the diagnosis says why */
        VALIDATION_FAILED,  /* `why` */
};

struct validation;
/* Once, never inside validation_start(). `why` is a clause, "the validator was killed by
 * SIGKILL". The validation may be freed in it. */
typedef void validation_done_fn(void *owner, enum validation_verdict verdict, const char *why);

struct validation_setup {
        struct loop *loop;
        struct spawner *spawner;
        const struct launch *launch;
        const char *filename;
        int code_fd;                 /* stays the caller's */
        int object_fd;               /* for C: gets the shared object; else -1 */
        struct diagnosis *diagnosis; /* filled in; outlives the validation */
};

/* Errors of spawner_start(); -EMFILE, -ENOMEM. */
int validation_start(const struct validation_setup *setup, validation_done_fn *done, void *owner,
                     struct validation **ret);
/* Ends it; nobody is told. NULL is fine. */
struct validation *validation_free(struct validation *validation);
