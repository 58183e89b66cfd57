#include "base/attributes.h"
#include "proto/mqtt/properties-decode.h"
#include "proto/mqtt/topic.h"

#include <string.h>

#define CONNECT MQTT_PROPERTIES_OF(MQTT_CONNECT)
#define CONNACK MQTT_PROPERTIES_OF(MQTT_CONNACK)
#define PUBLISH MQTT_PROPERTIES_OF(MQTT_PUBLISH)
#define SUBSCRIBE MQTT_PROPERTIES_OF(MQTT_SUBSCRIBE)
#define DISCONNECT MQTT_PROPERTIES_OF(MQTT_DISCONNECT)
#define AUTH MQTT_PROPERTIES_OF(MQTT_AUTH)
#define WILL MQTT_PROPERTIES_OF(MQTT_WILL_PROPERTIES)
#define ACKNOWLEDGEMENTS                                                                           \
        (MQTT_PROPERTIES_OF(MQTT_PUBACK) | MQTT_PROPERTIES_OF(MQTT_PUBREC) |                       \
         MQTT_PROPERTIES_OF(MQTT_PUBREL) | MQTT_PROPERTIES_OF(MQTT_PUBCOMP) |                      \
         MQTT_PROPERTIES_OF(MQTT_SUBACK) | MQTT_PROPERTIES_OF(MQTT_UNSUBACK))
#define UNSUBSCRIBE MQTT_PROPERTIES_OF(MQTT_UNSUBSCRIBE)

#define FORM(id, kind_, member, where_)                                                            \
        [id] = {.kind = (kind_),                                                                   \
                .offset = offsetof(struct mqtt_properties, member),                                \
                .where = (where_)}
#define FORM_NOT_ZERO(id, kind_, member, where_)                                                   \
        [id] = {.kind = (kind_),                                                                   \
                .offset = offsetof(struct mqtt_properties, member),                                \
                .where = (where_),                                                                 \
                .not_zero = true}

/* Table 2-4 of 5.0. */
const struct mqtt_property_form mqtt_property_forms[MQTT_PROPERTY_END] = {
        FORM(MQTT_PAYLOAD_FORMAT, MQTT_KIND_FLAG, payload_format, PUBLISH | WILL),
        FORM(MQTT_MESSAGE_EXPIRY, MQTT_KIND_FOUR, message_expiry_s, PUBLISH | WILL),
        FORM(MQTT_CONTENT_TYPE, MQTT_KIND_TEXT, content_type, PUBLISH | WILL),
        FORM(MQTT_RESPONSE_TOPIC, MQTT_KIND_TEXT, response_topic, PUBLISH | WILL),
        FORM(MQTT_CORRELATION_DATA, MQTT_KIND_BINARY, correlation_data, PUBLISH | WILL),
        FORM_NOT_ZERO(MQTT_SUBSCRIPTION_ID, MQTT_KIND_VARIABLE, subscription_id,
                      PUBLISH | SUBSCRIBE),
        FORM(MQTT_SESSION_EXPIRY, MQTT_KIND_FOUR, session_expiry_s, CONNECT | CONNACK | DISCONNECT),
        FORM(MQTT_ASSIGNED_CLIENT_ID, MQTT_KIND_TEXT, assigned_client_id, CONNACK),
        FORM(MQTT_SERVER_KEEP_ALIVE, MQTT_KIND_TWO, server_keep_alive_s, CONNACK),
        FORM(MQTT_AUTHENTICATION_METHOD, MQTT_KIND_TEXT, authentication_method,
             CONNECT | CONNACK | AUTH),
        FORM(MQTT_AUTHENTICATION_DATA, MQTT_KIND_BINARY, authentication_data,
             CONNECT | CONNACK | AUTH),
        FORM(MQTT_REQUEST_PROBLEM_INFORMATION, MQTT_KIND_FLAG, request_problem_information,
             CONNECT),
        FORM(MQTT_WILL_DELAY, MQTT_KIND_FOUR, will_delay_s, WILL),
        FORM(MQTT_REQUEST_RESPONSE_INFORMATION, MQTT_KIND_FLAG, request_response_information,
             CONNECT),
        FORM(MQTT_RESPONSE_INFORMATION, MQTT_KIND_TEXT, response_information, CONNACK),
        FORM(MQTT_SERVER_REFERENCE, MQTT_KIND_TEXT, server_reference, CONNACK | DISCONNECT),
        FORM(MQTT_REASON_STRING, MQTT_KIND_TEXT, reason_string,
             CONNACK | ACKNOWLEDGEMENTS | DISCONNECT | AUTH),
        FORM_NOT_ZERO(MQTT_RECEIVE_MAXIMUM, MQTT_KIND_TWO, receive_maximum, CONNECT | CONNACK),
        FORM(MQTT_TOPIC_ALIAS_MAXIMUM, MQTT_KIND_TWO, topic_alias_maximum, CONNECT | CONNACK),
        FORM(MQTT_TOPIC_ALIAS, MQTT_KIND_TWO, topic_alias, PUBLISH),
        FORM(MQTT_MAXIMUM_QOS, MQTT_KIND_FLAG, maximum_qos, CONNACK),
        FORM(MQTT_RETAIN_AVAILABLE, MQTT_KIND_FLAG, retain_available, CONNACK),
        [MQTT_USER_PROPERTY] = {.kind = MQTT_KIND_PAIR,
                                .where = CONNECT | CONNACK | PUBLISH | WILL | ACKNOWLEDGEMENTS |
                                         SUBSCRIBE | UNSUBSCRIBE | DISCONNECT | AUTH},
        FORM_NOT_ZERO(MQTT_MAXIMUM_PACKET_SIZE, MQTT_KIND_FOUR, maximum_packet_size,
                      CONNECT | CONNACK),
        FORM(MQTT_WILDCARDS_AVAILABLE, MQTT_KIND_FLAG, wildcards_available, CONNACK),
        FORM(MQTT_SUBSCRIPTION_IDS_AVAILABLE, MQTT_KIND_FLAG, subscription_ids_available, CONNACK),
        FORM(MQTT_SHARED_AVAILABLE, MQTT_KIND_FLAG, shared_available, CONNACK),
};

/* What each stands for when it is absent (3.1.2.11, 3.2.2.3). */
const struct mqtt_properties mqtt_properties_default = {
        .receive_maximum = 65535,
        .maximum_qos = 2,
        .request_problem_information = true,
        .retain_available = true,
        .wildcards_available = true,
        .subscription_ids_available = true,
        .shared_available = true,
};

static uint8_t read_flag(struct mqtt_reader *reader)
{
        uint8_t value = mqtt_read_byte(reader);

        if (value > 1)
                mqtt_reader_fail(reader, MQTT_PROTOCOL_ERROR);
        return value;
}

/* Takes a value into its member; the number it holds, or 1 for texts. */
static uint32_t read_value(struct mqtt_reader *reader, const struct mqtt_property_form *form,
                           void *member)
{
        uint32_t number = 1;

        switch (form->kind) {
        case MQTT_KIND_FLAG:
                number = read_flag(reader);
                *(uint8_t *)member = (uint8_t)number;
                break;
        case MQTT_KIND_TWO:
                number = mqtt_read_two(reader);
                *(uint16_t *)member = (uint16_t)number;
                break;
        case MQTT_KIND_FOUR:
                number = mqtt_read_four(reader);
                *(uint32_t *)member = number;
                break;
        case MQTT_KIND_VARIABLE:
                number = mqtt_read_variable(reader);
                *(uint32_t *)member = number;
                break;
        case MQTT_KIND_TEXT:
                *(struct mqtt_text *)member = mqtt_read_text(reader);
                break;
        case MQTT_KIND_BINARY:
                *(struct mqtt_text *)member = mqtt_read_binary(reader);
                break;
        case MQTT_KIND_PAIR:
        case MQTT_KIND_NONE:
                break;
        }
        return number;
}

static void read_pair(struct mqtt_reader *reader)
{
        (void)mqtt_read_text(reader);
        (void)mqtt_read_text(reader);
}

/* Of a PUBLISH several identifiers may come (3.3.2.3.8); the first has the member. */
static bool may_repeat(uint32_t id, unsigned type)
{
        return id == MQTT_SUBSCRIPTION_ID && type == MQTT_PUBLISH;
}

static void read_property(struct mqtt_reader *reader, unsigned type, struct mqtt_properties *ret)
{
        uint32_t id = mqtt_read_variable(reader), again;
        const struct mqtt_property_form *form;
        bool repeated;
        char *value;

        if (reader->reason != 0)
                return;
        form = id < MQTT_PROPERTY_END ? &mqtt_property_forms[id] : NULL;
        if (!form || form->kind == MQTT_KIND_NONE || !(form->where & MQTT_PROPERTIES_OF(type))) {
                mqtt_reader_fail(reader, MQTT_MALFORMED_PACKET);
                return;
        }
        repeated = ret->present & mqtt_property_bit(id);
        value = repeated ? (char *)&again : (char *)ret + form->offset;
        ret->present |= mqtt_property_bit(id);
        if (form->kind == MQTT_KIND_PAIR)
                read_pair(reader);
        else if ((repeated && !may_repeat(id, type)) ||
                 (read_value(reader, form, value) == 0 && form->not_zero))
                mqtt_reader_fail(reader, MQTT_PROTOCOL_ERROR);
}

void mqtt_read_properties(struct mqtt_reader *reader, unsigned type, struct mqtt_properties *ret)
{
        struct mqtt_reader part = mqtt_read_part(reader, mqtt_read_variable(reader));

        *ret = mqtt_properties_default;
        ret->whole = (struct mqtt_bytes){part.at, mqtt_reader_left(&part)};
        while (mqtt_reader_left(&part) > 0)
                read_property(&part, type, ret);
        if (part.reason != 0)
                mqtt_reader_fail(reader, (enum mqtt_reason)part.reason);
}

bool mqtt_response_topic_is_valid(const struct mqtt_properties *properties)
{
        return !(properties->present & mqtt_property_bit(MQTT_RESPONSE_TOPIC)) ||
               mqtt_topic_name_is_valid(properties->response_topic);
}

/* Passes over one property of checked ones. */
static void skip(struct mqtt_reader *reader, uint32_t id)
{
        union {
                uint32_t number;
                struct mqtt_text text;
        } value;

        if (mqtt_property_forms[id].kind == MQTT_KIND_PAIR)
                read_pair(reader);
        else
                (void)read_value(reader, &mqtt_property_forms[id], &value);
}

/* The next of its kind, whose value *reader stands before. */
static bool find_next(const struct mqtt_properties *properties, uint32_t *at, uint32_t wanted,
                      struct mqtt_reader *reader)
{
        *reader = mqtt_reader_of(properties->whole.bytes, properties->whole.length);
        reader->at += *at;
        while (mqtt_reader_left(reader) > 0) {
                uint32_t id = mqtt_read_variable(reader);

                if (id == wanted)
                        return true;
                skip(reader, id);
        }
        *at = properties->whole.length;
        return false;
}

bool mqtt_user_property_next(const struct mqtt_properties *properties, uint32_t *at,
                             struct mqtt_user_property *ret)
{
        struct mqtt_reader reader;

        if (!(properties->present & mqtt_property_bit(MQTT_USER_PROPERTY)) ||
            !find_next(properties, at, MQTT_USER_PROPERTY, &reader))
                return false;
        ret->name = mqtt_read_text(&reader);
        ret->value = mqtt_read_text(&reader);
        *at = (uint32_t)(reader.at - properties->whole.bytes);
        return true;
}

bool mqtt_subscription_id_next(const struct mqtt_properties *properties, uint32_t *at,
                               uint32_t *ret)
{
        struct mqtt_reader reader;

        if (!(properties->present & mqtt_property_bit(MQTT_SUBSCRIPTION_ID)) ||
            !find_next(properties, at, MQTT_SUBSCRIPTION_ID, &reader))
                return false;
        *ret = mqtt_read_variable(&reader);
        *at = (uint32_t)(reader.at - properties->whole.bytes);
        return true;
}
