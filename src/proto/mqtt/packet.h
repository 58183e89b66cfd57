/* proto/mqtt/packet.h - MQTT control packets as values: 3.1.1 and 5.0.
 *
 * Sources: OASIS "MQTT Version 3.1.1" (2014) and "MQTT Version 5.0" (2019); the
 * marks [MQTT-x.y.z-n] in this room are the numbers of their normative statements.
 *
 * Everything here is a view: texts and payloads point into the bytes that were
 * decoded and live as long as those. Nothing is allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_version {
        MQTT_VERSION_31 = 3, /* "MQIsdp": as 3.1.1, but that a client has a name */
        MQTT_VERSION_311 = 4,
        MQTT_VERSION_5 = 5,
};

enum mqtt_type {
        MQTT_CONNECT = 1,
        MQTT_CONNACK,
        MQTT_PUBLISH,
        MQTT_PUBACK,
        MQTT_PUBREC,
        MQTT_PUBREL,
        MQTT_PUBCOMP,
        MQTT_SUBSCRIBE,
        MQTT_SUBACK,
        MQTT_UNSUBSCRIBE,
        MQTT_UNSUBACK,
        MQTT_PINGREQ,
        MQTT_PINGRESP,
        MQTT_DISCONNECT,
        MQTT_AUTH, /* 5.0 only */
};

enum {
        MQTT_REMAINING_MAX = 268435455, /* 2.2.3 (3.1.1), 2.1.4 (5.0) */
        MQTT_HEADER_MAX = 5,            /* bytes of a fixed header */
        MQTT_TEXT_MAX = 65535,
};

/* Bytes of a packet; not terminated. `bytes` is not NULL even when there are none. */
struct mqtt_text {
        const char *bytes;
        uint16_t length;
};

struct mqtt_bytes {
        const uint8_t *bytes;
        uint32_t length;
};

/* 5.0, 2.4. Of 3.1.1's CONNACK and SUBACK the codec translates (3.2.2.3, 3.9.3). */
enum mqtt_reason {
        MQTT_SUCCESS = 0x00, /* also: normal disconnection, granted QoS 0 */
        MQTT_GRANTED_QOS_1 = 0x01,
        MQTT_GRANTED_QOS_2 = 0x02,
        MQTT_DISCONNECT_WITH_WILL = 0x04,
        MQTT_NO_MATCHING_SUBSCRIBERS = 0x10,
        MQTT_NO_SUBSCRIPTION_EXISTED = 0x11,
        MQTT_CONTINUE_AUTHENTICATION = 0x18,
        MQTT_REAUTHENTICATE = 0x19,
        MQTT_UNSPECIFIED_ERROR = 0x80,
        MQTT_MALFORMED_PACKET = 0x81,
        MQTT_PROTOCOL_ERROR = 0x82,
        MQTT_IMPLEMENTATION_ERROR = 0x83,
        MQTT_UNSUPPORTED_VERSION = 0x84,
        MQTT_CLIENT_ID_NOT_VALID = 0x85,
        MQTT_BAD_CREDENTIALS = 0x86,
        MQTT_NOT_AUTHORIZED = 0x87,
        MQTT_SERVER_UNAVAILABLE = 0x88,
        MQTT_SERVER_BUSY = 0x89,
        MQTT_BANNED = 0x8a,
        MQTT_SERVER_SHUTTING_DOWN = 0x8b,
        MQTT_BAD_AUTHENTICATION_METHOD = 0x8c,
        MQTT_KEEP_ALIVE_TIMEOUT = 0x8d,
        MQTT_SESSION_TAKEN_OVER = 0x8e,
        MQTT_TOPIC_FILTER_INVALID = 0x8f,
        MQTT_TOPIC_NAME_INVALID = 0x90,
        MQTT_PACKET_ID_IN_USE = 0x91,
        MQTT_PACKET_ID_NOT_FOUND = 0x92,
        MQTT_RECEIVE_MAXIMUM_EXCEEDED = 0x93,
        MQTT_TOPIC_ALIAS_INVALID = 0x94,
        MQTT_PACKET_TOO_LARGE = 0x95,
        MQTT_MESSAGE_RATE_TOO_HIGH = 0x96,
        MQTT_QUOTA_EXCEEDED = 0x97,
        MQTT_ADMINISTRATIVE_ACTION = 0x98,
        MQTT_PAYLOAD_FORMAT_INVALID = 0x99,
        MQTT_RETAIN_NOT_SUPPORTED = 0x9a,
        MQTT_QOS_NOT_SUPPORTED = 0x9b,
        MQTT_USE_ANOTHER_SERVER = 0x9c,
        MQTT_SERVER_MOVED = 0x9d,
        MQTT_SHARED_NOT_SUPPORTED = 0x9e,
        MQTT_CONNECTION_RATE_EXCEEDED = 0x9f,
        MQTT_MAXIMUM_CONNECT_TIME = 0xa0,
        MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED = 0xa1,
        MQTT_WILDCARDS_NOT_SUPPORTED = 0xa2,
};
const char *mqtt_reason_name(enum mqtt_reason reason); /* "Not authorized"; never NULL */
const char *mqtt_type_name(enum mqtt_type type);       /* "PUBLISH"; never NULL */
