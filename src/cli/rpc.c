/* `pifleet rpc`: one command to an agent through an MQTT broker, and what it answers. */
#include "client/rpc.h"
#include "cli/arguments.h"
#include "cli/broker.h"
#include "cli/console-shape.h"
#include "cli/exchange.h"
#include "cli/topic.h"
#include "data/json-writer.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TOPIC_MAX = 1024 };

struct rpc_options {
        double timeout_seconds;
        const char *topic;
        struct console_shape shape;
        struct broker_options broker;
};

static const struct options_entry entries[] = {
        {.name = "timeout",
         .type = OPTIONS_SECONDS,
         .offset = offsetof(struct rpc_options, timeout_seconds),
         .value = "SECONDS",
         .help = "how long to wait for the connection and for the reply (30)",
         .minimum = 0.001,
         .maximum = 86400},
        {.name = "topic",
         .type = OPTIONS_TEXT,
         .offset = offsetof(struct rpc_options, topic),
         .value = "TOPIC",
         .help = "what the agent's topics begin with, its mqtt.topic (pi)"},
};

static const struct options_form form = {
        .name = "pifleet rpc",
        .arguments = "COMMAND [KEY=VALUE ...]",
        .summary = "send one command through an MQTT broker, print the answer",
        .text = "Publishes the command at pi/rpc/request and waits for the reply at\n"
                "pi/rpc/response/CLIENTID/. COMMAND and KEY=VALUE are those of pifleet call:\n"
                "pifleet help call. A request that nobody took in time is not carried out later.",
        .groups = {{"Options", entries, ARRAY_SIZE(entries), 0},
                   CONSOLE_SHAPE_GROUP(struct rpc_options, shape),
                   BROKER_OPTIONS_GROUP(struct rpc_options, broker)},
        .examples = "  pifleet rpc ping\n"
                    "  pifleet rpc led_on pin=17 --host pi.local\n"
                    "  pifleet rpc get_metrics --json --user anna | jq .temperature",
        .after = "Exit status: 0 done, 1 refused (the reason is on standard error), 2 wrong "
                 "usage,\n3 no connection, or no reply in time.",
        .words_min = 1,
        .words_max = 1 + ARGUMENTS_MAX,
};

struct call {
        struct console console;
        struct broker broker;
        int timeout_ms;
        char request_topic[TOPIC_MAX + 1], response_prefix[TOPIC_MAX + 1];
};

static enum exit_status print(const struct call *call, const struct client_message *reply)
{
        AUTO_JSON cJSON *tree = NULL;
        struct error error = {0};
        int r = json_parse(reply->payload ? reply->payload : "", reply->payload_length,
                           JSON_DEPTH_MAX, &tree, &error);

        if (r == 0 && !cJSON_IsObject(tree))
                r = error_set(&error, -EBADMSG, "not an object");
        if (r < 0) {
                console_complain(&call->console,
                                 "what answers is not an agent: its reply is not "
                                 "JSON (%s)",
                                 error.text);
                return EXIT_NO_CONNECTION;
        }
        return exchange_print(&call->console, tree);
}

static enum exit_status exchange_text(struct call *call, const struct buffer *text)
{
        const struct client_rpc rpc = {
                .topic = call->request_topic,
                .response_prefix = call->response_prefix,
                .payload = buffer_data(text),
                .payload_length = buffer_length(text),
        };
        AUTO(client_connection) struct client_connection *connection = NULL;
        AUTO(client_message) struct client_message *reply = NULL;
        struct error error = {0};
        int r = client_connection_open(&call->broker.settings, call->timeout_ms, &connection,
                                       &error);

        if (r == 0)
                r = client_rpc_call(connection, &rpc, call->timeout_ms, &reply, &error);
        if (r == 0)
                return print(call, reply);
        if (r == CLIENT_REASON_NOBODY) {
                console_complain(&call->console,
                                 "%s: is it an agent's broker? (systemctl status pifleet-agent)",
                                 error.text);
                return EXIT_NO_CONNECTION;
        }
        return broker_complain(&call->console, &call->broker, r, &error);
}

static enum exit_status ask(struct call *call, const cJSON *request)
{
        struct json_writer writer;
        enum exit_status status;
        struct buffer text;

        buffer_init(&text, CLIENT_PAYLOAD_MAX);
        json_writer_init(&writer, &text);
        json_write_tree(&writer, NULL, request);
        if (json_writer_error(&writer) == 0) {
                status = exchange_text(call, &text);
        } else {
                console_complain(&call->console, "the request cannot be written: %s",
                                 strerror(-json_writer_error(&writer)));
                status = EXIT_REFUSED;
        }
        buffer_done(&text);
        return status;
}

static int set_topics(struct call *call, const char *base, struct error *error)
{
        size_t room = sizeof(call->request_topic);

        if (topic_check_name(base, error) < 0)
                return error_prefix(error, "--topic: ");
        if ((size_t)snprintf(call->request_topic, room, "%s/rpc/request", base) >= room ||
            (size_t)snprintf(call->response_prefix, room, "%s/rpc/response", base) >= room)
                return error_set(error, -EINVAL, "--topic has at most %d bytes here",
                                 TOPIC_MAX - 13);
        return 0;
}

static int prepare(struct call *call, const struct rpc_options *options, char *words[],
                   size_t count, cJSON **ret, struct error *error)
{
        AUTO_JSON cJSON *request = exchange_request(words[0]);
        int r;

        if (!request)
                return error_set(error, -ENOMEM, "out of memory");
        r = arguments_add(request, words + 1, count - 1, error);
        if (r == 0)
                r = set_topics(call, options->topic, error);
        if (r == 0)
                r = broker_resolve(&options->broker, NULL, &call->broker, error);
        /* The reply's topic is made of it. */
        if (r == 0 && strpbrk(call->broker.settings.client_id, "/+#"))
                r = error_set(error, -EINVAL, "--client-id cannot hold /, + or # here");
        if (r == 0)
                *ret = TAKE(request);
        return r;
}

static enum exit_status run(int argc, char *argv[])
{
        struct rpc_options options = {.timeout_seconds = BROKER_TIMEOUT_SECONDS,
                                      .topic = "pi",
                                      .broker = BROKER_OPTIONS_DEFAULT};
        AUTO_JSON cJSON *request = NULL;
        struct error error = {0};
        enum exit_status status;
        struct call call = {.timeout_ms = 0};
        size_t words;

        if (!subcommand_parse(&form, argc, argv, &options, &words, &status))
                return status;
        options.broker.is_of_agent = true;
        console_init(&call.console, options.shape.json, options.shape.text);
        call.timeout_ms = (int)ceil(options.timeout_seconds * 1000);
        if (prepare(&call, &options, argv, words, &request, &error) < 0) {
                console_complain(&call.console, "%s", error.text);
                status = EXIT_USAGE;
        } else {
                status = ask(&call, request);
        }
        broker_done(&call.broker);
        return status;
}

const struct subcommand subcommand_rpc = {"rpc", &form, run};
