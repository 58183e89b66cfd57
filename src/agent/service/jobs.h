/* agent/service/jobs.h - starting, stopping and restarting a unit.
 *
 * systemd makes a job of each, and says how it ended by a signal; then the unit
 * is looked at and the command answered. Loop thread. */
#pragma once

#include "agent/service/bus.h"
#include "command/command.h"
#include "data/config.h"

enum {
        JOBS_MAX = 16,            /* under way; beyond: BUSY */
        JOBS_DEADLINE_MS = 25000, /* then EXPIRED, and the job goes on */
        JOBS_COMMAND_MS = 40000,  /* with what comes before and after */
        JOBS_SUGGESTIONS_MAX = 5,
};

enum job_verb { JOB_START, JOB_STOP, JOB_RESTART };

struct jobs;

/* Borrows the bus and the patterns, which must outlive it. -ENOMEM. */
int jobs_new(struct loop *loop, struct service_bus *bus, const struct config_texts *patterns,
             struct jobs **ret);
/* After jobs_stop(). */
struct jobs *jobs_free(struct jobs *jobs);
DEFINE_CLEANUP(jobs)

/* What a command's `run` returns: the request has its reply, or gets it later. */
int jobs_begin(struct jobs *jobs, struct command_request *request, enum job_verb verb);
/* The bus has said that a job of systemd ended. */
void jobs_on_ended(struct jobs *jobs, const char *path, const char *unit, const char *result);
/* The bus will not say how jobs end: those that wait for it are answered. */
void jobs_on_lost(struct jobs *jobs, const struct service_failure *failure);
/* Answers all that are under way with NOT_READY. */
void jobs_stop(struct jobs *jobs);
