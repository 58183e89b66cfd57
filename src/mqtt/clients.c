#include "mqtt/clients.h"

#include "base/attributes.h"
#include "mqtt/client.h"

#include <errno.h>

static uint64_t now_s(const struct mqtt_broker *broker)
{
        return loop_now_ms(broker->loop) / 1000;
}

static void describe_connection(const struct mqtt_client *client, struct mqtt_client_info *info)
{
        struct mqtt_who who = mqtt_client_who(client);

        info->connected = true;
        info->user = who.user;
        info->peer = who.peer;
        info->terms = who.terms;
        info->identity = who.identity;
        info->version = who.version;
        info->keep_alive_s = client->keep_alive_ms / 1500;
        info->pending_bytes = client->stream ? net_stream_pending(client->stream) : 0;
        info->paused = client->stalled || client->throttled;
        info->has_will = client->will;
        info->since_s = now_s(client->broker) - client->connected_s;
}

static void describe(const struct mqtt_session *session, struct mqtt_client_info *info)
{
        static const struct mqtt_text nobody = {"", 0};

        *info = (struct mqtt_client_info){
                .number = session->number,
                .client_id = mqtt_session_id(session),
                .user = nobody,
                .expiry_s = session->expiry_s,
                .subscriptions = session->subscriber.count,
                .queued = session->queue.count,
                .queued_bytes = session->queue.bytes,
                .inflight = session->inflight.count,
                .inflight_own = session->received.count,
                .has_will = session->will,
        };
        if (session->more)
                info->account = session->more->account;
        if (session->client)
                describe_connection(session->client, info);
        else
                info->since_s =
                        (loop_now_ms(session->broker->loop) - (uint64_t)session->away_ms) / 1000;
}

/* The first whose number is not below `number`; NULL: there is none. Sessions stand in the order of
 * their numbers. Who asks for one page after the other is not sought. */
static struct mqtt_session *seek(const struct mqtt_broker *broker, uint64_t number)
{
        if (broker->next_shown && broker->next_shown->number == number)
                return broker->next_shown;
        list_for_each (&broker->all_sessions, position) {
                struct mqtt_session *session = container_of(position, struct mqtt_session, link);

                if (session->number >= number)
                        return session;
        }
        return NULL;
}

static struct mqtt_session *next_of(const struct mqtt_session *session)
{
        return session->link.next == &session->broker->all_sessions
                       ? NULL
                       : container_of(session->link.next, struct mqtt_session, link);
}

void mqtt_broker_each_client(struct mqtt_broker *broker, uint64_t *cursor, uint32_t most,
                             mqtt_client_info_fn *on_client, void *owner)
{
        struct mqtt_session *session = seek(broker, *cursor);
        struct mqtt_client_info info;

        for (; session && most > 0; most--) {
                describe(session, &info);
                on_client(owner, &info);
                session = next_of(session);
        }
        broker->next_shown = session;
        *cursor = session ? session->number : 0;
}

int mqtt_broker_client(struct mqtt_broker *broker, struct mqtt_text client_id,
                       mqtt_client_info_fn *on_client, void *owner)
{
        const struct mqtt_session *session = mqtt_session_find(broker, client_id);
        struct mqtt_client_info info;

        if (!session)
                return -ENOENT;
        describe(session, &info);
        on_client(owner, &info);
        return 0;
}

int mqtt_broker_subscriptions(struct mqtt_broker *broker, struct mqtt_text client_id, uint32_t most,
                              mqtt_subscription_info_fn *on_subscription, void *owner)
{
        const struct mqtt_session *session = mqtt_session_find(broker, client_id);
        struct mqtt_subscription_options options;
        char filter[MQTT_TEXT_MAX];
        uint32_t at = 0;

        if (!session)
                return -ENOENT;
        while (most-- > 0) {
                struct mqtt_text text = {filter, 0};

                text.length = mqtt_topic_tree_next(broker->tree, &session->subscriber, &at, filter,
                                                   &options);
                if (text.length == 0)
                        break;
                on_subscription(owner, text, &options);
        }
        return (int)session->subscriber.count;
}

int mqtt_broker_forget(struct mqtt_broker *broker, struct mqtt_text client_id)
{
        struct mqtt_session *session = mqtt_session_find(broker, client_id);

        if (!session)
                return -ENOENT;
        session->expiry_s = 0;
        if (session->client)
                mqtt_client_kick(session->client, MQTT_ADMINISTRATIVE_ACTION);
        else
                mqtt_session_free(session);
        return 0;
}
