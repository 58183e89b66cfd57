#include "proto/mqtt/decode.h"

#include <errno.h>

/* 2.2.2 of 3.1.1, 2.1.3 of 5.0. A PUBLISH's flags are its decoder's. In 3.1 three more may
 * come as duplicates; whoever speaks another version refuses those. */
static bool flags_are_good(uint8_t type, uint8_t flags)
{
        switch (type) {
        case MQTT_PUBLISH:
                return true;
        case MQTT_PUBREL:
        case MQTT_SUBSCRIBE:
        case MQTT_UNSUBSCRIBE:
                return (flags & ~MQTT_FLAG_DUPLICATE) == 2;
        default:
                return flags == 0;
        }
}

int mqtt_frame_next(const uint8_t *bytes, size_t count, size_t max, struct mqtt_frame *ret)
{
        uint32_t remaining = 0;
        size_t header = 1;
        uint8_t byte;

        *ret = (struct mqtt_frame){0};
        if (count == 0)
                return MQTT_FRAME_NEED_MORE;
        ret->type = (enum mqtt_type)(bytes[0] >> 4);
        ret->flags = bytes[0] & 0x0f;
        if (bytes[0] < MQTT_CONNECT << 4 || !flags_are_good(bytes[0] >> 4, ret->flags))
                return -EPROTO;
        do {
                if (header == count)
                        return MQTT_FRAME_NEED_MORE;
                if (header == MQTT_HEADER_MAX)
                        return -EBADMSG;
                byte = bytes[header];
                remaining |= (uint32_t)(byte & 0x7f) << (7 * (header - 1));
                header++;
        } while (byte & 0x80);
        /* The shortest form only ([MQTT-1.5.5-1]). */
        if (byte == 0 && header > 2)
                return -EBADMSG;
        ret->length = header + remaining;
        if (ret->length > max)
                return -EMSGSIZE;
        if (ret->length > count)
                return MQTT_FRAME_NEED_MORE;
        ret->body = bytes + header;
        ret->body_length = remaining;
        return MQTT_FRAME_FOUND;
}
