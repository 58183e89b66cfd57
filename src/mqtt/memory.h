/* mqtt/memory.h - what clients, sessions, filters, messages and buffers of a broker take
 * together, and what is given up for limits.memory_bytes. Inside of mqtt/ only.
 *
 * When memory is short, QoS 0 is dropped for those who do not read it at once; when it is tight,
 * nobody begins a session, subscribes or has something more retained; when it is full, what waits
 * for clients that are away goes, the oldest of each, and if that is not enough, no message is
 * taken (0x97) and no connection. So messages pass as long as others hold less than what is
 * tight. */
#pragma once

#include "mqtt/broker-internal.h"

enum mqtt_shortage {
        MQTT_MEMORY_PLENTY,
        MQTT_MEMORY_SHORT, /* above 3/4 of limits.memory_bytes */
        MQTT_MEMORY_TIGHT, /* above 7/8 */
        MQTT_MEMORY_FULL,
};

/* Bytes: counted where clients choose how many, else what one takes about. */
size_t mqtt_memory_used(const struct mqtt_broker *broker);
enum mqtt_shortage mqtt_memory_shortage(const struct mqtt_broker *broker);
/* The same if there were so much more. */
enum mqtt_shortage mqtt_memory_shortage_with(const struct mqtt_broker *broker, size_t bytes);
/* Is there room for so much more? Gives up what may be. */
bool mqtt_memory_make_room(struct mqtt_broker *broker, size_t bytes);
