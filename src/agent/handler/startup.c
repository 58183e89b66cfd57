/* Modules that are in place when the agent starts, and files that somebody dropped there.
 *
 * The disk is opened and read on the store thread, one module after the other; each gets its
 * runner when its code is there, a few hosts load at once. Nobody waits for any of it. */
#include "agent/handler/handler-internal.h"

#include "agent/handler/command-cache.h"
#include "agent/handler/source-text.h"
#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 64, LINE_MAX_BYTES = 256, CANDIDATES_MAX = HANDLER_MODULES_MAX };

enum startup_step { STEP_OPEN, STEP_READ, STEP_SCAN };

struct in_place {
        char filename[HANDLER_NAME_MAX + 1];
        struct handler_version version;
        char disabled[HANDLER_WHY_MAX + 1];
};

struct line {
        bool trouble;
        char text[LINE_MAX_BYTES];
};

struct startup {
        struct handler *handler;
        struct store_job job;
        enum startup_step step;
        bool busy; /* the store thread has the job */
        int result;
        struct error error;

        struct line lines[LINES_MAX];
        size_t lines_count;
        struct in_place *modules;
        size_t modules_count, at; /* `at`: being read */
        char *code;
        size_t code_length;
        char *commands; /* JSON, of a lazy module; NULL: not known */
        size_t commands_length;
        struct handler_candidate *candidates;
        size_t started; /* of `modules` */
};

/* --- on the store thread ----------------------------------------------------------------- */

static void take_line(void *owner, bool trouble, const char *line)
{
        struct startup *startup = owner;
        struct line *place;

        if (startup->lines_count == LINES_MAX)
                return;
        place = &startup->lines[startup->lines_count++];
        place->trouble = trouble;
        snprintf(place->text, sizeof(place->text), "%s", line);
}

static int open_repository(struct startup *startup)
{
        struct handler *handler = startup->handler;
        const struct handler_retention retention = {
                .backups = (unsigned)handler->config->backups,
                .age_days = (unsigned)handler->config->backup_days,
                .disk_max = (uint64_t)handler->config->disk,
        };
        const struct handler_module *module;
        size_t position = 0;
        int r;

        r = handler_repository_open(handler->state_fd, &retention, take_line, startup,
                                    &startup->error, &handler->repository);
        if (r < 0)
                return r;
        startup->modules = calloc(HANDLER_MODULES_MAX, sizeof(*startup->modules));
        if (!startup->modules)
                return error_set(&startup->error, -ENOMEM, "not enough memory");
        while (startup->modules_count < HANDLER_MODULES_MAX &&
               (module = handler_repository_next(handler->repository, &position))) {
                struct in_place *place = &startup->modules[startup->modules_count++];

                memcpy(place->filename, module->filename, sizeof(place->filename));
                place->version = module->current;
                memcpy(place->disabled, module->disabled, sizeof(place->disabled));
        }
        return 0;
}

static void run(struct store_job *job)
{
        struct startup *startup = container_of(job, struct startup, job);
        struct handler_repository *repository = startup->handler->repository;
        const struct in_place *module = &startup->modules[startup->at];

        startup->lines_count = 0;
        error_set(&startup->error, 0, "its code is not on the disk any more");
        switch (startup->step) {
        case STEP_OPEN:
                startup->result = open_repository(startup);
                return;
        case STEP_READ:
                startup->result =
                        launch_is_compiled(module->filename)
                                ? handler_repository_object_read(
                                          repository, module->version.sha256, HANDLER_OBJECT_MAKER,
                                          &startup->code, &startup->code_length)
                                : handler_repository_read(repository, module->filename,
                                                          module->version.sha256, &startup->code,
                                                          &startup->code_length, &startup->error);
                (void)command_cache_read(startup->handler->state_fd, module->filename,
                                         &startup->commands, &startup->commands_length);
                return;
        case STEP_SCAN:
                startup->result = handler_repository_scan(repository, NULL, take_line, startup,
                                                          startup->candidates, CANDIDATES_MAX);
                return;
        }
}

/* --- on the loop's ----------------------------------------------------------------------- */

static void done(struct store_job *job);

static void submit(struct startup *startup, enum startup_step step)
{
        startup->step = step;
        startup->job.run = run;
        startup->job.done = done;
        startup->busy = store_thread_submit(startup->handler->store, &startup->job) == 0;
}

static void publish_lines(struct startup *startup)
{
        for (size_t i = 0; i < startup->lines_count; i++)
                handler_publish(startup->handler, HANDLER_EVENT_STORE, "", "%s%s",
                                startup->lines[i].trouble ? "trouble: " : "",
                                startup->lines[i].text);
}

static int install(struct startup *startup, struct runner *runner, const struct in_place *module,
                   struct error *error)
{
        struct runner_version version = {.version = module->version, .code_fd = -1};
        int r;

        r = source_text_seal(module->filename, startup->code, startup->code_length,
                             &version.code_fd);
        if (r < 0)
                return error_set(error, r, "no room in memory: %s", strerror(-r));
        if (startup->commands)
                (void)command_cache_parse(startup->commands, startup->commands_length,
                                          module->version.sha256, &version.commands);
        r = runner_install(runner, &version, error);
        runner_version_done(&version);
        return r;
}

/* One in C whose object is gone: made anew, by what a reload does. */
static void make_again(struct startup *startup, const struct in_place *module)
{
        struct deployment_order order = {
                .kind = DEPLOYMENT_RELOAD, .who = "agent", .from = "start"};

        snprintf(order.filename, sizeof(order.filename), "%s", module->filename);
        (void)deployments_submit(startup->handler->deployments, &order);
}

static void install_read(struct startup *startup)
{
        struct handler *handler = startup->handler;
        const struct in_place *module = &startup->modules[startup->at];
        struct runner *runner;
        struct error error;
        int r;

        r = handler_add_runner(handler, module->filename, &runner);
        if (r < 0) {
                handler_publish(handler, HANDLER_EVENT_DISABLED, module->filename, "%s",
                                strerror(-r));
        } else {
                error = startup->error;
                r = startup->result;
                if (r == 0)
                        r = install(startup, runner, module, &error);
                if (r < 0)
                        handler_publish(handler, HANDLER_EVENT_DISABLED, module->filename, "%s",
                                        error.text);
                if (r < 0 || module->disabled[0] != '\0')
                        runner_disable(runner, r < 0 ? error.text : module->disabled);
        }
}

static void on_read(struct startup *startup)
{
        const struct in_place *module = &startup->modules[startup->at];

        if (startup->result < 0 && launch_is_compiled(module->filename) &&
            module->disabled[0] == '\0')
                make_again(startup, module);
        else
                install_read(startup);
        free(TAKE(startup->code));
        free(TAKE(startup->commands));
        startup->at++;
}

static void next_read(struct startup *startup)
{
        struct handler *handler = startup->handler;

        if (startup->at < startup->modules_count) {
                submit(startup, STEP_READ);
                return;
        }
        handler->open = true;
        if (handler->closed[0] == '\0')
                startup->candidates = calloc(CANDIDATES_MAX, sizeof(*startup->candidates));
        if (startup->candidates)
                submit(startup, STEP_SCAN);
        deployments_next(handler->deployments);
        startup_next(startup);
}

static void on_scanned(struct startup *startup)
{
        struct handler *handler = startup->handler;

        publish_lines(startup);
        for (int i = 0; i < startup->result; i++) {
                struct deployment_order order = {
                        .kind = DEPLOYMENT_RELOAD, .who = "local", .from = "handlers/"};

                snprintf(order.filename, sizeof(order.filename), "%s",
                         startup->candidates[i].filename);
                /* What does not fit in now is found at the next start, or by reload_handler. */
                if (deployments_submit(handler->deployments, &order) < 0)
                        break;
        }
        free(TAKE(startup->candidates));
}

static void done(struct store_job *job)
{
        struct startup *startup = container_of(job, struct startup, job);
        struct handler *handler = startup->handler;

        startup->busy = false;
        if (!job->ran || handler->stopped)
                return;
        switch (startup->step) {
        case STEP_OPEN:
                publish_lines(startup);
                if (startup->result < 0) {
                        snprintf(handler->closed, sizeof(handler->closed), "%.250s",
                                 startup->error.text);
                        handler_publish(handler, HANDLER_EVENT_STORE, "", "trouble: %s",
                                        handler->closed);
                        startup->modules_count = 0;
                }
                next_read(startup);
                return;
        case STEP_READ:
                on_read(startup);
                next_read(startup);
                return;
        case STEP_SCAN:
                on_scanned(startup);
                return;
        }
}

static size_t count_loading(const struct handler *handler)
{
        const struct runner *runner;
        size_t position = 0, count = 0;

        while ((runner = map_next(handler->runners, &position, NULL)))
                count += runner_host(runner) && !runner_is_loaded(runner);
        return count;
}

void startup_next(struct startup *startup)
{
        struct handler *handler = startup->handler;

        while (handler->open && !handler->stopped && startup->started < startup->modules_count &&
               count_loading(handler) < HANDLER_LOADING_MAX) {
                struct runner *runner =
                        handler_runner(handler, startup->modules[startup->started++].filename);

                if (runner && runner_disabled(runner)[0] == '\0')
                        runner_start(runner);
        }
}

bool startup_is_done(const struct startup *startup)
{
        return startup->handler->open && !startup->busy;
}

int startup_new(struct handler *handler, struct startup **ret)
{
        struct startup *startup = calloc(1, sizeof(*startup));

        if (!startup)
                return -ENOMEM;
        startup->handler = handler;
        *ret = startup;
        return 0;
}

int startup_begin(struct startup *startup)
{
        submit(startup, STEP_OPEN);
        return startup->busy ? 0 : -EAGAIN;
}

struct startup *startup_free(struct startup *startup)
{
        if (!startup)
                return NULL;
        free(startup->modules);
        free(startup->candidates);
        free(startup->code);
        free(startup->commands);
        free(startup);
        return NULL;
}
