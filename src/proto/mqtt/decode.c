#include "proto/mqtt/decode.h"

#include "proto/mqtt/properties-decode.h"
#include "proto/mqtt/reader.h"
#include "proto/mqtt/reasons.h"
#include "proto/mqtt/topic.h"

/* [MQTT-2.2.1-3], [MQTT-2.2.1-4]; of 3.1.1 [MQTT-2.3.1-1]: never 0. */
static uint16_t read_packet_id(struct mqtt_reader *reader, enum mqtt_reason otherwise)
{
        uint16_t id = mqtt_read_two(reader);

        if (id == 0)
                mqtt_reader_fail(reader, otherwise);
        return id;
}

/* 3.3.2.1: a name, or an alias in its place. */
static int check_topic(const struct mqtt_publish *publish)
{
        bool has_alias = publish->properties.present & mqtt_property_bit(MQTT_TOPIC_ALIAS);

        if (has_alias && publish->properties.topic_alias == 0)
                return MQTT_TOPIC_ALIAS_INVALID; /* [MQTT-3.3.2-8] */
        if (publish->topic.length == 0 && !has_alias)
                return MQTT_PROTOCOL_ERROR;
        if (publish->topic.length > 0 && !mqtt_topic_name_is_valid(publish->topic))
                return MQTT_MALFORMED_PACKET; /* [MQTT-3.3.2-2] */
        /* [MQTT-3.3.2-14]. */
        return mqtt_response_topic_is_valid(&publish->properties) ? 0 : MQTT_PROTOCOL_ERROR;
}

int mqtt_decode_publish(const struct mqtt_frame *frame, enum mqtt_version version,
                        struct mqtt_publish *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);

        *ret = (struct mqtt_publish){
                .duplicate = frame->flags & 8,
                .qos = (frame->flags >> 1) & 3,
                .retain = frame->flags & 1,
        };
        /* [MQTT-3.3.1-4], [MQTT-3.3.1-2]. */
        if (ret->qos > 2 || (ret->qos == 0 && ret->duplicate))
                return MQTT_MALFORMED_PACKET;
        ret->topic = mqtt_read_name(&reader);
        if (ret->qos > 0)
                ret->packet_id = read_packet_id(&reader, MQTT_PROTOCOL_ERROR);
        if (version == MQTT_VERSION_5)
                mqtt_read_properties(&reader, MQTT_PUBLISH, &ret->properties);
        if (reader.reason != 0)
                return reader.reason;
        ret->payload = (struct mqtt_bytes){reader.at, mqtt_reader_left(&reader)};
        return check_topic(ret);
}

/* Behind what every version has: nothing in 3.1.1; in 5.0 nothing, a reason, or a
 * reason and properties (3.4.2.1, 3.14.2.1). */
static uint8_t read_reason(struct mqtt_reader *reader, enum mqtt_type type,
                           enum mqtt_version version, struct mqtt_properties *properties)
{
        uint8_t reason = MQTT_SUCCESS;

        *properties = mqtt_properties_default;
        if (version == MQTT_VERSION_5 && mqtt_reader_left(reader) > 0) {
                reason = mqtt_read_byte(reader);
                /* It can be read, and is not allowed: 1.2, "Protocol Error". */
                if (!mqtt_reason_is_of(reason, type))
                        mqtt_reader_fail(reader, MQTT_PROTOCOL_ERROR);
                if (mqtt_reader_left(reader) > 0)
                        mqtt_read_properties(reader, type, properties);
        }
        if (mqtt_reader_left(reader) > 0)
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        return reason;
}

int mqtt_decode_acknowledgement(const struct mqtt_frame *frame, enum mqtt_version version,
                                struct mqtt_acknowledgement *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);

        ret->packet_id = read_packet_id(&reader, MQTT_PROTOCOL_ERROR);
        ret->reason =
                (enum mqtt_reason)read_reason(&reader, frame->type, version, &ret->properties);
        return reader.reason;
}

int mqtt_decode_disconnect(const struct mqtt_frame *frame, enum mqtt_version version,
                           struct mqtt_disconnect *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);

        ret->reason =
                (enum mqtt_reason)read_reason(&reader, MQTT_DISCONNECT, version, &ret->properties);
        return reader.reason;
}

int mqtt_decode_auth(const struct mqtt_frame *frame, enum mqtt_version version,
                     struct mqtt_disconnect *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);

        if (version != MQTT_VERSION_5)
                return MQTT_PROTOCOL_ERROR;
        ret->reason = (enum mqtt_reason)read_reason(&reader, MQTT_AUTH, version, &ret->properties);
        if (reader.reason == 0 && frame->body_length > 0 &&
            !(ret->properties.present & mqtt_property_bit(MQTT_AUTHENTICATION_METHOD)))
                return MQTT_PROTOCOL_ERROR; /* 3.15.2.2.2 */
        return reader.reason;
}

int mqtt_decode_ping(const struct mqtt_frame *frame)
{
        return frame->body_length == 0 ? 0 : MQTT_MALFORMED_PACKET;
}

static void read_options(struct mqtt_reader *reader, enum mqtt_version version,
                         struct mqtt_subscription *ret)
{
        uint8_t options = mqtt_read_byte(reader);
        struct mqtt_text share, rest;

        ret->qos = options & 3;
        ret->no_local = options & 4;
        ret->retain_as_published = options & 8;
        ret->retain_handling = options >> 4 & 3;
        /* [MQTT-3.8.3-5]; of 3.1.1 [MQTT-3.8.3-4]. */
        if (ret->qos > 2 || (options & 0xc0) || (version != MQTT_VERSION_5 && (options & 0xfc)))
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        /* 3.8.3.1, and [MQTT-3.8.3-4]. */
        if (ret->retain_handling > 2 ||
            (ret->no_local && mqtt_topic_filter_split_shared(ret->filter, &share, &rest)))
                mqtt_reader_fail(reader, MQTT_PROTOCOL_ERROR);
}

static bool has_good_depth(struct mqtt_text filter)
{
        struct mqtt_text share, rest;

        return mqtt_topic_has_good_depth(
                mqtt_topic_filter_split_shared(filter, &share, &rest) ? rest : filter);
}

static void read_filter(struct mqtt_reader *reader, const struct mqtt_subscribe *subscribe,
                        struct mqtt_subscription *ret)
{
        *ret = (struct mqtt_subscription){.filter = mqtt_read_name(reader)};
        /* [MQTT-4.7.3-1]; and who names thousands of levels is not worth an answer each. */
        if (ret->filter.length == 0 || !has_good_depth(ret->filter))
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
        /* 3.1.1 has no reason for a filter that is none: a violation ([MQTT-4.8.0-1]). */
        if (subscribe->version != MQTT_VERSION_5 && !mqtt_topic_filter_is_well_formed(ret->filter))
                mqtt_reader_fail(reader, MQTT_TOPIC_FILTER_INVALID);
        if (subscribe->with_options)
                read_options(reader, subscribe->version, ret);
}

static int decode_filters(const struct mqtt_frame *frame, enum mqtt_version version,
                          bool with_options, struct mqtt_subscribe *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);
        struct mqtt_subscription subscription;

        *ret = (struct mqtt_subscribe){.version = version,
                                       .with_options = with_options,
                                       .properties = mqtt_properties_default};
        ret->packet_id = read_packet_id(&reader, MQTT_MALFORMED_PACKET);
        if (version == MQTT_VERSION_5)
                mqtt_read_properties(&reader, frame->type, &ret->properties);
        ret->filters = (struct mqtt_bytes){reader.at, mqtt_reader_left(&reader)};
        for (; mqtt_reader_left(&reader) > 0; ret->count++)
                read_filter(&reader, ret, &subscription);
        /* [MQTT-3.8.3-2], [MQTT-3.10.3-2]; of 3.1.1 [MQTT-3.8.3-3], [MQTT-3.10.3-2]. */
        if (ret->count == 0)
                mqtt_reader_fail(&reader, MQTT_PROTOCOL_ERROR);
        return reader.reason;
}

int mqtt_decode_subscribe(const struct mqtt_frame *frame, enum mqtt_version version,
                          struct mqtt_subscribe *ret)
{
        return decode_filters(frame, version, true, ret);
}

int mqtt_decode_unsubscribe(const struct mqtt_frame *frame, enum mqtt_version version,
                            struct mqtt_subscribe *ret)
{
        return decode_filters(frame, version, false, ret);
}

bool mqtt_subscription_next(const struct mqtt_subscribe *subscribe, uint32_t *at,
                            struct mqtt_subscription *ret)
{
        struct mqtt_reader reader =
                mqtt_reader_of(subscribe->filters.bytes, subscribe->filters.length);

        reader.at += *at;
        if (mqtt_reader_left(&reader) == 0)
                return false;
        read_filter(&reader, subscribe, ret);
        *at = (uint32_t)(reader.at - subscribe->filters.bytes);
        return true;
}

/* A reason for each filter, [MQTT-3.8.4-6], [MQTT-3.11.3-1]. */
static int check_reasons(const struct mqtt_suback *suback, enum mqtt_type type,
                         enum mqtt_version version)
{
        for (uint32_t i = 0; i < suback->reasons.length; i++) {
                uint8_t reason = suback->reasons.bytes[i];
                bool good = version == MQTT_VERSION_5
                                    ? mqtt_reason_is_of(reason, type)
                                    : reason <= 2 || reason == MQTT_UNSPECIFIED_ERROR;

                if (!good)
                        return MQTT_PROTOCOL_ERROR; /* of 3.1.1 [MQTT-3.9.3-2] */
        }
        return 0;
}

static int decode_reasons(const struct mqtt_frame *frame, enum mqtt_version version,
                          struct mqtt_suback *ret)
{
        struct mqtt_reader reader = mqtt_reader_of(frame->body, frame->body_length);
        bool has_reasons = frame->type == MQTT_SUBACK || version == MQTT_VERSION_5;

        ret->properties = mqtt_properties_default;
        ret->packet_id = read_packet_id(&reader, MQTT_PROTOCOL_ERROR);
        if (version == MQTT_VERSION_5)
                mqtt_read_properties(&reader, frame->type, &ret->properties);
        ret->reasons = (struct mqtt_bytes){reader.at, mqtt_reader_left(&reader)};
        if (reader.reason != 0)
                return reader.reason;
        if (has_reasons != (ret->reasons.length > 0))
                return MQTT_MALFORMED_PACKET;
        return check_reasons(ret, frame->type, version);
}

int mqtt_decode_suback(const struct mqtt_frame *frame, enum mqtt_version version,
                       struct mqtt_suback *ret)
{
        return decode_reasons(frame, version, ret);
}

int mqtt_decode_unsuback(const struct mqtt_frame *frame, enum mqtt_version version,
                         struct mqtt_suback *ret)
{
        return decode_reasons(frame, version, ret);
}
