#include "agent/gate/clients.h"

#include "agent/gate/caller.h"
#include "agent/gate/gate-internal.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "data/json.h"
#include "mqtt/clients-json.h"
#include "proto/mqtt/quoted.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char source[] = "mqtt";

/* Whom the agent knows it as; what it calls itself is only a word where no token is needed. */
static void write_client(const struct mqtt_client_info *info, struct json_writer *writer)
{
        struct gate_caller *caller = info->identity;
        const char *name = caller ? caller->session.principal.name : "";
        struct mqtt_text user = {name, (uint16_t)strlen(name)};

        if (caller)
                gate_caller_refresh(caller);
        mqtt_client_info_write(info, user, writer);
        if (caller)
                json_write_string(writer, "role",
                                  command_role_name(caller->session.principal.role));
}

static void on_listed(void *owner, const struct mqtt_client_info *info)
{
        struct json_writer *writer = owner;

        json_write_object(writer, NULL);
        write_client(info, writer);
        json_write_end(writer);
}

/* As it stood in `next`. */
static bool read_cursor(const cJSON *arguments, uint64_t *ret)
{
        const char *text = json_get_string(arguments, "cursor");
        char *end;

        *ret = 0;
        if (!text)
                return true;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return errno == 0 && *text >= '0' && *text <= '9' && *end == '\0';
}

static int run_clients(void *owner, struct command_request *request)
{
        const cJSON *arguments = command_request_arguments(request);
        struct gate *gate = owner;
        struct mqtt_broker_figures figures;
        struct json_writer *writer;
        int64_t limit = GATE_CLIENTS_PAGE;
        uint64_t cursor;
        char next[24];

        if (!read_cursor(arguments, &cursor))
                return command_reply_fail(request, COMMAND_BAD_PARAMS,
                                          "`cursor` is what `next` said in the reply before");
        (void)json_get_integer(arguments, "limit", &limit);
        mqtt_broker_figures(gate->broker, &figures);
        writer = command_reply_open(request, NULL);
        json_write_integer(writer, "connected", (int64_t)figures.clients);
        json_write_integer(writer, "sessions", (int64_t)figures.sessions);
        json_write_array(writer, "clients");
        mqtt_broker_each_client(gate->broker, &cursor, (uint32_t)limit, on_listed, writer);
        json_write_end(writer);
        /* As text: a number beyond 2^53 is another one for many clients. */
        snprintf(next, sizeof(next), "%" PRIu64, cursor);
        if (cursor == 0)
                json_write_null(writer, "next");
        else
                json_write_string(writer, "next", next);
        return command_reply_send(request);
}

static struct mqtt_text id_of(const struct command_request *request)
{
        const char *id = json_get_string(command_request_arguments(request), "client_id");

        return (struct mqtt_text){id, (uint16_t)strlen(id)};
}

static int refuse_unknown(struct command_request *request, const char *what)
{
        struct mqtt_quoted id;

        return command_reply_fail(request, COMMAND_BAD_VALUE,
                                  "there is no %s with the client id \"%s\"; mqtt_clients lists "
                                  "those that are there",
                                  what, mqtt_quote(id_of(request), &id));
}

/* One of them, whose reply is open from on_shown() on. */
struct shown {
        struct command_request *request;
        struct json_writer *writer;
};

static void on_shown(void *owner, const struct mqtt_client_info *info)
{
        struct shown *shown = owner;

        shown->writer = command_reply_open(shown->request, NULL);
        write_client(info, shown->writer);
}

static void on_subscription(void *owner, struct mqtt_text filter,
                            const struct mqtt_subscription_options *options)
{
        struct shown *shown = owner;

        mqtt_subscription_info_write(filter, options, shown->writer);
}

static int run_client(void *owner, struct command_request *request)
{
        struct gate *gate = owner;
        struct shown shown = {.request = request};

        if (mqtt_broker_client(gate->broker, id_of(request), on_shown, &shown) < 0)
                return refuse_unknown(request, "client and no session");
        json_write_array(shown.writer, "subscriptions");
        (void)mqtt_broker_subscriptions(gate->broker, id_of(request), GATE_FILTERS_MAX,
                                        on_subscription, &shown);
        json_write_end(shown.writer);
        return command_reply_send(request);
}

static int run_kick(void *owner, struct command_request *request)
{
        const struct command_principal *who = command_request_principal(request);
        struct mqtt_text client_id = id_of(request);
        struct gate *gate = owner;
        struct mqtt_quoted id;
        bool session = false;
        int r;

        (void)json_get_bool(command_request_arguments(request), "session", &session);
        if (session)
                r = mqtt_broker_forget(gate->broker, client_id);
        else
                r = mqtt_broker_kick(gate->broker, client_id, MQTT_ADMINISTRATIVE_ACTION);
        if (r < 0)
                return refuse_unknown(request,
                                      session ? "client and no session" : "client connected");
        log_info(gate->options.log, gate->counts.name, "kicked client=\"%s\" session=%s who=\"%s\"",
                 mqtt_quote(client_id, &id), session ? "ended" : "kept", who->name);
        json_write_string(command_reply_open(request, NULL), "session", session ? "ended" : "kept");
        return command_reply_send(request);
}

#define CLIENT_ID                                                                                  \
        "\"client_id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":65535,"                  \
        "\"description\":\"what the client calls itself\"}"

static const struct command commands[] = {
        {.name = "mqtt_clients",
         .description = "The clients of the MQTT broker, and the sessions of those that are away.",
         .schema = "{\"type\":\"object\",\"properties\":{"
                   "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
                   "\"description\":\"how many of them; 100 by default\"},"
                   "\"cursor\":{\"type\":\"string\",\"maxLength\":20,"
                   "\"description\":\"`next` of the reply before\"}},"
                   "\"additionalProperties\":false}",
         .role = COMMAND_ROLE_ADMIN,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_clients},
        {.name = "mqtt_client",
         .description = "One client of the MQTT broker, with its subscriptions.",
         .schema = "{\"type\":\"object\",\"properties\":{" CLIENT_ID "},"
                   "\"required\":[\"client_id\"],\"additionalProperties\":false}",
         .role = COMMAND_ROLE_ADMIN,
         .layer = COMMAND_LAYER_PROTECTED,
         .run = run_client},
        {.name = "mqtt_kick",
         .description = "Ends the connection of a client of the MQTT broker; with `session`, its "
                        "session, too.",
         .schema = "{\"type\":\"object\",\"properties\":{" CLIENT_ID ","
                   "\"session\":{\"type\":\"boolean\","
                   "\"description\":\"whether its session ends with the connection\"}},"
                   "\"required\":[\"client_id\"],\"additionalProperties\":false}",
         .role = COMMAND_ROLE_ADMIN,
         .layer = COMMAND_LAYER_PROTECTED,
         .changes = true,
         .run = run_kick},
};

int gate_clients_attach(struct gate *gate, struct error *error)
{
        return command_registry_add(gate->registry, commands, ARRAY_SIZE(commands), source, gate,
                                    error);
}

void gate_clients_detach(struct gate *gate)
{
        command_registry_remove(gate->registry, source);
}
