#include "mqtt/limits.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

const struct mqtt_limits mqtt_limits_default = {
        .clients = 100000,
        .sessions = 200000,
        .connecting = 4096,
        .connect_ms = 5000,
        .connect_bytes = 128 * 1024,
        .client_id_bytes = 1024,
        .subscriptions_per_session = 10000,
        .subscriptions = 1000000,
        .retained_messages = 1000000,
        .retained_bytes = 256 * MIB,
        .cache_bytes = 8 * MIB,
        .packet_bytes = 1024 * 1024,
        .receive_maximum = 1024,
        .aliases = 32,
        .keep_alive_s = 0,
        .session_expiry_max_s = UINT32_MAX,
        .inflight = 1024,
        .aliases_granted = 32,
        .output_bytes = 4 * MIB,
        .queue_messages = 100000,
        .queue_bytes = 16 * MIB,
        .queued_bytes = 256 * MIB,
        .stall_ms = 60000,
        .slice_bytes = 64 * KIB,
        .turn_bytes = 2 * MIB,
};

const char *mqtt_counter_name(enum mqtt_counter counter)
{
        static const char *const names[MQTT_COUNTERS] = {
                [MQTT_COUNT_CONNECTS] = "connects",
                [MQTT_COUNT_RECEIVED] = "received",
                [MQTT_COUNT_DELIVERED] = "delivered",
                [MQTT_COUNT_PAYLOAD_RECEIVED] = "payload_received",
                [MQTT_COUNT_PAYLOAD_DELIVERED] = "payload_delivered",
                [MQTT_COUNT_PACKETS_RECEIVED] = "packets_received",
                [MQTT_COUNT_PACKETS_SENT] = "packets_sent",
                [MQTT_COUNT_BYTES_RECEIVED] = "bytes_received",
                [MQTT_COUNT_BYTES_SENT] = "bytes_sent",
                [MQTT_COUNT_DUPLICATES] = "duplicates",
                [MQTT_COUNT_TAKEOVERS] = "takeovers",
                [MQTT_COUNT_WILLS] = "wills",
                [MQTT_COUNT_SESSIONS_EXPIRED] = "sessions_expired",
                [MQTT_COUNT_DROPPED_SLOW] = "dropped_slow",
                [MQTT_COUNT_DROPPED_AWAY] = "dropped_away",
                [MQTT_COUNT_DROPPED_QUEUE] = "dropped_queue",
                [MQTT_COUNT_DROPPED_TOO_LARGE] = "dropped_too_large",
                [MQTT_COUNT_DROPPED_EXPIRED] = "dropped_expired",
                [MQTT_COUNT_DROPPED_DENIED] = "dropped_denied",
                [MQTT_COUNT_DROPPED_MEMORY] = "dropped_memory",
                [MQTT_COUNT_REFUSED_CLIENTS] = "refused_clients",
                [MQTT_COUNT_REFUSED_SESSIONS] = "refused_sessions",
                [MQTT_COUNT_REFUSED_CONNECTING] = "refused_connecting",
                [MQTT_COUNT_REFUSED_CLIENT_IDS] = "refused_client_ids",
                [MQTT_COUNT_REFUSED_BY_HOOK] = "refused_by_hook",
                [MQTT_COUNT_REFUSED_TERMS] = "refused_terms",
                [MQTT_COUNT_REFUSED_SUBSCRIPTIONS] = "refused_subscriptions",
                [MQTT_COUNT_REFUSED_RETAINED] = "refused_retained",
                [MQTT_COUNT_REFUSED_RATE] = "refused_rate",
                [MQTT_COUNT_THROTTLED] = "throttled",
                [MQTT_COUNT_CONNECT_TIMEOUTS] = "connect_timeouts",
                [MQTT_COUNT_KEEP_ALIVE_TIMEOUTS] = "keep_alive_timeouts",
                [MQTT_COUNT_PROTOCOL_ERRORS] = "protocol_errors",
                [MQTT_COUNT_PACKET_TOO_LARGE] = "packet_too_large",
                [MQTT_COUNT_RECEIVE_MAXIMUM_EXCEEDED] = "receive_maximum_exceeded",
                [MQTT_COUNT_ALIAS_INVALID] = "alias_invalid",
                [MQTT_COUNT_SLOW_CLIENTS] = "slow_clients",
                [MQTT_COUNT_ANSWERS_LOST] = "answers_lost",
        };

        return counter < MQTT_COUNTERS && names[counter] ? names[counter] : "unknown";
}
