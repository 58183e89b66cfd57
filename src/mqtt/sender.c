#include "mqtt/sender.h"

#include "base/attributes.h"
#include "mqtt/account.h"
#include "mqtt/client.h"
#include "mqtt/insider.h"
#include "mqtt/journal-held.h"
#include "mqtt/memory.h"
#include "mqtt/outlet.h"
#include "mqtt/walk.h"
#include "proto/mqtt/encode.h"

#include <errno.h>

enum { UNREAD_SOME = 16 * 1024 };

/* May this client have it, as the hooks say now? */
static bool is_allowed(const struct mqtt_client *client, const struct mqtt_message *message)
{
        const struct mqtt_hooks *hooks = &client->broker->hooks;
        struct mqtt_who who;

        if (!hooks->on_deliver)
                return true;
        who = mqtt_client_who(client);
        return hooks->on_deliver(hooks->owner, &who, mqtt_message_topic(message));
}

/* Whether to send it at all; counted when not. */
static bool is_wanted(const struct mqtt_client *client, const struct mqtt_message *message)
{
        struct mqtt_broker *broker = client->broker;
        struct mqtt_text topic = mqtt_message_topic(message);

        /* [MQTT-3.3.2-5]. */
        if (mqtt_message_has_expired(message, loop_now_ms(broker->loop)))
                mqtt_drop(client->session, topic, MQTT_COUNT_DROPPED_EXPIRED);
        else if (!is_allowed(client, message))
                mqtt_drop(client->session, topic, MQTT_COUNT_DROPPED_DENIED);
        else
                return true;
        return false;
}

/* When memory is short, who does not read at once has what it has. A buffer doubles when it
 * grows. */
static bool is_too_much(const struct mqtt_client *client)
{
        size_t pending = net_stream_pending(client->stream);

        return pending >= UNREAD_SOME &&
               mqtt_memory_shortage_with(client->broker, pending) >= MQTT_MEMORY_SHORT;
}

static void send_at_most_once(struct mqtt_client *client, struct mqtt_message *message,
                              const struct mqtt_receiver *receiver, bool retain)
{
        struct mqtt_outgoing outgoing = {.message = message,
                                         .retain = retain,
                                         .ids = receiver->ids,
                                         .ids_count = receiver->ids_count};
        struct mqtt_broker *broker = client->broker;

        if (!is_wanted(client, message))
                return;
        if (net_stream_pending(client->stream) >= broker->limits.output_bytes)
                mqtt_drop(client->session, mqtt_message_topic(message), MQTT_COUNT_DROPPED_SLOW);
        else if (net_budget_is_tight(net_context_budget(broker->net)) || is_too_much(client))
                mqtt_drop(client->session, mqtt_message_topic(message), MQTT_COUNT_DROPPED_MEMORY);
        else
                (void)mqtt_outlet_write(client, &outgoing); /* counts its failures */
}

static bool has_bytes(const struct mqtt_session *session)
{
        size_t most = session->client->terms->inflight_bytes;

        return most == SIZE_MAX || mqtt_inflight_bytes(&session->inflight, most) < most;
}

static bool has_window(const struct mqtt_session *session)
{
        const struct mqtt_client *client = session->client;

        return client && client->state == MQTT_CLIENT_CONNECTED &&
               session->inflight.outstanding < client->receive_maximum && has_bytes(session) &&
               !net_stream_is_congested(client->stream);
}

bool mqtt_sender_is_ready(const struct mqtt_session *session)
{
        return has_window(session) && mqtt_inflight_has_room(&session->inflight);
}

bool mqtt_sender_may_take(void *owner, const struct mqtt_subscriber *subscriber)
{
        const struct mqtt_session *session =
                container_of(subscriber, struct mqtt_session, subscriber);

        return session->insider || (session->queue.count == 0 && mqtt_sender_is_ready(session));
}

/* [MQTT-3.1.2-25]: what is too large for the client counts as done. Without memory it stays
 * for the next connection. */
static void write_delivery(struct mqtt_client *client, const struct mqtt_delivery *delivery,
                           uint16_t packet_id, bool duplicate)
{
        const struct mqtt_more_ids *more = delivery->more_ids;
        struct mqtt_outgoing outgoing = {
                .message = delivery->message,
                .qos = delivery->qos,
                .retain = delivery->retain,
                .duplicate = duplicate,
                .packet_id = packet_id,
                .ids = more ? more->ids : &delivery->subscription_id,
                .ids_count = more                            ? more->count
                             : delivery->subscription_id > 0 ? 1
                                                             : 0,
        };
        int r = mqtt_outlet_write(client, &outgoing);

        if (r < 0 && delivery->qos == 0)
                return; /* counted */
        if (r == -EMSGSIZE || r == -ENOENT) {
                mqtt_journal_done(client->session, delivery, packet_id);
                mqtt_inflight_remove(&client->session->inflight, packet_id);
        } else if (r < 0) {
                mqtt_client_doom(client, MQTT_SERVER_BUSY);
        }
}

/* One that is in flight and was never sent. Of QoS 2 its packet identifier must be on the disk
 * first: after a power cut it would be given to another message, which a client that remembers it
 * took for the same. */
static void send_first(struct mqtt_client *client, struct mqtt_delivery *delivery,
                       uint16_t packet_id)
{
        delivery->state = MQTT_DELIVERY_HELD;
        if (delivery->qos == 2 && client->session->kept && mqtt_held_publish(client, packet_id))
                return;
        delivery->state = MQTT_DELIVERY_SENT;
        write_delivery(client, delivery, packet_id, false);
}

void mqtt_sender_send_held(struct mqtt_client *client, uint16_t packet_id)
{
        struct mqtt_delivery *delivery = mqtt_inflight_find(&client->session->inflight, packet_id);

        if (!delivery || delivery->state != MQTT_DELIVERY_HELD)
                return;
        delivery->state = MQTT_DELIVERY_SENT;
        write_delivery(client, delivery, packet_id, false);
}

/* Not sent, and nobody waits for it any more. */
static void leave_out(struct mqtt_session *session, struct mqtt_delivery *delivery, bool was_queued)
{
        if (was_queued)
                mqtt_journal_taken(session, delivery);
        mqtt_delivery_done(delivery);
}

/* Takes the delivery over. */
static void send_acknowledged(struct mqtt_client *client, struct mqtt_delivery *delivery,
                              bool was_queued)
{
        struct mqtt_session *session = client->session;
        uint16_t packet_id;

        if (!is_wanted(client, delivery->message)) {
                if (delivery->qos > 0)
                        mqtt_inflight_skip(&session->inflight);
                leave_out(session, delivery, was_queued);
        } else if (delivery->qos == 0) {
                write_delivery(client, delivery, 0, false);
                mqtt_delivery_done(delivery);
        } else if (mqtt_inflight_add(&session->inflight, delivery, &packet_id) < 0) {
                mqtt_drop(session, mqtt_message_topic(delivery->message),
                          MQTT_COUNT_DROPPED_MEMORY);
                leave_out(session, delivery, was_queued);
        } else {
                if (was_queued)
                        mqtt_journal_moved(session, delivery, packet_id);
                else
                        mqtt_journal_sent(session, delivery, packet_id);
                mqtt_account_tables(session);
                send_first(client, mqtt_inflight_find(&session->inflight, packet_id), packet_id);
        }
}

static void queue(struct mqtt_session *session, struct mqtt_delivery *delivery)
{
        uint8_t qos = delivery->qos;

        if (mqtt_session_queue(session, delivery) == -ENOSPC && session->client && qos > 0) {
                session->broker->counters[MQTT_COUNT_SLOW_CLIENTS]++;
                mqtt_client_doom(session->client, MQTT_QUOTA_EXCEEDED);
        }
}

static void keep(struct mqtt_session *session, struct mqtt_message *message,
                 const struct mqtt_receiver *receiver, uint8_t qos, bool retain)
{
        struct mqtt_delivery delivery;

        if (mqtt_delivery_init(&delivery, message, qos, retain, receiver->ids,
                               receiver->ids_count) < 0)
                mqtt_drop(session, mqtt_message_topic(message), MQTT_COUNT_DROPPED_MEMORY);
        else if (session->insider)
                mqtt_insider_deliver(session->insider, &delivery);
        else if (qos > 0 && session->queue.count == 0 && mqtt_sender_is_ready(session))
                send_acknowledged(session->client, &delivery, false);
        else
                queue(session, &delivery);
}

/* Of QoS 0. What was queued while the client was away goes before what comes now. */
static bool is_queued(const struct mqtt_session *session)
{
        return session->broker->limits.queue_qos_0 &&
               mqtt_memory_shortage(session->broker) < MQTT_MEMORY_SHORT &&
               (!session->client || session->queue.count > 0);
}

void mqtt_sender_deliver(struct mqtt_session *session, struct mqtt_message *message,
                         const struct mqtt_receiver *receiver, bool retain)
{
        struct mqtt_client *client = session->client;
        /* [MQTT-3.8.4-8]. */
        uint8_t qos = receiver->qos < message->qos ? receiver->qos : message->qos;

        if (qos > 0 || session->insider || is_queued(session))
                keep(session, message, receiver, qos, retain);
        else if (client && client->state == MQTT_CLIENT_CONNECTED)
                send_at_most_once(client, message, receiver, retain);
        else
                mqtt_drop(session, mqtt_message_topic(message), MQTT_COUNT_DROPPED_AWAY);
}

static void write_pubrel(struct mqtt_client *client, uint16_t packet_id)
{
        struct mqtt_acknowledgement pubrel = {.packet_id = packet_id};

        mqtt_client_answer(client,
                           mqtt_encode_acknowledgement(&client->broker->scratch,
                                                       (enum mqtt_version)client->version,
                                                       MQTT_PUBREL, &pubrel),
                           mqtt_client_all(client));
}

/* It was put in flight in an earlier connection, and never sent: since then it may have expired,
 * or the rules have changed. */
static void send_late(struct mqtt_client *client, struct mqtt_delivery *delivery,
                      uint16_t packet_id)
{
        struct mqtt_session *session = client->session;

        if (is_wanted(client, delivery->message)) {
                send_first(client, delivery, packet_id);
                return;
        }
        mqtt_journal_done(session, delivery, packet_id);
        mqtt_inflight_remove(&session->inflight, packet_id);
        mqtt_account_tables(session);
}

/* One that an earlier connection was sent; [MQTT-3.3.1-1]. False: there is none. What is
 * released counts, and its PUBREL has gone before. */
static bool resend(struct mqtt_client *client)
{
        struct mqtt_inflight *inflight = &client->session->inflight;
        uint16_t packet_id;
        struct mqtt_delivery *delivery = mqtt_inflight_resume(inflight, &packet_id);

        if (!delivery)
                return false;
        if (delivery->state == MQTT_DELIVERY_HELD)
                send_late(client, delivery, packet_id);
        else if (delivery->state == MQTT_DELIVERY_SENT)
                write_delivery(client, delivery, packet_id, true);
        return true;
}

/* The oldest of the queue. False: there is none,
 * or no identifier for it yet. */
static bool send_queued(struct mqtt_client *client)
{
        struct mqtt_delivery delivery;

        if (!mqtt_inflight_has_room(&client->session->inflight) ||
            !mqtt_queue_take(&client->session->queue, &client->broker->queued, &delivery))
                return false;
        if (client->session->queue.count == 0)
                mqtt_broker_note_memory(client->broker);
        send_acknowledged(client, &delivery, true);
        return true;
}

void mqtt_sender_go_on(struct mqtt_session *session)
{
        while (has_window(session) && (resend(session->client) || send_queued(session->client)))
                continue;
        if (mqtt_session_walks(session))
                mqtt_walks_go_on(session);
}

void mqtt_sender_resume(struct mqtt_session *session)
{
        const struct mqtt_delivery *delivery;
        uint16_t packet_id;
        uint32_t at = 0;

        while ((delivery = mqtt_inflight_next(&session->inflight, &at, &packet_id)) != NULL)
                if (delivery->state == MQTT_DELIVERY_RELEASED)
                        write_pubrel(session->client, packet_id);
        mqtt_sender_go_on(session);
}
