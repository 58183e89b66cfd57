#include "mqtt/client.h"

#include "base/attributes.h"
#include "mqtt/entrance.h"
#include "mqtt/journal-held.h"
#include "mqtt/route.h"
#include "mqtt/sender.h"
#include "mqtt/sys.h"
#include "net/upgrade.h"
#include "proto/mqtt/encode.h"

#include <errno.h>
#include <string.h>

struct mqtt_who mqtt_client_who(const struct mqtt_client *client)
{
        struct mqtt_who who = {
                .user = {client->user ? client->user : "", client->user_length},
                .version = (enum mqtt_version)client->version,
                .peer = client->stream ? net_stream_peer(client->stream) : NULL,
                .terms = client->terms,
                .identity = client->identity,
        };

        if (client->session)
                who.client_id = mqtt_session_id(client->session);
        return who;
}

struct mqtt_client_more *mqtt_client_more(struct mqtt_client *client)
{
        if (!client->more)
                client->more = calloc(1, sizeof(*client->more));
        return client->more;
}

static void free_more(struct mqtt_client *client)
{
        struct mqtt_client_more *more = TAKE(client->more);

        if (!more)
                return;
        mqtt_meter_free(more->meter);
        mqtt_alias_free(more->aliases_in);
        mqtt_alias_free(more->aliases_out);
        mqtt_held_free(more->held);
        free(more);
}

void mqtt_client_send(struct mqtt_client *client, const void *bytes, size_t count)
{
        uint64_t *counters = client->broker->counters;

        counters[MQTT_COUNT_PACKETS_SENT]++;
        counters[MQTT_COUNT_BYTES_SENT] += count;
        net_stream_write(client->stream, bytes, count);
}

int mqtt_client_put(struct mqtt_client *client, int encoded)
{
        struct buffer *scratch = &client->broker->scratch;

        if (encoded == 0 && buffer_length(scratch) > client->packet_bytes)
                encoded = -EMSGSIZE; /* [MQTT-3.1.2-24] */
        if (encoded < 0)
                client->broker->counters[MQTT_COUNT_ANSWERS_LOST]++;
        else if (client->stream)
                mqtt_client_send(client, buffer_data(scratch), buffer_length(scratch));
        buffer_truncate(scratch, 0);
        return encoded;
}

void mqtt_client_write(struct mqtt_client *client, int encoded)
{
        int r = mqtt_client_put(client, encoded);

        if (r < 0)
                mqtt_client_doom(client, r == -EMSGSIZE ? MQTT_PACKET_TOO_LARGE : MQTT_SERVER_BUSY);
}

void mqtt_client_explain(const struct mqtt_client *client, enum mqtt_reason reason, size_t size,
                         struct mqtt_properties *properties)
{
        enum { PROPERTY_HEADER = 1 + 2, LENGTHS = 8 };
        const char *words = mqtt_reason_name(reason);
        size_t length = strlen(words);

        if (!client->wants_reasons || reason < MQTT_UNSPECIFIED_ERROR ||
            size + length + PROPERTY_HEADER + LENGTHS > client->packet_bytes)
                return;
        properties->present |= mqtt_property_bit(MQTT_REASON_STRING);
        properties->reason_string = (struct mqtt_text){words, (uint16_t)length};
}

static void count_client(struct mqtt_client *client, int difference)
{
        struct mqtt_broker *broker = client->broker;

        broker->clients_count += (size_t)difference;
        if (broker->clients_count > broker->clients_most)
                broker->clients_most = broker->clients_count;
        mqtt_entrance_of(client->terms)->clients += (uint32_t)difference;
}

static void move(struct mqtt_client *client, struct list *list, enum mqtt_client_state state)
{
        struct mqtt_broker *broker = client->broker;

        if (client->state == MQTT_CLIENT_CONNECTING)
                broker->connecting_count--;
        list_remove(&client->link);
        list_append(list, &client->link);
        client->state = (uint8_t)state;
}

void mqtt_client_have_session(struct mqtt_client *client, struct mqtt_session *session)
{
        client->session = session;
        session->client = client;
        count_client(client, 1);
}

void mqtt_client_become_connected(struct mqtt_client *client)
{
        struct mqtt_broker *broker = client->broker;

        move(client, &broker->clients, MQTT_CLIENT_CONNECTED);
        client->heard_ms = loop_now_ms(broker->loop);
        client->connected_s = (uint32_t)(client->heard_ms / 1000);
        broker->counters[MQTT_COUNT_CONNECTS]++;
        mqtt_sys_note_filter(broker->sys, NULL);
}

static void forget_identity(struct mqtt_client *client)
{
        const struct mqtt_hooks *hooks = &client->broker->hooks;

        if (client->identity && hooks->on_forget)
                hooks->on_forget(hooks->owner, client->identity);
        client->identity = NULL;
}

static void leave_session(struct mqtt_client *client, enum mqtt_reason reason, int failure,
                          bool with_will)
{
        const struct mqtt_hooks *hooks = &client->broker->hooks;
        AUTO(mqtt_last_will) struct mqtt_last_will *will = TAKE(client->will);
        struct mqtt_who who = mqtt_client_who(client);
        struct mqtt_session *session = TAKE(client->session);

        if (hooks->on_disconnect)
                hooks->on_disconnect(hooks->owner, &who, reason, failure);
        if (will && with_will)
                mqtt_last_will_adopt(will, client);
        mqtt_session_leave(session, with_will ? TAKE(will) : NULL);
}

void mqtt_client_end(struct mqtt_client *client, enum mqtt_reason reason, int failure,
                     bool with_will)
{
        bool was_connected = client->state != MQTT_CLIENT_CONNECTING;

        if (client->state == MQTT_CLIENT_ENDED)
                return;
        move(client, &client->broker->ended, MQTT_CLIENT_ENDED);
        if (client->session)
                count_client(client, -1);
        if (was_connected)
                leave_session(client, reason, failure, with_will);
        else if (client->session)
                mqtt_session_leave(TAKE(client->session), NULL); /* it was never told */
        mqtt_held_close(client);
        client->question = mqtt_question_free(client->question);
        forget_identity(client);
        free_more(client);
        if (client->stream)
                net_stream_finish(client->stream);
}

static void say_disconnect(struct mqtt_client *client, enum mqtt_reason reason)
{
        enum { SIZE = 4 };
        struct mqtt_disconnect disconnect = {.reason = reason};

        /* 3.1.1 has no DISCONNECT from the server. */
        if (client->version != MQTT_VERSION_5 || !client->session || client->question)
                return;
        mqtt_client_explain(client, reason, SIZE, &disconnect.properties);
        mqtt_client_write(client, mqtt_encode_disconnect(&client->broker->scratch, MQTT_VERSION_5,
                                                         MQTT_DISCONNECT, &disconnect));
}

void mqtt_client_disconnect(struct mqtt_client *client, enum mqtt_reason reason)
{
        if (client->state == MQTT_CLIENT_ENDED)
                return;
        say_disconnect(client, reason);
        mqtt_client_end(client, reason, 0, true);
}

void mqtt_client_doom(struct mqtt_client *client, enum mqtt_reason reason)
{
        struct mqtt_broker *broker = client->broker;

        if (client->state != MQTT_CLIENT_CONNECTED)
                return;
        client->doom = (uint8_t)reason;
        move(client, &broker->doomed, MQTT_CLIENT_DOOMED);
        loop_task_post(&broker->doom_task);
}

void mqtt_client_kick(struct mqtt_client *client, enum mqtt_reason reason)
{
        if (client->state == MQTT_CLIENT_CONNECTING)
                mqtt_client_end(client, reason, 0, false);
        else
                mqtt_client_doom(client, reason);
}

void mqtt_clients_on_doom(struct loop_task *task)
{
        struct mqtt_broker *broker = container_of(task, struct mqtt_broker, doom_task);

        while (!list_is_empty(&broker->doomed)) {
                struct mqtt_client *client =
                        container_of(broker->doomed.next, struct mqtt_client, link);

                mqtt_client_disconnect(client, (enum mqtt_reason)client->doom);
        }
}

void mqtt_client_refuse(struct mqtt_client *client, enum mqtt_reason reason)
{
        uint64_t *counters = client->broker->counters;

        switch (reason) {
        case MQTT_PACKET_TOO_LARGE:
                counters[MQTT_COUNT_PACKET_TOO_LARGE]++;
                break;
        case MQTT_RECEIVE_MAXIMUM_EXCEEDED:
                counters[MQTT_COUNT_RECEIVE_MAXIMUM_EXCEEDED]++;
                break;
        case MQTT_TOPIC_ALIAS_INVALID:
                counters[MQTT_COUNT_ALIAS_INVALID]++;
                break;
        case MQTT_QOS_NOT_SUPPORTED:
        case MQTT_RETAIN_NOT_SUPPORTED:
        case MQTT_WILDCARDS_NOT_SUPPORTED:
        case MQTT_SHARED_NOT_SUPPORTED:
        case MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED:
                counters[MQTT_COUNT_REFUSED_TERMS]++;
                break;
        default:
                counters[MQTT_COUNT_PROTOCOL_ERRORS]++;
        }
        mqtt_client_disconnect(client, reason);
}

void mqtt_client_watch(struct mqtt_client *client)
{
        const struct mqtt_limits *limits = &client->broker->limits;
        uint32_t wait_ms = client->stalled ? limits->stall_ms : client->keep_alive_ms;

        loop_timer_stop(&client->session->timer);
        if (wait_ms > 0)
                loop_timer_start(&client->session->timer, wait_ms);
}

/* [MQTT-3.1.2-22] (5.0), [MQTT-3.1.2-24] (3.1.1). While we don't listen the client cannot
 * be heard; then it has to read. */
void mqtt_client_check(struct mqtt_client *client)
{
        struct mqtt_broker *broker = client->broker;
        uint64_t since = client->stalled ? net_stream_active_ms(client->stream) : client->heard_ms;
        uint32_t most = client->stalled ? broker->limits.stall_ms : client->keep_alive_ms;
        uint64_t silence = loop_now_ms(broker->loop) - since;

        if (most == 0 || client->state != MQTT_CLIENT_CONNECTED)
                return;
        if ((client->throttled || client->waiting) && !client->stalled)
                silence = 0;
        if (silence < most) {
                loop_timer_start(&client->session->timer, most - silence);
                return;
        }
        broker->counters[client->stalled ? MQTT_COUNT_SLOW_CLIENTS
                                         : MQTT_COUNT_KEEP_ALIVE_TIMEOUTS]++;
        mqtt_client_disconnect(client,
                               client->stalled ? MQTT_QUOTA_EXCEEDED : MQTT_KEEP_ALIVE_TIMEOUT);
}

static void wait_for_first(struct mqtt_broker *broker)
{
        struct mqtt_client *first;
        uint64_t waited;

        if (list_is_empty(&broker->connecting) || broker->connect_timer.armed)
                return;
        first = container_of(broker->connecting.next, struct mqtt_client, link);
        waited = loop_now_ms(broker->loop) - first->heard_ms;
        loop_timer_start(&broker->connect_timer, waited < broker->limits.connect_ms
                                                         ? broker->limits.connect_ms - waited
                                                         : 0);
}

void mqtt_clients_on_connect_timer(struct loop_timer *timer)
{
        struct mqtt_broker *broker = container_of(timer, struct mqtt_broker, connect_timer);
        uint64_t now = loop_now_ms(broker->loop);

        while (!list_is_empty(&broker->connecting)) {
                struct mqtt_client *first =
                        container_of(broker->connecting.next, struct mqtt_client, link);

                if (now - first->heard_ms < broker->limits.connect_ms)
                        break;
                broker->counters[MQTT_COUNT_CONNECT_TIMEOUTS]++;
                if (first->question)
                        mqtt_connect_give_up(first);
                else
                        mqtt_client_end(first, MQTT_UNSPECIFIED_ERROR, -ETIMEDOUT, false);
        }
        wait_for_first(broker);
}

/* A peer that sends no more cannot acknowledge or say goodbye. */
static void client_on_end(void *owner)
{
        mqtt_client_end(owner, MQTT_UNSPECIFIED_ERROR, -ECONNRESET, true);
}

static void client_on_drained(void *owner)
{
        struct mqtt_client *client = owner;

        if (client->state != MQTT_CLIENT_CONNECTED)
                return;
        if (client->stalled) {
                client->stalled = false;
                mqtt_client_hear(client);
                mqtt_client_watch(client);
        }
        mqtt_sender_go_on(client->session);
}

static void client_on_closed(void *owner, int reason)
{
        struct mqtt_client *client = owner;
        struct mqtt_broker *broker = client->broker;

        mqtt_client_end(client, MQTT_UNSPECIFIED_ERROR, reason, true);
        client->stream = NULL;
        list_remove(&client->link);
        mqtt_last_will_free(client->will);
        mqtt_terms_unref(client->terms);
        mqtt_ledger_remove(&broker->ledger, client->user_length);
        free(client->user);
        free(client);
        broker->connections--;
        mqtt_broker_check_stopped(broker);
}

static const struct net_stream_calls calls = {.on_bytes = mqtt_client_on_bytes,
                                              .on_end = client_on_end,
                                              .on_drained = client_on_drained,
                                              .on_closed = client_on_closed};

/* Above the mark nothing is sent but what answers the input at hand. */
static struct net_stream_limits stream_limits(const struct mqtt_limits *limits,
                                              const struct mqtt_terms *terms)
{
        enum { SMALL_ANSWERS = 1024 * 1024 };

        return (struct net_stream_limits){
                .input = terms->packet_bytes,
                .output = limits->output_bytes + MQTT_REMAINING_MAX + SMALL_ANSWERS,
                .output_high = limits->output_bytes,
        };
}

static struct mqtt_client *client_alloc(struct mqtt_broker *broker)
{
        struct mqtt_client *client = calloc(1, sizeof(*client));

        if (!client)
                return NULL;
        client->broker = broker;
        client->packet_bytes = UINT32_MAX;
        client->heard_ms = loop_now_ms(broker->loop);
        return client;
}

static void client_enter(struct mqtt_client *client, const struct mqtt_terms *terms)
{
        struct mqtt_broker *broker = client->broker;

        client->terms = mqtt_terms_ref(terms);
        list_append(&broker->connecting, &client->link);
        broker->connecting_count++;
        broker->connections++;
        wait_for_first(broker);
}

int mqtt_client_new(struct mqtt_broker *broker, int fd, struct net_tls *tls,
                    const struct net_address *peer, const struct mqtt_terms *terms)
{
        const struct net_stream_limits limits = stream_limits(&broker->limits, terms);
        AUTO_FREE struct mqtt_client *client = client_alloc(broker);
        struct net_stream_owner owner = {.owner = client, .calls = &calls};
        int r;

        if (!client)
                return -ENOMEM;
        r = net_stream_new(broker->net, fd, tls, peer, &limits, &owner, &client->stream);
        if (r < 0)
                return r;
        client_enter(TAKE(client), terms);
        return 0;
}

int mqtt_client_adopt(struct mqtt_broker *broker, struct net_stream *stream,
                      const struct mqtt_terms *terms)
{
        const struct net_stream_limits limits = stream_limits(&broker->limits, terms);
        struct mqtt_client *client = client_alloc(broker);
        struct net_stream_owner owner = {.owner = client, .calls = &calls};

        if (!client)
                return -ENOMEM;
        client->stream = stream;
        net_stream_hand_over(stream, &limits, &owner);
        client_enter(client, terms);
        return 0;
}
