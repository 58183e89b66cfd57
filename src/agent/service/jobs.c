#include "agent/service/jobs.h"

#include "agent/service/listing.h"
#include "agent/service/unit-name.h"
#include "agent/service/unit-protected.h"
#include "base/buffer.h"
#include "base/list.h"
#include "base/spelling.h"
#include "command/reply.h"
#include "command/request.h"
#include "data/json.h"
#include "loop/timer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_MS = 8000, PATH_MAX_BYTES = 128, RESULT_MAX_BYTES = 32 };

struct jobs {
        struct loop *loop;
        struct service_bus *bus;
        const struct config_texts *patterns;
        struct list all;
        size_t count;
};

struct job {
        struct list link;
        struct jobs *jobs;
        struct command_request *request;
        enum job_verb verb;
        char name[UNIT_NAME_MAX + 1];
        struct service_bus_call *call;
        struct listing *listing;
        char path[PATH_MAX_BYTES]; /* of systemd's job; empty until it is known */
        /* Of the job that ended, or of one of this unit that ended before we knew ours. */
        char ended_path[PATH_MAX_BYTES], result[RESULT_MAX_BYTES];
        struct service_failure failure; /* why near matches are looked for */
        struct loop_timer deadline;
};

static const struct {
        const char *member, *word, *done;
} verbs[] = {
        [JOB_START] = {"StartUnit", "start", "started"},
        [JOB_STOP] = {"StopUnit", "stop", "stopped"},
        [JOB_RESTART] = {"RestartUnit", "restart", "restarted"},
};

/* Source: org.freedesktop.systemd1(5), "JobRemoved". */
static const struct {
        const char *result, *sentence;
} results[] = {
        {"assert", "a condition that its unit asserts does not hold"},
        {"canceled", "another command for this unit came between"},
        {"dependency", "something that it needs failed"},
        {"failed", "its program failed"},
        {"timeout", "it took longer than its unit allows"},
        {"unsupported", "this system does not support units of its type"},
};

static struct job *job_free(struct job *job)
{
        if (!job)
                return NULL;
        loop_timer_stop(&job->deadline);
        service_bus_call_cancel(job->call);
        listing_free(job->listing);
        list_remove(&job->link);
        job->jobs->count--;
        free(job);
        return NULL;
}

static void fail_and_free(struct job *job, const struct service_failure *failure)
{
        char what[UNIT_NAME_MAX + 32];

        snprintf(what, sizeof(what), "%s %s", verbs[job->verb].word, job->name);
        service_failure_reply(job->request, failure, what);
        job_free(job);
}

/* --- the unit after it ------------------------------------------------------------------- */

static const char *sentence_of(const char *result)
{
        for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
                if (strcmp(results[i].result, result) == 0)
                        return results[i].sentence;
        }
        return "systemd gives no reason";
}

static bool is_good(const char *result)
{
        /* Skipped: it was so already. */
        return strcmp(result, "done") == 0 || strcmp(result, "skipped") == 0;
}

static void reply_state(struct job *job, const struct unit *unit)
{
        /* A transient unit is gone once it is stopped. */
        const struct unit gone = {.name = job->name,
                                  .description = job->name,
                                  .active = (char[]){"inactive"},
                                  .state = (char[]){"dead"},
                                  .since_us = UNIT_UNKNOWN,
                                  .memory = UNIT_UNKNOWN,
                                  .cpu_ns = UNIT_UNKNOWN,
                                  .restarts = UNIT_UNKNOWN};
        struct json_writer *writer;

        if (is_good(job->result))
                writer = command_reply_open(job->request, NULL);
        else
                writer = command_reply_open_failure(
                        job->request, COMMAND_HARDWARE,
                        "%s could not be %s: %s (%s); `journalctl -u %s` on the machine says more",
                        job->name, verbs[job->verb].done, sentence_of(job->result), job->result,
                        job->name);
        json_write_string(writer, "device", job->name);
        json_write_string(writer, "result", job->result);
        unit_write(unit ? unit : &gone, writer);
        command_reply_send(job->request);
}

static void on_state(void *owner, const struct service_failure *failure, const struct unit units[],
                     size_t count, size_t left_out)
{
        struct job *job = owner;
        char what[UNIT_NAME_MAX + 64];

        (void)left_out;
        if (failure) {
                snprintf(what, sizeof(what), "say how %s is after its %s (%s)", job->name,
                         verbs[job->verb].word, job->result);
                service_failure_reply(job->request, failure, what);
        } else {
                reply_state(job, count > 0 ? &units[0] : NULL);
        }
        job_free(job);
}

/* The job may be gone afterwards. */
static void look_at_unit(struct job *job)
{
        char *names[] = {job->name};
        const struct config_texts only = {names, 1};
        struct service_failure failure;

        loop_timer_stop(&job->deadline);
        if (listing_start(job->jobs->loop, job->jobs->bus, &only, LISTING_NUMBERS, on_state, job,
                          &job->listing, &failure) < 0)
                on_state(job, &failure, NULL, 0, 0);
}

/* --- no such unit ------------------------------------------------------------------------ */

static void write_suggestions(struct job *job, const char *const best[], size_t count)
{
        char near[JOBS_SUGGESTIONS_MAX * (UNIT_NAME_MAX + 2) + 1] = "";
        struct json_writer *writer;
        size_t length = 0;

        for (size_t i = 0; i < count; i++)
                length += (size_t)snprintf(near + length, sizeof(near) - length, "%s%s",
                                           i > 0 ? ", " : "", best[i]);
        writer = command_reply_open_failure(job->request, COMMAND_NO_DEVICE,
                                            "there is no unit %s here; %s%s", job->name,
                                            count > 0 ? "did you mean " : "see list_devices", near);
        json_write_array(writer, "near");
        for (size_t i = 0; i < count; i++)
                json_write_string(writer, NULL, best[i]);
        json_write_end(writer);
        command_reply_send(job->request);
}

static void on_candidates(void *owner, const struct service_failure *failure,
                          const struct unit units[], size_t count, size_t left_out)
{
        AUTO_FREE const char **names = NULL;
        const char *best[JOBS_SUGGESTIONS_MAX];
        struct job *job = owner;
        size_t found = 0;

        (void)left_out;
        if (!failure && count > 0)
                names = calloc(count, sizeof(*names));
        if (names) {
                for (size_t i = 0; i < count; i++)
                        names[i] = units[i].name;
                found = spelling_near(job->name, names, count, best, JOBS_SUGGESTIONS_MAX);
        }
        write_suggestions(job, best, found);
        job_free(job);
}

static void suggest(struct job *job, const struct service_failure *failure)
{
        struct service_failure ignored;

        loop_timer_stop(&job->deadline);
        if (listing_start(job->jobs->loop, job->jobs->bus, job->jobs->patterns, LISTING_NAMES,
                          on_candidates, job, &job->listing, &ignored) < 0)
                fail_and_free(job, failure);
}

/* --- the job ----------------------------------------------------------------------------- */

static void on_enqueued(void *context, sd_bus_message *reply, const struct service_failure *failure)
{
        struct job *job = context;
        struct service_failure own;
        const char *path;

        job->call = NULL;
        if (failure && failure->kind == SERVICE_FAILURE_NO_UNIT) {
                suggest(job, failure);
        } else if (failure) {
                fail_and_free(job, failure);
        } else if (sd_bus_message_read(reply, "o", &path) <= 0 || strlen(path) >= PATH_MAX_BYTES) {
                service_failure_set(&own, SERVICE_FAILURE_OTHER, "systemd named no job");
                fail_and_free(job, &own);
        } else {
                snprintf(job->path, sizeof(job->path), "%s", path);
                if (strcmp(job->path, job->ended_path) == 0)
                        look_at_unit(job);
        }
}

void jobs_on_ended(struct jobs *jobs, const char *path, const char *unit, const char *result)
{
        list_for_each (&jobs->all, position) {
                struct job *job = container_of(position, struct job, link);
                bool ours = job->path[0] != '\0' && strcmp(job->path, path) == 0;

                if (job->listing ||
                    (!ours && (job->path[0] != '\0' || strcmp(job->name, unit) != 0)))
                        continue;
                snprintf(job->ended_path, sizeof(job->ended_path), "%s", path);
                snprintf(job->result, sizeof(job->result), "%s", result);
                if (ours)
                        look_at_unit(job);
        }
}

void jobs_on_lost(struct jobs *jobs, const struct service_failure *failure)
{
        list_for_each (&jobs->all, position) {
                struct job *job = container_of(position, struct job, link);

                if (!job->call && !job->listing)
                        fail_and_free(job, failure);
        }
}

static void job_on_deadline(struct loop_timer *timer)
{
        struct job *job = container_of(timer, struct job, deadline);
        struct json_writer *writer = command_reply_open_failure(
                job->request, COMMAND_EXPIRED,
                "%s was not %s within %d s; that goes on, list_devices shows how it ends",
                job->name, verbs[job->verb].done, JOBS_DEADLINE_MS / 1000);

        json_write_string(writer, "device", job->name);
        command_reply_send(job->request);
        job_free(job);
}

static int job_send(struct job *job, struct service_failure *failure)
{
        const struct service_bus_method method = {
                "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                "org.freedesktop.systemd1.Manager", verbs[job->verb].member};
        sd_bus_message *message = NULL;
        int r;

        r = service_bus_message(job->jobs->bus, &method, &message, failure);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "ss", job->name, "replace");
        if (r < 0)
                service_failure_set(failure, SERVICE_FAILURE_OTHER, "%s", strerror(-r));
        else
                r = service_bus_send(job->jobs->bus, message, CALL_MS, on_enqueued, job, &job->call,
                                     failure);
        sd_bus_message_unref(message);
        return r;
}

/* 0: *ret is a unit's name, and one that may be controlled. Else the request has its reply. */
static int take_name(struct jobs *jobs, struct command_request *request, const char **ret)
{
        const char *name = json_get_string(command_request_arguments(request), "device");
        const char *reason;
        struct error error;
        int r;

        r = unit_name_check(name, &error);
        if (r < 0) {
                command_reply_fail(request, COMMAND_BAD_VALUE, "%s", error.text);
                return r;
        }
        if (!unit_name_matches(name, jobs->patterns)) {
                command_reply_fail(request, COMMAND_FORBIDDEN,
                                   "%s is not among the services that may be controlled: "
                                   "monitor.services in the agent's configuration lists them",
                                   name);
                return -EACCES;
        }
        reason = unit_protected_reason(name);
        if (reason) {
                command_reply_fail(request, COMMAND_FORBIDDEN,
                                   "%s cannot be controlled from here: %s", name, reason);
                return -EACCES;
        }
        *ret = name;
        return 0;
}

int jobs_begin(struct jobs *jobs, struct command_request *request, enum job_verb verb)
{
        struct service_failure failure;
        const char *name = NULL;
        struct job *job;

        if (take_name(jobs, request, &name) < 0)
                return 0;
        if (jobs->count >= JOBS_MAX)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "%d units are being started or stopped already; try "
                                          "again later",
                                          JOBS_MAX);
        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        job->jobs = jobs;
        job->request = request;
        job->verb = verb;
        snprintf(job->name, sizeof(job->name), "%s", name);
        loop_timer_init(&job->deadline, jobs->loop, job_on_deadline);
        list_append(&jobs->all, &job->link);
        jobs->count++;
        if (job_send(job, &failure) < 0) {
                fail_and_free(job, &failure);
                return 0;
        }
        loop_timer_start(&job->deadline, JOBS_DEADLINE_MS);
        return COMMAND_PENDING;
}

void jobs_stop(struct jobs *jobs)
{
        list_for_each (&jobs->all, position) {
                struct job *job = container_of(position, struct job, link);

                command_reply_fail(job->request, COMMAND_NOT_READY,
                                   "the agent is stopping; the %s of %s goes on, list_devices "
                                   "shows later how it ended",
                                   verbs[job->verb].word, job->name);
                job_free(job);
        }
}

int jobs_new(struct loop *loop, struct service_bus *bus, const struct config_texts *patterns,
             struct jobs **ret)
{
        struct jobs *jobs = calloc(1, sizeof(*jobs));

        if (!jobs)
                return -ENOMEM;
        jobs->loop = loop;
        jobs->bus = bus;
        jobs->patterns = patterns;
        list_init(&jobs->all);
        *ret = jobs;
        return 0;
}

struct jobs *jobs_free(struct jobs *jobs)
{
        if (!jobs)
                return NULL;
        jobs_stop(jobs);
        free(jobs);
        return NULL;
}
