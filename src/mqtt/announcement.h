/* mqtt/announcement.h - what a CONNACK says of the terms that a client came with. Inside of mqtt/
 * only. */
#pragma once

#include "mqtt/terms.h"
#include "proto/mqtt/property.h"

/* The property, which has its value, is said if it is wanted. */
static inline void mqtt_announce(struct mqtt_properties *properties, enum mqtt_property property,
                                 bool wanted)
{
        if (wanted)
                properties->present |= mqtt_property_bit(property);
}

/* 3.2.2.3: what is not there has the standard's meaning: QoS 2, retained messages,
 * wildcards, subscription identifiers and shared subscriptions are available. */
void mqtt_announce_terms(const struct mqtt_terms *terms, struct mqtt_properties *properties);
