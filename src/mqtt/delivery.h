/* mqtt/delivery.h - one message on its way to one session, and how it is to be sent. */
#pragma once

#include "mqtt/message.h"

enum mqtt_delivery_state {
        MQTT_DELIVERY_SENT = 1, /* PUBLISH is out: waits for PUBACK or PUBREC */
        MQTT_DELIVERY_RELEASED, /* PUBREL is out: waits for PUBCOMP; the message is gone */
        MQTT_DELIVERY_HELD,     /* has its identifier; PUBLISH waits for the disk */
};

/* The subscription identifiers, when there are several: of filters that overlap. */
struct mqtt_more_ids {
        uint32_t count;
        uint32_t ids[];
};

struct mqtt_delivery {
        struct mqtt_message *message;   /* a reference */
        struct mqtt_more_ids *more_ids; /* ours; NULL: none */
        uint32_t subscription_id;       /* the only one, or one of several; 0: none */
        uint8_t qos;
        bool retain;
        uint8_t state; /* enum mqtt_delivery_state of those in flight, else 0 */
};

/* Takes a reference and a copy of the identifiers. -ENOMEM. */
int mqtt_delivery_init(struct mqtt_delivery *delivery, struct mqtt_message *message, uint8_t qos,
                       bool retain, const uint32_t ids[], uint32_t ids_count);
/* Lets go of what it holds; it may be done again. */
void mqtt_delivery_done(struct mqtt_delivery *delivery);
