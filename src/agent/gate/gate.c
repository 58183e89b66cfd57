#include "agent/gate/gate-internal.h"

#include "agent/gate/admission.h"
#include "agent/gate/caller.h"
#include "agent/gate/clients.h"
#include "agent/gate/entrances.h"
#include "agent/gate/repeats.h"
#include "agent/gate/request.h"
#include "agent/gate/users.h"
#include "base/attributes.h"
#include "mqtt/metrics.h"
#include "proto/mqtt/quoted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
        ENVELOPE_MAX = COMMAND_REPLY_MAX + 64 * 1024,
        FAREWELL_MS = 10, /* how often is looked whether all clients have gone */
};

/* The hooks. */

static int on_publish(void *owner, const struct mqtt_who *who, const struct mqtt_publish *publish)
{
        struct gate *gate = owner;
        struct gate_caller *caller = who->identity;
        struct mqtt_quoted id, topic;
        bool is_will = !who->peer;

        /* A will that waited when the agent ended: its client was let in with it, and whose it was
         * is not known any more. */
        if (!caller)
                return gate_topics_place(&gate->topics, publish->topic) == GATE_PLACE_OUTSIDE
                               ? MQTT_HOOK_PASS
                               : MQTT_NOT_AUTHORIZED;
        gate_caller_refresh(caller);
        if (!gate_may_publish(&gate->topics, caller->session.principal.role, publish->topic) ||
            !gate_caller_may(caller, ACL_WRITE, publish->topic)) {
                log_debug(gate->options.log, gate->counts.name,
                          "publication denied client=\"%s\" topic=\"%s\"",
                          mqtt_quote(who->client_id, &id), mqtt_quote(publish->topic, &topic));
                return MQTT_NOT_AUTHORIZED;
        }
        if (gate_topics_place(&gate->topics, publish->topic) != GATE_PLACE_REQUEST)
                return MQTT_HOOK_PASS;
        return is_will ? MQTT_NOT_AUTHORIZED : gate_request_take(caller, publish);
}

static int on_subscribe(void *owner, const struct mqtt_who *who,
                        const struct mqtt_subscription *subscription)
{
        struct gate *gate = owner;
        struct gate_caller *caller = who->identity;
        struct gate_reader reader;
        struct mqtt_quoted id, filter;

        gate_caller_refresh(caller);
        reader = gate_caller_reader(caller);
        if (!gate_may_subscribe(&gate->topics, &reader, subscription->filter) ||
            !gate_caller_may_subscribe(caller, subscription->filter)) {
                log_debug(gate->options.log, gate->counts.name,
                          "subscription denied client=\"%s\" filter=\"%s\"",
                          mqtt_quote(who->client_id, &id),
                          mqtt_quote(subscription->filter, &filter));
                return MQTT_NOT_AUTHORIZED;
        }
        if (gate_sees_requests(&gate->topics, &reader, subscription->filter))
                gate->watched = true;
        return MQTT_HOOK_PASS;
}

static bool on_deliver(void *owner, const struct mqtt_who *who, struct mqtt_text topic)
{
        struct gate *gate = owner;
        struct gate_caller *caller = who->identity;
        struct gate_reader reader;

        gate_caller_refresh(caller);
        reader = gate_caller_reader(caller);
        return gate_may_receive(&gate->topics, &reader, topic) &&
               gate_caller_may(caller, ACL_RECEIVE, topic);
}

static void on_disconnect(void *owner, const struct mqtt_who *who, enum mqtt_reason reason,
                          int failure)
{
        struct gate *gate = owner;
        struct mqtt_quoted id;

        log_debug(gate->options.log, gate->counts.name,
                  "disconnected client=\"%s\" reason=0x%02x why=\"%s\"",
                  mqtt_quote(who->client_id, &id), (unsigned)reason,
                  failure < 0 ? strerror(-failure) : mqtt_reason_name(reason));
        gate_caller_leave(who->identity);
}

static void on_forget(void *owner, void *identity)
{
        (void)owner;
        gate_caller_free(identity);
}

static const struct mqtt_hooks hooks = {
        .on_connect = gate_on_connect,
        .on_answered = gate_on_answered,
        .on_publish = on_publish,
        .on_subscribe = on_subscribe,
        .on_deliver = on_deliver,
        .on_disconnect = on_disconnect,
        .on_forget = on_forget,
};

/* What the agent says of it. */

static void write_status(void *owner, struct json_writer *writer)
{
        struct gate *gate = owner;
        struct mqtt_broker_figures figures;

        mqtt_broker_figures(gate->broker, &figures);
        json_write_object(writer, gate->counts.name);
        gate_write_entrances(gate, writer);
        gate_keep_write_status(&gate->keep, writer);
        json_write_integer(writer, "clients", (int64_t)figures.clients);
        json_write_integer(writer, "sessions", (int64_t)figures.sessions);
        json_write_integer(writer, "subscriptions", (int64_t)figures.subscriptions);
        json_write_integer(writer, "retained_messages", (int64_t)figures.retained_messages);
        json_write_end(writer);
}

void gate_write_figures(void *owner, struct prometheus_writer *writer)
{
        const struct gate *gate = owner;

        mqtt_metrics_put(gate->broker, writer);
}

/* "online" or "offline", for everybody who comes. */
static void publish_presence(struct gate *gate, const char *text)
{
        char topic[GATE_TOPIC_MAX + sizeof("/status")];
        int length = snprintf(topic, sizeof(topic), "%s/status", gate->options.config->topic);
        struct mqtt_publish publish = {
                .topic = {topic, (uint16_t)length},
                .payload = {(const uint8_t *)text, (uint32_t)strlen(text)},
                .qos = 1,
                .retain = true,
        };
        int r = mqtt_broker_publish(gate->broker, &publish);

        if (r < 0)
                log_warning(gate->options.log, gate->counts.name, "cannot publish %s: %s", topic,
                            strerror(-r));
}

/* Connections. */

void gate_admit_anybody(const struct gate *gate, struct command_principal *ret)
{
        gate->options.admit(gate->options.admit_owner, ret);
        if (ret->role == COMMAND_ROLE_NONE && gate->has_guests)
                *ret = (struct command_principal){COMMAND_ROLE_VIEWER, "guest"};
}

void gate_admit_without_password(struct gate *gate, const struct mqtt_who *who,
                                 struct command_principal *ret)
{
        const struct gate_options *options = &gate->options;

        if (who->peer->any.sa_family == AF_UNIX && options->vouch)
                options->vouch(options->admit_owner, net_stream_fd(who->stream), ret);
        else
                gate_admit_anybody(gate, ret);
}

int gate_route(struct gate *gate, struct http_router *router, gate_named_fn *is_named, void *owner)
{
        gate->websocket.broker = gate->broker;
        gate->websocket.is_named = is_named;
        gate->websocket.owner = owner;
        return mqtt_websocket_route(router, &gate->websocket);
}

/* The end. */

static void on_farewell(struct loop_timer *timer)
{
        struct gate *gate = container_of(timer, struct gate, farewell);
        gate_stopped_fn *stopped;

        if (!gate->said_farewell)
                mqtt_broker_stop(gate->broker, MQTT_SERVER_SHUTTING_DOWN);
        gate->said_farewell = true;
        /* Streams end by themselves some seconds after their last word. */
        if (mqtt_broker_connections(gate->broker) > 0) {
                loop_timer_start(timer, FAREWELL_MS);
                return;
        }
        stopped = TAKE(gate->stopped);
        if (stopped)
                stopped(gate->stopped_owner);
}

void gate_request_done(struct gate *gate)
{
        /* Not now: its client's packet is still in hand. */
        if (gate->stopping && gate->stopped && gate->requests_count == 0)
                loop_timer_start(&gate->farewell, 0);
}

void gate_stop(struct gate *gate, gate_stopped_fn *stopped, void *owner)
{
        gate->stopping = true;
        gate->stopped = stopped;
        gate->stopped_owner = owner;
        gate_close_entrances(gate);
        publish_presence(gate, "offline");
        gate_request_done(gate);
}

/* The beginning. */

int gate_set_users(struct gate *gate, const struct gate_config *config, struct error *error)
{
        struct user_table *users = NULL;
        struct acl *acl = NULL;
        int r = gate_users_make(config, &users, &acl, error);

        if (r < 0)
                return r;
        access_rules_replace(&gate->rules, users, acl);
        gate->has_guests = config->guest == GATE_GUEST_VIEWER;
        return 0;
}

/* One that could not read what was kept is of no use; another keeps nothing. */
static int open_broker(struct gate *gate, const struct mqtt_limits *limits,
                       const struct mqtt_hooks *own)
{
        const struct gate_options *options = &gate->options;
        struct loop *loop = command_registry_loop(gate->registry);
        int r = mqtt_broker_new(loop, options->net, limits, own, &gate->broker);

        if (r < 0 || gate_keep_begin(&gate->keep, options->config, options->state_dir, options->log,
                                     loop, gate->broker) == 0)
                return r;
        gate->broker = mqtt_broker_free(gate->broker);
        return mqtt_broker_new(loop, options->net, limits, own, &gate->broker);
}

static int gate_open(struct gate *gate)
{
        struct mqtt_hooks own = hooks;
        struct mqtt_limits limits;
        int r;

        own.owner = gate;
        r = acl_cache_hash_new(&gate->topic_hash);
        if (r < 0)
                return r;
        gate_config_limits(gate->options.config, &limits);
        /* Whatever way they come by, there are no more descriptors. */
        if (limits.clients > gate->options.connections_max)
                limits.clients = (uint32_t)gate->options.connections_max;
        if (limits.connecting > gate->options.connections_max)
                limits.connecting = (uint32_t)gate->options.connections_max;
        gate->request_charge = limits.turn_bytes / GATE_REQUESTS_PER_ROUND;
        r = open_broker(gate, &limits, &own);
        if (r == 0)
                r = command_registry_add_transport(gate->registry, &gate->counts);
        if (r == 0)
                r = command_registry_add_status(gate->registry, write_status, gate);
        return r;
}

int gate_attach(struct command_registry *registry, const struct gate_options *options,
                struct gate **ret, struct error *error)
{
        struct gate *gate;
        int r = gate_config_check(options->config, error);

        if (r < 0)
                return r;
        gate = calloc(1, sizeof(*gate));
        if (!gate)
                return error_set(error, -ENOMEM, "mqtt: not enough memory");
        gate->registry = registry;
        gate->options = *options;
        gate->counts.name = "mqtt";
        list_init(&gate->admissions);
        buffer_init(&gate->envelope, ENVELOPE_MAX);
        gate_topics_init(&gate->topics, options->config->topic);
        gate->login = options->login;
        gate->login.uncounted = true; /* a password may be a token's: those who know count */
        loop_timer_init(&gate->farewell, command_registry_loop(registry), on_farewell);
        r = gate_set_users(gate, options->config, error);
        if (r < 0) {
                gate_free(gate);
                return r;
        }
        r = gate_open(gate);
        if (r == 0)
                r = gate_open_ways(gate);
        if (r < 0) {
                gate_free(gate);
                return error_set(error, r, "mqtt: %s", strerror(-r));
        }
        r = gate_clients_attach(gate, error);
        if (r < 0) {
                gate_free(gate);
                return r;
        }
        publish_presence(gate, "online");
        *ret = gate;
        return 0;
}

struct gate *gate_free(struct gate *gate)
{
        if (!gate)
                return NULL;
        gate->stopped = NULL;
        gate_close_entrances(gate);
        gate_clients_detach(gate);
        gate_admissions_orphan(gate);
        mqtt_broker_free(gate->broker);
        access_rules_done(&gate->rules);
        acl_cache_hash_free(gate->topic_hash);
        gate_keep_done(&gate->keep);
        loop_timer_stop(&gate->farewell);
        buffer_done(&gate->envelope);
        gate_repeats_free(gate->repeats);
        free(gate);
        return NULL;
}
