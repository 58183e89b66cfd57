/* What was decoded is encoded and decoded again: it must be accepted, and encoded once more
 * it must be the same bytes. */
#include "fuzz/mqtt-packet.h"
#include "fuzz/fuzz.h"
#include "proto/mqtt/encode.h"
#include "proto/mqtt/topic.h"

#include <string.h>

enum { FILTERS_MAX = 64 };

static int encode_filters(struct buffer *out, enum mqtt_version version, enum mqtt_type type,
                          const struct mqtt_subscribe *subscribe)
{
        struct mqtt_subscription subscriptions[FILTERS_MAX];
        struct mqtt_text filters[FILTERS_MAX], share, rest;
        size_t count = 0;
        uint32_t at = 0;

        while (count < FILTERS_MAX &&
               mqtt_subscription_next(subscribe, &at, &subscriptions[count])) {
                struct mqtt_text filter = subscriptions[count].filter;

                if (mqtt_topic_filter_is_valid(filter) &&
                    !mqtt_topic_filter_split_shared(filter, &share, &rest))
                        MUST(mqtt_topic_matches(filter, filter) || filter.bytes[0] == '$' ||
                             mqtt_topic_filter_has_wildcard(filter));
                filters[count++] = filter;
        }
        MUST(count > 0 && (count == subscribe->count || count == FILTERS_MAX));
        return type == MQTT_SUBSCRIBE
                       ? mqtt_encode_subscribe(out, version, subscribe->packet_id,
                                               &subscribe->properties, subscriptions, count)
                       : mqtt_encode_unsubscribe(out, version, subscribe->packet_id,
                                                 &subscribe->properties, filters, count);
}

/* Identifiers of subscriptions may repeat in what comes in; one is written. */
static void keep_one_identifier(struct mqtt_publish *publish)
{
        uint32_t at = 0, id, first = publish->properties.subscription_id;

        while (mqtt_subscription_id_next(&publish->properties, &at, &id))
                MUST(id > 0);
        MUST(publish->properties.subscription_id == first);
}

/* Decodes a packet and encodes what it held. False: it was refused. */
static bool again(const struct mqtt_frame *frame, enum mqtt_version *version, struct buffer *out)
{
        union {
                struct mqtt_connect connect;
                struct mqtt_connack connack;
                struct mqtt_publish publish;
                struct mqtt_acknowledgement acknowledgement;
                struct mqtt_subscribe subscribe;
                struct mqtt_suback suback;
                struct mqtt_disconnect disconnect;
        } any;
        int r = 0, encoded = 0;

        switch (frame->type) {
        case MQTT_CONNECT:
                r = mqtt_decode_connect(frame, &any.connect);
                if (r == 0) {
                        *version = any.connect.version;
                        encoded = mqtt_encode_connect(out, &any.connect);
                }
                break;
        case MQTT_CONNACK:
                r = mqtt_decode_connack(frame, *version, &any.connack);
                if (r == 0)
                        encoded = mqtt_encode_connack(out, *version, &any.connack);
                break;
        case MQTT_PUBLISH:
                r = mqtt_decode_publish(frame, *version, &any.publish);
                if (r == 0) {
                        keep_one_identifier(&any.publish);
                        encoded = mqtt_encode_publish(out, *version, &any.publish);
                }
                break;
        case MQTT_PUBACK:
        case MQTT_PUBREC:
        case MQTT_PUBREL:
        case MQTT_PUBCOMP:
                r = mqtt_decode_acknowledgement(frame, *version, &any.acknowledgement);
                if (r == 0)
                        encoded = mqtt_encode_acknowledgement(out, *version, frame->type,
                                                              &any.acknowledgement);
                break;
        case MQTT_SUBSCRIBE:
        case MQTT_UNSUBSCRIBE:
                r = frame->type == MQTT_SUBSCRIBE
                            ? mqtt_decode_subscribe(frame, *version, &any.subscribe)
                            : mqtt_decode_unsubscribe(frame, *version, &any.subscribe);
                if (r == 0)
                        encoded = encode_filters(out, *version, frame->type, &any.subscribe);
                break;
        case MQTT_SUBACK:
        case MQTT_UNSUBACK:
                r = frame->type == MQTT_SUBACK ? mqtt_decode_suback(frame, *version, &any.suback)
                                               : mqtt_decode_unsuback(frame, *version, &any.suback);
                if (r == 0)
                        encoded = mqtt_encode_suback(out, *version, frame->type, &any.suback);
                break;
        case MQTT_PINGREQ:
        case MQTT_PINGRESP:
                r = mqtt_decode_ping(frame);
                if (r == 0)
                        encoded = mqtt_encode_ping(out, frame->type);
                break;
        case MQTT_DISCONNECT:
        case MQTT_AUTH:
                r = frame->type == MQTT_AUTH
                            ? mqtt_decode_auth(frame, *version, &any.disconnect)
                            : mqtt_decode_disconnect(frame, *version, &any.disconnect);
                if (r == 0)
                        encoded =
                                mqtt_encode_disconnect(out, *version, frame->type, &any.disconnect);
                break;
        }
        MUST(r == 0 || (r >= MQTT_UNSPECIFIED_ERROR && r <= 0xff));
        MUST(encoded == 0);
        return r == 0;
}

void mqtt_packet_check(const struct mqtt_frame *frame, enum mqtt_version *version)
{
        struct buffer first, second;
        struct mqtt_frame copy;

        buffer_init(&first, MQTT_PACKET_CHECK_MAX);
        buffer_init(&second, MQTT_PACKET_CHECK_MAX);
        if (again(frame, version, &first)) {
                MUST(mqtt_frame_next((const uint8_t *)buffer_data(&first), buffer_length(&first),
                                     MQTT_PACKET_CHECK_MAX, &copy) == MQTT_FRAME_FOUND);
                MUST(copy.length == buffer_length(&first));
                MUST(again(&copy, version, &second));
                MUST(buffer_length(&first) == buffer_length(&second));
                MUST(memcmp(buffer_data(&first), buffer_data(&second), buffer_length(&first)) == 0);
        }
        buffer_done(&first);
        buffer_done(&second);
}
