/* proto/mqtt/writer.h - puts MQTT's data types (1.5) one behind the other into room
 * that is large enough. Inside of proto/mqtt/, and for mqtt/message. */
#pragma once

#include "proto/mqtt/packet.h"

#include <string.h>

static inline uint8_t *mqtt_put_byte(uint8_t *at, uint8_t value)
{
        *at = value;
        return at + 1;
}

static inline uint8_t *mqtt_put_two(uint8_t *at, uint16_t value)
{
        at[0] = (uint8_t)(value >> 8);
        at[1] = (uint8_t)value;
        return at + 2;
}

static inline uint8_t *mqtt_put_four(uint8_t *at, uint32_t value)
{
        return mqtt_put_two(mqtt_put_two(at, (uint16_t)(value >> 16)), (uint16_t)value);
}

static inline uint32_t mqtt_variable_size(uint32_t value)
{
        return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

static inline uint8_t *mqtt_put_variable(uint8_t *at, uint32_t value)
{
        for (; value > 127; value >>= 7)
                *at++ = (uint8_t)(value | 0x80);
        *at++ = (uint8_t)value;
        return at;
}

static inline uint8_t *mqtt_put_bytes(uint8_t *at, const void *bytes, size_t length)
{
        if (length > 0)
                memcpy(at, bytes, length);
        return at + length;
}

static inline uint8_t *mqtt_put_text(uint8_t *at, struct mqtt_text text)
{
        return mqtt_put_bytes(mqtt_put_two(at, text.length), text.bytes, text.length);
}
