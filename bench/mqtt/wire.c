#include "bench/mqtt/wire.h"

#include <errno.h>
#include <string.h>

enum { RESPONSE_TOPIC = 8, CORRELATION_DATA = 9, SESSION_EXPIRY = 17 };

struct wire_text wire_text_of(const char *text)
{
        return (struct wire_text){(const uint8_t *)text, strlen(text)};
}

/* Takes a variable byte integer off the front. 1; 0: not whole yet; -EPROTO. */
static int take_variable(struct wire_text *from, size_t *ret)
{
        size_t value = 0;

        for (unsigned i = 0; i < 4; i++) {
                if (i == from->length)
                        return 0;
                value |= (size_t)(from->bytes[i] & 0x7f) << (7 * i);
                if (from->bytes[i] & 0x80)
                        continue;
                *from = (struct wire_text){from->bytes + i + 1, from->length - i - 1};
                *ret = value;
                return 1;
        }
        return -EPROTO;
}

static int take(struct wire_text *from, size_t count, struct wire_text *ret)
{
        if (from->length < count)
                return -EPROTO;
        *ret = (struct wire_text){from->bytes, count};
        *from = (struct wire_text){from->bytes + count, from->length - count};
        return 0;
}

static int take_two(struct wire_text *from, uint16_t *ret)
{
        struct wire_text two;
        int r = take(from, 2, &two);

        if (r == 0)
                *ret = (uint16_t)(two.bytes[0] << 8 | two.bytes[1]);
        return r;
}

static int take_text(struct wire_text *from, struct wire_text *ret)
{
        uint16_t length;
        int r = take_two(from, &length);

        return r < 0 ? r : take(from, length, ret);
}

int wire_next(const uint8_t *bytes, size_t count, struct wire_packet *ret)
{
        struct wire_text rest;
        size_t length;
        int r;

        if (count == 0)
                return 0;
        rest = (struct wire_text){bytes + 1, count - 1};
        r = take_variable(&rest, &length);
        if (r <= 0)
                return r;
        if (length > WIRE_PACKET_MAX)
                return -EPROTO;
        if (rest.length < length)
                return 0;
        *ret = (struct wire_packet){
                .type = bytes[0] >> 4,
                .flags = bytes[0] & 0x0f,
                .body = {rest.bytes, length},
                .length = (size_t)(rest.bytes - bytes) + length,
        };
        return 1;
}

int wire_read_id(const struct wire_packet *packet, uint16_t *ret)
{
        struct wire_text rest = packet->body;

        return take_two(&rest, ret);
}

static int take_property(struct wire_text *from, struct wire_publish *publish)
{
        struct wire_text identifier, value;
        size_t number;
        int r = take(from, 1, &identifier);

        if (r < 0)
                return r;
        switch (identifier.bytes[0]) {
        case RESPONSE_TOPIC:
                return take_text(from, &publish->response_topic);
        case CORRELATION_DATA:
                return take_text(from, &publish->correlation);
        case 1: /* payload format */
                return take(from, 1, &value);
        case 2: /* message expiry */
                return take(from, 4, &value);
        case 3: /* content type */
                return take_text(from, &value);
        case 11: /* subscription identifier */
                return take_variable(from, &number) == 1 ? 0 : -EPROTO;
        case 38: /* user property */
                r = take_text(from, &value);
                return r < 0 ? r : take_text(from, &value);
        default:
                return -EPROTO;
        }
}

int wire_read_publish(const struct wire_packet *packet, bool version_5, struct wire_publish *ret)
{
        struct wire_text rest = packet->body, properties;
        size_t length;
        int r;

        *ret = (struct wire_publish){.qos = packet->flags >> 1 & 3, .retain = packet->flags & 1};
        r = take_text(&rest, &ret->topic);
        if (r == 0 && ret->qos > 0)
                r = take_two(&rest, &ret->id);
        if (r == 0 && version_5) {
                if (take_variable(&rest, &length) != 1)
                        return -EPROTO;
                r = take(&rest, length, &properties);
                while (r == 0 && properties.length > 0)
                        r = take_property(&properties, ret);
        }
        ret->payload = rest;
        return r;
}

/* What is being written; `failed` sticks. */
struct writer {
        uint8_t *begin, *at, *end;
        bool failed;
};

static void put(struct writer *writer, const void *bytes, size_t count)
{
        if (writer->failed || (size_t)(writer->end - writer->at) < count) {
                writer->failed = true;
                return;
        }
        if (count > 0)
                memcpy(writer->at, bytes, count);
        writer->at += count;
}

static void put_byte(struct writer *writer, uint8_t value)
{
        put(writer, &value, 1);
}

static void put_two(struct writer *writer, size_t value)
{
        put(writer, (const uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_text(struct writer *writer, struct wire_text text)
{
        writer->failed |= text.length > UINT16_MAX;
        put_two(writer, text.length);
        put(writer, text.bytes, text.length);
}

static size_t variable_size(size_t value)
{
        return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

static void put_variable(struct writer *writer, size_t value)
{
        for (; value > 127; value >>= 7)
                put_byte(writer, (uint8_t)(value | 0x80));
        put_byte(writer, (uint8_t)value);
}

static struct writer writer_at(uint8_t *at, size_t room, uint8_t first, size_t length)
{
        struct writer writer = {at, at, at + room, length > WIRE_PACKET_MAX};

        put_byte(&writer, first);
        put_variable(&writer, length);
        return writer;
}

static int written(const struct writer *writer)
{
        return writer->failed ? -ENOBUFS : (int)(writer->at - writer->begin);
}

int wire_write_connect(uint8_t *at, size_t room, const struct wire_connect *connect)
{
        static const uint8_t never[] = {SESSION_EXPIRY, 0xff, 0xff, 0xff, 0xff};
        size_t properties = connect->version_5 && connect->lasting ? sizeof(never) : 0;
        struct writer writer = writer_at(at, room, WIRE_CONNECT << 4,
                                         12 + (connect->version_5 ? 1 : 0) + properties +
                                                 connect->client_id.length);

        put_text(&writer, wire_text_of("MQTT"));
        put_byte(&writer, connect->version_5 ? 5 : 4);
        put_byte(&writer, connect->lasting ? 0 : 0x02);
        put_two(&writer, connect->keep_alive_s);
        if (connect->version_5)
                put_variable(&writer, properties);
        for (size_t i = 0; i < properties; i++)
                put_byte(&writer, never[i]);
        put_text(&writer, connect->client_id);
        return written(&writer);
}

int wire_write_subscribe(uint8_t *at, size_t room, bool version_5, uint16_t id,
                         const struct wire_text filters[], size_t count, uint8_t qos)
{
        size_t length = 2 + (version_5 ? 1 : 0);
        struct writer writer;

        for (size_t i = 0; i < count; i++)
                length += 2 + filters[i].length + 1;
        writer = writer_at(at, room, WIRE_SUBSCRIBE << 4 | 2, length);
        put_two(&writer, id);
        if (version_5)
                put_variable(&writer, 0);
        for (size_t i = 0; i < count; i++) {
                put_text(&writer, filters[i]);
                put_byte(&writer, qos);
        }
        return written(&writer);
}

static size_t property_size(struct wire_text value)
{
        return value.length > 0 ? 3 + value.length : 0;
}

static void put_property(struct writer *writer, uint8_t identifier, struct wire_text value)
{
        if (value.length == 0)
                return;
        put_byte(writer, identifier);
        put_text(writer, value);
}

int wire_write_publish(uint8_t *at, size_t room, bool version_5, const struct wire_publish *publish)
{
        size_t properties =
                property_size(publish->response_topic) + property_size(publish->correlation);
        size_t length = 2 + publish->topic.length + (publish->qos > 0 ? 2 : 0) +
                        (version_5 ? variable_size(properties) + properties : 0) +
                        publish->payload.length;
        struct writer writer = writer_at(
                at, room,
                (uint8_t)(WIRE_PUBLISH << 4 | publish->qos << 1 | (publish->retain ? 1 : 0)),
                length);

        put_text(&writer, publish->topic);
        if (publish->qos > 0)
                put_two(&writer, publish->id);
        if (version_5) {
                put_variable(&writer, properties);
                put_property(&writer, RESPONSE_TOPIC, publish->response_topic);
                put_property(&writer, CORRELATION_DATA, publish->correlation);
        }
        put(&writer, publish->payload.bytes, publish->payload.length);
        return written(&writer);
}

void wire_write_acknowledgement(uint8_t at[static WIRE_ACKNOWLEDGEMENT], enum wire_type type,
                                uint16_t id)
{
        at[0] = (uint8_t)(type << 4 | (type == WIRE_PUBREL ? 2 : 0));
        at[1] = 2;
        at[2] = (uint8_t)(id >> 8);
        at[3] = (uint8_t)id;
}
