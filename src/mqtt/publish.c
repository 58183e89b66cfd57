/* PUBLISH from a client (3.3, 4.3). */
#include "mqtt/account.h"
#include "mqtt/client.h"
#include "mqtt/journal-held.h"
#include "mqtt/mount.h"
#include "mqtt/route.h"
#include "mqtt/sys.h"
#include "proto/mqtt/encode.h"

#include <errno.h>

/* 3.3.2.3.4, [MQTT-3.3.2-7] to [MQTT-3.3.2-12]. */
static int resolve_alias(struct mqtt_client *client, struct mqtt_publish *publish)
{
        uint16_t number = publish->properties.topic_alias, max = client->terms->aliases;
        struct mqtt_client_more *more;

        if (!(publish->properties.present & mqtt_property_bit(MQTT_TOPIC_ALIAS)))
                return 0;
        /* An alias is this connection's affair and goes on to nobody. */
        publish->properties.present &= ~mqtt_property_bit(MQTT_TOPIC_ALIAS);
        if (number == 0 || number > max)
                return MQTT_TOPIC_ALIAS_INVALID;
        more = mqtt_client_more(client);
        if (!more || (!more->aliases_in &&
                      mqtt_alias_new(max, &client->broker->ledger, &more->aliases_in) < 0))
                return MQTT_SERVER_BUSY;
        if (publish->topic.length > 0)
                return mqtt_alias_set(more->aliases_in, number, publish->topic) < 0
                               ? MQTT_SERVER_BUSY
                               : 0;
        return mqtt_alias_topic(more->aliases_in, number, &publish->topic) ? 0
                                                                           : MQTT_PROTOCOL_ERROR;
}

static int mount(struct mqtt_client *client, struct mqtt_publish *publish)
{
        int r;

        if (publish->topic.bytes[0] == '$')
                return 0; /* and goes to nobody */
        r = mqtt_mount_name(client->terms->mount, &client->broker->mounted, &publish->topic);
        return r == 0 ? 0 : r == -EINVAL ? MQTT_TOPIC_NAME_INVALID : MQTT_SERVER_BUSY;
}

static int check(struct mqtt_client *client, struct mqtt_publish *publish)
{
        int reason;

        /* [MQTT-3.3.4-6]. */
        if (publish->properties.present & mqtt_property_bit(MQTT_SUBSCRIPTION_ID))
                return MQTT_PROTOCOL_ERROR;
        /* [MQTT-3.2.2-11], [MQTT-3.2.2-14]. */
        if (publish->qos > client->terms->qos_max)
                return MQTT_QOS_NOT_SUPPORTED;
        if (publish->retain && !client->terms->retain)
                return MQTT_RETAIN_NOT_SUPPORTED;
        reason = resolve_alias(client, publish);
        if (reason != 0 || client->terms->mount.length == 0)
                return reason;
        return mount(client, publish);
}

static void answer(struct mqtt_client *client, const struct mqtt_publish *publish,
                   enum mqtt_reason reason)
{
        enum { SIZE = 5 };
        struct mqtt_acknowledgement answer = {.packet_id = publish->packet_id, .reason = reason};
        enum mqtt_type type = publish->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;

        mqtt_client_explain(client, reason, SIZE, &answer.properties);
        /* One of QoS 2 may come again, and is answered although nothing is noted now. */
        mqtt_client_answer(client,
                           mqtt_encode_acknowledgement(&client->broker->scratch,
                                                       (enum mqtt_version)client->version, type,
                                                       &answer),
                           publish->qos == 2 && client->session->kept ? mqtt_client_all(client)
                                                                      : mqtt_client_owed(client));
}

/* 4.7.2: names with '$' are outside of all mounts. */
static bool may_publish(const struct mqtt_client *client, struct mqtt_text topic)
{
        return topic.bytes[0] != '$' ||
               (!mqtt_sys_is_ours(topic) && client->terms->mount.length == 0);
}

/* MQTT_HOOK_PASS, MQTT_HOOK_HANDLED, or the reason why it is not passed on. */
static int permit(struct mqtt_client *client, const struct mqtt_publish *publish)
{
        const struct mqtt_hooks *hooks = &client->broker->hooks;
        int r = MQTT_HOOK_PASS;

        if (publish->payload.length > client->terms->payload_bytes) {
                mqtt_drop(client->session, publish->topic, MQTT_COUNT_DROPPED_TOO_LARGE);
                return MQTT_QUOTA_EXCEEDED;
        }
        if (!may_publish(client, publish->topic)) {
                r = MQTT_NOT_AUTHORIZED;
        } else if (hooks->on_publish) {
                struct mqtt_who who = mqtt_client_who(client);

                r = hooks->on_publish(hooks->owner, &who, publish);
        }
        if (r >= MQTT_UNSPECIFIED_ERROR)
                mqtt_drop(client->session, publish->topic, MQTT_COUNT_DROPPED_DENIED);
        return r;
}

/* Of mqtt_route(). */
static enum mqtt_reason reason_of(int r)
{
        return r == -ENOSPC ? MQTT_QUOTA_EXCEEDED : MQTT_SERVER_BUSY;
}

/* Asks the hook, and passes the message on: the reason for the client's answer. */
static enum mqtt_reason pass_on(struct mqtt_client *client, const struct mqtt_publish *publish)
{
        int r = permit(client, publish);

        if (r == MQTT_HOOK_HANDLED)
                return MQTT_SUCCESS;
        if (r != MQTT_HOOK_PASS)
                return (enum mqtt_reason)r;
        r = mqtt_route(client->broker, publish, MQTT_ORIGIN_CLIENT, client);
        if (r < 0)
                return reason_of(r);
        return r > 0 ? MQTT_SUCCESS : MQTT_NO_MATCHING_SUBSCRIBERS;
}

/* 3.1.1 cannot say no to a message, but by ending the connection; what was denied counts as
 * delivered to nobody ([MQTT-3.3.5-2] of 3.1.1). Without memory the client keeps the message
 * and sends it again, to a session that remembers it. */
static bool is_fatal(const struct mqtt_client *client, enum mqtt_reason reason)
{
        return reason == MQTT_SERVER_BUSY && client->version != MQTT_VERSION_5;
}

/* PUBACK and PUBREC don't know 0x89. */
static enum mqtt_reason acknowledgeable(enum mqtt_reason reason)
{
        return reason == MQTT_SERVER_BUSY ? MQTT_QUOTA_EXCEEDED : reason;
}

/* The same, answered if it succeeds. Of a publisher that gets its own message PUBREC comes
 * first, since for some the delivery begins behind it (figure 4.3); but what has to wait for
 * the disk waits for all that is noted. */
static enum mqtt_reason pass_on_and_answer(struct mqtt_client *client,
                                           const struct mqtt_publish *publish)
{
        struct mqtt_routing routing;
        bool waits = client->broker->journal, passes;
        int r = permit(client, publish);

        if (r >= MQTT_UNSPECIFIED_ERROR)
                return (enum mqtt_reason)r;
        passes = r == MQTT_HOOK_PASS;
        if (passes)
                r = mqtt_route_begin(&routing, client->broker, publish, MQTT_ORIGIN_CLIENT, client);
        if (r < 0)
                return reason_of(r);
        if (!waits)
                answer(client, publish, MQTT_SUCCESS);
        if (passes)
                (void)mqtt_route_end(&routing);
        if (waits) {
                mqtt_journal_received(client->session, publish->packet_id);
                answer(client, publish, MQTT_SUCCESS);
        }
        return MQTT_SUCCESS;
}

/* [MQTT-3.3.4-7], [MQTT-3.3.4-8]. 3.1.1 is not told: a narrow window is not for those. */
static uint16_t receive_maximum_of(const struct mqtt_client *client)
{
        uint16_t told = client->terms->receive_maximum;

        return client->version == MQTT_VERSION_5 || told > MQTT_RECEIVED_MIN ? told
                                                                             : MQTT_RECEIVED_MIN;
}

/* [MQTT-4.3.3-8] to [MQTT-4.3.3-10]: what comes again before its PUBREL is answered again
 * and not delivered again. What was refused by PUBREC is not remembered (4.3.3). */
static void take_exactly_once(struct mqtt_client *client, const struct mqtt_publish *publish)
{
        struct mqtt_broker *broker = client->broker;
        struct mqtt_id_set *received = &client->session->received;
        enum mqtt_reason reason;

        if (mqtt_id_set_has(received, publish->packet_id)) {
                broker->counters[MQTT_COUNT_DUPLICATES]++;
                answer(client, publish, MQTT_SUCCESS);
                return;
        }
        /* What an earlier connection left open takes nothing of this one's quota (4.9). */
        if (client->receiving >= receive_maximum_of(client)) {
                mqtt_client_refuse(client, MQTT_RECEIVE_MAXIMUM_EXCEEDED);
                return;
        }
        if (mqtt_id_set_add(received, publish->packet_id) < 0) {
                mqtt_client_doom(client, MQTT_SERVER_BUSY);
                return;
        }
        client->receiving++;
        mqtt_account_tables(client->session);
        reason = pass_on_and_answer(client, publish);
        if (reason == MQTT_SUCCESS)
                return;
        if (client->version == MQTT_VERSION_5 || is_fatal(client, reason)) {
                mqtt_id_set_remove(received, publish->packet_id);
                client->receiving--;
        } else {
                mqtt_journal_received(client->session, publish->packet_id);
        }
        if (is_fatal(client, reason))
                mqtt_client_doom(client, reason);
        else
                answer(client, publish, acknowledgeable(reason));
}

static void take_at_least_once(struct mqtt_client *client, const struct mqtt_publish *publish)
{
        enum mqtt_reason reason = pass_on(client, publish);

        if (is_fatal(client, reason))
                mqtt_client_doom(client, reason);
        else
                answer(client, publish, acknowledgeable(reason));
}

static void count(struct mqtt_client *client, const struct mqtt_publish *publish)
{
        struct mqtt_account *account = mqtt_account_of(client->session);

        client->broker->counters[MQTT_COUNT_RECEIVED]++;
        if (client->broker->journal)
                mqtt_journal_begin_packet(client->broker->journal);
        client->broker->counters[MQTT_COUNT_PAYLOAD_RECEIVED] += publish->payload.length;
        if (!account)
                return;
        account->received++;
        account->received_bytes += publish->payload.length;
}

void mqtt_handle_publish(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        struct mqtt_publish publish;
        int reason = mqtt_decode_publish(frame, (enum mqtt_version)client->version, &publish);

        if (reason == 0)
                reason = check(client, &publish);
        if (reason != 0) {
                mqtt_client_refuse(client, (enum mqtt_reason)reason);
                return;
        }
        count(client, &publish);
        switch (publish.qos) {
        case 0:
                (void)pass_on(client, &publish);
                break;
        case 1:
                take_at_least_once(client, &publish);
                break;
        default:
                take_exactly_once(client, &publish);
        }
}
