/* proto/mqtt/properties-decode.h - the properties of one packet, 2.2.2 of 5.0.
 * Inside of proto/mqtt/ only. */
#pragma once

#include "proto/mqtt/property.h"
#include "proto/mqtt/reader.h"

/* In which packets a property may stand; a will's are a kind of their own. */
#define MQTT_PROPERTIES_OF(type) (UINT32_C(1) << (type))
enum { MQTT_WILL_PROPERTIES = 16 };

/* Reads length and properties. What is not there has its default. Twice where once is
 * allowed, or a value out of its range: MQTT_PROTOCOL_ERROR; one that the packet does
 * not have: MQTT_MALFORMED_PACKET ([MQTT-2.2.2-1], 2.2.2.2, 4.13.1). `type`: enum
 * mqtt_type or MQTT_WILL_PROPERTIES. */
void mqtt_read_properties(struct mqtt_reader *reader, unsigned type, struct mqtt_properties *ret);
/* [MQTT-3.3.2-14]: if there is one, it is a name that can be published to. */
bool mqtt_response_topic_is_valid(const struct mqtt_properties *properties);

/* How each is encoded and where it may stand. */
enum mqtt_property_kind {
        MQTT_KIND_NONE, /* no such property */
        MQTT_KIND_FLAG, /* a byte that is 0 or 1 */
        MQTT_KIND_TWO,
        MQTT_KIND_FOUR,
        MQTT_KIND_VARIABLE,
        MQTT_KIND_TEXT,
        MQTT_KIND_BINARY,
        MQTT_KIND_PAIR,
};

struct mqtt_property_form {
        enum mqtt_property_kind kind;
        size_t offset;  /* of the member in struct mqtt_properties */
        uint32_t where; /* MQTT_PROPERTIES_OF(...) */
        bool not_zero;  /* 0 is a protocol error */
};
extern const struct mqtt_property_form mqtt_property_forms[MQTT_PROPERTY_END];

extern const struct mqtt_properties mqtt_properties_default;
