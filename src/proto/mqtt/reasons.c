#include "proto/mqtt/reasons.h"

#include "base/attributes.h"

#include <string.h>

#define BIT(type) (1U << (type))

enum {
        PUB = BIT(MQTT_PUBACK) | BIT(MQTT_PUBREC),
        REL = BIT(MQTT_PUBREL) | BIT(MQTT_PUBCOMP),
        CONN = BIT(MQTT_CONNACK),
        SUB = BIT(MQTT_SUBACK),
        UNSUB = BIT(MQTT_UNSUBACK),
        DISC = BIT(MQTT_DISCONNECT),
        AUTH = BIT(MQTT_AUTH),
};

static const uint16_t packets_of[256] = {
        [MQTT_SUCCESS] = CONN | PUB | REL | SUB | UNSUB | DISC | AUTH,
        [MQTT_GRANTED_QOS_1] = SUB,
        [MQTT_GRANTED_QOS_2] = SUB,
        [MQTT_DISCONNECT_WITH_WILL] = DISC,
        [MQTT_NO_MATCHING_SUBSCRIBERS] = PUB,
        [MQTT_NO_SUBSCRIPTION_EXISTED] = UNSUB,
        [MQTT_CONTINUE_AUTHENTICATION] = AUTH,
        [MQTT_REAUTHENTICATE] = AUTH,
        [MQTT_UNSPECIFIED_ERROR] = CONN | PUB | SUB | UNSUB | DISC,
        [MQTT_MALFORMED_PACKET] = CONN | DISC,
        [MQTT_PROTOCOL_ERROR] = CONN | DISC,
        [MQTT_IMPLEMENTATION_ERROR] = CONN | PUB | SUB | UNSUB | DISC,
        [MQTT_UNSUPPORTED_VERSION] = CONN,
        [MQTT_CLIENT_ID_NOT_VALID] = CONN,
        [MQTT_BAD_CREDENTIALS] = CONN,
        [MQTT_NOT_AUTHORIZED] = CONN | PUB | SUB | UNSUB | DISC,
        [MQTT_SERVER_UNAVAILABLE] = CONN,
        [MQTT_SERVER_BUSY] = CONN | DISC,
        [MQTT_BANNED] = CONN,
        [MQTT_SERVER_SHUTTING_DOWN] = DISC,
        [MQTT_BAD_AUTHENTICATION_METHOD] = CONN | DISC,
        [MQTT_KEEP_ALIVE_TIMEOUT] = DISC,
        [MQTT_SESSION_TAKEN_OVER] = DISC,
        [MQTT_TOPIC_FILTER_INVALID] = SUB | UNSUB | DISC,
        [MQTT_TOPIC_NAME_INVALID] = CONN | PUB | DISC,
        [MQTT_PACKET_ID_IN_USE] = PUB | SUB | UNSUB,
        [MQTT_PACKET_ID_NOT_FOUND] = REL,
        [MQTT_RECEIVE_MAXIMUM_EXCEEDED] = DISC,
        [MQTT_TOPIC_ALIAS_INVALID] = DISC,
        [MQTT_PACKET_TOO_LARGE] = CONN | DISC,
        [MQTT_MESSAGE_RATE_TOO_HIGH] = DISC,
        [MQTT_QUOTA_EXCEEDED] = CONN | PUB | SUB | DISC,
        [MQTT_ADMINISTRATIVE_ACTION] = DISC,
        [MQTT_PAYLOAD_FORMAT_INVALID] = CONN | PUB | DISC,
        [MQTT_RETAIN_NOT_SUPPORTED] = CONN | DISC,
        [MQTT_QOS_NOT_SUPPORTED] = CONN | DISC,
        [MQTT_USE_ANOTHER_SERVER] = CONN | DISC,
        [MQTT_SERVER_MOVED] = CONN | DISC,
        [MQTT_SHARED_NOT_SUPPORTED] = SUB | DISC,
        [MQTT_CONNECTION_RATE_EXCEEDED] = CONN | DISC,
        [MQTT_MAXIMUM_CONNECT_TIME] = DISC,
        [MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED] = SUB | DISC,
        [MQTT_WILDCARDS_NOT_SUPPORTED] = SUB | DISC,
};

bool mqtt_reason_is_of(uint8_t reason, enum mqtt_type type)
{
        return packets_of[reason] & BIT(type);
}

static const enum mqtt_reason connack_codes[] = {
        MQTT_SUCCESS,
        MQTT_UNSUPPORTED_VERSION,
        MQTT_CLIENT_ID_NOT_VALID,
        MQTT_SERVER_UNAVAILABLE,
        MQTT_BAD_CREDENTIALS,
        MQTT_NOT_AUTHORIZED,
};

int mqtt_reason_from_connack(uint8_t code, enum mqtt_reason *ret)
{
        if (code >= ARRAY_SIZE(connack_codes))
                return MQTT_MALFORMED_PACKET;
        *ret = connack_codes[code];
        return 0;
}

uint8_t mqtt_reason_to_connack(enum mqtt_reason reason)
{
        for (size_t i = 0; i < ARRAY_SIZE(connack_codes); i++)
                if (connack_codes[i] == reason)
                        return (uint8_t)i;
        /* What 3.1.1 has no word for: who may not enter as he is, or no service now. */
        switch (reason) {
        case MQTT_BANNED:
        case MQTT_BAD_AUTHENTICATION_METHOD:
        case MQTT_QOS_NOT_SUPPORTED:
        case MQTT_RETAIN_NOT_SUPPORTED:
        case MQTT_PACKET_TOO_LARGE:
                return 5;
        default:
                return 3;
        }
}
