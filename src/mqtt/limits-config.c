#include "mqtt/limits-config.h"

void mqtt_limits_config_apply(const struct mqtt_limits_config *config, struct mqtt_limits *ret)
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
