#include "mqtt/broker.h"

#include "base/attributes.h"
#include "mqtt/client.h"
#include "mqtt/entrance.h"
#include "mqtt/insider.h"
#include "mqtt/journal.h"
#include "mqtt/memory.h"
#include "mqtt/route.h"
#include "mqtt/sender.h"
#include "mqtt/sys.h"
#include "mqtt/walk.h"
#include "proto/mqtt/topic.h"

#include <errno.h>

enum {
        BURST_BYTES = 1024 * 1024, /* of messages, sessions, ...: worth a trim when gone */
        SESSION_BYTES = 512,       /* about what one takes */
        SUBSCRIPTION_BYTES = 256,  /* the same */
};

static int open_tables(struct mqtt_broker *broker)
{
        struct mqtt_topic_tree_config config = {.subscriptions = broker->limits.subscriptions,
                                                .cache_bytes = broker->limits.cache_bytes,
                                                .may_take = mqtt_sender_may_take};
        struct mqtt_terms terms;
        int r = map_new_borrowing(broker->limits.sessions, &broker->sessions);

        mqtt_terms_init(&terms, &broker->limits);
        if (r == 0)
                r = mqtt_terms_new(&terms, NULL, &broker->terms);
        if (r == 0)
                r = mqtt_sys_new(broker, &broker->sys);
        if (r == 0)
                r = mqtt_topic_tree_new(&config, &broker->tree);
        if (r == 0)
                r = mqtt_retained_new(broker->limits.retained_messages,
                                      broker->limits.retained_bytes, &broker->retained);
        return r;
}

int mqtt_broker_new(struct loop *loop, struct net_context *net, const struct mqtt_limits *limits,
                    const struct mqtt_hooks *hooks, struct mqtt_broker **ret)
{
        struct mqtt_broker *broker = calloc(1, sizeof(*broker));
        int r;

        if (!broker)
                return -ENOMEM;
        broker->loop = loop;
        broker->net = net;
        broker->limits = limits ? *limits : mqtt_limits_default;
        if (hooks)
                broker->hooks = *hooks;
        list_init(&broker->all_sessions);
        list_init(&broker->connecting);
        list_init(&broker->clients);
        list_init(&broker->doomed);
        list_init(&broker->ended);
        list_init(&broker->insiders);
        list_init(&broker->walking);
        buffer_init(&broker->scratch, SIZE_MAX);
        buffer_init(&broker->mounted, MQTT_TEXT_MAX);
        buffer_init(&broker->reasons, SIZE_MAX);
        loop_trim_init(&broker->trim, loop, BURST_BYTES);
        broker->expiry_ms = UINT64_MAX;
        loop_timer_init(&broker->expiry_timer, loop, mqtt_route_on_expiry);
        loop_task_init(&broker->walk_task, loop, mqtt_walks_on_task);
        loop_timer_init(&broker->connect_timer, loop, mqtt_clients_on_connect_timer);
        loop_task_init(&broker->doom_task, loop, mqtt_clients_on_doom);
        r = open_tables(broker);
        if (r < 0) {
                mqtt_broker_free(broker);
                return r;
        }
        *ret = broker;
        return 0;
}

int mqtt_broker_keep(struct mqtt_broker *broker, struct store_thread *thread,
                     const struct mqtt_keep_options *options, struct error *error)
{
        return mqtt_journal_open(broker, thread, options, &broker->journal, error);
}

static void end_clients(struct list *clients)
{
        while (!list_is_empty(clients))
                mqtt_client_end(container_of(clients->next, struct mqtt_client, link),
                                MQTT_SERVER_SHUTTING_DOWN, 0, false);
}

static void end_all(struct mqtt_broker *broker)
{
        end_clients(&broker->connecting);
        end_clients(&broker->doomed);
        end_clients(&broker->clients);
}

static void free_sessions(struct mqtt_broker *broker)
{
        while (!list_is_empty(&broker->all_sessions)) {
                struct mqtt_session *session =
                        container_of(broker->all_sessions.next, struct mqtt_session, link);

                session->will = mqtt_last_will_free(session->will);
                mqtt_session_free(session);
        }
}

struct mqtt_broker *mqtt_broker_free(struct mqtt_broker *broker)
{
        if (!broker)
                return NULL;
        broker->stopping = true;
        broker->hooks.on_stopped = NULL;
        end_all(broker);
        list_for_each (&broker->ended, position)
                net_stream_close(container_of(position, struct mqtt_client, link)->stream);
        while (broker->connections > 0)
                loop_run_once(broker->loop, 0);
        while (!list_is_empty(&broker->insiders))
                mqtt_insider_free(mqtt_insider_from_link(broker->insiders.next));
        mqtt_journal_end(broker->journal);
        free_sessions(broker);
        loop_trim_done(&broker->trim);
        loop_timer_stop(&broker->connect_timer);
        loop_timer_stop(&broker->expiry_timer);
        loop_task_cancel(&broker->doom_task);
        loop_task_cancel(&broker->walk_task);
        map_free(broker->sessions);
        mqtt_topic_tree_free(broker->tree);
        mqtt_sys_free(broker->sys);
        mqtt_retained_free(broker->retained);
        mqtt_journal_free(broker->journal);
        mqtt_terms_unref(broker->terms);
        buffer_done(&broker->scratch);
        buffer_done(&broker->mounted);
        buffer_done(&broker->reasons);
        free(broker);
        return NULL;
}

static uint64_t *refused_by(struct mqtt_broker *broker, const struct mqtt_terms *terms)
{
        struct mqtt_bucket *connects = &mqtt_entrance_of(terms)->connects;

        if (broker->connecting_count >= broker->limits.connecting ||
            net_budget_is_tight(net_context_budget(broker->net)) ||
            mqtt_memory_shortage(broker) == MQTT_MEMORY_FULL)
                return &broker->counters[MQTT_COUNT_REFUSED_CONNECTING];
        if (mqtt_bucket_wait_ms(connects, terms->connects, loop_now_ms(broker->loop)) > 0)
                return &broker->counters[MQTT_COUNT_REFUSED_RATE];
        return NULL;
}

int mqtt_broker_check_room(struct mqtt_broker *broker, const struct mqtt_terms *terms)
{
        uint64_t *counter;

        if (broker->stopping)
                return -EBUSY;
        counter = refused_by(broker, terms ? terms : broker->terms);
        if (!counter)
                return 0;
        (*counter)++;
        return -EBUSY;
}

/* One that is there. */
static int count_connect(const struct mqtt_terms *terms, int r)
{
        if (r == 0)
                mqtt_bucket_take(&mqtt_entrance_of(terms)->connects, terms->connects, 1);
        return r;
}

int mqtt_broker_attach(struct mqtt_broker *broker, int fd, struct net_tls *tls,
                       const struct net_address *peer, const struct mqtt_terms *terms)
{
        int r = mqtt_broker_check_room(broker, terms);

        if (!terms)
                terms = broker->terms;
        return r < 0 ? r : count_connect(terms, mqtt_client_new(broker, fd, tls, peer, terms));
}

int mqtt_broker_adopt(struct mqtt_broker *broker, struct net_stream *stream,
                      const struct mqtt_terms *terms)
{
        int r = mqtt_broker_check_room(broker, terms);

        if (!terms)
                terms = broker->terms;
        return r < 0 ? r : count_connect(terms, mqtt_client_adopt(broker, stream, terms));
}

void mqtt_broker_stop(struct mqtt_broker *broker, enum mqtt_reason reason)
{
        broker->stopping = true;
        end_clients(&broker->connecting);
        while (!list_is_empty(&broker->clients) || !list_is_empty(&broker->doomed)) {
                struct list *list =
                        list_is_empty(&broker->clients) ? &broker->doomed : &broker->clients;
                struct mqtt_client *client = container_of(list->next, struct mqtt_client, link);

                client->will = mqtt_last_will_free(client->will);
                mqtt_client_disconnect(client, reason);
        }
        mqtt_broker_check_stopped(broker);
}

void mqtt_broker_note_memory(struct mqtt_broker *broker)
{
        size_t messages = broker->queued.bytes + mqtt_retained_bytes(broker->retained);
        size_t sessions = map_count(broker->sessions) * SESSION_BYTES;
        size_t filters = (size_t)mqtt_topic_tree_count(broker->tree) * SUBSCRIPTION_BYTES;

        loop_trim_note(&broker->trim, messages + sessions + filters);
}

void mqtt_broker_check_stopped(struct mqtt_broker *broker)
{
        if (broker->stopping && broker->connections == 0 && broker->hooks.on_stopped)
                broker->hooks.on_stopped(broker->hooks.owner);
}

void mqtt_broker_change_hooks(struct mqtt_broker *broker, const struct mqtt_hooks *hooks)
{
        broker->hooks = *hooks;
}

size_t mqtt_broker_connections(const struct mqtt_broker *broker)
{
        return broker->connections;
}

int mqtt_broker_kick(struct mqtt_broker *broker, struct mqtt_text client_id,
                     enum mqtt_reason reason)
{
        struct mqtt_session *session = mqtt_session_find(broker, client_id);

        if (!session || !session->client)
                return -ENOENT;
        mqtt_client_kick(session->client, reason);
        return 0;
}

int mqtt_broker_publish(struct mqtt_broker *broker, const struct mqtt_publish *publish)
{
        if (!mqtt_topic_name_is_valid(publish->topic) || publish->qos > 2)
                return -EINVAL;
        return mqtt_route(broker, publish, MQTT_ORIGIN_INSIDE, NULL);
}

void mqtt_broker_figures(const struct mqtt_broker *broker, struct mqtt_broker_figures *ret)
{
        *ret = (struct mqtt_broker_figures){
                .connections = broker->connections,
                .clients = broker->clients_count,
                .sessions = map_count(broker->sessions),
                .subscriptions = mqtt_topic_tree_count(broker->tree),
                .retained_messages = mqtt_retained_count(broker->retained),
                .clients_most = broker->clients_most,
                .retained_bytes = mqtt_retained_bytes(broker->retained),
                .queued_messages = broker->queued.messages,
                .queued_bytes = broker->queued.bytes,
                .memory_bytes = mqtt_memory_used(broker),
                .memory_most = broker->memory_most,
        };
        if (ret->memory_most < ret->memory_bytes)
                ret->memory_most = ret->memory_bytes;
        for (size_t i = 0; i < MQTT_COUNTERS; i++)
                ret->counters[i] = broker->counters[i];
}
