/* bench/mqtt/wire.h - as much of MQTT 3.1.1 and 5.0 as a load generator speaks.
 *
 * A codec of its own: what measures must not rest on what is measured. It checks lengths,
 * and otherwise trusts the broker. Pure, no allocation. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type {
        WIRE_CONNECT = 1,
        WIRE_CONNACK,
        WIRE_PUBLISH,
        WIRE_PUBACK,
        WIRE_PUBREC,
        WIRE_PUBREL,
        WIRE_PUBCOMP,
        WIRE_SUBSCRIBE,
        WIRE_SUBACK,
        WIRE_PINGRESP = 13,
        WIRE_DISCONNECT = 14,
};

enum { WIRE_ACKNOWLEDGEMENT = 4, WIRE_PACKET_MAX = 128 * 1024 };

struct wire_text {
        const uint8_t *bytes;
        size_t length;
};
struct wire_text wire_text_of(const char *text);

struct wire_packet {
        enum wire_type type;
        uint8_t flags;
        struct wire_text body;
        size_t length; /* of all */
};

/* The packet that begins at `bytes`. 1; 0: not whole yet; -EPROTO: no such length, or one
 * over WIRE_PACKET_MAX. */
int wire_next(const uint8_t *bytes, size_t count, struct wire_packet *ret);

/* The identifier at the front of an acknowledgement or a SUBACK; -EPROTO: there is none. */
int wire_read_id(const struct wire_packet *packet, uint16_t *ret);

struct wire_publish {
        uint8_t qos;
        bool retain;
        uint16_t id; /* with QoS 1 and 2 */
        struct wire_text topic, payload;
        struct wire_text response_topic, correlation; /* 5.0; empty: not there */
};
/* `version_5`: of the connection. Other properties are passed over where their length is
 * fixed or told. -EPROTO. */
int wire_read_publish(const struct wire_packet *packet, bool version_5, struct wire_publish *ret);

/* Writers return the length, or -ENOBUFS: it does not fit into `room`. */
struct wire_connect {
        bool version_5;
        bool lasting; /* the session outlives the connection, for good */
        struct wire_text client_id;
        uint16_t keep_alive_s;
};
int wire_write_connect(uint8_t *at, size_t room, const struct wire_connect *connect);
int wire_write_subscribe(uint8_t *at, size_t room, bool version_5, uint16_t id,
                         const struct wire_text filters[], size_t count, uint8_t qos);
int wire_write_publish(uint8_t *at, size_t room, bool version_5,
                       const struct wire_publish *publish);
/* PUBACK, PUBREC, PUBREL, PUBCOMP: WIRE_ACKNOWLEDGEMENT bytes in both versions. */
void wire_write_acknowledgement(uint8_t at[static WIRE_ACKNOWLEDGEMENT], enum wire_type type,
                                uint16_t id);
