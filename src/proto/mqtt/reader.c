#include "proto/mqtt/reader.h"

#include "base/utf8.h"

#include <string.h>

void mqtt_reader_fail(struct mqtt_reader *reader, enum mqtt_reason reason)
{
        if (reader->reason == 0)
                reader->reason = (int)reason;
        reader->at = reader->end;
}

/* Room for `length` bytes? */
static bool has(struct mqtt_reader *reader, uint32_t length)
{
        if (mqtt_reader_left(reader) >= length)
                return true;
        mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        return false;
}

uint8_t mqtt_read_byte(struct mqtt_reader *reader)
{
        return has(reader, 1) ? *reader->at++ : 0;
}

uint16_t mqtt_read_two(struct mqtt_reader *reader)
{
        uint16_t value;

        if (!has(reader, 2))
                return 0;
        value = (uint16_t)(reader->at[0] << 8 | reader->at[1]);
        reader->at += 2;
        return value;
}

uint32_t mqtt_read_four(struct mqtt_reader *reader)
{
        uint32_t high = mqtt_read_two(reader);

        return high << 16 | mqtt_read_two(reader);
}

uint32_t mqtt_read_variable(struct mqtt_reader *reader)
{
        uint32_t value = 0;

        for (unsigned shift = 0; shift < 28; shift += 7) {
                uint8_t byte = mqtt_read_byte(reader);

                value |= (uint32_t)(byte & 0x7f) << shift;
                if (byte & 0x80)
                        continue;
                if (byte == 0 && shift > 0)
                        break; /* a shorter form exists */
                return value;
        }
        mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        return 0;
}

struct mqtt_reader mqtt_read_part(struct mqtt_reader *reader, uint32_t length)
{
        struct mqtt_reader part;

        if (!has(reader, length))
                return (struct mqtt_reader){reader->end, reader->end, reader->reason};
        part = mqtt_reader_of(reader->at, length);
        reader->at += length;
        return part;
}

struct mqtt_text mqtt_read_binary(struct mqtt_reader *reader)
{
        struct mqtt_reader part = mqtt_read_part(reader, mqtt_read_two(reader));

        return (struct mqtt_text){(const char *)part.at, (uint16_t)mqtt_reader_left(&part)};
}

static struct mqtt_text check(struct mqtt_reader *reader, struct mqtt_text text, bool good)
{
        if (good)
                return text;
        mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        text.length = 0;
        return text;
}

static bool is_utf8(struct mqtt_text text)
{
        return utf8_valid_prefix(text.bytes, text.length) == text.length;
}

struct mqtt_text mqtt_read_text(struct mqtt_reader *reader)
{
        struct mqtt_text text = mqtt_read_binary(reader);

        return check(reader, text, is_utf8(text) && !memchr(text.bytes, '\0', text.length));
}

struct mqtt_text mqtt_read_name(struct mqtt_reader *reader)
{
        struct mqtt_text text = mqtt_read_binary(reader);

        return check(reader, text, is_utf8(text) && !utf8_has_control(text.bytes, text.length));
}
