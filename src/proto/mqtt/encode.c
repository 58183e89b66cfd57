#include "proto/mqtt/encode.h"

#include "proto/mqtt/properties-encode.h"
#include "proto/mqtt/reasons.h"
#include "proto/mqtt/writer.h"

#include <assert.h>
#include <errno.h>

/* A packet whose body has `size` bytes: makes room, puts the fixed header. *body is
 * where the body goes; close_packet() checks that it ended where it should. */
static int open_packet(struct buffer *out, enum mqtt_type type, uint8_t flags, uint64_t size,
                       uint8_t **body)
{
        uint8_t *at;
        int r;

        if (size > MQTT_REMAINING_MAX)
                return -EMSGSIZE;
        r = buffer_reserve(out, MQTT_HEADER_MAX + (size_t)size);
        if (r < 0)
                return r;
        at = (uint8_t *)buffer_data(out) + buffer_length(out);
        at = mqtt_put_byte(at, (uint8_t)(type << 4 | flags));
        *body = mqtt_put_variable(at, (uint32_t)size);
        return 0;
}

static int close_packet(struct buffer *out, const uint8_t *body, uint64_t size, const uint8_t *end)
{
        const uint8_t *start = (uint8_t *)buffer_data(out) + buffer_length(out);

        assert(end == body + size);
        buffer_commit(out, (size_t)(end - start));
        return 0;
}

static uint64_t properties_size(enum mqtt_version version, const struct mqtt_properties *properties)
{
        return version == MQTT_VERSION_5 ? mqtt_properties_size_with_length(properties) : 0;
}

static uint8_t *put_properties(uint8_t *at, enum mqtt_version version,
                               const struct mqtt_properties *properties)
{
        return version == MQTT_VERSION_5 ? mqtt_put_properties(at, properties) : at;
}

/* [MQTT-3.2.2-8], [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.9.3-2], [MQTT-3.11.3-2],
 * [MQTT-3.14.2-1]: one that its packet knows. Others come from the program around a broker;
 * what they share is the unspecified one, which PUBREL and PUBCOMP do not need. */
static uint8_t sayable(uint8_t reason, enum mqtt_type type)
{
        assert(mqtt_reason_is_of(MQTT_UNSPECIFIED_ERROR, type) || mqtt_reason_is_of(reason, type));
        return mqtt_reason_is_of(reason, type) ? reason : MQTT_UNSPECIFIED_ERROR;
}

static uint64_t text_size(struct mqtt_text text)
{
        return 2 + (uint64_t)text.length;
}

static uint64_t will_size(const struct mqtt_connect *connect)
{
        const struct mqtt_will *will = &connect->will;

        return properties_size(connect->version, &will->properties) + text_size(will->topic) +
               text_size(will->payload);
}

static uint8_t connect_flags(const struct mqtt_connect *connect)
{
        unsigned flags = connect->clean_start ? 0x02 : 0;

        if (connect->has_will)
                flags |= 0x04U | (unsigned)connect->will.qos << 3 |
                         (connect->will.retain ? 0x20U : 0);
        flags |= connect->has_password ? 0x40U : 0;
        flags |= connect->has_user ? 0x80U : 0;
        return (uint8_t)flags;
}

int mqtt_encode_connect(struct buffer *out, const struct mqtt_connect *connect)
{
        const struct mqtt_text name = connect->version == MQTT_VERSION_31
                                              ? (struct mqtt_text){"MQIsdp", 6}
                                              : (struct mqtt_text){"MQTT", 4};
        uint64_t size =
                text_size(name) + 4 + properties_size(connect->version, &connect->properties) +
                text_size(connect->client_id) + (connect->has_will ? will_size(connect) : 0) +
                (connect->has_user ? text_size(connect->user) : 0) +
                (connect->has_password ? text_size(connect->password) : 0);
        uint8_t *body, *at;
        int r = open_packet(out, MQTT_CONNECT, 0, size, &body);

        if (r < 0)
                return r;
        at = mqtt_put_byte(mqtt_put_text(body, name), (uint8_t)connect->version);
        at = mqtt_put_byte(at, connect_flags(connect));
        at = mqtt_put_two(at, connect->keep_alive_s);
        at = put_properties(at, connect->version, &connect->properties);
        at = mqtt_put_text(at, connect->client_id);
        if (connect->has_will) {
                at = put_properties(at, connect->version, &connect->will.properties);
                at = mqtt_put_text(mqtt_put_text(at, connect->will.topic), connect->will.payload);
        }
        if (connect->has_user)
                at = mqtt_put_text(at, connect->user);
        if (connect->has_password)
                at = mqtt_put_text(at, connect->password);
        return close_packet(out, body, size, at);
}

int mqtt_encode_connack(struct buffer *out, enum mqtt_version version,
                        const struct mqtt_connack *connack)
{
        uint64_t size = 2 + properties_size(version, &connack->properties);
        uint8_t *body, *at;
        int r = open_packet(out, MQTT_CONNACK, 0, size, &body);

        if (r < 0)
                return r;
        at = mqtt_put_byte(body, connack->session_present);
        at = mqtt_put_byte(at, version == MQTT_VERSION_5
                                       ? sayable((uint8_t)connack->reason, MQTT_CONNACK)
                                       : mqtt_reason_to_connack(connack->reason));
        return close_packet(out, body, size, put_properties(at, version, &connack->properties));
}

int mqtt_encode_publish(struct buffer *out, enum mqtt_version version,
                        const struct mqtt_publish *publish)
{
        uint64_t size = text_size(publish->topic) + (publish->qos > 0 ? 2 : 0) +
                        properties_size(version, &publish->properties) +
                        (uint64_t)publish->payload.length;
        unsigned flags = (publish->duplicate ? 8U : 0) | (unsigned)publish->qos << 1 |
                         (publish->retain ? 1U : 0);
        uint8_t *body, *at;
        int r;

        assert(publish->qos <= 2 && (publish->qos == 0 || publish->packet_id != 0));
        r = open_packet(out, MQTT_PUBLISH, (uint8_t)flags, size, &body);
        if (r < 0)
                return r;
        at = mqtt_put_text(body, publish->topic);
        if (publish->qos > 0)
                at = mqtt_put_two(at, publish->packet_id);
        at = put_properties(at, version, &publish->properties);
        at = mqtt_put_bytes(at, publish->payload.bytes, publish->payload.length);
        return close_packet(out, body, size, at);
}

/* What 5.0 allows to leave out is left out: a success without properties, and the
 * length of no properties. */
static uint64_t reason_size(enum mqtt_version version, enum mqtt_reason reason,
                            const struct mqtt_properties *properties)
{
        if (version != MQTT_VERSION_5)
                return 0;
        if (properties->present)
                return 1 + mqtt_properties_size_with_length(properties);
        return reason != MQTT_SUCCESS;
}

static uint8_t *put_reason(uint8_t *at, uint64_t size, enum mqtt_type type, enum mqtt_reason reason,
                           const struct mqtt_properties *properties)
{
        if (size > 0)
                at = mqtt_put_byte(at, sayable((uint8_t)reason, type));
        return size > 1 ? mqtt_put_properties(at, properties) : at;
}

int mqtt_encode_acknowledgement(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                                const struct mqtt_acknowledgement *acknowledgement)
{
        uint64_t reason =
                reason_size(version, acknowledgement->reason, &acknowledgement->properties);
        uint8_t *body, *at;
        int r;

        assert(type >= MQTT_PUBACK && type <= MQTT_PUBCOMP && acknowledgement->packet_id != 0);
        r = open_packet(out, type, type == MQTT_PUBREL ? 2 : 0, 2 + reason, &body);
        if (r < 0)
                return r;
        at = mqtt_put_two(body, acknowledgement->packet_id);
        at = put_reason(at, reason, type, acknowledgement->reason, &acknowledgement->properties);
        return close_packet(out, body, 2 + reason, at);
}

static uint8_t options_of(enum mqtt_version version, const struct mqtt_subscription *subscription)
{
        unsigned options = subscription->qos;

        if (version == MQTT_VERSION_5)
                options |= (subscription->no_local ? 4U : 0) |
                           (subscription->retain_as_published ? 8U : 0) |
                           (unsigned)subscription->retain_handling << 4;
        return (uint8_t)options;
}

int mqtt_encode_subscribe(struct buffer *out, enum mqtt_version version, uint16_t packet_id,
                          const struct mqtt_properties *properties,
                          const struct mqtt_subscription subscriptions[], size_t count)
{
        uint64_t size = 2 + properties_size(version, properties);
        uint8_t *body, *at;
        int r;

        assert(packet_id != 0 && count > 0);
        for (size_t i = 0; i < count; i++)
                size += text_size(subscriptions[i].filter) + 1;
        r = open_packet(out, MQTT_SUBSCRIBE, 2, size, &body);
        if (r < 0)
                return r;
        at = put_properties(mqtt_put_two(body, packet_id), version, properties);
        for (size_t i = 0; i < count; i++)
                at = mqtt_put_byte(mqtt_put_text(at, subscriptions[i].filter),
                                   options_of(version, &subscriptions[i]));
        return close_packet(out, body, size, at);
}

int mqtt_encode_unsubscribe(struct buffer *out, enum mqtt_version version, uint16_t packet_id,
                            const struct mqtt_properties *properties,
                            const struct mqtt_text filters[], size_t count)
{
        uint64_t size = 2 + properties_size(version, properties);
        uint8_t *body, *at;
        int r;

        assert(packet_id != 0 && count > 0);
        for (size_t i = 0; i < count; i++)
                size += text_size(filters[i]);
        r = open_packet(out, MQTT_UNSUBSCRIBE, 2, size, &body);
        if (r < 0)
                return r;
        at = put_properties(mqtt_put_two(body, packet_id), version, properties);
        for (size_t i = 0; i < count; i++)
                at = mqtt_put_text(at, filters[i]);
        return close_packet(out, body, size, at);
}

int mqtt_encode_suback(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                       const struct mqtt_suback *suback)
{
        bool has_reasons = type == MQTT_SUBACK || version == MQTT_VERSION_5;
        uint32_t count = has_reasons ? suback->reasons.length : 0;
        uint64_t size = 2 + properties_size(version, &suback->properties) + count;
        uint8_t *body, *at;
        int r;

        assert((type == MQTT_SUBACK || type == MQTT_UNSUBACK) && suback->packet_id != 0);
        r = open_packet(out, type, 0, size, &body);
        if (r < 0)
                return r;
        at = put_properties(mqtt_put_two(body, suback->packet_id), version, &suback->properties);
        for (uint32_t i = 0; i < count; i++) {
                uint8_t reason = suback->reasons.bytes[i];

                /* 3.1.1 knows one way to say no (3.9.3). */
                if (version != MQTT_VERSION_5 && reason > MQTT_GRANTED_QOS_2)
                        reason = MQTT_UNSPECIFIED_ERROR;
                at = mqtt_put_byte(at, sayable(reason, type));
        }
        return close_packet(out, body, size, at);
}

int mqtt_encode_disconnect(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                           const struct mqtt_disconnect *disconnect)
{
        uint64_t size = reason_size(version, disconnect->reason, &disconnect->properties);
        uint8_t *body;
        int r;

        assert(type == MQTT_DISCONNECT || (type == MQTT_AUTH && version == MQTT_VERSION_5));
        r = open_packet(out, type, 0, size, &body);
        if (r < 0)
                return r;
        return close_packet(
                out, body, size,
                put_reason(body, size, type, disconnect->reason, &disconnect->properties));
}

int mqtt_encode_ping(struct buffer *out, enum mqtt_type type)
{
        uint8_t *body;
        int r;

        assert(type == MQTT_PINGREQ || type == MQTT_PINGRESP);
        r = open_packet(out, type, 0, 0, &body);
        return r < 0 ? r : close_packet(out, body, 0, body);
}
