#include "mqtt/memory.h"

#include "base/attributes.h"
#include "mqtt/session.h"
#include "net/stream.h"

enum {
        CONNECTION_BYTES = 640,   /* about what one takes, its stream included */
        SESSION_BYTES = 400,      /* the same */
        SUBSCRIPTION_BYTES = 256, /* the same */
        SHED_MOST = 4096,         /* sessions that are looked at for one message */
        SHED_SHARE = 16,          /* so much of all is given up at a time */
};

size_t mqtt_memory_used(const struct mqtt_broker *broker)
{
        return broker->ledger.bytes + mqtt_retained_tree_bytes(broker->retained) +
               broker->queued.messages * sizeof(struct mqtt_delivery) +
               map_count(broker->sessions) * SESSION_BYTES +
               (size_t)mqtt_topic_tree_count(broker->tree) * SUBSCRIPTION_BYTES +
               broker->connections * CONNECTION_BYTES + net_context_budget(broker->net)->used;
}

enum mqtt_shortage mqtt_memory_shortage(const struct mqtt_broker *broker)
{
        return mqtt_memory_shortage_with(broker, 0);
}

enum mqtt_shortage mqtt_memory_shortage_with(const struct mqtt_broker *broker, size_t bytes)
{
        size_t most = broker->limits.memory_bytes, used;

        /* The room is half of what was free. */
        if (most == 0 || (broker->room > bytes && broker->room - bytes > most / 8))
                return MQTT_MEMORY_PLENTY;
        used = mqtt_memory_used(broker) + bytes;
        if (used <= most - most / 4)
                return MQTT_MEMORY_PLENTY;
        if (used <= most - most / 8)
                return MQTT_MEMORY_SHORT;
        return used < most ? MQTT_MEMORY_TIGHT : MQTT_MEMORY_FULL;
}

static bool fits(struct mqtt_broker *broker, size_t bytes, size_t most)
{
        size_t used = mqtt_memory_used(broker);

        if (used > broker->memory_most)
                broker->memory_most = used;
        return used <= most && bytes <= most - used;
}

/* Half of what waits for one that is away, rounded up. */
static void shed_from(struct mqtt_session *session)
{
        uint32_t left = session->queue.count / 2;

        while (session->queue.count > left &&
               mqtt_session_drop_oldest(session, MQTT_COUNT_DROPPED_MEMORY))
                continue;
}

static struct mqtt_session *next_to_shed(struct mqtt_broker *broker)
{
        struct list *link =
                broker->next_shed ? &broker->next_shed->link : broker->all_sessions.next;
        struct mqtt_session *session = container_of(link, struct mqtt_session, link);

        broker->next_shed = link->next == &broker->all_sessions
                                    ? NULL
                                    : container_of(link->next, struct mqtt_session, link);
        return session;
}

/* Goes round the sessions, each time from where it came to the last time. */
static void shed(struct mqtt_broker *broker, size_t bytes, size_t most)
{
        for (unsigned i = 0; i < SHED_MOST; i++) {
                if (broker->queued.messages == 0 || list_is_empty(&broker->all_sessions) ||
                    fits(broker, bytes, most))
                        break;
                shed_from(next_to_shed(broker));
        }
}

bool mqtt_memory_make_room(struct mqtt_broker *broker, size_t bytes)
{
        size_t most = broker->limits.memory_bytes;

        if (most == 0)
                return true;
        if (bytes <= broker->room) {
                broker->room -= bytes;
                return true;
        }
        if (fits(broker, bytes, most)) {
                /* The other half is for what comes of it: buffers, places in queues. */
                broker->room = (most - mqtt_memory_used(broker) - bytes) / 2;
                return true;
        }
        shed(broker, bytes, most - most / SHED_SHARE);
        return fits(broker, bytes, most);
}
