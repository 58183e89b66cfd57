/* proto/mqtt/decode.h - bytes to packets, strictly.
 *
 * In two steps: mqtt_frame_next() finds a packet in a stream, mqtt_decode_…()
 * reads it. What the standards call malformed is refused, each with the reason code
 * that its clause asks for; what is a protocol error of a sequence of packets is the
 * broker's to see. Pure, no allocation, no state, any thread.
 *
 * Decoders return 0 or the reason (enum mqtt_reason, 0x80 and above) as a positive
 * value; *ret is complete only after 0. Texts are well-formed UTF-8 without U+0000
 * and without surrogates ([MQTT-1.5.4-1], [MQTT-1.5.4-2]); topic names and filters
 * are checked as such (topic.h). */
#pragma once

#include "proto/mqtt/packet.h"
#include "proto/mqtt/property.h"

struct mqtt_frame {
        enum mqtt_type type;
        uint8_t flags;       /* the lower four bits of the first byte */
        const uint8_t *body; /* behind the fixed header */
        uint32_t body_length;
        size_t length; /* of the whole packet */
};

enum { MQTT_FRAME_FOUND = 1, MQTT_FRAME_NEED_MORE = 0 };
enum { MQTT_FLAG_DUPLICATE = 8 }; /* of PUBLISH; in 3.1 of PUBREL, SUBSCRIBE and UNSUBSCRIBE too */

/* The packet that begins at `bytes`. FOUND; NEED_MORE: not whole yet, and then
 * ret->length is the length of the whole when it is known, else 0; -EPROTO: no
 * such type, or flags that the type does not have ([MQTT-2.1.3-1]); -EBADMSG: no remaining
 * length, so that nobody knows where the next packet begins; -EMSGSIZE: the whole would be
 * longer than `max`, told as soon as it is known. */
int mqtt_frame_next(const uint8_t *bytes, size_t count, size_t max, struct mqtt_frame *ret);

struct mqtt_will {
        struct mqtt_text topic;
        struct mqtt_text payload; /* binary */
        uint8_t qos;
        bool retain;
        struct mqtt_properties properties;
};

struct mqtt_connect {
        enum mqtt_version version;
        bool clean_start; /* 3.1.1: clean session */
        bool bridge;      /* 3.1, 3.1.1: a broker like mosquitto, which says so by its level */
        bool unanswered;  /* refused, and 5.0 need not be told why (3.1.4) */
        bool has_will, has_user, has_password;
        uint16_t keep_alive_s;
        struct mqtt_text client_id;
        struct mqtt_will will;
        struct mqtt_text user, password;
        struct mqtt_properties properties;
};
/* MQTT_UNSUPPORTED_VERSION: ret->version is what was asked for, if it is one that has
 * a CONNACK of its own to be told so. What is wrong with who it is, or with what comes
 * before the properties, is unanswered: it helps none but those who guess. */
int mqtt_decode_connect(const struct mqtt_frame *frame, struct mqtt_connect *ret);

struct mqtt_connack {
        bool session_present;
        enum mqtt_reason reason; /* of 3.1.1: translated */
        struct mqtt_properties properties;
};
int mqtt_decode_connack(const struct mqtt_frame *frame, enum mqtt_version version,
                        struct mqtt_connack *ret);

struct mqtt_publish {
        bool duplicate, retain;
        uint8_t qos;
        uint16_t packet_id;     /* 0 with QoS 0 */
        struct mqtt_text topic; /* may be empty when there is a topic alias */
        struct mqtt_bytes payload;
        struct mqtt_properties properties;
};
int mqtt_decode_publish(const struct mqtt_frame *frame, enum mqtt_version version,
                        struct mqtt_publish *ret);

/* PUBACK, PUBREC, PUBREL, PUBCOMP. */
struct mqtt_acknowledgement {
        uint16_t packet_id;
        enum mqtt_reason reason;
        struct mqtt_properties properties;
};
int mqtt_decode_acknowledgement(const struct mqtt_frame *frame, enum mqtt_version version,
                                struct mqtt_acknowledgement *ret);

struct mqtt_subscription {
        struct mqtt_text filter;
        uint8_t qos;
        bool no_local, retain_as_published;
        uint8_t retain_handling; /* 0 send, 1 send if new, 2 do not send */
};

/* SUBSCRIBE and UNSUBSCRIBE: at least one filter, walked over one by one. */
struct mqtt_subscribe {
        uint16_t packet_id;
        size_t count; /* of filters */
        struct mqtt_properties properties;
        struct mqtt_bytes filters; /* checked */
        enum mqtt_version version;
        bool with_options; /* SUBSCRIBE */
};
int mqtt_decode_subscribe(const struct mqtt_frame *frame, enum mqtt_version version,
                          struct mqtt_subscribe *ret);
int mqtt_decode_unsubscribe(const struct mqtt_frame *frame, enum mqtt_version version,
                            struct mqtt_subscribe *ret);
/* *at begins as 0. False: no more. A filter that is not valid as such (topic.h) is
 * walked over too, since SUBACK answers each by itself. */
bool mqtt_subscription_next(const struct mqtt_subscribe *subscribe, uint32_t *at,
                            struct mqtt_subscription *ret);

/* SUBACK and UNSUBACK. */
struct mqtt_suback {
        uint16_t packet_id;
        struct mqtt_properties properties;
        struct mqtt_bytes reasons; /* one byte each; none in 3.1.1's UNSUBACK */
};
int mqtt_decode_suback(const struct mqtt_frame *frame, enum mqtt_version version,
                       struct mqtt_suback *ret);
int mqtt_decode_unsuback(const struct mqtt_frame *frame, enum mqtt_version version,
                         struct mqtt_suback *ret);

/* DISCONNECT and AUTH. */
struct mqtt_disconnect {
        enum mqtt_reason reason;
        struct mqtt_properties properties;
};
int mqtt_decode_disconnect(const struct mqtt_frame *frame, enum mqtt_version version,
                           struct mqtt_disconnect *ret);
int mqtt_decode_auth(const struct mqtt_frame *frame, enum mqtt_version version,
                     struct mqtt_disconnect *ret);

/* PINGREQ and PINGRESP: nothing behind the header. */
int mqtt_decode_ping(const struct mqtt_frame *frame);
