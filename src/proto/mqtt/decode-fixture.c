#include "proto/mqtt/decode-fixture.h"

#include "support/test.h"

#include <stdlib.h>

static unsigned digit_of(char digit)
{
        return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a') + 10;
}

struct packet packet_of(const char *hex)
{
        struct packet packet = {malloc(strlen(hex) / 2 + 1), 0};

        CHECK(packet.bytes != NULL);
        for (; *hex; hex++) {
                if (*hex == ' ')
                        continue;
                packet.bytes[packet.length++] = (uint8_t)(digit_of(hex[0]) << 4 | digit_of(hex[1]));
                hex++;
        }
        packet.bytes = realloc(packet.bytes, packet.length > 0 ? packet.length : 1);
        return packet;
}

union any_packet {
        struct mqtt_connect connect;
        struct mqtt_connack connack;
        struct mqtt_publish publish;
        struct mqtt_acknowledgement acknowledgement;
        struct mqtt_subscribe subscribe;
        struct mqtt_suback suback;
        struct mqtt_disconnect disconnect;
};

static int decode(const struct mqtt_frame *frame, enum mqtt_version version, union any_packet *ret)
{
        switch (frame->type) {
        case MQTT_CONNECT:
                return mqtt_decode_connect(frame, &ret->connect);
        case MQTT_CONNACK:
                return mqtt_decode_connack(frame, version, &ret->connack);
        case MQTT_PUBLISH:
                return mqtt_decode_publish(frame, version, &ret->publish);
        case MQTT_PUBACK:
        case MQTT_PUBREC:
        case MQTT_PUBREL:
        case MQTT_PUBCOMP:
                return mqtt_decode_acknowledgement(frame, version, &ret->acknowledgement);
        case MQTT_SUBSCRIBE:
                return mqtt_decode_subscribe(frame, version, &ret->subscribe);
        case MQTT_SUBACK:
                return mqtt_decode_suback(frame, version, &ret->suback);
        case MQTT_UNSUBSCRIBE:
                return mqtt_decode_unsubscribe(frame, version, &ret->subscribe);
        case MQTT_UNSUBACK:
                return mqtt_decode_unsuback(frame, version, &ret->suback);
        case MQTT_PINGREQ:
        case MQTT_PINGRESP:
                return mqtt_decode_ping(frame);
        case MQTT_DISCONNECT:
                return mqtt_decode_disconnect(frame, version, &ret->disconnect);
        case MQTT_AUTH:
                return mqtt_decode_auth(frame, version, &ret->disconnect);
        }
        FAIL("no such type: %d", frame->type);
        return 0;
}

int packet_judge(const char *hex, enum mqtt_version version)
{
        struct packet packet = packet_of(hex);
        struct mqtt_frame frame;
        union any_packet any;
        int r = mqtt_frame_next(packet.bytes, packet.length, SIZE_MAX, &frame);

        if (r == MQTT_FRAME_FOUND && frame.length == packet.length)
                r = decode(&frame, version, &any);
        else
                r = PACKET_NONE;
        free(packet.bytes);
        return r;
}
