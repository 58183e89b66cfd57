/* proto/mqtt/reader.h - takes MQTT's data types (1.5) off the front of some bytes.
 * Inside of proto/mqtt/ only.
 *
 * The first failure sticks: what is taken after it is empty, and `reason` tells. So a
 * decoder reads on and looks once. */
#pragma once

#include "proto/mqtt/packet.h"

struct mqtt_reader {
        const uint8_t *at, *end;
        int reason; /* 0, or enum mqtt_reason */
};

static inline struct mqtt_reader mqtt_reader_of(const uint8_t *bytes, uint32_t length)
{
        return (struct mqtt_reader){bytes, bytes + length, 0};
}

static inline uint32_t mqtt_reader_left(const struct mqtt_reader *reader)
{
        return (uint32_t)(reader->end - reader->at);
}

/* The first failure counts. */
void mqtt_reader_fail(struct mqtt_reader *reader, enum mqtt_reason reason);

uint8_t mqtt_read_byte(struct mqtt_reader *reader);
uint16_t mqtt_read_two(struct mqtt_reader *reader);
uint32_t mqtt_read_four(struct mqtt_reader *reader);
/* A variable byte integer in its shortest form ([MQTT-1.5.5-1]). */
uint32_t mqtt_read_variable(struct mqtt_reader *reader);
struct mqtt_text mqtt_read_binary(struct mqtt_reader *reader);
/* A UTF-8 string ([MQTT-1.5.4-1], [MQTT-1.5.4-2]). */
struct mqtt_text mqtt_read_text(struct mqtt_reader *reader);
/* One without control characters (1.5.4 leaves it to the receiver): what is written to logs
 * and terminals, and compared. */
struct mqtt_text mqtt_read_name(struct mqtt_reader *reader);
/* `length` bytes, a reader of their own. */
struct mqtt_reader mqtt_read_part(struct mqtt_reader *reader, uint32_t length);
