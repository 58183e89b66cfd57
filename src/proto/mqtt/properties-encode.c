#include "proto/mqtt/properties-encode.h"

#include "base/attributes.h"
#include "proto/mqtt/properties-decode.h"
#include "proto/mqtt/writer.h"

/* The order means nothing (2.2.2.2). That of CONNACK is mosquitto's, so that those who compare
 * its bytes find them here. */
static const uint8_t order[] = {
        MQTT_PAYLOAD_FORMAT,
        MQTT_MESSAGE_EXPIRY,
        MQTT_CONTENT_TYPE,
        MQTT_RESPONSE_TOPIC,
        MQTT_CORRELATION_DATA,
        MQTT_SUBSCRIPTION_ID,
        MQTT_SESSION_EXPIRY,
        MQTT_SERVER_KEEP_ALIVE,
        MQTT_TOPIC_ALIAS_MAXIMUM,
        MQTT_ASSIGNED_CLIENT_ID,
        MQTT_AUTHENTICATION_METHOD,
        MQTT_AUTHENTICATION_DATA,
        MQTT_REQUEST_PROBLEM_INFORMATION,
        MQTT_WILL_DELAY,
        MQTT_REQUEST_RESPONSE_INFORMATION,
        MQTT_RESPONSE_INFORMATION,
        MQTT_SERVER_REFERENCE,
        MQTT_REASON_STRING,
        MQTT_TOPIC_ALIAS,
        MQTT_RETAIN_AVAILABLE,
        MQTT_MAXIMUM_PACKET_SIZE,
        MQTT_RECEIVE_MAXIMUM,
        MQTT_MAXIMUM_QOS,
        MQTT_WILDCARDS_AVAILABLE,
        MQTT_SUBSCRIPTION_IDS_AVAILABLE,
        MQTT_SHARED_AVAILABLE,
};

static const void *member_of(const struct mqtt_properties *properties, unsigned id)
{
        return (const char *)properties + mqtt_property_forms[id].offset;
}

static bool is_there(const struct mqtt_properties *properties, unsigned id)
{
        return properties->present & mqtt_property_bit((enum mqtt_property)id);
}

/* Of those that come once, its number before it; they are all below 128. */
static uint32_t size_of(const struct mqtt_properties *properties, unsigned id)
{
        const void *member = member_of(properties, id);

        switch (mqtt_property_forms[id].kind) {
        case MQTT_KIND_FLAG:
                return 1 + 1;
        case MQTT_KIND_TWO:
                return 1 + 2;
        case MQTT_KIND_FOUR:
                return 1 + 4;
        case MQTT_KIND_VARIABLE:
                return 1 + mqtt_variable_size(*(const uint32_t *)member);
        case MQTT_KIND_TEXT:
        case MQTT_KIND_BINARY:
                return 1 + 2 + (uint32_t)((const struct mqtt_text *)member)->length;
        case MQTT_KIND_PAIR:
        case MQTT_KIND_NONE:
                break;
        }
        return 0;
}

static uint8_t *put(uint8_t *at, const struct mqtt_properties *properties, unsigned id)
{
        const void *member = member_of(properties, id);

        at = mqtt_put_byte(at, (uint8_t)id);
        switch (mqtt_property_forms[id].kind) {
        case MQTT_KIND_FLAG:
                return mqtt_put_byte(at, *(const uint8_t *)member);
        case MQTT_KIND_TWO:
                return mqtt_put_two(at, *(const uint16_t *)member);
        case MQTT_KIND_FOUR:
                return mqtt_put_four(at, *(const uint32_t *)member);
        case MQTT_KIND_VARIABLE:
                return mqtt_put_variable(at, *(const uint32_t *)member);
        case MQTT_KIND_TEXT:
        case MQTT_KIND_BINARY:
                return mqtt_put_text(at, *(const struct mqtt_text *)member);
        case MQTT_KIND_PAIR:
        case MQTT_KIND_NONE:
                break;
        }
        return at;
}

uint32_t mqtt_properties_size(const struct mqtt_properties *properties)
{
        struct mqtt_user_property user;
        uint32_t size = 0, at = 0;

        if (!properties || properties->present == 0)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(order); i++)
                if (is_there(properties, order[i]))
                        size += size_of(properties, order[i]);
        /* These are written from the bytes they came in, not from a member. */
        while (mqtt_user_property_next(properties, &at, &user))
                size += 1 + 2 + 2 + (uint32_t)user.name.length + user.value.length;
        return size;
}

uint64_t mqtt_properties_size_with_length(const struct mqtt_properties *properties)
{
        uint32_t size = mqtt_properties_size(properties);

        return (uint64_t)mqtt_variable_size(size) + size;
}

uint8_t *mqtt_put_properties(uint8_t *at, const struct mqtt_properties *properties)
{
        struct mqtt_user_property user;
        uint32_t user_at = 0;

        at = mqtt_put_variable(at, mqtt_properties_size(properties));
        if (!properties || properties->present == 0)
                return at;
        for (size_t i = 0; i < ARRAY_SIZE(order); i++)
                if (is_there(properties, order[i]))
                        at = put(at, properties, order[i]);
        while (mqtt_user_property_next(properties, &user_at, &user)) {
                at = mqtt_put_byte(at, MQTT_USER_PROPERTY);
                at = mqtt_put_text(mqtt_put_text(at, user.name), user.value);
        }
        return at;
}
