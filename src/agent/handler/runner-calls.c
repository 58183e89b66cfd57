/* The way of a call: taken, waiting perhaps, in the host, answered. */
#include "agent/handler/runner-internal.h"

#include "base/clock.h"
#include "command/reply.h"
#include "command/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the registry waits beyond a call's own two limits, waiting and running. */
enum { REGISTRY_SLACK_MS = 5000 };

static struct call *call_free(struct call *call)
{
        loop_timer_stop(&call->deadline);
        free(call);
        return NULL;
}

static void leave_queue(struct call *call)
{
        list_remove(&call->link);
        call->runner->waiting_count--;
        loop_timer_stop(&call->deadline);
}

static uint64_t elapsed_us(const struct call *call)
{
        return (clock_monotonic_ns() - call->begun_ns) / 1000;
}

/* NULL: the version in service has no such command (any more). */
static struct module_command *command_of(const struct call *call)
{
        return module_commands_find(&call->runner->version.commands,
                                    command_request_name(call->request));
}

static void count_failure(struct call *call, bool timeout, const char *text, bool served)
{
        struct runner *runner = call->runner;
        struct module_command *command = command_of(call);

        if (!command)
                return;
        module_command_failed(command, elapsed_us(call), timeout, text,
                              loop_wall_ns(runner->setup.loop));
        if (served)
                runner_error_counted(runner, command);
}

/* --- waiting ----------------------------------------------------------------------------- */

static void call_on_deadline(struct loop_timer *timer)
{
        struct call *call = container_of(timer, struct call, deadline);

        leave_queue(call);
        command_reply_fail(call->request, COMMAND_EXPIRED,
                           "%s waited for %.3g s behind other calls of %s; try again later",
                           command_request_name(call->request), (double)call->timeout_ms / 1000,
                           call->runner->filename);
        call_free(call);
}

bool runner_refuses(struct runner *runner, struct command_request *request)
{
        uint64_t now = loop_now_ms(runner->setup.loop);

        if (runner->stopped) {
                command_reply_fail(request, COMMAND_NOT_READY, "the agent is stopping");
        } else if (runner->disabled[0] != '\0') {
                command_reply_fail(request, COMMAND_NOT_READY,
                                   "%s is disabled: %s; deploy a better version, go back with "
                                   "rollback_handler, or try reload_handler",
                                   runner->filename, runner->disabled);
        } else if (runner->start.armed && runner->start.due_ms > now) {
                command_reply_fail(request, COMMAND_NOT_READY,
                                   "%s %s; it is started again in %.3g s", runner->filename,
                                   runner->broken, (double)(runner->start.due_ms - now) / 1000);
        } else if (runner->starting_again && runner->delay_ms > 0) {
                command_reply_fail(request, COMMAND_NOT_READY,
                                   "%s %s; it is started again in %.3g s", runner->filename,
                                   runner->broken, (double)runner->delay_ms / 1000);
        } else {
                return false;
        }
        return true;
}

void runner_refuse_waiting(struct runner *runner)
{
        struct list refused;

        list_init(&refused);
        list_splice(&refused, &runner->waiting);
        while (!list_is_empty(&refused)) {
                struct call *call = container_of(refused.next, struct call, link);

                leave_queue(call);
                if (!runner_refuses(runner, call->request))
                        command_reply_fail(call->request, COMMAND_NOT_READY, "%s is not there",
                                           runner->filename);
                call_free(call);
        }
}

/* --- into the host ----------------------------------------------------------------------- */

/* 0: it is in the host; -EPIPE: that is broken, it waits on; else it was answered. */
static int hand_over(struct call *call)
{
        struct runner *runner = call->runner;
        struct command_request *request = call->request;
        int r;

        if (!command_of(call)) {
                command_reply_fail(request, COMMAND_NO_METHOD,
                                   "the new version of %s has no command %s", runner->filename,
                                   command_request_name(request));
                return -ENOENT;
        }
        r = host_call(runner->host, command_request_name(request),
                      command_request_arguments(request), command_request_id(request),
                      call->timeout_ms, call);
        if (r == -EMSGSIZE)
                command_reply_fail(request, COMMAND_TOO_LARGE,
                                   "a request for a module may have %d MiB of JSON",
                                   HOST_FRAME_TO_MAX >> 20);
        else if (r < 0 && r != -EPIPE)
                command_reply_fail(request, COMMAND_BUSY, "not enough memory; try again later");
        return r;
}

void runner_dispatch(struct runner *runner)
{
        while (!list_is_empty(&runner->waiting) && runner->host && host_is_loaded(runner->host) &&
               !host_is_busy(runner->host)) {
                struct call *call = container_of(runner->waiting.next, struct call, link);
                int r = hand_over(call);

                if (r == -EPIPE)
                        return;
                leave_queue(call);
                if (r < 0)
                        call_free(call);
        }
}

static int call_new(struct runner *runner, struct command_request *request, struct call **ret)
{
        struct call *call = calloc(1, sizeof(*call));

        if (!call)
                return -ENOMEM;
        call->runner = runner;
        call->request = request;
        call->begun_ns = clock_monotonic_ns();
        call->timeout_ms = handler_config_timeout_ms(runner->setup.config, runner->grant,
                                                     command_request_name(request));
        loop_timer_init(&call->deadline, runner->setup.loop, call_on_deadline);
        *ret = call;
        return 0;
}

int runner_run_command(void *owner, struct command_request *request)
{
        struct runner *runner = owner;
        struct call *call;
        int r;

        if (runner_refuses(runner, request))
                return 0;
        if (runner->waiting_count >= RUNNER_QUEUE_MAX)
                return command_reply_fail(request, COMMAND_BUSY,
                                          "%d calls of %s wait already; try again later",
                                          RUNNER_QUEUE_MAX, runner->filename);
        r = call_new(runner, request, &call);
        if (r < 0)
                return r;
        /* The two limits are kept here, with better words. */
        command_request_extend(request, 2 * (uint64_t)call->timeout_ms + REGISTRY_SLACK_MS);
        list_append(&runner->waiting, &call->link);
        runner->waiting_count++;
        loop_timer_start(&call->deadline, call->timeout_ms);
        if (!runner->host && !runner->start.armed)
                runner_start_host(runner);
        runner_dispatch(runner);
        return COMMAND_PENDING;
}

/* --- out of it --------------------------------------------------------------------------- */

static void reply_exception(struct call *call, const struct host_message *message, bool served)
{
        struct runner *runner = call->runner;
        const char *name = command_request_name(call->request);
        const char *type = message->failed.type, *text = message->failed.message;
        char what[MODULE_ERROR_TEXT_MAX + 1], where[HANDLER_NAME_MAX + 32];
        struct json_writer *writer;

        snprintf(what, sizeof(what), "%s%s%s", type, text[0] != '\0' ? ": " : "", text);
        snprintf(where, sizeof(where), "%s", runner->filename);
        if (message->failed.line > 0)
                snprintf(where, sizeof(where), "%s, line %lld", runner->filename,
                         (long long)message->failed.line);
        count_failure(call, false, what, served);
        writer = command_reply_open_failure(call->request, COMMAND_HARDWARE, "%s failed: %s (%s)",
                                            name, what, where);
        json_write_string(writer, "handler", runner->filename);
        json_write_string(writer, "exception", type);
        if (message->failed.line > 0)
                json_write_integer(writer, "line", message->failed.line);
        if (message->failed.traceback[0] != '\0')
                json_write_string(writer, "traceback", message->failed.traceback);
        command_reply_send(call->request);
}

void runner_on_reply(struct runner *runner, struct host *host, const struct host_message *message,
                     bool served)
{
        struct call *call = host_take_context(host);

        if (message->kind == HOST_CALL_FAILED) {
                reply_exception(call, message, served);
        } else {
                struct module_command *command = command_of(call);

                if (command)
                        module_command_succeeded(command, elapsed_us(call));
                command_reply_tree(call->request, message->reply.result);
                if (served)
                        runner_success_counted(runner);
        }
        call_free(call);
}

void runner_on_call_broken(struct runner *runner, struct host *host, enum host_fault fault,
                           const char *why, bool served)
{
        struct call *call = host_take_context(host);
        const char *name;

        if (!call)
                return;
        name = command_request_name(call->request);
        if (fault == HOST_FAULT_TIMEOUT) {
                count_failure(call, true, why, served);
                command_reply_fail(call->request, COMMAND_EXPIRED,
                                   "%s did not answer within %.3g s; its module %s was stopped "
                                   "and is started again",
                                   name, (double)call->timeout_ms / 1000, runner->filename);
        } else if (fault == HOST_FAULT_SPAWNER) {
                command_reply_fail(call->request, COMMAND_NOT_READY,
                                   "%s was interrupted: %s %s and is started again; try again",
                                   name, runner->filename, why);
        } else {
                count_failure(call, false, why, served);
                command_reply_fail(call->request, COMMAND_HARDWARE, "%s failed: its module %s %s",
                                   name, runner->filename, why);
        }
        call_free(call);
}
