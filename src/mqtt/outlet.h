/* mqtt/outlet.h - one PUBLISH as it goes out to one client. Inside of mqtt/ only. */
#pragma once

#include "mqtt/client.h"

/* What is to be written. */
struct mqtt_outgoing {
        struct mqtt_message *message;
        uint8_t qos;
        bool retain, duplicate;
        uint16_t packet_id; /* 0 with QoS 0 */
        const uint32_t *ids;
        uint32_t ids_count;
};

/* Copies the bytes that all receivers of the message share, or, with subscription identifiers
 * or a topic alias, encodes it for this client. -EMSGSIZE: longer than the client takes; -ENOENT:
 * not below its mount point; -ENOMEM: counted, and not written. */
int mqtt_outlet_write(struct mqtt_client *client, const struct mqtt_outgoing *outgoing);
