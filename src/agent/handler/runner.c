#include "agent/handler/runner-internal.h"

#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void runner_version_done(struct runner_version *version)
{
        if (version->code_fd >= 0)
                close(version->code_fd);
        module_commands_done(&version->commands);
        *version = (struct runner_version){.code_fd = -1};
}

/* --- its commands in the registry -------------------------------------------------------- */

int runner_register(struct runner *runner, const struct module_commands *commands,
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

void runner_prove_later(struct runner *runner)
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
        runner_prove_later(container_of(timer, struct runner, prove));
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
                runner_prove_later(runner);
                return;
        }
        errors = healing_errors_within(&command->recent, now);
        snprintf(runner->suggestion, sizeof(runner->suggestion),
                 "%s failed more than %d times within %d minutes", command->name,
                 HEALING_ERRORS_MAX, HEALING_WINDOW_MS / 60000);
        runner_prove_later(runner);
        runner->setup.listener->on_suggestion(runner->setup.owner, runner, command->name, errors);
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
        int r = runner_register(runner, &version->commands, error);

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
        r = runner_register(runner, &version->commands, error);
        if (r < 0) {
                free(drain);
                return r;
        }
        take_version(runner, version);
        runner->host = host;
        if (host)
                host_set_listener(host, &runner_serving, runner, runner->log);
        else
                runner_start_host(runner);
        if (before)
                runner_drain(runner, drain, before, drained, context);
        runner_prove_later(runner);
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
                runner_drain(runner, drain, host, drained, context);
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

static void on_start(struct loop_timer *timer)
{
        runner_start_host(container_of(timer, struct runner, start));
}

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
        runner_drop_drains(runner);
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
