#include "agent/handler/runner-internal.h"

#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct host_listener serving, draining;

void runner_version_done(struct runner_version *version)
{
        if (version->code_fd >= 0)
                close(version->code_fd);
        module_commands_done(&version->commands);
        *version = (struct runner_version){.code_fd = -1};
}

/* --- its commands in the registry -------------------------------------------------------- */

static int register_commands(struct runner *runner, const struct module_commands *commands,
                             struct error *error)
{
        AUTO_FREE struct command *table = calloc(commands->count + 1, sizeof(*table));

        if (!table)
                return error_set(error, -ENOMEM, "not enough memory");
        for (size_t i = 0; i < commands->count; i++)
                table[i] = (struct command){
                        .name = commands->items[i].name,
                        .description = commands->items[i].description,
                        .role = handler_grant_role(runner->grant),
                        .layer = COMMAND_LAYER_DEPLOYED,
                        .timeout_ms = handler_config_timeout_ms(runner->setup.config, runner->grant,
                                                                commands->items[i].name),
                        .run = runner_run_command,
                };
        return command_registry_replace(runner->setup.registry, table, commands->count,
                                        runner->source, runner, error);
}

/* --- what becomes of the version --------------------------------------------------------- */

static void prove_later(struct runner *runner)
{
        uint64_t wait_ms;

        loop_timer_stop(&runner->prove);
        if (healing_look(&runner->healing, loop_now_ms(runner->setup.loop), &wait_ms))
                runner->setup.listener->on_good(runner->setup.owner, runner);
        else if (wait_ms > 0 && runner->host && host_is_loaded(runner->host))
                loop_timer_start(&runner->prove, wait_ms);
}

static void on_prove(struct loop_timer *timer)
{
        prove_later(container_of(timer, struct runner, prove));
}

void runner_success_counted(struct runner *runner)
{
        if (!runner->healing.probation)
                return;
        if (healing_on_success(&runner->healing, loop_now_ms(runner->setup.loop))) {
                loop_timer_stop(&runner->prove);
                runner->setup.listener->on_good(runner->setup.owner, runner);
        }
}

void runner_error_counted(struct runner *runner, struct module_command *command)
{
        uint64_t now = loop_now_ms(runner->setup.loop);
        unsigned errors;

        if (!healing_on_error(&runner->healing, &command->recent, now)) {
                prove_later(runner);
                return;
        }
        errors = healing_errors_within(&command->recent, now);
        snprintf(runner->suggestion, sizeof(runner->suggestion),
                 "%s failed more than %d times within %d minutes", command->name,
                 HEALING_ERRORS_MAX, HEALING_WINDOW_MS / 60000);
        prove_later(runner);
        runner->setup.listener->on_suggestion(runner->setup.owner, runner, command->name, errors);
}

/* --- the host in service ----------------------------------------------------------------- */

void runner_disable(struct runner *runner, const char *why)
{
        snprintf(runner->disabled, sizeof(runner->disabled), "%s", why);
        loop_timer_stop(&runner->start);
        loop_timer_stop(&runner->prove);
        runner->starting_again = false;
        if (runner->host)
                host_kill(runner->host);
        runner_refuse_waiting(runner);
}

/* It is not there any more, or never came: when is it tried again? */
static void plan_start(struct runner *runner, const char *why, uint64_t served_ms)
{
        uint64_t now = loop_now_ms(runner->setup.loop);
        char text[HANDLER_WHY_MAX + 1];

        snprintf(runner->broken, sizeof(runner->broken), "%s", why);
        if (restart_on_end(&runner->restart, now, served_ms, &runner->delay_ms) < 0) {
                snprintf(text, sizeof(text), "it %.180s, again and again", why);
                runner_disable(runner, text);
                runner->setup.listener->on_disabled(runner->setup.owner, runner, text);
                return;
        }
        runner->starting_again = true;
        runner->restarts++;
        host_log_note(runner->log, loop_wall_ns(runner->setup.loop), why);
        runner->setup.listener->on_broken(runner->setup.owner, runner, why, runner->delay_ms);
        if (runner->delay_ms > 0)
                runner_refuse_waiting(runner);
}

static void on_start(struct loop_timer *timer)
{
        runner_start_host(container_of(timer, struct runner, start));
}

void runner_start_host(struct runner *runner)
{
        int r;

        loop_timer_stop(&runner->start);
        if (runner->host || runner->stopped || runner->disabled[0] != '\0' ||
            runner->version.code_fd < 0)
                return;
        runner->starting_again = false;
        r = launch_host(runner->setup.launch, runner->setup.spawner, runner->filename,
                        runner->version.code_fd, runner->log, &serving, runner, &runner->host);
        if (r == 0 && host_load(runner->host, false) == 0)
                return;
        if (runner->host) {
                host_kill(runner->host);
                return; /* its end starts another */
        }
        /* No spawner: it comes back by itself, and runner_retry() with it. */
        if (r == -EPIPE)
                return;
        if (r == -EAGAIN) {
                loop_timer_start(&runner->start, SPAWNER_KILL_RETRY_MS);
                return;
        }
        plan_start(runner, "could not be started", 0);
        if (runner->starting_again)
                loop_timer_start(&runner->start,
                                 runner->delay_ms > 0 ? runner->delay_ms : RESTART_FIRST_MS);
}

void runner_retry(struct runner *runner)
{
        if (runner->version.code_fd < 0 || runner->host || runner->start.armed)
                return;
        if (!list_is_empty(&runner->waiting) || runner->starting_again)
                runner_start_host(runner);
        else
                runner_start(runner);
}

static bool same_commands(const struct module_commands *commands,
                          const struct host_message *message)
{
        if (commands->count != message->loaded.commands_count)
                return false;
        for (size_t i = 0; i < commands->count; i++) {
                const char *name, *description;

                host_message_command(message, i, &name, &description);
                if (strcmp(commands->items[i].name, name) != 0)
                        return false;
        }
        return true;
}

static int learn_commands(struct runner *runner, const struct host_message *message,
                          struct error *error)
{
        const char *names[HOST_COMMANDS_MAX], *descriptions[HOST_COMMANDS_MAX];
        struct module_commands commands;
        int r;

        if (message->loaded.commands_count > HOST_COMMANDS_MAX)
                return error_set(error, -E2BIG, "it has more than %d commands", HOST_COMMANDS_MAX);
        for (size_t i = 0; i < message->loaded.commands_count; i++)
                host_message_command(message, i, &names[i], &descriptions[i]);
        r = module_commands_copy(names, descriptions, message->loaded.commands_count, &commands);
        if (r < 0)
                return error_set(error, r, "not enough memory");
        r = register_commands(runner, &commands, error);
        if (r < 0) {
                module_commands_done(&commands);
                return r;
        }
        module_commands_inherit(&commands, &runner->version.commands);
        module_commands_done(&runner->version.commands);
        runner->version.commands = commands;
        return 0;
}

static void serving_on_loaded(void *owner, struct host *host, const struct host_message *message)
{
        struct runner *runner = owner;
        struct error error;
        char why[HANDLER_WHY_MAX + 1];

        (void)host;
        if (!same_commands(&runner->version.commands, message) &&
            learn_commands(runner, message, &error) < 0) {
                snprintf(why, sizeof(why), "%.250s", error.text);
                runner_disable(runner, why);
                runner->setup.listener->on_disabled(runner->setup.owner, runner, why);
                return;
        }
        runner->broken[0] = '\0';
        runner->setup.listener->on_loaded(runner->setup.owner, runner);
        prove_later(runner);
        runner_dispatch(runner);
}

static void fault(struct runner *runner, struct host *host, enum host_fault kind, const char *why)
{
        uint64_t now = loop_now_ms(runner->setup.loop);
        uint64_t loaded_ms = host_loaded_ms(host);
        bool crash = kind != HOST_FAULT_TIMEOUT && kind != HOST_FAULT_SPAWNER;

        loop_timer_stop(&runner->prove);
        if (kind == HOST_FAULT_SPAWNER) {
                snprintf(runner->broken, sizeof(runner->broken), "%s", why);
                runner->delay_ms = 0;
                runner->starting_again = true;
                return;
        }
        if (crash && healing_on_crash(&runner->healing, now)) {
                plan_start(runner, why, 0);
                runner->setup.listener->on_unfit(runner->setup.owner, runner, why);
                return;
        }
        plan_start(runner, why, loaded_ms > 0 ? now - loaded_ms : 0);
}

static void serving_on_load_failed(void *owner, struct host *host,
                                   const struct host_message *message)
{
        struct runner *runner = owner;
        char why[HOST_WHY_MAX + 1];

        snprintf(why, sizeof(why), "could not be loaded: %s: %s", message->failed.type,
                 message->failed.message);
        fault(runner, host, HOST_FAULT_ENDED, why);
        host_kill(host);
}

static void serving_on_reply(void *owner, struct host *host, const struct host_message *message)
{
        struct runner *runner = owner;

        runner_on_reply(runner, host, message, true);
        runner_dispatch(runner);
}

static void serving_on_broken(void *owner, struct host *host, enum host_fault kind, const char *why)
{
        struct runner *runner = owner;

        fault(runner, host, kind, why);
        runner_on_call_broken(runner, host, kind, why, true);
}

static void serving_on_ended(void *owner, struct host *host, unsigned children_killed)
{
        struct runner *runner = owner;

        (void)children_killed;
        host_free(host);
        runner->host = NULL;
        if (!runner->starting_again || runner->stopped)
                return;
        if (runner->delay_ms > 0)
                loop_timer_start(&runner->start, runner->delay_ms);
        else
                runner_start_host(runner);
}

static const struct host_listener serving = {
        .on_loaded = serving_on_loaded,
        .on_load_failed = serving_on_load_failed,
        .on_reply = serving_on_reply,
        .on_broken = serving_on_broken,
        .on_ended = serving_on_ended,
};

/* --- hosts of former versions ------------------------------------------------------------ */

static void drain_done(struct drain *drain, unsigned children_killed)
{
        list_remove(&drain->link);
        drain->runner->draining_count--;
        host_free(drain->host);
        if (drain->drained)
                drain->drained(drain->context, children_killed);
        free(drain);
}

static void draining_on_message(void *owner, struct host *host, const struct host_message *message)
{
        (void)owner;
        (void)message;
        host_kill(host);
}

static void draining_on_reply(void *owner, struct host *host, const struct host_message *message)
{
        struct drain *drain = owner;

        host_kill(host);
        runner_on_reply(drain->runner, host, message, false);
}

static void draining_on_broken(void *owner, struct host *host, enum host_fault kind,
                               const char *why)
{
        struct drain *drain = owner;

        runner_on_call_broken(drain->runner, host, kind, why, false);
}

static void draining_on_ended(void *owner, struct host *host, unsigned children_killed)
{
        (void)host;
        drain_done(owner, children_killed);
}

static const struct host_listener draining = {
        .on_loaded = draining_on_message,
        .on_load_failed = draining_on_message,
        .on_reply = draining_on_reply,
        .on_broken = draining_on_broken,
        .on_ended = draining_on_ended,
};

/* The oldest makes room: it is killed, and the call it still had is told. */
static void make_room_for_drain(struct runner *runner)
{
        if (runner->draining_count < RUNNER_DRAINING_MAX)
                return;
        list_for_each (&runner->draining, position) {
                struct drain *drain = container_of(position, struct drain, link);

                runner_on_call_broken(runner, drain->host, HOST_FAULT_ENDED,
                                      "was replaced too often while it was at work", false);
                drain_done(drain, 0);
                return;
        }
}

/* `drain` was allocated before anything changed. */
static void drain_host(struct runner *runner, struct drain *drain, struct host *host,
                       runner_drained_fn *drained, void *context)
{
        make_room_for_drain(runner);
        *drain = (struct drain){
                .runner = runner, .host = host, .drained = drained, .context = context};
        list_append(&runner->draining, &drain->link);
        runner->draining_count++;
        host_set_listener(host, &draining, drain, runner->log);
        if (!host_is_busy(host))
                host_kill(host);
}

void runner_forget_drained(struct runner *runner, void *context)
{
        list_for_each (&runner->draining, position) {
                struct drain *drain = container_of(position, struct drain, link);

                if (drain->context == context)
                        drain->drained = NULL;
        }
}

/* --- versions come and go ---------------------------------------------------------------- */

static void begin_version(struct runner *runner)
{
        runner->suggestion[0] = runner->broken[0] = runner->disabled[0] = '\0';
        runner->starting_again = false;
        loop_timer_stop(&runner->start);
        restart_forget(&runner->restart);
        healing_begin(&runner->healing, runner->version.version.state == HANDLER_GOOD,
                      loop_now_ms(runner->setup.loop));
}

static void take_version(struct runner *runner, struct runner_version *version)
{
        module_commands_inherit(&version->commands, &runner->version.commands);
        runner_version_done(&runner->version);
        runner->version = *version;
        *version = (struct runner_version){.code_fd = -1};
        begin_version(runner);
}

int runner_install(struct runner *runner, struct runner_version *version, struct error *error)
{
        int r = register_commands(runner, &version->commands, error);

        if (r < 0)
                return r;
        take_version(runner, version);
        return 0;
}

void runner_start(struct runner *runner)
{
        bool lazy = handler_config_start(runner->setup.config, runner->grant) == HANDLER_START_LAZY;

        if (!lazy || runner->version.commands.count == 0)
                runner_start_host(runner);
}

int runner_switch(struct runner *runner, struct runner_version *version, struct host *host,
                  runner_drained_fn *drained, void *context, struct error *error)
{
        struct host *before = runner->host;
        struct drain *drain = NULL;
        int r;

        if (before) {
                drain = calloc(1, sizeof(*drain));
                if (!drain)
                        return error_set(error, -ENOMEM, "not enough memory");
        }
        r = register_commands(runner, &version->commands, error);
        if (r < 0) {
                free(drain);
                return r;
        }
        take_version(runner, version);
        runner->host = host;
        if (host)
                host_set_listener(host, &serving, runner, runner->log);
        else
                runner_start_host(runner);
        if (before)
                drain_host(runner, drain, before, drained, context);
        prove_later(runner);
        runner_dispatch(runner);
        if (!before && drained)
                drained(context, 0);
        return 0;
}

void runner_withdraw(struct runner *runner, runner_drained_fn *drained, void *context)
{
        struct host *host = TAKE(runner->host);
        struct drain *drain = host ? calloc(1, sizeof(*drain)) : NULL;

        command_registry_remove(runner->setup.registry, runner->source);
        runner_version_done(&runner->version);
        begin_version(runner);
        loop_timer_stop(&runner->prove);
        runner_refuse_waiting(runner);
        if (drain) {
                drain_host(runner, drain, host, drained, context);
                return;
        }
        if (host) { /* no memory to wait for it */
                runner_on_call_broken(runner, host, HOST_FAULT_ENDED, "was removed", false);
                host_free(host);
        }
        if (drained)
                drained(context, 0);
}

void runner_stop(struct runner *runner)
{
        runner->stopped = true;
        loop_timer_stop(&runner->start);
        loop_timer_stop(&runner->prove);
        runner_refuse_waiting(runner);
}

/* --- life -------------------------------------------------------------------------------- */

int runner_new(const struct runner_setup *setup, const char *filename, struct runner **ret)
{
        struct runner *runner = calloc(1, sizeof(*runner));
        int r;

        if (!runner)
                return -ENOMEM;
        r = host_log_new(&runner->log);
        if (r < 0) {
                free(runner);
                return r;
        }
        runner->setup = *setup;
        runner->version.code_fd = -1;
        snprintf(runner->filename, sizeof(runner->filename), "%s", filename);
        snprintf(runner->source, sizeof(runner->source), "handlers/%s", runner->filename);
        runner->grant = handler_config_grant(setup->config, runner->filename);
        list_init(&runner->waiting);
        list_init(&runner->draining);
        loop_timer_init(&runner->start, setup->loop, on_start);
        loop_timer_init(&runner->prove, setup->loop, on_prove);
        *ret = runner;
        return 0;
}

struct runner *runner_free(struct runner *runner)
{
        if (!runner)
                return NULL;
        runner_stop(runner);
        list_for_each (&runner->draining, position) {
                struct drain *drain = container_of(position, struct drain, link);

                runner_on_call_broken(runner, drain->host, HOST_FAULT_SPAWNER,
                                      "ended with the agent", false);
                drain_done(drain, 0);
        }
        if (runner->host) {
                runner_on_call_broken(runner, runner->host, HOST_FAULT_SPAWNER,
                                      "ended with the agent", false);
                host_free(runner->host);
        }
        command_registry_remove(runner->setup.registry, runner->source);
        runner_version_done(&runner->version);
        host_log_free(runner->log);
        free(runner);
        return NULL;
}

/* --- questions --------------------------------------------------------------------------- */

const char *runner_filename(const struct runner *runner)
{
        return runner->filename;
}

const char *runner_source(const struct runner *runner)
{
        return runner->source;
}

bool runner_in_service(const struct runner *runner)
{
        return runner->version.version.sha256[0] != '\0';
}

bool runner_is_loaded(const struct runner *runner)
{
        return runner->host && host_is_loaded(runner->host);
}

bool runner_is_draining(const struct runner *runner)
{
        return runner->draining_count > 0;
}

const char *runner_disabled(const struct runner *runner)
{
        return runner->disabled;
}

const struct runner_version *runner_version(const struct runner *runner)
{
        return &runner->version;
}

struct host *runner_host(const struct runner *runner)
{
        return runner->host;
}

struct host_log *runner_log(const struct runner *runner)
{
        return runner->log;
}

void runner_set_good(struct runner *runner)
{
        runner->version.version.state = HANDLER_GOOD;
}
