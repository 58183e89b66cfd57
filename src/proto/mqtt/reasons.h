/* proto/mqtt/reasons.h - which reason codes a packet may carry, table 2-6 of 5.0.
 * Inside of proto/mqtt/ only. */
#pragma once

#include "proto/mqtt/packet.h"

bool mqtt_reason_is_of(uint8_t reason, enum mqtt_type type);

/* 3.1.1's return codes of CONNACK (its table 3.1) as reasons and back. 0 and
 * MQTT_MALFORMED_PACKET: there is no such code. */
int mqtt_reason_from_connack(uint8_t code, enum mqtt_reason *ret);
uint8_t mqtt_reason_to_connack(enum mqtt_reason reason);
