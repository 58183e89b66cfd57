#include "mqtt/route.h"

#include "base/attributes.h"
#include "mqtt/account.h"
#include "mqtt/client-id.h"
#include "mqtt/client.h"
#include "mqtt/journal.h"
#include "mqtt/memory.h"
#include "mqtt/sender.h"

#include <errno.h>

enum {
        WORK_BYTES = 64,    /* what a visited node costs, in bytes copied */
        EXPIRED_MOST = 1000 /* forgotten in a round */
};

static void begin_round(struct mqtt_broker *broker)
{
        if (broker->round == loop_round(broker->loop))
                return;
        broker->round = loop_round(broker->loop);
        broker->routed = broker->walked = broker->room = 0;
}

bool mqtt_route_is_enough(struct mqtt_broker *broker)
{
        begin_round(broker);
        return broker->routed >= broker->limits.turn_bytes;
}

void mqtt_broker_charge(struct mqtt_broker *broker, size_t bytes)
{
        begin_round(broker);
        broker->routed += bytes;
}

bool mqtt_walks_are_enough(struct mqtt_broker *broker)
{
        begin_round(broker);
        return broker->walked >= broker->limits.turn_bytes;
}

static void wait_for_expiry(struct mqtt_broker *broker, uint64_t due_ms)
{
        uint64_t now = loop_now_ms(broker->loop);

        broker->expiry_ms = due_ms;
        if (due_ms == UINT64_MAX)
                loop_timer_stop(&broker->expiry_timer);
        else
                loop_timer_start(&broker->expiry_timer, due_ms > now ? due_ms - now : 0);
}

void mqtt_route_on_expiry(struct loop_timer *timer)
{
        struct mqtt_broker *broker = container_of(timer, struct mqtt_broker, expiry_timer);

        wait_for_expiry(broker, mqtt_retained_expire(broker->retained, loop_now_ms(broker->loop),
                                                     EXPIRED_MOST));
        mqtt_broker_note_memory(broker);
}

/* When memory is tight only what takes no more than before. */
static bool may_retain(const struct mqtt_broker *broker, const struct mqtt_message *message)
{
        const struct mqtt_message *before;

        if (mqtt_memory_shortage(broker) < MQTT_MEMORY_TIGHT || message->payload_length == 0)
                return true;
        before = mqtt_retained_get(broker->retained, mqtt_message_topic(message), 0);
        return before && mqtt_message_size(message) <= mqtt_message_size(before);
}

static int retain(struct mqtt_broker *broker, struct mqtt_message *message)
{
        int r = may_retain(broker, message) ? mqtt_retained_set(broker->retained, message)
                                            : -ENOSPC;

        if (r == -ENOSPC)
                broker->counters[MQTT_COUNT_REFUSED_RETAINED]++;
        if (r == 0 && message->expires_ms < broker->expiry_ms)
                wait_for_expiry(broker, message->expires_ms);
        mqtt_broker_note_memory(broker);
        return r;
}

/* To all whom the match names. [MQTT-3.3.1-12], [MQTT-3.3.1-13]. */
static int distribute(struct mqtt_broker *broker, struct mqtt_match *match,
                      struct mqtt_message *message)
{
        struct mqtt_receiver receiver;
        int count = 0;

        while (mqtt_match_next(match, &receiver)) {
                struct mqtt_session *session =
                        container_of(receiver.subscriber, struct mqtt_session, subscriber);

                mqtt_sender_deliver(session, message, &receiver,
                                    message->retain && receiver.retain_as_published);
                broker->routed += mqtt_message_size(message) + WORK_BYTES;
                count++;
        }
        broker->routed += (size_t)match->work * WORK_BYTES;
        return count;
}

static size_t room_for(const struct mqtt_publish *publish)
{
        return sizeof(struct mqtt_message) + publish->topic.length +
               publish->properties.whole.length + publish->payload.length;
}

/* Whose it is, where somebody asks for that. */
static bool find_author(const struct mqtt_broker *broker, const struct mqtt_publish *publish,
                        const struct mqtt_client *from, const struct mqtt_who *who,
                        struct mqtt_author *ret)
{
        const struct mqtt_hooks *hooks = &broker->hooks;
        struct mqtt_who client;

        if (!publish->retain || !hooks->on_retain || (!from && !who))
                return false;
        if (from) {
                client = mqtt_client_who(from);
                who = &client;
        }
        return hooks->on_retain(hooks->owner, who, ret);
}

/* [MQTT-3.8.3-3] goes by client ids: what is retained may be older than its client's session. */
static uint64_t publisher_of(const struct mqtt_publish *publish, const struct mqtt_client *from,
                             const struct mqtt_who *who)
{
        if (!publish->retain || (!from && !who))
                return 0;
        return mqtt_client_id_hash(from ? mqtt_session_id(from->session) : who->client_id);
}

static int make_message(struct mqtt_broker *broker, const struct mqtt_publish *publish,
                        enum mqtt_origin origin, const struct mqtt_client *from,
                        const struct mqtt_who *who, struct mqtt_message **ret)
{
        struct mqtt_author author;
        struct mqtt_source source = {
                .version = from ? (enum mqtt_version)from->version : MQTT_VERSION_5,
                .origin = origin,
                .publisher = publisher_of(publish, from, who),
                .now_ms = loop_now_ms(broker->loop),
                .author = find_author(broker, publish, from, who, &author) ? &author : NULL,
        };
        int r = mqtt_memory_make_room(broker, room_for(publish))
                        ? mqtt_message_new(publish, &source, ret)
                        : -ENOMEM;

        if (r == 0)
                mqtt_message_charge(*ret, &broker->ledger);
        return r;
}

/* Is there anybody who would be given it after a restart? */
static int would_be_kept(struct mqtt_broker *broker, const struct mqtt_publish *publish,
                         const struct mqtt_client *from)
{
        struct mqtt_receiver receiver;
        struct mqtt_match match;
        bool found = publish->retain && mqtt_journal_keeps_retained(broker->journal);
        int r = mqtt_match_begin(&match, broker->tree, publish->topic, &from->session->subscriber);

        if (r < 0)
                return r;
        while (!found && mqtt_match_next(&match, &receiver))
                found = receiver.qos > 0 &&
                        container_of(receiver.subscriber, struct mqtt_session, subscriber)->kept;
        mqtt_match_end(&match);
        return found;
}

/* What a client may send again is not taken while the disk is full or fails. */
static int check_disk(struct mqtt_broker *broker, const struct mqtt_publish *publish,
                      const struct mqtt_client *from)
{
        int r;

        if (!broker->journal || !from || publish->qos == 0 ||
            mqtt_journal_trouble(broker->journal) == 0)
                return 0;
        r = would_be_kept(broker, publish, from);
        if (r <= 0)
                return r;
        broker->counters[MQTT_COUNT_JOURNAL_REFUSED]++;
        return -EIO;
}

static void lose(struct mqtt_broker *broker, struct mqtt_text topic, const struct mqtt_client *from)
{
        static const struct mqtt_text nobody = {"", 0};

        if (from)
                mqtt_drop(from->session, topic, MQTT_COUNT_DROPPED_MEMORY);
        else
                mqtt_drop_of(broker, nobody, topic, MQTT_COUNT_DROPPED_MEMORY);
}

/* For No Local: a will is published for whoever left it. NULL: it is nobody's, or has ended. */
static const struct mqtt_session *find_session(struct mqtt_broker *broker,
                                               const struct mqtt_client *from,
                                               const struct mqtt_who *who)
{
        if (from)
                return from->session;
        return who ? mqtt_session_find(broker, who->client_id) : NULL;
}

/* `who`: of a client that is gone; else NULL. */
static int begin(struct mqtt_routing *routing, struct mqtt_broker *broker,
                 const struct mqtt_publish *publish, enum mqtt_origin origin,
                 const struct mqtt_client *from, const struct mqtt_who *who)
{
        const struct mqtt_session *publisher = find_session(broker, from, who);
        AUTO(mqtt_message) struct mqtt_message *message = NULL;
        int r = check_disk(broker, publish, from);

        begin_round(broker);
        if (r == 0)
                r = make_message(broker, publish, origin, from, who, &message);
        if (r == 0)
                r = mqtt_match_begin(&routing->match, broker->tree, publish->topic,
                                     publisher ? &publisher->subscriber : NULL);
        if (r == 0 && publish->retain) {
                r = retain(broker, message);
                if (r < 0)
                        mqtt_match_end(&routing->match);
        }
        if (r < 0 && r != -ENOSPC && r != -EIO)
                lose(broker, publish->topic, from);
        if (r < 0)
                return r;
        routing->broker = broker;
        routing->message = TAKE(message);
        return 0;
}

int mqtt_route_begin(struct mqtt_routing *routing, struct mqtt_broker *broker,
                     const struct mqtt_publish *publish, enum mqtt_origin origin,
                     const struct mqtt_client *from)
{
        return begin(routing, broker, publish, origin, from, NULL);
}

int mqtt_route_end(struct mqtt_routing *routing)
{
        /* Who has subscribed, but not to what it publishes itself, counts. */
        bool is_empty = mqtt_match_is_empty(&routing->match);
        int count = distribute(routing->broker, &routing->match, routing->message);

        mqtt_match_end(&routing->match);
        mqtt_message_unref(routing->message);
        return count > 0 || is_empty ? count : 1;
}

int mqtt_route(struct mqtt_broker *broker, const struct mqtt_publish *publish,
               enum mqtt_origin origin, const struct mqtt_client *from)
{
        struct mqtt_routing routing;
        int r = mqtt_route_begin(&routing, broker, publish, origin, from);

        return r < 0 ? r : mqtt_route_end(&routing);
}

int mqtt_route_will(struct mqtt_broker *broker, const struct mqtt_publish *publish,
                    const struct mqtt_who *who)
{
        struct mqtt_routing routing;
        int r = begin(&routing, broker, publish, MQTT_ORIGIN_WILL, NULL, who);

        return r < 0 ? r : mqtt_route_end(&routing);
}
