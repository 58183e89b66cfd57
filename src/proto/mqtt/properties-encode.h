/* proto/mqtt/properties-encode.h - properties to bytes. Inside of proto/mqtt/, and for
 * mqtt/message. */
#pragma once

#include "proto/mqtt/property.h"

/* How many bytes the properties take, without and with their length before them.
 * `properties` NULL: none. */
uint32_t mqtt_properties_size(const struct mqtt_properties *properties);
uint64_t mqtt_properties_size_with_length(const struct mqtt_properties *properties);

/* Writes length and properties; returns the end. */
uint8_t *mqtt_put_properties(uint8_t *at, const struct mqtt_properties *properties);
