/* SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11). */
#include "mqtt/account.h"
#include "mqtt/client.h"
#include "mqtt/journal-held.h"
#include "mqtt/memory.h"
#include "mqtt/mount.h"
#include "mqtt/sys.h"
#include "mqtt/walk.h"
#include "proto/mqtt/encode.h"
#include "proto/mqtt/topic.h"

#include <errno.h>

static int refuse_more(struct mqtt_broker *broker)
{
        broker->counters[MQTT_COUNT_REFUSED_SUBSCRIPTIONS]++;
        return MQTT_QUOTA_EXCEEDED;
}

/* 3.2.2.3.11, 3.2.2.3.13: 0, or the reason. */
static int check_terms(const struct mqtt_terms *terms, struct mqtt_text filter)
{
        struct mqtt_text share, rest = filter;

        if (mqtt_topic_filter_split_shared(filter, &share, &rest) && !terms->shared)
                return MQTT_SHARED_NOT_SUPPORTED;
        if (!terms->wildcards && mqtt_topic_filter_has_wildcard(rest))
                return MQTT_WILDCARDS_NOT_SUPPORTED;
        return 0;
}

/* Of a whole SUBSCRIBE of 5.0, before any of it is done. */
static int check_all(const struct mqtt_client *client, const struct mqtt_subscribe *packet)
{
        const struct mqtt_terms *terms = client->terms;
        struct mqtt_subscription wanted;
        uint32_t at = 0;
        int reason = 0;

        if (client->version != MQTT_VERSION_5 ||
            (terms->wildcards && terms->shared && terms->subscription_ids))
                return 0;
        if (!terms->subscription_ids &&
            packet->properties.present & mqtt_property_bit(MQTT_SUBSCRIPTION_ID))
                return MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED;
        while (reason == 0 && mqtt_subscription_next(packet, &at, &wanted))
                reason = check_terms(terms, wanted.filter);
        return reason;
}

static int ask_hook(const struct mqtt_client *client, const struct mqtt_subscription *wanted)
{
        const struct mqtt_hooks *hooks = &client->broker->hooks;
        struct mqtt_who who;

        if (!hooks->on_subscribe)
                return MQTT_HOOK_PASS;
        who = mqtt_client_who(client);
        return hooks->on_subscribe(hooks->owner, &who, wanted);
}

/* The outcome of mqtt_topic_tree_subscribe(), or a reason. */
static int add(struct mqtt_session *session, const struct mqtt_subscription *wanted,
               const struct mqtt_subscription_options *options)
{
        struct mqtt_broker *broker = session->broker;
        uint32_t most = broker->limits.subscriptions_per_session;
        int r;

        if (mqtt_memory_shortage(broker) >= MQTT_MEMORY_TIGHT)
                return refuse_more(broker);
        r = mqtt_topic_tree_subscribe(broker->tree, &session->subscriber, wanted->filter, options);
        if (r == -ENOSPC)
                return refuse_more(broker);
        if (r < 0)
                return MQTT_UNSPECIFIED_ERROR;
        if (r == MQTT_SUBSCRIBED && session->subscriber.count > most) {
                (void)mqtt_topic_tree_unsubscribe(broker->tree, &session->subscriber,
                                                  wanted->filter);
                return refuse_more(broker);
        }
        mqtt_journal_subscribed(session, wanted->filter, options);
        return r;
}

/* [MQTT-3.3.1-9] to [MQTT-3.3.1-11]; none for shared ones (4.8.2). */
static int owe_retained(struct mqtt_session *session, const struct mqtt_subscription *wanted,
                        const struct mqtt_subscription_options *options, bool is_new)
{
        struct mqtt_text share, rest;

        if (options->retain_handling == MQTT_RETAIN_DO_NOT_SEND ||
            (options->retain_handling == MQTT_RETAIN_SEND_IF_NEW && !is_new) ||
            mqtt_topic_filter_split_shared(wanted->filter, &share, &rest))
                return 0;
        return mqtt_walk_start(session, wanted->filter, options);
}

/* 0, or why not. */
static int mount(const struct mqtt_client *client, struct mqtt_text *filter)
{
        int r = mqtt_mount_filter(client->terms->mount, &client->broker->mounted, filter);

        return r == 0 ? 0 : r == -EINVAL ? MQTT_TOPIC_FILTER_INVALID : MQTT_UNSPECIFIED_ERROR;
}

/* The reason code for one filter: the QoS that is granted, or why not. */
static uint8_t subscribe(struct mqtt_client *client, struct mqtt_subscription *wanted, uint32_t id)
{
        const struct mqtt_terms *terms = client->terms;
        struct mqtt_subscription_options options = {
                .id = id,
                /* [MQTT-3.2.2-10]: it is granted less than it asked for. */
                .qos = wanted->qos < terms->qos_max ? wanted->qos : terms->qos_max,
                .retain_handling = wanted->retain_handling,
                .no_local = wanted->no_local,
                .retain_as_published = wanted->retain_as_published,
        };
        struct mqtt_text share, rest;
        int r;

        /* [MQTT-3.8.3-4] holds for them as well. */
        if (client->is_bridge) {
                options.no_local = !mqtt_topic_filter_split_shared(wanted->filter, &share, &rest);
                options.retain_as_published = true;
        }
        r = check_terms(terms, wanted->filter);
        if (r != 0) {
                /* Only 3.1.1 comes here: 5.0 was disconnected. */
                client->broker->counters[MQTT_COUNT_REFUSED_TERMS]++;
                return (uint8_t)r;
        }
        r = mount(client, &wanted->filter);
        if (r != 0)
                return (uint8_t)r;
        if (client->session->kept && mqtt_journal_trouble(client->broker->journal) < 0) {
                client->broker->counters[MQTT_COUNT_JOURNAL_REFUSED]++;
                return MQTT_QUOTA_EXCEEDED;
        }
        r = ask_hook(client, wanted);
        if (r == MQTT_HOOK_PASS)
                mqtt_sys_note_filter(client->broker->sys, &wanted->filter);
        if (r == MQTT_HOOK_PASS)
                r = add(client->session, wanted, &options);
        if (r >= MQTT_UNSPECIFIED_ERROR)
                return (uint8_t)r;
        if (owe_retained(client->session, wanted, &options, r == MQTT_SUBSCRIBED) < 0)
                mqtt_drop(client->session, wanted->filter, MQTT_COUNT_DROPPED_MEMORY);
        return options.qos;
}

static uint8_t unsubscribe(struct mqtt_client *client, struct mqtt_text filter)
{
        struct mqtt_session *session = client->session;
        int reason = mount(client, &filter);

        if (reason != 0)
                return (uint8_t)reason;
        mqtt_walk_stop(session, filter);
        if (mqtt_topic_tree_unsubscribe(client->broker->tree, &session->subscriber, filter) < 0)
                return MQTT_NO_SUBSCRIPTION_EXISTED;
        mqtt_journal_unsubscribed(session, filter);
        return MQTT_SUCCESS;
}

/* SUBACK or UNSUBACK with the reasons gathered ([MQTT-3.8.4-6], [MQTT-3.11.3-1]). */
static void answer(struct mqtt_client *client, enum mqtt_type type, uint16_t packet_id)
{
        struct buffer *reasons = &client->broker->reasons;
        struct mqtt_suback suback = {
                .packet_id = packet_id,
                .reasons = {(const uint8_t *)buffer_data(reasons),
                            (uint32_t)buffer_length(reasons)},
        };

        mqtt_client_answer(client,
                           mqtt_encode_suback(&client->broker->scratch,
                                              (enum mqtt_version)client->version, type, &suback),
                           mqtt_client_all(client));
        buffer_truncate(reasons, 0);
        mqtt_broker_note_memory(client->broker);
}

void mqtt_handle_subscribe(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        struct buffer *reasons = &client->broker->reasons;
        struct mqtt_subscription wanted;
        struct mqtt_subscribe packet;
        uint32_t at = 0;
        int reason = mqtt_decode_subscribe(frame, (enum mqtt_version)client->version, &packet);

        if (reason == 0)
                reason = check_all(client, &packet);
        if (reason == 0 && buffer_reserve(reasons, packet.count) < 0)
                reason = MQTT_SERVER_BUSY;
        if (reason != 0) {
                mqtt_client_refuse(client, (enum mqtt_reason)reason);
                return;
        }
        while (mqtt_subscription_next(&packet, &at, &wanted)) {
                uint8_t granted = subscribe(client, &wanted, packet.properties.subscription_id);

                (void)buffer_append(reasons, &granted, 1); /* reserved */
        }
        answer(client, MQTT_SUBACK, packet.packet_id);
        if (mqtt_session_walks(client->session))
                mqtt_walks_go_on(client->session);
}

void mqtt_handle_unsubscribe(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        struct buffer *reasons = &client->broker->reasons;
        struct mqtt_subscription wanted;
        struct mqtt_subscribe packet;
        uint32_t at = 0;
        int reason = mqtt_decode_unsubscribe(frame, (enum mqtt_version)client->version, &packet);

        if (reason == 0 && buffer_reserve(reasons, packet.count) < 0)
                reason = MQTT_SERVER_BUSY;
        if (reason != 0) {
                mqtt_client_refuse(client, (enum mqtt_reason)reason);
                return;
        }
        while (mqtt_subscription_next(&packet, &at, &wanted)) {
                uint8_t result = unsubscribe(client, wanted.filter);

                (void)buffer_append(reasons, &result, 1); /* reserved */
        }
        answer(client, MQTT_UNSUBACK, packet.packet_id);
}
