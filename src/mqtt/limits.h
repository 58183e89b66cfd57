/* mqtt/limits.h - what a broker grants its clients, and what it counted.
 *
 * Each bound has a decided answer, named beside it; the reason codes are those of
 * 5.0, a 3.1.1 client gets what its version has for them (a return code of CONNACK,
 * 0x80 in SUBACK, else the end of its connection). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MQTT_RECEIVED_MIN = 1024 }; /* of receive_maximum for 3.1.1, which is not told of it */

struct mqtt_limits {
        uint32_t clients;         /* connections that are logged in: CONNACK 0x89 */
        uint32_t sessions;        /* those of clients that are away included: CONNACK 0x89 */
        uint32_t connecting;      /* connections without CONNECT: the next is closed */
        uint32_t connect_ms;      /* from the connection to a whole CONNECT: closed; to the hook's
                                   * answer: CONNACK 0x89 */
        uint32_t connect_bytes;   /* of a CONNECT, if packet_bytes is not less: closed */
        uint16_t client_id_bytes; /* CONNACK 0x85 */

        uint32_t subscriptions_per_session; /* SUBACK 0x97 */
        uint32_t subscriptions;             /* of all: SUBACK 0x97 */
        uint32_t retained_messages;         /* PUBACK, PUBREC 0x97; QoS 0: dropped */
        size_t retained_bytes;              /* the same */
        size_t cache_bytes; /* of topics and who gets them: the least used are forgotten */

        /* Announced in CONNACK. */
        uint32_t packet_bytes;         /* a longer packet of a client: DISCONNECT 0x95 */
        uint16_t receive_maximum;      /* QoS 2 of a connection under way: DISCONNECT 0x93 */
        uint16_t aliases;              /* topic aliases of a client: DISCONNECT 0x94 */
        uint16_t keep_alive_s;         /* at most; 0: as the client wishes */
        uint32_t session_expiry_max_s; /* at most; UINT32_MAX: for ever */

        uint16_t inflight;        /* QoS 1 and 2 under way to a client: the rest is queued */
        uint16_t aliases_granted; /* topic aliases that we use towards a client */
        /* Bytes that wait for a client that reads slowly: its QoS 0 messages are dropped,
         * the others are queued, its input is paused. */
        size_t output_bytes;
        /* Messages queued for a session. Of a client that is away the oldest are dropped,
         * one that is connected is disconnected with 0x97. */
        uint32_t queue_messages;
        size_t queue_bytes;
        size_t queued_bytes; /* of all sessions; the same, for the one that wants more */
        bool queue_qos_0;    /* those of QoS 0 too, for clients that are away */
        /* A client that reads nothing for that long while it is paused, whatever its keep-alive,
         * since nobody listens to it then: DISCONNECT 0x97. */
        uint32_t stall_ms;

        /* What clients, sessions, filters, messages and buffers take together; 0: no bound. What is
         * given up for it, and in which order, is in memory.h. */
        size_t memory_bytes;

        /* Figures below "$SYS" are brought up to date so often while somebody has subscribed to
         * them; 0: there are none. */
        uint32_t sys_interval_s;

        size_t slice_bytes; /* of retained messages to a client at a time, then others' turn */
        /* Of messages that are routed in a round, and again of retained ones that are sent:
         * beyond, each client has one packet handled in a round. Less than output_bytes, so
         * that a burst costs no client that reads a message. */
        size_t turn_bytes;
};

extern const struct mqtt_limits mqtt_limits_default;

/* What was counted; names for people by mqtt_counter_name(). */
enum mqtt_counter {
        MQTT_COUNT_CONNECTS,
        MQTT_COUNT_RECEIVED,         /* PUBLISH packets of clients, duplicates included */
        MQTT_COUNT_DELIVERED,        /* PUBLISH packets to clients, repetitions included */
        MQTT_COUNT_PAYLOAD_RECEIVED, /* the bytes of their payloads */
        MQTT_COUNT_PAYLOAD_DELIVERED,
        MQTT_COUNT_PACKETS_RECEIVED, /* of all types */
        MQTT_COUNT_PACKETS_SENT,
        MQTT_COUNT_BYTES_RECEIVED, /* of those packets */
        MQTT_COUNT_BYTES_SENT,
        MQTT_COUNT_DUPLICATES, /* QoS 2 that came again and was not delivered again */
        MQTT_COUNT_TAKEOVERS,
        MQTT_COUNT_WILLS,
        MQTT_COUNT_SESSIONS_EXPIRED,
        /* Why messages did not reach somebody; told to hooks.on_drop. */
        MQTT_COUNT_DROPPED_SLOW,      /* QoS 0, the client reads too slowly */
        MQTT_COUNT_DROPPED_AWAY,      /* QoS 0, the client is not connected */
        MQTT_COUNT_DROPPED_QUEUE,     /* the session's queue was full */
        MQTT_COUNT_DROPPED_TOO_LARGE, /* longer than the client's maximum packet size, or its
                                       * listener's terms.payload_bytes */
        MQTT_COUNT_DROPPED_EXPIRED,
        MQTT_COUNT_DROPPED_DENIED, /* by the hooks, at publication or delivery */
        MQTT_COUNT_DROPPED_MEMORY,
        /* What was refused, and who was sent away. */
        MQTT_COUNT_REFUSED_CLIENTS,
        MQTT_COUNT_REFUSED_SESSIONS,
        MQTT_COUNT_REFUSED_CONNECTING,
        MQTT_COUNT_REFUSED_CLIENT_IDS,
        MQTT_COUNT_REFUSED_BY_HOOK,
        MQTT_COUNT_REFUSED_TERMS, /* what the listener does not grant (terms.h) */
        MQTT_COUNT_REFUSED_SUBSCRIPTIONS,
        MQTT_COUNT_REFUSED_RETAINED,
        MQTT_COUNT_REFUSED_RATE, /* connections beyond terms.connects */
        MQTT_COUNT_THROTTLED,    /* how often a client's input was paused by a rate */
        MQTT_COUNT_CONNECT_TIMEOUTS,
        MQTT_COUNT_KEEP_ALIVE_TIMEOUTS,
        MQTT_COUNT_PROTOCOL_ERRORS,
        MQTT_COUNT_PACKET_TOO_LARGE,
        MQTT_COUNT_RECEIVE_MAXIMUM_EXCEEDED,
        MQTT_COUNT_ALIAS_INVALID,
        MQTT_COUNT_SLOW_CLIENTS,
        /* What is kept (keep.h). */
        MQTT_COUNT_JOURNAL_TROUBLES, /* the disk was full, or failed */
        MQTT_COUNT_JOURNAL_REFUSED,  /* messages and filters, meanwhile */
        MQTT_COUNT_JOURNAL_HELD,     /* answers that waited for the disk */
        MQTT_COUNT_ANSWERS_LOST, /* larger than the client takes, or no memory: it is sent away */
        MQTT_COUNTERS,
};
#define MQTT_DROPPED_FIRST MQTT_COUNT_DROPPED_SLOW
#define MQTT_DROPPED_REASONS (MQTT_COUNT_DROPPED_MEMORY + 1 - MQTT_DROPPED_FIRST)
const char *mqtt_counter_name(enum mqtt_counter counter); /* "dropped_slow"; never NULL */

/* What was counted for one session. */
struct mqtt_account {
        uint64_t received, received_bytes;      /* PUBLISH packets of the client; their payloads */
        uint64_t delivered, delivered_bytes;    /* the same to it */
        uint64_t dropped[MQTT_DROPPED_REASONS]; /* by MQTT_COUNT_DROPPED_... - MQTT_DROPPED_FIRST */
};
