#include "proto/mqtt/packet.h"

#include "base/attributes.h"

const char *mqtt_type_name(enum mqtt_type type)
{
        static const char *const names[] = {
                [MQTT_CONNECT] = "CONNECT",   [MQTT_CONNACK] = "CONNACK",
                [MQTT_PUBLISH] = "PUBLISH",   [MQTT_PUBACK] = "PUBACK",
                [MQTT_PUBREC] = "PUBREC",     [MQTT_PUBREL] = "PUBREL",
                [MQTT_PUBCOMP] = "PUBCOMP",   [MQTT_SUBSCRIBE] = "SUBSCRIBE",
                [MQTT_SUBACK] = "SUBACK",     [MQTT_UNSUBSCRIBE] = "UNSUBSCRIBE",
                [MQTT_UNSUBACK] = "UNSUBACK", [MQTT_PINGREQ] = "PINGREQ",
                [MQTT_PINGRESP] = "PINGRESP", [MQTT_DISCONNECT] = "DISCONNECT",
                [MQTT_AUTH] = "AUTH",
        };
        size_t index = (size_t)type;

        return index < ARRAY_SIZE(names) && names[index] ? names[index] : "no packet";
}

const char *mqtt_reason_name(enum mqtt_reason reason)
{
        /* Table 2-6 of 5.0. */
        static const struct {
                uint8_t reason;
                const char *name;
        } names[] = {
                {MQTT_SUCCESS, "Success"},
                {MQTT_GRANTED_QOS_1, "Granted QoS 1"},
                {MQTT_GRANTED_QOS_2, "Granted QoS 2"},
                {MQTT_DISCONNECT_WITH_WILL, "Disconnect with Will Message"},
                {MQTT_NO_MATCHING_SUBSCRIBERS, "No matching subscribers"},
                {MQTT_NO_SUBSCRIPTION_EXISTED, "No subscription existed"},
                {MQTT_CONTINUE_AUTHENTICATION, "Continue authentication"},
                {MQTT_REAUTHENTICATE, "Re-authenticate"},
                {MQTT_UNSPECIFIED_ERROR, "Unspecified error"},
                {MQTT_MALFORMED_PACKET, "Malformed Packet"},
                {MQTT_PROTOCOL_ERROR, "Protocol Error"},
                {MQTT_IMPLEMENTATION_ERROR, "Implementation specific error"},
                {MQTT_UNSUPPORTED_VERSION, "Unsupported Protocol Version"},
                {MQTT_CLIENT_ID_NOT_VALID, "Client Identifier not valid"},
                {MQTT_BAD_CREDENTIALS, "Bad User Name or Password"},
                {MQTT_NOT_AUTHORIZED, "Not authorized"},
                {MQTT_SERVER_UNAVAILABLE, "Server unavailable"},
                {MQTT_SERVER_BUSY, "Server busy"},
                {MQTT_BANNED, "Banned"},
                {MQTT_SERVER_SHUTTING_DOWN, "Server shutting down"},
                {MQTT_BAD_AUTHENTICATION_METHOD, "Bad authentication method"},
                {MQTT_KEEP_ALIVE_TIMEOUT, "Keep Alive timeout"},
                {MQTT_SESSION_TAKEN_OVER, "Session taken over"},
                {MQTT_TOPIC_FILTER_INVALID, "Topic Filter invalid"},
                {MQTT_TOPIC_NAME_INVALID, "Topic Name invalid"},
                {MQTT_PACKET_ID_IN_USE, "Packet Identifier in use"},
                {MQTT_PACKET_ID_NOT_FOUND, "Packet Identifier not found"},
                {MQTT_RECEIVE_MAXIMUM_EXCEEDED, "Receive Maximum exceeded"},
                {MQTT_TOPIC_ALIAS_INVALID, "Topic Alias invalid"},
                {MQTT_PACKET_TOO_LARGE, "Packet too large"},
                {MQTT_MESSAGE_RATE_TOO_HIGH, "Message rate too high"},
                {MQTT_QUOTA_EXCEEDED, "Quota exceeded"},
                {MQTT_ADMINISTRATIVE_ACTION, "Administrative action"},
                {MQTT_PAYLOAD_FORMAT_INVALID, "Payload format invalid"},
                {MQTT_RETAIN_NOT_SUPPORTED, "Retain not supported"},
                {MQTT_QOS_NOT_SUPPORTED, "QoS not supported"},
                {MQTT_USE_ANOTHER_SERVER, "Use another server"},
                {MQTT_SERVER_MOVED, "Server moved"},
                {MQTT_SHARED_NOT_SUPPORTED, "Shared Subscriptions not supported"},
                {MQTT_CONNECTION_RATE_EXCEEDED, "Connection rate exceeded"},
                {MQTT_MAXIMUM_CONNECT_TIME, "Maximum connect time"},
                {MQTT_SUBSCRIPTION_IDS_NOT_SUPPORTED, "Subscription Identifiers not supported"},
                {MQTT_WILDCARDS_NOT_SUPPORTED, "Wildcard Subscriptions not supported"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (names[i].reason == reason)
                        return names[i].name;
        return "unknown reason";
}
