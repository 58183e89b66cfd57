#include "mqtt/metrics.h"

#include "base/attributes.h"

/* Samples of one family stand together, the first one with its sentence. */
struct sample {
        const char *family, *label, *value; /* the last two NULL: it has none */
        enum mqtt_counter counter;
        const char *help;
};

#define ONE(counter, name, help)                                                                   \
        {                                                                                          \
                "pifleet_mqtt_" name "_total", NULL, NULL, MQTT_COUNT_##counter, help              \
        }
#define PART(counter, name, label, value, help)                                                    \
        {                                                                                          \
                "pifleet_mqtt_" name "_total", label, value, MQTT_COUNT_##counter, help            \
        }

static const struct sample samples[] = {
        ONE(CONNECTS, "connects", "Clients that were let in."),
        PART(PACKETS_RECEIVED, "packets", "direction", "in", "Packets of all types."),
        PART(PACKETS_SENT, "packets", "direction", "out", NULL),
        PART(BYTES_RECEIVED, "bytes", "direction", "in", "Bytes of packets of all types."),
        PART(BYTES_SENT, "bytes", "direction", "out", NULL),
        PART(RECEIVED, "messages", "direction", "in",
             "PUBLISH packets, duplicates and repetitions included."),
        PART(DELIVERED, "messages", "direction", "out", NULL),
        PART(PAYLOAD_RECEIVED, "payload_bytes", "direction", "in", "Bytes of payloads."),
        PART(PAYLOAD_DELIVERED, "payload_bytes", "direction", "out", NULL),
        ONE(DUPLICATES, "duplicates", "QoS 2 messages that came again."),
        ONE(TAKEOVERS, "takeovers", "Connections that another of the same client took over."),
        ONE(WILLS, "wills", "Wills that were due."),
        ONE(SESSIONS_EXPIRED, "sessions_expired", "Sessions that ended after their time."),
        ONE(THROTTLED, "throttled", "Pauses of a client's input for its rate."),
        PART(DROPPED_SLOW, "dropped", "reason", "slow", "Messages that did not reach somebody."),
        PART(DROPPED_AWAY, "dropped", "reason", "away", NULL),
        PART(DROPPED_QUEUE, "dropped", "reason", "queue", NULL),
        PART(DROPPED_TOO_LARGE, "dropped", "reason", "too_large", NULL),
        PART(DROPPED_EXPIRED, "dropped", "reason", "expired", NULL),
        PART(DROPPED_DENIED, "dropped", "reason", "denied", NULL),
        PART(DROPPED_MEMORY, "dropped", "reason", "memory", NULL),
        PART(REFUSED_CLIENTS, "refused", "reason", "clients", "What was refused."),
        PART(REFUSED_SESSIONS, "refused", "reason", "sessions", NULL),
        PART(REFUSED_CONNECTING, "refused", "reason", "connecting", NULL),
        PART(REFUSED_CLIENT_IDS, "refused", "reason", "client_ids", NULL),
        PART(REFUSED_BY_HOOK, "refused", "reason", "access", NULL),
        PART(REFUSED_TERMS, "refused", "reason", "terms", NULL),
        PART(REFUSED_SUBSCRIPTIONS, "refused", "reason", "subscriptions", NULL),
        PART(REFUSED_RETAINED, "refused", "reason", "retained", NULL),
        PART(REFUSED_RATE, "refused", "reason", "rate", NULL),
        PART(JOURNAL_REFUSED, "refused", "reason", "journal", NULL),
        PART(CONNECT_TIMEOUTS, "ended", "reason", "connect_timeout",
             "Connections that the broker ended."),
        PART(KEEP_ALIVE_TIMEOUTS, "ended", "reason", "keep_alive_timeout", NULL),
        PART(PROTOCOL_ERRORS, "ended", "reason", "protocol_error", NULL),
        PART(PACKET_TOO_LARGE, "ended", "reason", "packet_too_large", NULL),
        PART(RECEIVE_MAXIMUM_EXCEEDED, "ended", "reason", "receive_maximum_exceeded", NULL),
        PART(ALIAS_INVALID, "ended", "reason", "alias_invalid", NULL),
        PART(SLOW_CLIENTS, "ended", "reason", "slow", NULL),
        PART(ANSWERS_LOST, "ended", "reason", "answer_lost", NULL),
        ONE(JOURNAL_TROUBLES, "journal_troubles", "Times the disk was full or failed."),
        ONE(JOURNAL_HELD, "journal_held", "Answers that waited for the disk."),
};
_Static_assert(ARRAY_SIZE(samples) == MQTT_COUNTERS, "each counter stands there once");

static void put_gauge(struct prometheus_writer *writer, const char *name, const char *help,
                      uint64_t value)
{
        prometheus_family(writer, name, PROMETHEUS_GAUGE, help);
        prometheus_count(writer, value);
}

void mqtt_metrics_put(const struct mqtt_broker *broker, struct prometheus_writer *writer)
{
        struct mqtt_broker_figures figures;

        mqtt_broker_figures(broker, &figures);
        put_gauge(writer, "pifleet_mqtt_connections",
                  "Connections, those that have not said CONNECT included.", figures.connections);
        put_gauge(writer, "pifleet_mqtt_clients", "Clients that are connected.", figures.clients);
        put_gauge(writer, "pifleet_mqtt_sessions",
                  "Sessions, those of clients that are away included.", figures.sessions);
        put_gauge(writer, "pifleet_mqtt_subscriptions", "Subscriptions of all sessions.",
                  figures.subscriptions);
        put_gauge(writer, "pifleet_mqtt_retained_messages", "Retained messages.",
                  figures.retained_messages);
        put_gauge(writer, "pifleet_mqtt_retained_bytes",
                  "Bytes of retained messages and of the tree that finds them.",
                  figures.retained_bytes);
        put_gauge(writer, "pifleet_mqtt_queued_messages", "Messages that wait for clients.",
                  figures.queued_messages);
        put_gauge(writer, "pifleet_mqtt_queued_bytes", "Bytes of messages that wait for clients.",
                  figures.queued_bytes);
        put_gauge(writer, "pifleet_mqtt_memory_bytes",
                  "What clients, sessions, filters, messages and buffers take, about.",
                  figures.memory_bytes);
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
                if (samples[i].help)
                        prometheus_family(writer, samples[i].family, PROMETHEUS_COUNTER,
                                          samples[i].help);
                if (samples[i].label)
                        prometheus_label(writer, samples[i].label, samples[i].value);
                prometheus_count(writer, figures.counters[samples[i].counter]);
        }
}
