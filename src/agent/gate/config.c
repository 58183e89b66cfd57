#include "agent/gate/config.h"

#include "proto/mqtt/topic.h"

#include <errno.h>
#include <string.h>

#define MIB (1 << 20)

static const struct config_key keys[] = {
        CONFIG_BOOL(struct gate_config, enabled, "enabled", true),
        CONFIG_TEXT(struct gate_config, host, "host", "127.0.0.1",
                    "the address to listen on, such as 127.0.0.1, 0.0.0.0 or ::"),
        CONFIG_INTEGER(struct gate_config, port, "port", 1883, 0, 65535,
                       "a TCP port, 0 to 65535; 0: any that is free"),
        CONFIG_TEXT(struct gate_config, topic, "topic", "pi",
                    "a topic of at most 64 bytes that all of ours begin with, such as pi"),
        CONFIG_INTEGER(struct gate_config, clients, "clients", 100000, 1, 1000000,
                       "how many clients at once, 1 to 1000000"),
        CONFIG_INTEGER(struct gate_config, sessions, "sessions", 200000, 1, 10000000,
                       "how many sessions, those of clients that are away included"),
        CONFIG_INTEGER(struct gate_config, connecting, "connecting", 4096, 1, 1000000,
                       "how many connections that are not logged in yet"),
        CONFIG_INTEGER(struct gate_config, subscriptions_per_session, "subscriptions_per_session",
                       10000, 1, 10000000, "how many subscriptions of one client"),
        CONFIG_INTEGER(struct gate_config, subscriptions, "subscriptions", 1000000, 1, 10000000,
                       "how many subscriptions of all clients"),
        CONFIG_INTEGER(struct gate_config, retained_messages, "retained_messages", 1000000, 1,
                       10000000, "how many retained messages"),
        CONFIG_INTEGER(struct gate_config, retained_bytes, "retained_bytes", 256 * MIB, 1024,
                       UINT32_MAX, "bytes of all retained messages"),
        CONFIG_INTEGER(struct gate_config, packet_bytes, "packet_bytes", MIB, 1024, 64 * MIB,
                       "bytes of a client's packet, 1024 to 67108864"),
        CONFIG_INTEGER(struct gate_config, keep_alive, "keep_alive", 0, 0, UINT16_MAX,
                       "seconds, the longest keep-alive; 0: as the client wishes"),
        CONFIG_INTEGER(struct gate_config, session_expiry, "session_expiry", UINT32_MAX, 0,
                       UINT32_MAX,
                       "seconds that a session is kept for a client that is away; 4294967295: "
                       "for ever"),
        CONFIG_INTEGER(struct gate_config, inflight, "inflight", 1024, 1, UINT16_MAX,
                       "how many messages of QoS 1 and 2 under way to a client"),
        CONFIG_INTEGER(struct gate_config, output_bytes, "output_bytes", 4 * MIB, 65536, 256 * MIB,
                       "bytes that wait for a client that reads slowly"),
        CONFIG_INTEGER(struct gate_config, queue_messages, "queue_messages", 100000, 1, 10000000,
                       "how many messages wait for a client"),
        CONFIG_INTEGER(struct gate_config, queue_bytes, "queue_bytes", 16 * MIB, 1024, UINT32_MAX,
                       "bytes of them"),
        CONFIG_INTEGER(struct gate_config, queued_bytes, "queued_bytes", 256 * MIB, 1024,
                       UINT32_MAX, "bytes of those of all clients"),
};

struct config_section gate_config_section(struct gate_config *target)
{
        return (struct config_section){"mqtt", keys, ARRAY_SIZE(keys), target};
}

int gate_config_check(const struct gate_config *config, struct error *error)
{
        size_t length = strlen(config->topic);
        struct mqtt_text topic = {config->topic, (uint16_t)length};

        if (length == 0 || length > GATE_TOPIC_MAX)
                return error_set(error, -EINVAL, "mqtt.topic: has 1 to %d bytes", GATE_TOPIC_MAX);
        if (config->topic[0] == '$' || config->topic[0] == '/' ||
            config->topic[length - 1] == '/' || strstr(config->topic, "//") ||
            !mqtt_topic_name_is_valid(topic))
                return error_set(error, -EINVAL,
                                 "mqtt.topic: \"%s\" is not a base for topics; it begins with no "
                                 "'$', has no wildcards and no empty levels",
                                 config->topic);
        return 0;
}

void gate_config_limits(const struct gate_config *config, struct mqtt_limits *ret)
{
        *ret = mqtt_limits_default;
        ret->clients = (uint32_t)config->clients;
        ret->sessions = (uint32_t)config->sessions;
        ret->connecting = (uint32_t)config->connecting;
        ret->subscriptions_per_session = (uint32_t)config->subscriptions_per_session;
        ret->subscriptions = (uint32_t)config->subscriptions;
        ret->retained_messages = (uint32_t)config->retained_messages;
        ret->retained_bytes = (size_t)config->retained_bytes;
        ret->packet_bytes = (uint32_t)config->packet_bytes;
        ret->keep_alive_s = (uint16_t)config->keep_alive;
        ret->session_expiry_max_s = (uint32_t)config->session_expiry;
        ret->inflight = (uint16_t)config->inflight;
        ret->output_bytes = (size_t)config->output_bytes;
        ret->queue_messages = (uint32_t)config->queue_messages;
        ret->queue_bytes = (size_t)config->queue_bytes;
        ret->queued_bytes = (size_t)config->queued_bytes;
        /* A burst costs no client that reads a message (mqtt/limits.h). */
        if (ret->turn_bytes > ret->output_bytes / 2)
                ret->turn_bytes = ret->output_bytes / 2;
        if (ret->slice_bytes > ret->turn_bytes)
                ret->slice_bytes = ret->turn_bytes;
}
