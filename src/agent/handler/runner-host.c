/* The host in service: started, loaded, broken, started again, or given up. */
#include "agent/handler/runner-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

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

void runner_start_host(struct runner *runner)
{
        int r;

        loop_timer_stop(&runner->start);
        if (runner->host || runner->stopped || runner->disabled[0] != '\0' ||
            runner->version.code_fd < 0)
                return;
        runner->starting_again = false;
        r = launch_host(runner->setup.launch, runner->setup.spawner, runner->filename,
                        runner->version.code_fd, runner->log, &runner_serving, runner,
                        &runner->host);
        if (r == 0 && host_load(runner->host, false) == 0)
                return;
        if (runner->host) {
                host_kill(runner->host);
                plan_start(runner, "could not be told what to load", 0);
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
        r = runner_register(runner, &commands, error);
        if (r < 0) {
                module_commands_done(&commands);
                return r;
        }
        module_commands_inherit(&commands, &runner->version.commands);
        module_commands_done(&runner->version.commands);
        runner->version.commands = commands;
        runner->setup.listener->on_learned(runner->setup.owner, runner);
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
        runner_prove_later(runner);
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

const struct host_listener runner_serving = {
        .on_loaded = serving_on_loaded,
        .on_load_failed = serving_on_load_failed,
        .on_reply = serving_on_reply,
        .on_broken = serving_on_broken,
        .on_ended = serving_on_ended,
};
