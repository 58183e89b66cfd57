/* mqtt/limits-config.h - the bounds of a broker as keys of a configuration.
 *
 * A program puts a struct mqtt_limits_config into the struct of its section, and the keys into
 * its table:
 *
 *     static const struct config_key keys[] = {
 *             MQTT_LIMITS_KEYS(struct gate_config, limits),
 *             ...
 *     };
 *
 * so that each of these keys means the same in every program. */
#pragma once

#include "data/config.h"
#include "mqtt/limits.h"

/* As in mqtt/limits.h, in the types that a table of keys wants. */
struct mqtt_limits_config {
        int64_t clients, sessions, connecting;
        int64_t subscriptions_per_session, subscriptions;
        int64_t retained_messages, retained_bytes;
        int64_t packet_bytes, keep_alive, session_expiry;
        int64_t inflight, output_bytes, queue_messages, queue_bytes, queued_bytes;
};

#define MQTT_LIMITS_MIB (1 << 20)
#define MQTT_LIMITS_KEYS(struct_type, member)                                                      \
        CONFIG_INTEGER(struct_type, member.clients, "clients", 100000, 1, 1000000,                 \
                       "how many clients at once, 1 to 1000000"),                                  \
                CONFIG_INTEGER(struct_type, member.sessions, "sessions", 200000, 1, 10000000,      \
                               "how many sessions, those of clients that are away included"),      \
                CONFIG_INTEGER(struct_type, member.connecting, "connecting", 4096, 1, 1000000,     \
                               "how many connections that are not logged in yet"),                 \
                CONFIG_INTEGER(struct_type, member.subscriptions_per_session,                      \
                               "subscriptions_per_session", 10000, 1, 10000000,                    \
                               "how many subscriptions of one client"),                            \
                CONFIG_INTEGER(struct_type, member.subscriptions, "subscriptions", 1000000, 1,     \
                               10000000, "how many subscriptions of all clients"),                 \
                CONFIG_INTEGER(struct_type, member.retained_messages, "retained_messages",         \
                               1000000, 1, 10000000, "how many retained messages"),                \
                CONFIG_INTEGER(struct_type, member.retained_bytes, "retained_bytes",               \
                               256 * MQTT_LIMITS_MIB, 1024, UINT32_MAX,                            \
                               "bytes of all retained messages"),                                  \
                CONFIG_INTEGER(struct_type, member.packet_bytes, "packet_bytes", MQTT_LIMITS_MIB,  \
                               1024, 64 * MQTT_LIMITS_MIB,                                         \
                               "bytes of a client's packet, 1024 to 67108864"),                    \
                CONFIG_INTEGER(struct_type, member.keep_alive, "keep_alive", 0, 0, UINT16_MAX,     \
                               "seconds, the longest keep-alive; 0: as the client wishes"),        \
                CONFIG_INTEGER(struct_type, member.session_expiry, "session_expiry", UINT32_MAX,   \
                               0, UINT32_MAX,                                                      \
                               "seconds that a session is kept for a client that is away; "        \
                               "4294967295: for ever"),                                            \
                CONFIG_INTEGER(struct_type, member.inflight, "inflight", 1024, 1, UINT16_MAX,      \
                               "how many messages of QoS 1 and 2 under way to a client"),          \
                CONFIG_INTEGER(struct_type, member.output_bytes, "output_bytes",                   \
                               4 * MQTT_LIMITS_MIB, 65536, 256 * MQTT_LIMITS_MIB,                  \
                               "bytes that wait for a client that reads slowly"),                  \
                CONFIG_INTEGER(struct_type, member.queue_messages, "queue_messages", 100000, 1,    \
                               10000000, "how many messages wait for a client"),                   \
                CONFIG_INTEGER(struct_type, member.queue_bytes, "queue_bytes",                     \
                               16 * MQTT_LIMITS_MIB, 1024, UINT32_MAX, "bytes of them"),           \
                CONFIG_INTEGER(struct_type, member.queued_bytes, "queued_bytes",                   \
                               256 * MQTT_LIMITS_MIB, 1024, UINT32_MAX,                            \
                               "bytes of those of all clients")

/* The defaults, and over them what the section says. */
void mqtt_limits_config_apply(const struct mqtt_limits_config *config, struct mqtt_limits *ret);
