/* proto/mqtt/property.h - the properties of MQTT 5.0, 2.2.2.
 *
 * Those that may come once are members, with a bit in `present`; user properties
 * and a PUBLISH's subscription identifiers may repeat, and are walked over in the
 * bytes as they came. All of it was checked when it was decoded. */
#pragma once

#include "proto/mqtt/packet.h"

enum mqtt_property {
        MQTT_PAYLOAD_FORMAT = 1,
        MQTT_MESSAGE_EXPIRY = 2,
        MQTT_CONTENT_TYPE = 3,
        MQTT_RESPONSE_TOPIC = 8,
        MQTT_CORRELATION_DATA = 9,
        MQTT_SUBSCRIPTION_ID = 11,
        MQTT_SESSION_EXPIRY = 17,
        MQTT_ASSIGNED_CLIENT_ID = 18,
        MQTT_SERVER_KEEP_ALIVE = 19,
        MQTT_AUTHENTICATION_METHOD = 21,
        MQTT_AUTHENTICATION_DATA = 22,
        MQTT_REQUEST_PROBLEM_INFORMATION = 23,
        MQTT_WILL_DELAY = 24,
        MQTT_REQUEST_RESPONSE_INFORMATION = 25,
        MQTT_RESPONSE_INFORMATION = 26,
        MQTT_SERVER_REFERENCE = 28,
        MQTT_REASON_STRING = 31,
        MQTT_RECEIVE_MAXIMUM = 33,
        MQTT_TOPIC_ALIAS_MAXIMUM = 34,
        MQTT_TOPIC_ALIAS = 35,
        MQTT_MAXIMUM_QOS = 36,
        MQTT_RETAIN_AVAILABLE = 37,
        MQTT_USER_PROPERTY = 38,
        MQTT_MAXIMUM_PACKET_SIZE = 39,
        MQTT_WILDCARDS_AVAILABLE = 40,
        MQTT_SUBSCRIPTION_IDS_AVAILABLE = 41,
        MQTT_SHARED_AVAILABLE = 42,
        MQTT_PROPERTY_END,
};

/* A property is there: `properties.present & mqtt_property_bit(...)`. */
static inline uint64_t mqtt_property_bit(enum mqtt_property property)
{
        return UINT64_C(1) << property;
}

struct mqtt_properties {
        uint64_t present;
        struct mqtt_bytes whole; /* as they came, without their length */
        uint32_t message_expiry_s, session_expiry_s, will_delay_s, maximum_packet_size;
        uint32_t subscription_id; /* the first; more may follow in a PUBLISH */
        uint16_t server_keep_alive_s, receive_maximum, topic_alias_maximum, topic_alias;
        uint8_t payload_format, maximum_qos;
        bool request_problem_information, request_response_information;
        bool retain_available, wildcards_available, subscription_ids_available, shared_available;
        struct mqtt_text content_type, response_topic, correlation_data, assigned_client_id;
        struct mqtt_text authentication_method, authentication_data, response_information;
        struct mqtt_text server_reference, reason_string;
};

struct mqtt_user_property {
        struct mqtt_text name, value;
};

/* Walks over what may repeat; *at begins as 0. False: no more. */
bool mqtt_user_property_next(const struct mqtt_properties *properties, uint32_t *at,
                             struct mqtt_user_property *ret);
bool mqtt_subscription_id_next(const struct mqtt_properties *properties, uint32_t *at,
                               uint32_t *ret);
