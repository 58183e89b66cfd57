#include "broker/terms.h"

#include <string.h>

/* -1: as the section `mqtt` has it, which stands there already. */
static void set(uint16_t *place, int64_t number)
{
        if (number >= 0)
                *place = (uint16_t)number;
}

static void set_client_ids(const struct broker_config *config,
                           const struct broker_listener *listener, struct mqtt_terms *wanted)
{
        const struct broker_access access = broker_config_access(config, listener);

        wanted->empty_client_ids = access.empty_client_ids == BROKER_EMPTY_IDS_YES;
        if (access.assigned_prefix)
                wanted->assigned_prefix = access.assigned_prefix;
}

int broker_terms_new(const struct broker_config *config, const struct broker_listener *listener,
                     const char *name, void *owner, const struct mqtt_terms *previous,
                     const struct mqtt_terms **ret)
{
        const char *prefixes[BROKER_PREFIXES_MAX + 1] = {NULL};
        struct mqtt_limits limits;
        struct mqtt_terms wanted;

        broker_config_limits(config, &limits);
        mqtt_terms_init(&wanted, &limits);
        wanted.name = name;
        wanted.owner = owner;
        if (listener->clients > 0)
                wanted.clients = (uint32_t)listener->clients;
        if (listener->mount_point)
                wanted.mount = (struct mqtt_text){listener->mount_point,
                                                  (uint16_t)strlen(listener->mount_point)};
        for (size_t i = 0; i < config->client_id_prefixes.count; i++)
                prefixes[i] = config->client_id_prefixes.items[i];
        if (prefixes[0])
                wanted.client_id_prefixes = prefixes;
        set_client_ids(config, listener, &wanted);

        wanted.qos_max = (uint8_t)listener->maximum_qos;
        wanted.retain = config->retain && listener->retain;
        if (listener->packet_bytes >= 0)
                wanted.packet_bytes = (uint32_t)listener->packet_bytes;
        set(&wanted.aliases, listener->aliases);
        set(&wanted.aliases_granted, listener->aliases_granted);
        set(&wanted.keep_alive_s, listener->keep_alive);
        /* mosquitto does not let them in, since they cannot be told; ours keep what they wish. */
        wanted.keep_alive_strict = config->grammar == BROKER_GRAMMAR_MOSQUITTO;
        if (config->payload_bytes > 0)
                wanted.payload_bytes = (uint32_t)config->payload_bytes;
        wanted.client_messages.per_s = (uint32_t)listener->client_messages;
        wanted.client_bytes.per_s = (uint32_t)listener->client_bytes;
        wanted.messages.per_s = (uint32_t)listener->messages;
        wanted.bytes.per_s = (uint32_t)listener->bytes;
        wanted.connects.per_s = (uint32_t)listener->connects;
        if (config->inflight_bytes > 0)
                wanted.inflight_bytes = (size_t)config->inflight_bytes;
        return mqtt_terms_new(&wanted, previous, ret);
}
