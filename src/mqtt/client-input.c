/* What comes of a client: packets are found in the bytes, in place, and handed to what each of
 * them does, as long as it may be listened to. */
#include "mqtt/client.h"
#include "mqtt/journal-held.h"
#include "mqtt/route.h"
#include "proto/mqtt/encode.h"

#include <errno.h>

static bool is_heard(const struct mqtt_client *client)
{
        return client->state <= MQTT_CLIENT_CONNECTED && !client->stalled && !client->throttled &&
               !client->waiting;
}

void mqtt_client_hear(struct mqtt_client *client)
{
        if (client->state != MQTT_CLIENT_CONNECTED || !is_heard(client))
                return;
        client->heard_ms = loop_now_ms(client->broker->loop);
        net_stream_resume(client->stream);
}

static void handle_auth(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        struct mqtt_disconnect auth;
        int reason = mqtt_decode_auth(frame, (enum mqtt_version)client->version, &auth);

        /* No client got in by a method, so none may go on with one ([MQTT-4.12.0-7],
         * [MQTT-4.12.1-1]). */
        mqtt_client_refuse(client, reason != 0 ? (enum mqtt_reason)reason : MQTT_PROTOCOL_ERROR);
}

/* What came is not MQTT, and so nobody is there who would read why. */
static void hang_up(struct mqtt_client *client)
{
        client->broker->counters[MQTT_COUNT_PROTOCOL_ERRORS]++;
        mqtt_client_end(client, MQTT_MALFORMED_PACKET, -EPROTO, true);
}

static void handle_ping(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        static const char response[] = {(char)(MQTT_PINGRESP << 4), 0};

        if (mqtt_decode_ping(frame) != 0)
                hang_up(client);
        else if (frame->type == MQTT_PINGRESP)
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR);
        else
                mqtt_client_send(client, response, sizeof(response)); /* [MQTT-3.12.4-1] */
}

static void handle(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        if (client->state == MQTT_CLIENT_CONNECTING && frame->type != MQTT_CONNECT) {
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR); /* [MQTT-3.1.0-1] */
                return;
        }
        if (frame->type == MQTT_PUBLISH) {
                mqtt_handle_publish(client, frame);
                return;
        }
        if (frame->flags & MQTT_FLAG_DUPLICATE && client->version != MQTT_VERSION_31) {
                mqtt_client_refuse(client, MQTT_MALFORMED_PACKET); /* [MQTT-2.1.3-1] */
                return;
        }
        switch (frame->type) {
        case MQTT_PUBACK:
        case MQTT_PUBREC:
        case MQTT_PUBREL:
        case MQTT_PUBCOMP:
                mqtt_handle_acknowledgement(client, frame);
                break;
        case MQTT_PINGREQ:
        case MQTT_PINGRESP:
                handle_ping(client, frame);
                break;
        case MQTT_SUBSCRIBE:
                mqtt_handle_subscribe(client, frame);
                break;
        case MQTT_UNSUBSCRIBE:
                mqtt_handle_unsubscribe(client, frame);
                break;
        case MQTT_CONNECT:
                mqtt_handle_connect(client, frame);
                break;
        case MQTT_DISCONNECT:
                mqtt_handle_disconnect(client, frame);
                break;
        case MQTT_AUTH:
                handle_auth(client, frame);
                break;
        default: /* what only a server sends */
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR);
        }
}

static void refuse_frame(struct mqtt_client *client, enum mqtt_type type, int error)
{
        if (error == -EBADMSG)
                hang_up(client);
        else if (error == -EMSGSIZE)
                mqtt_client_refuse(client, MQTT_PACKET_TOO_LARGE);
        else if (type < MQTT_CONNECT || type == MQTT_CONNACK)
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR); /* whatever its flags are */
        else
                mqtt_client_refuse(client, MQTT_MALFORMED_PACKET);
}

/* Who nobody knows yet makes us hold less. */
static uint32_t packet_max(const struct mqtt_client *client)
{
        uint32_t first = client->broker->limits.connect_bytes, most = client->terms->packet_bytes;

        return client->state == MQTT_CLIENT_CONNECTING && first < most ? first : most;
}

/* Who has routed its share, or does not read our answers, lets others go first. */
static bool has_done_enough(struct mqtt_client *client)
{
        struct mqtt_broker *broker = client->broker;

        if (client->state == MQTT_CLIENT_CONNECTED && net_stream_is_congested(client->stream)) {
                client->stalled = true;
                net_stream_pause(client->stream);
                mqtt_client_watch(client);
                return true;
        }
        return mqtt_held_is_enough(client) || mqtt_route_is_enough(broker);
}

static void count_packet(struct mqtt_broker *broker, size_t bytes)
{
        broker->counters[MQTT_COUNT_PACKETS_RECEIVED]++;
        broker->counters[MQTT_COUNT_BYTES_RECEIVED] += bytes;
}

size_t mqtt_client_on_bytes(void *owner, const char *bytes, size_t count)
{
        struct mqtt_client *client = owner;
        struct mqtt_frame frame;
        size_t at = 0;
        int r;

        while (is_heard(client)) {
                r = mqtt_frame_next((const uint8_t *)bytes + at, count - at, packet_max(client),
                                    &frame);
                if (r == MQTT_FRAME_NEED_MORE)
                        break;
                if (r < 0) {
                        refuse_frame(client, frame.type, r);
                        break;
                }
                if (client->more && client->more->meter &&
                    !mqtt_meter_lets(client->more->meter, &frame))
                        break;
                /* Before it, the time counts from the connection's beginning. */
                if (client->state == MQTT_CLIENT_CONNECTED)
                        client->heard_ms = loop_now_ms(client->broker->loop);
                handle(client, &frame);
                /* The CONNECT stays in the stream, and comes again with the answer. */
                if (mqtt_question_is_open(client->question))
                        break;
                at += frame.length;
                count_packet(client->broker, frame.length);
                if (has_done_enough(client)) {
                        if (at < count && is_heard(client))
                                net_stream_again(client->stream);
                        break;
                }
        }
        /* What comes after the end is nobody's. */
        return client->state > MQTT_CLIENT_CONNECTED ? count : at;
}
