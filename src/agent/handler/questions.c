/* Questions whose answers come from the store thread, or from the spawner.
 *
 * An answer from the disk is made there, as JSON, and sent here as it is. */
#include "agent/handler/handler-internal.h"

#include "base/attributes.h"
#include "command/reply.h"
#include "command/request.h"
#include "loop/timer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 8 << 20, USAGE_WAIT_MS = 500, USAGE_LOOK_MS = 3 };

struct question {
        struct list link;
        struct handler *handler;
        struct command_request *request;
        char filename[HANDLER_NAME_MAX + 1]; /* "": all */

        /* Of the disk. */
        struct store_job job;
        enum question_kind kind;
        size_t limit;
        struct buffer answer;
        char *code;
        size_t code_length;
        struct handler_version version;
        int result;
        struct error error;

        /* Of hosts. */
        struct loop_timer wait;
        uint64_t until_ms, told; /* how often they have to have told, in all */
};

static int question_new(struct handler *handler, struct command_request *request,
                        const char *filename, struct question **ret)
{
        struct question *question;

        if (handler->questions_count >= HANDLER_QUESTIONS_MAX)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "%d others ask already; try again later",
                                          HANDLER_QUESTIONS_MAX);
        question = calloc(1, sizeof(*question));
        if (!question)
                return -ENOMEM;
        question->handler = handler;
        question->request = request;
        snprintf(question->filename, sizeof(question->filename), "%s", filename ? filename : "");
        buffer_init(&question->answer, ANSWER_MAX);
        list_append(&handler->questions, &question->link);
        handler->questions_count++;
        *ret = question;
        return COMMAND_PENDING;
}

static void question_free(struct question *question)
{
        list_remove(&question->link);
        question->handler->questions_count--;
        loop_timer_stop(&question->wait);
        buffer_done(&question->answer);
        free(question->code);
        free(question);
}

/* --- on the store thread ----------------------------------------------------------------- */

static const char *name_or_all(const struct question *question)
{
        return question->filename[0] != '\0' ? question->filename : NULL;
}

static void write_backup(void *owner, const struct handler_backup *backup)
{
        const struct handler_version *version = &backup->version;
        struct json_writer *writer = owner;
        char file[sizeof(".backups/") + HANDLER_BACKUP_MAX];

        snprintf(file, sizeof(file), ".backups/%s", version->backup);
        json_write_object(writer, NULL);
        json_write_string(writer, "file", file);
        json_write_string(writer, "filename", backup->filename);
        json_write_integer(writer, "time", version->time);
        json_write_integer(writer, "size", version->size);
        json_write_string(writer, "sha256", version->sha256);
        json_write_string(writer, "state", handler_state_name(version->state));
        json_write_end(writer);
}

static int answer_backups(struct question *question)
{
        struct json_writer writer;

        json_writer_init(&writer, &question->answer);
        json_write_array(&writer, NULL);
        handler_repository_backups(question->handler->repository, name_or_all(question),
                                   write_backup, &writer);
        json_write_end(&writer);
        return json_writer_error(&writer);
}

static int answer_code(struct question *question)
{
        struct handler_repository *repository = question->handler->repository;
        const struct handler_module *module =
                handler_repository_find(repository, question->filename);

        if (!module || module->current.sha256[0] == '\0')
                return error_set(&question->error, -ENOENT, "there is no module %s",
                                 question->filename);
        question->version = module->current;
        return handler_repository_read(repository, question->filename, module->current.sha256,
                                       &question->code, &question->code_length, &question->error);
}

static void run(struct store_job *job)
{
        struct question *question = container_of(job, struct question, job);

        question->error.text[0] = '\0';
        if (!question->handler->repository)
                question->result = error_set(&question->error, -ENODEV,
                                             "the folder of the modules cannot be used");
        else if (question->kind == QUESTION_BACKUPS)
                question->result = answer_backups(question);
        else if (question->kind == QUESTION_LOG)
                question->result = handler_repository_log_query(question->handler->repository,
                                                                name_or_all(question),
                                                                question->limit, &question->answer);
        else
                question->result = answer_code(question);
}

/* --- on the loop's ----------------------------------------------------------------------- */

static void reply_code(struct question *question)
{
        struct json_writer *writer = command_reply_open(question->request, NULL);
        char path[sizeof("handlers/") + HANDLER_NAME_MAX];

        snprintf(path, sizeof(path), "handlers/%s", question->filename);
        json_write_string(writer, "filename", path);
        json_write_text(writer, "code", question->code, question->code_length);
        json_write_integer(writer, "size", (int64_t)question->code_length);
        json_write_string(writer, "sha256", question->version.sha256);
        json_write_string(writer, "version_state", handler_state_name(question->version.state));
        json_write_integer(writer, "time", question->version.time);
        command_reply_send(question->request);
}

static void done(struct store_job *job)
{
        struct question *question = container_of(job, struct question, job);
        struct command_request *request = question->request;

        if (!job->ran) {
                command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
        } else if (question->result < 0) {
                command_reply_fail(
                        request, question->result == -ENOENT ? COMMAND_NO_DEVICE : COMMAND_HARDWARE,
                        "%s",
                        question->error.text[0] != '\0' ? question->error.text
                                                        : strerror(-question->result));
        } else if (question->kind == QUESTION_CODE) {
                reply_code(question);
        } else {
                struct json_writer *writer = command_reply_open(request, NULL);

                json_write_raw(writer, question->kind == QUESTION_BACKUPS ? "backups" : "entries",
                               buffer_data(&question->answer), buffer_length(&question->answer));
                command_reply_send(request);
        }
        question_free(question);
}

int question_ask_disk(struct handler *handler, struct command_request *request,
                      enum question_kind kind, const char *filename, size_t limit)
{
        struct question *question;
        int r = question_new(handler, request, filename, &question);

        if (r != COMMAND_PENDING)
                return r;
        question->kind = kind;
        question->limit = limit;
        question->job.run = run;
        question->job.done = done;
        loop_timer_init(&question->wait, handler->loop, NULL);
        if (store_thread_submit(handler->store, &question->job) < 0) {
                command_reply_fail(request, COMMAND_BUSY,
                                   "the disk has too much to do; try again later");
                question_free(question);
                return 0;
        }
        return COMMAND_PENDING;
}

/* --- what modules use -------------------------------------------------------------------- */

static bool concerns(const struct question *question, const struct runner *runner)
{
        return runner_in_service(runner) &&
               (question->filename[0] == '\0' ||
                strcmp(question->filename, runner_filename(runner)) == 0);
}

static int compare_runners(const void *a, const void *b)
{
        const struct runner *const *first = a, *const *second = b;

        return strcmp(runner_filename(*first), runner_filename(*second));
}

static void answer_usage(struct question *question)
{
        struct json_writer *writer = command_reply_open(question->request, NULL);
        const struct runner *runners[2 * HANDLER_MODULES_MAX] = {NULL}, *runner;
        size_t position = 0, count = 0;

        while ((runner = map_next(question->handler->runners, &position, NULL)))
                if (concerns(question, runner) && count < ARRAY_SIZE(runners))
                        runners[count++] = runner;
        qsort(runners, count, sizeof(*runners), compare_runners);
        json_write_object(writer, "handlers");
        for (size_t i = 0; i < count; i++)
                runner_write_statistics(runners[i], writer);
        json_write_end(writer);
        command_reply_send(question->request);
        question_free(question);
}

static uint64_t count_told(const struct question *question, bool ask, uint64_t *ret_asked)
{
        struct runner *runner;
        size_t position = 0;
        uint64_t told = 0;

        while ((runner = map_next(question->handler->runners, &position, NULL))) {
                struct host *host = runner_host(runner);

                if (!host || !concerns(question, runner))
                        continue;
                told += host_usage_count(host);
                if (ask) {
                        host_ask_usage(host);
                        (*ret_asked)++;
                }
        }
        return told;
}

static void on_wait(struct loop_timer *timer)
{
        struct question *question = container_of(timer, struct question, wait);

        if (count_told(question, false, NULL) >= question->told ||
            loop_now_ms(question->handler->loop) >= question->until_ms)
                answer_usage(question);
        else
                loop_timer_start(timer, USAGE_LOOK_MS);
}

int question_ask_usage(struct handler *handler, struct command_request *request,
                       const char *filename)
{
        struct question *question;
        int r = question_new(handler, request, filename, &question);
        uint64_t asked = 0;

        if (r != COMMAND_PENDING)
                return r;
        question->told = count_told(question, true, &asked);
        question->told += asked;
        question->until_ms = loop_now_ms(handler->loop) + USAGE_WAIT_MS;
        loop_timer_init(&question->wait, handler->loop, on_wait);
        loop_timer_start(&question->wait, asked > 0 ? 1 : 0);
        return COMMAND_PENDING;
}

void questions_stop(struct handler *handler)
{
        list_for_each (&handler->questions, position) {
                struct question *question = container_of(position, struct question, link);

                if (question->wait.armed)
                        answer_usage(question);
        }
}
