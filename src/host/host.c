#include "host/host.h"

#include "base/cleanup.h"
#include "data/json-writer.h"
#include "host/call.h"
#include "host/module.h"
#include "host/order.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_BYTES = 64 << 10, DESCRIPTION_MAX = 200 };

int host_init(struct host *host, int protocol_fd)
{
        int r;

        r = host_channel_init(&host->channel, protocol_fd);
        if (r < 0)
                return r;
        buffer_init(&host->out, HOST_FRAME_HEADER + HOST_SEND_MAX);
        host->module = NULL;
        return 0;
}

void host_done(struct host *host)
{
        buffer_done(&host->out);
        host_channel_done(&host->channel);
}

/* --- answers ----------------------------------------------------------------------------- */

static int begin(struct host *host, struct json_writer *writer)
{
        static const char room[HOST_FRAME_HEADER];
        int r;

        buffer_truncate(&host->out, 0);
        r = buffer_append(&host->out, room, sizeof(room));
        if (r < 0)
                return r;
        json_writer_init(writer, &host->out);
        json_write_object(writer, NULL);
        return 0;
}

static int finish(struct host *host, struct json_writer *writer)
{
        int r;

        json_write_end(writer);
        r = json_writer_error(writer);
        if (r < 0)
                return r;
        /* What was printed is to arrive before the answer, also without an end of line. */
        (void)fflush(stdout);
        r = host_channel_send(&host->channel, &host->out);
        buffer_shrink(&host->out, KEEP_BYTES);
        return r;
}

static void write_failure(struct json_writer *writer, const char *key,
                          const struct host_outcome *outcome)
{
        json_write_object(writer, key);
        json_write_string(writer, "type", outcome->type);
        json_write_string(writer, "message", outcome->message);
        if (outcome->line > 0)
                json_write_integer(writer, "line", outcome->line);
        else
                json_write_null(writer, "line");
        json_write_string(writer, "traceback", "");
        json_write_end(writer);
}

static int answer_load_failed(struct host *host, const char *type, const char *message)
{
        const struct host_outcome outcome = {.type = type, .message = message};
        struct json_writer writer;
        int r;

        r = begin(host, &writer);
        if (r < 0)
                return r;
        write_failure(&writer, "load_failed", &outcome);
        return finish(host, &writer);
}

/* --- load -------------------------------------------------------------------------------- */

static void write_description(struct json_writer *writer, const char *description)
{
        size_t length = description ? strcspn(description, "\n") : 0;

        json_write_text(writer, "description", length ? description : "",
                        length < DESCRIPTION_MAX ? length : DESCRIPTION_MAX);
}

/* What a self-test puts is nobody's result. */
static void run_self_test(const struct pifleet_module *module, struct json_writer *writer)
{
        static const cJSON request = {.type = cJSON_Object};
        struct host_outcome outcome;
        struct json_writer nowhere;
        struct host_call call;
        struct buffer unread;

        buffer_init(&unread, HOST_SEND_MAX);
        json_writer_init(&nowhere, &unread);
        json_write_object(&nowhere, NULL);
        host_call_run(&call, module->self_test, "self_test", &request, &nowhere, &outcome);
        if (outcome.ok)
                json_write_bool(writer, "self_test", true);
        else
                json_write_string(writer, "self_test", outcome.message);
        host_call_done(&call);
        buffer_done(&unread);
}

static int answer_loaded(struct host *host, const struct host_order *order)
{
        const struct pifleet_module *module = host->module;
        struct json_writer writer;
        int r;

        r = begin(host, &writer);
        if (r < 0)
                return r;
        json_write_object(&writer, "loaded");
        json_write_integer(&writer, "protocol", HOST_PROTOCOL_VERSION);
        json_write_array(&writer, "commands");
        for (uint32_t i = 0; i < module->commands_count; i++) {
                json_write_object(&writer, NULL);
                json_write_string(&writer, "name", module->commands[i].name);
                write_description(&writer, module->commands[i].description);
                json_write_end(&writer);
        }
        json_write_end(&writer);
        if (order->self_test && module->self_test)
                run_self_test(module, &writer);
        else
                json_write_null(&writer, "self_test");
        json_write_end(&writer);
        return finish(host, &writer);
}

static int load(struct host *host, int module_fd, const struct host_order *order)
{
        static const char *const types[] = {
                [HOST_MODULE_LINK_ERROR] = "LinkError",
                [HOST_MODULE_BAD_COMMANDS] = "BadCommands",
                [HOST_MODULE_BAD_COMMAND_NAME] = "BadCommandName",
                [HOST_MODULE_TOO_MANY_COMMANDS] = "TooManyCommands",
        };
        enum host_module_failure failure;
        struct error error;
        int r;

        r = host_module_load(module_fd, order->module, &host->module, &failure, &error);
        if (r < 0)
                return answer_load_failed(host, types[failure], error.text);
        return answer_loaded(host, order);
}

/* --- calls ------------------------------------------------------------------------------- */

static int answer_failed_call(struct host *host, int64_t number, const struct host_outcome *outcome)
{
        struct json_writer writer;
        int r;

        r = begin(host, &writer);
        if (r < 0)
                return r;
        json_write_integer(&writer, "reply", number);
        write_failure(&writer, "error", outcome);
        return finish(host, &writer);
}

static int run_command(struct host *host, const struct pifleet_command *command,
                       const struct host_order *order)
{
        struct host_outcome outcome;
        struct json_writer writer;
        struct host_call call;
        pid_t self = getpid();
        int r;

        r = begin(host, &writer);
        if (r < 0)
                return r;
        json_write_integer(&writer, "reply", order->call);
        json_write_object(&writer, "result");
        host_call_run(&call, command->handler, command->name, order->request, &writer, &outcome);
        /* A process that the module forked is not the agent's partner. */
        if (getpid() != self)
                _exit(EXIT_SUCCESS);
        if (outcome.ok) {
                json_write_end(&writer);
                r = finish(host, &writer);
        }
        /* The last braces may be what does not fit any more; nothing is sent by then. */
        if (outcome.ok && r == -EMSGSIZE)
                outcome = (struct host_outcome){.type = "BadReply",
                                                .message = "the result is over 1 MiB"};
        if (!outcome.ok)
                r = answer_failed_call(host, order->call, &outcome);
        host_call_done(&call);
        return r;
}

static int call_command(struct host *host, const struct host_order *order)
{
        const struct pifleet_command *command = host_module_find(host->module, order->command);
        const struct host_outcome unknown = {.type = "KeyError",
                                             .message = "there is no such command"};

        return command ? run_command(host, command, order)
                       : answer_failed_call(host, order->call, &unknown);
}

/* --- the conversation -------------------------------------------------------------------- */

/* 1: *ret is an order of the kind that is due; 0: the agent is gone. */
static int next_order(struct host *host, enum host_order_kind kind, struct host_order *ret,
                      struct error *error)
{
        struct host_order order;
        const char *json;
        size_t length;
        int r;

        r = host_channel_receive(&host->channel, &json, &length);
        if (r == -EMSGSIZE)
                return error_set(error, -EBADMSG, "a frame of more than %d bytes",
                                 HOST_RECEIVE_MAX);
        if (r <= 0)
                return r < 0 ? error_set(error, r, "%s", strerror(-r)) : 0;
        r = host_order_decode(json, length, &order, error);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        if (order.kind != kind) {
                host_order_done(&order);
                return error_set(error, -EBADMSG, "a %s out of turn",
                                 kind == HOST_ORDER_LOAD ? "call" : "load");
        }
        *ret = order;
        return 1;
}

int host_serve(struct host *host, int module_fd, struct error *error)
{
        AUTO_CLOSE int module = module_fd;
        struct host_order order;
        int r;

        r = next_order(host, HOST_ORDER_LOAD, &order, error);
        if (r <= 0)
                return r;
        r = load(host, module, &order);
        host_order_done(&order);
        close(TAKE_FD(module));
        while (r == 0 && host->module) {
                r = next_order(host, HOST_ORDER_CALL, &order, error);
                if (r <= 0)
                        return r;
                r = call_command(host, &order);
                host_order_done(&order);
        }
        return r < 0 ? error_set(error, r, "%s", strerror(-r)) : 0;
}
