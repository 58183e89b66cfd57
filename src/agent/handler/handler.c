#include "agent/handler/handler-internal.h"

#include "agent/handler/command-cache.h"
#include "base/attributes.h"
#include "command/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(HANDLER_DESCRIPTORS_MAX >= 4 * HANDLER_MODULES_MAX + 64,
               "what is kept for modules is enough for all of them");

/* Modules in place, and as many whose logs alone are of interest. */
enum { RUNNERS_MAX = 2 * HANDLER_MODULES_MAX };

void handler_publish(struct handler *handler, enum handler_event_kind kind, const char *filename,
                     const char *format, ...)
{
        struct handler_event event = {
                .kind = kind,
                .trouble = kind == HANDLER_EVENT_BROKEN || kind == HANDLER_EVENT_DISABLED ||
                           kind == HANDLER_EVENT_SUGGESTED,
        };
        va_list arguments;

        snprintf(event.filename, sizeof(event.filename), "%s", filename);
        va_start(arguments, format);
        vsnprintf(event.text, sizeof(event.text), format, arguments);
        va_end(arguments);
        if (strncmp(event.text, "trouble: ", 9) == 0)
                event.trouble = true;
        command_bus_publish(command_registry_bus(handler->registry), &handler_event_type, &event);
}

/* --- notes for the disk ------------------------------------------------------------------ */

/* Something that the disk is to remember of a module. */
struct note {
        struct store_job job;
        struct handler *handler;
        char filename[HANDLER_NAME_MAX + 1];
        uint64_t seq;
        enum handler_state state;
        bool disables;
        char why[HANDLER_WHY_MAX + 1];
        char sha256[HANDLER_SHA256_HEX + 1]; /* of `commands`; "": none */
        struct buffer commands;              /* command_cache_print() */
        int result;
        struct error error;
};

/* Of the version in place only: it may have gone meanwhile. */
static int note_commands(const struct note *note)
{
        const struct handler_module *module =
                handler_repository_find(note->handler->repository, note->filename);

        if (!module || strcmp(module->current.sha256, note->sha256) != 0)
                return -ENOENT;
        return command_cache_write(note->handler->state_fd, note->filename, &note->commands);
}

/* A change that was on its way may have put another into place, which is not to blame. */
static int note_disabled(struct note *note)
{
        const struct handler_module *module =
                handler_repository_find(note->handler->repository, note->filename);

        if (!module || module->current.seq != note->seq)
                return -ENOENT;
        return handler_repository_disable(note->handler->repository, note->filename, note->why,
                                          &note->error);
}

static void note_run(struct store_job *job)
{
        struct note *note = container_of(job, struct note, job);
        struct handler_repository *repository = note->handler->repository;

        if (!repository)
                note->result = 0;
        else if (note->sha256[0] != '\0')
                note->result = note_commands(note);
        else if (note->disables)
                note->result = note_disabled(note);
        else
                note->result = handler_repository_mark(repository, note->filename, note->seq,
                                                       note->state, &note->error);
}

static void note_free(struct note *note)
{
        buffer_done(&note->commands);
        free(note);
}

static void note_done(struct store_job *job)
{
        struct note *note = container_of(job, struct note, job);

        /* -ENOENT: that version is gone, and with it what there was to remember. */
        if (job->ran && note->result < 0 && note->result != -ENOENT)
                handler_publish(note->handler, HANDLER_EVENT_STORE, note->filename,
                                "trouble: cannot be noted: %s", strerror(-note->result));
        note_free(note);
}

/* `what` is taken over. */
static void note_submit(struct handler *handler, struct runner *runner, struct note *what)
{
        struct note *note = malloc(sizeof(*note));

        if (!note) {
                buffer_done(&what->commands);
                return;
        }
        *note = *what;
        note->handler = handler;
        note->job.run = note_run;
        note->job.done = note_done;
        snprintf(note->filename, sizeof(note->filename), "%s", runner_filename(runner));
        if (store_thread_submit(handler->store, &note->job) < 0)
                note_free(note);
}

void handler_mark(struct handler *handler, struct runner *runner, enum handler_state state)
{
        struct note note = {.seq = runner_version(runner)->version.seq, .state = state};

        buffer_init(&note.commands, 0);
        note_submit(handler, runner, &note);
}

void handler_disable(struct handler *handler, struct runner *runner, const char *why)
{
        struct note note = {.seq = runner_version(runner)->version.seq, .disables = true};

        buffer_init(&note.commands, 0);
        snprintf(note.why, sizeof(note.why), "%s", why);
        note_submit(handler, runner, &note);
}

/* --- what runners tell ------------------------------------------------------------------- */

/* The way back, decided by the agent itself. */
static void roll_back(struct handler *handler, struct runner *runner, const char *why)
{
        struct deployment_order order = {.kind = DEPLOYMENT_ROLLBACK,
                                         .automatic = true,
                                         .leaves = runner_version(runner)->version.seq,
                                         .who = "auto_rollback"};

        handler_mark(handler, runner, HANDLER_BAD);
        snprintf(order.filename, sizeof(order.filename), "%s", runner_filename(runner));
        snprintf(order.from, sizeof(order.from), "%s", why);
        (void)deployments_submit(handler->deployments, &order);
        deployment_order_done(&order);
}

static void on_good(void *owner, struct runner *runner)
{
        struct handler *handler = owner;

        if (runner_version(runner)->version.state == HANDLER_GOOD)
                return;
        runner_set_good(runner);
        handler_mark(handler, runner, HANDLER_GOOD);
        handler_publish(handler, HANDLER_EVENT_GOOD, runner_filename(runner), "sha256=%.12s",
                        runner_version(runner)->version.sha256);
}

static void on_suggestion(void *owner, struct runner *runner, const char *command, unsigned errors)
{
        struct handler *handler = owner;
        char why[128];

        snprintf(why, sizeof(why), "%.64s failed %u times", command, errors);
        handler_publish(handler, HANDLER_EVENT_SUGGESTED, runner_filename(runner), "%s", why);
        if (handler->config->auto_rollback)
                roll_back(handler, runner, why);
}

static void on_unfit(void *owner, struct runner *runner, const char *why)
{
        struct handler *handler = owner;

        handler_publish(handler, HANDLER_EVENT_SUGGESTED, runner_filename(runner),
                        "new and crashed %d times: the version before comes back", HEALING_CRASHES);
        roll_back(handler, runner, why);
}

static void on_disabled(void *owner, struct runner *runner, const char *why)
{
        struct handler *handler = owner;

        handler_disable(handler, runner, why);
        handler_publish(handler, HANDLER_EVENT_DISABLED, runner_filename(runner), "%s", why);
        startup_next(handler->startup);
}

static void on_broken(void *owner, struct runner *runner, const char *why, uint64_t delay_ms)
{
        struct handler *handler = owner;

        handler_publish(handler, HANDLER_EVENT_BROKEN, runner_filename(runner),
                        "%s; started again in %.3g s", why, (double)delay_ms / 1000);
        startup_next(handler->startup);
}

static void on_loaded(void *owner, struct runner *runner)
{
        struct handler *handler = owner;

        handler_publish(handler, HANDLER_EVENT_LOADED, runner_filename(runner), "commands=%zu",
                        runner_version(runner)->commands.count);
        startup_next(handler->startup);
}

static void on_learned(void *owner, struct runner *runner)
{
        const struct runner_version *version = runner_version(runner);
        struct note note = {0};

        memcpy(note.sha256, version->version.sha256, sizeof(note.sha256));
        if (command_cache_print(note.sha256, &version->commands, &note.commands) < 0)
                buffer_done(&note.commands);
        else
                note_submit(owner, runner, &note);
}

static const struct runner_listener runner_listener = {
        .on_good = on_good,
        .on_suggestion = on_suggestion,
        .on_unfit = on_unfit,
        .on_disabled = on_disabled,
        .on_broken = on_broken,
        .on_loaded = on_loaded,
        .on_learned = on_learned,
};

/* --- runners ----------------------------------------------------------------------------- */

struct runner *handler_runner(const struct handler *handler, const char *filename)
{
        return map_get(handler->runners, filename, strlen(filename));
}

int handler_add_runner(struct handler *handler, const char *filename, struct runner **ret)
{
        const struct runner_setup setup = {
                .loop = handler->loop,
                .registry = handler->registry,
                .spawner = handler->spawner,
                .launch = handler->launch,
                .config = handler->config,
                .listener = &runner_listener,
                .owner = handler,
        };
        struct runner *runner = handler_runner(handler, filename);
        int r;

        if (runner) {
                *ret = runner;
                return 0;
        }
        r = runner_new(&setup, filename, &runner);
        if (r < 0)
                return r;
        r = map_put(handler->runners, filename, runner, NULL);
        if (r < 0) {
                runner_free(runner);
                return r;
        }
        *ret = runner;
        return 0;
}

void handler_drop_runner(struct handler *handler, struct runner *runner)
{
        if (runner_in_service(runner) || runner_is_draining(runner) ||
            deployments_concern(handler->deployments, runner_filename(runner)))
                return;
        map_remove(handler->runners, runner_filename(runner));
        runner_free(runner);
}

/* --- the spawner ------------------------------------------------------------------------- */

static void on_spawner(void *owner, bool up, const char *why)
{
        struct handler *handler = owner;
        struct runner *runner;
        size_t position = 0;

        handler_publish(handler, HANDLER_EVENT_SPAWNER, "", "%s%s",
                        up ? "ready" : "trouble: gone: ", why);
        if (!up || handler->stopped)
                return;
        while ((runner = map_next(handler->runners, &position, NULL)))
                runner_retry(runner);
}

/* --- all of it --------------------------------------------------------------------------- */

static void write_status(void *owner, struct json_writer *writer)
{
        const struct handler *handler = owner;
        const struct runner *runner;
        size_t position = 0, modules = 0, loaded = 0, disabled = 0;

        while ((runner = map_next(handler->runners, &position, NULL))) {
                modules += runner_in_service(runner);
                loaded += runner_is_loaded(runner);
                disabled += runner_disabled(runner)[0] != '\0';
        }
        json_write_integer(writer, "handlers_loaded", (int64_t)loaded);
        json_write_object(writer, "handlers");
        json_write_integer(writer, "modules", (int64_t)modules);
        json_write_integer(writer, "loaded", (int64_t)loaded);
        json_write_integer(writer, "disabled", (int64_t)disabled);
        json_write_bool(writer, "ready", startup_is_done(handler->startup));
        json_write_bool(writer, "spawner", spawner_is_up(handler->spawner));
        if (handler->closed[0] != '\0')
                json_write_string(writer, "trouble", handler->closed);
        json_write_end(writer);
}

static int open_parts(struct handler *handler, const struct handler_options *options)
{
        const char *hidden[HANDLER_HIDDEN_MAX + 2];
        AUTO_FREE char *spawner_dir = NULL;
        struct launch_options launch = {.config = handler->config, .hidden = hidden};
        size_t count = 0;
        int r;

        if (asprintf(&spawner_dir, "%s/spawner", options->state_dir) < 0)
                return -ENOMEM;
        hidden[count++] = options->state_dir;
        for (size_t i = 0; i < HANDLER_HIDDEN_MAX; i++)
                if (options->hidden[i])
                        hidden[count++] = options->hidden[i];
        hidden[count] = NULL;
        launch.spawner_dir = spawner_dir;
        r = launch_new(handler->loop, &launch, &handler->launch);
        if (r == 0)
                r = spawner_new(handler->loop, launch_spawner(handler->launch), on_spawner, handler,
                                &handler->spawner);
        if (r == 0)
                r = store_thread_new(handler->loop, HANDLER_STORE_JOBS_MAX, &handler->store);
        if (r == 0)
                r = deployments_new(handler, &handler->deployments);
        if (r == 0)
                r = startup_new(handler, &handler->startup);
        if (r == 0)
                r = command_registry_add_status(handler->registry, write_status, handler);
        return r;
}

int handler_attach(struct command_registry *registry, const struct handler_options *options,
                   struct handler **ret, struct error *error)
{
        struct handler *handler = calloc(1, sizeof(*handler));
        int r;

        if (!handler)
                return error_set(error, -ENOMEM, "handlers: not enough memory");
        handler->registry = registry;
        handler->loop = command_registry_loop(registry);
        handler->config = options->config;
        list_init(&handler->questions);
        handler->state_fd = open(options->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = handler->state_fd < 0 ? -errno : map_new(RUNNERS_MAX, &handler->runners);
        if (r == 0)
                r = open_parts(handler, options);
        if (r < 0)
                error_set(error, r, "handlers: cannot start: %s", strerror(-r));
        else
                r = handler_register_commands(handler, error);
        if (r == 0)
                r = startup_begin(handler->startup);
        if (r < 0) {
                handler_free(handler);
                return r;
        }
        *ret = handler;
        return 0;
}

void handler_stop(struct handler *handler)
{
        struct runner *runner;
        size_t position = 0;

        if (handler->stopped)
                return;
        handler->stopped = true;
        questions_stop(handler);
        if (handler->deployments)
                deployments_stop(handler->deployments);
        while ((runner = map_next(handler->runners, &position, NULL)))
                runner_stop(runner);
}

struct handler *handler_free(struct handler *handler)
{
        struct runner *runner;
        size_t position = 0;

        if (!handler)
                return NULL;
        handler->stopped = true;
        if (handler->runners)
                handler_stop(handler);
        handler_unregister_commands(handler);
        store_thread_free(handler->store);
        handler_repository_free(handler->repository);
        deployments_free(handler->deployments);
        startup_free(handler->startup);
        while (handler->runners && (runner = map_next(handler->runners, &position, NULL)))
                runner_free(runner);
        spawner_free(handler->spawner);
        launch_free(handler->launch);
        map_free(handler->runners);
        if (handler->state_fd >= 0)
                close(handler->state_fd);
        free(handler);
        return NULL;
}
