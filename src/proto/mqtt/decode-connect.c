#include "proto/mqtt/decode.h"
#include "proto/mqtt/properties-decode.h"
#include "proto/mqtt/reader.h"
#include "proto/mqtt/reasons.h"
#include "proto/mqtt/topic.h"

#include <string.h>

enum { LEVEL_BRIDGE = 0x80 }; /* mosquitto's `try_private`; no version has such a level */

enum {
        FLAG_RESERVED = 0x01,
        FLAG_CLEAN = 0x02,
        FLAG_WILL = 0x04,
        FLAG_WILL_QOS = 0x18,
        FLAG_WILL_RETAIN = 0x20,
        FLAG_PASSWORD = 0x40,
        FLAG_USER = 0x80,
};

static bool is(struct mqtt_text text, const char *expected)
{
        return text.length == strlen(expected) && memcmp(text.bytes, expected, text.length) == 0;
}

/* Which protocol is spoken, 3.1.2.1 and 3.1.2.2. */
static void read_version(struct mqtt_reader *reader, struct mqtt_connect *ret)
{
        struct mqtt_text name = mqtt_read_text(reader);
        uint8_t level = mqtt_read_byte(reader);

        if (reader->reason != 0)
                return;
        if (level == (MQTT_VERSION_31 | LEVEL_BRIDGE) ||
            level == (MQTT_VERSION_311 | LEVEL_BRIDGE)) {
                level &= (uint8_t)~LEVEL_BRIDGE;
                ret->bridge = true;
        }
        ret->version = (enum mqtt_version)level;
        if (is(name, "MQTT")) {
                if (level == MQTT_VERSION_311 || level == MQTT_VERSION_5)
                        return;
        } else if (is(name, "MQIsdp")) {
                if (level == MQTT_VERSION_31)
                        return;
                /* No version has that name and that level: told as 5.0 tells it. */
                if (level != MQTT_VERSION_311)
                        ret->version = MQTT_VERSION_5;
        } else {
                ret->unanswered = level != MQTT_VERSION_5; /* [MQTT-3.1.2-1]: it may be anything */
        }
        mqtt_reader_fail(reader, MQTT_UNSUPPORTED_VERSION);
}

static void read_flags(struct mqtt_reader *reader, struct mqtt_connect *ret)
{
        uint8_t flags = mqtt_read_byte(reader);

        ret->clean_start = flags & FLAG_CLEAN;
        ret->has_will = flags & FLAG_WILL;
        ret->has_user = flags & FLAG_USER;
        ret->has_password = flags & FLAG_PASSWORD;
        ret->will.qos = (flags & FLAG_WILL_QOS) >> 3;
        ret->will.retain = flags & FLAG_WILL_RETAIN;
        /* [MQTT-3.1.2-3], which 3.1 does not ask for, [MQTT-3.1.2-11] to [MQTT-3.1.2-15]; of
         * 3.1.1 [MQTT-3.1.2-22]. */
        if (((flags & FLAG_RESERVED) && ret->version != MQTT_VERSION_31) || ret->will.qos > 2 ||
            (!ret->has_will && (flags & (FLAG_WILL_QOS | FLAG_WILL_RETAIN))) ||
            (ret->version != MQTT_VERSION_5 && ret->has_password && !ret->has_user))
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
}

static void read_will(struct mqtt_reader *reader, struct mqtt_connect *ret)
{
        if (ret->version == MQTT_VERSION_5)
                mqtt_read_properties(reader, MQTT_WILL_PROPERTIES, &ret->will.properties);
        ret->will.topic = mqtt_read_name(reader);
        ret->will.payload = mqtt_read_binary(reader);
        if (reader->reason != 0)
                return;
        if (!mqtt_topic_name_is_valid(ret->will.topic))
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        else if (!mqtt_response_topic_is_valid(&ret->will.properties))
                mqtt_reader_fail(reader, MQTT_PROTOCOL_ERROR);
}

/* Bytes that are there, and are no name, are an id that is refused as such (3.1.3.1). */
static void read_client_id(struct mqtt_reader *reader, struct mqtt_connect *ret)
{
        struct mqtt_reader name = *reader;

        (void)mqtt_read_binary(reader);
        ret->client_id = mqtt_read_name(&name);
        if (name.reason != 0)
                mqtt_reader_fail(reader, MQTT_CLIENT_ID_NOT_VALID);
}

static void read_credentials(struct mqtt_reader *reader, struct mqtt_connect *ret)
{
        if (ret->has_user)
                ret->user = mqtt_read_name(reader);
        if (ret->has_password)
                ret->password = mqtt_read_binary(reader);
        ret->unanswered = reader->reason != 0;
}

static void read_payload(struct mqtt_reader *reader, struct mqtt_connect *ret)
{
        read_client_id(reader, ret);
        if (ret->has_will)
                read_will(reader, ret);
        if (reader->reason == 0)
                read_credentials(reader, ret);
        if (mqtt_reader_left(reader) > 0)
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
}

/* Data without a method has no meaning (3.1.2.11.10). */
static bool authentication_is_whole(const struct mqtt_properties *properties)
{
        return !(properties->present & mqtt_property_bit(MQTT_AUTHENTICATION_DATA)) ||
               (properties->present & mqtt_property_bit(MQTT_AUTHENTICATION_METHOD));
}

int mqtt_decode_connect(const struct mqtt_frame *frame, struct mqtt_connect *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);

        *ret = (struct mqtt_connect){.properties = mqtt_properties_default};
        read_version(&reader, ret);
        if (reader.reason != 0)
                return reader.reason;
        read_flags(&reader, ret);
        ret->keep_alive_s = mqtt_read_two(&reader);
        ret->unanswered = reader.reason != 0;
        if (ret->version == MQTT_VERSION_5)
                mqtt_read_properties(&reader, MQTT_CONNECT, &ret->properties);
        if (reader.reason == 0 && !authentication_is_whole(&ret->properties))
                mqtt_reader_fail(&reader, MQTT_PROTOCOL_ERROR);
        read_payload(&reader, ret);
        return reader.reason;
}

int mqtt_decode_connack(const struct mqtt_frame *frame, enum mqtt_version version,
                        struct mqtt_connack *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);
        uint8_t flags = mqtt_read_byte(&reader);
        uint8_t code = mqtt_read_byte(&reader);

        *ret = (struct mqtt_connack){.session_present = flags & 1,
                                     .reason = (enum mqtt_reason)code,
                                     .properties = mqtt_properties_default};
        if (version == MQTT_VERSION_5)
                mqtt_read_properties(&reader, MQTT_CONNACK, &ret->properties);
        if (reader.reason != 0)
                return reader.reason;
        /* [MQTT-3.2.2-1], [MQTT-3.2.2-4] (3.1.1), [MQTT-3.2.2-6] (5.0). */
        if ((flags & ~1) || (flags && code != 0) || mqtt_reader_left(&reader) > 0)
                return MQTT_MALFORMED_PACKET;
        if (version != MQTT_VERSION_5)
                return mqtt_reason_from_connack(code, &ret->reason);
        return mqtt_reason_is_of(code, MQTT_CONNACK) ? 0 : MQTT_PROTOCOL_ERROR;
}
