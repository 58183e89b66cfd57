/* PUBACK, PUBREC, PUBREL and PUBCOMP: what completes a delivery (4.3.2, 4.3.3). */
#include "mqtt/account.h"
#include "mqtt/client.h"
#include "mqtt/journal-held.h"
#include "mqtt/sender.h"
#include "proto/mqtt/encode.h"

/* Answers with the same identifier, once all that was said before is durable: whoever forgets an
 * identifier earlier takes a later message for another, or another for the same. */
static void answer(struct mqtt_client *client, enum mqtt_type type, uint16_t packet_id,
                   enum mqtt_reason reason)
{
        enum { SIZE = 5 };
        struct mqtt_acknowledgement answer = {.packet_id = packet_id, .reason = reason};

        mqtt_client_explain(client, reason, SIZE, &answer.properties);
        mqtt_client_answer(client,
                           mqtt_encode_acknowledgement(&client->broker->scratch,
                                                       (enum mqtt_version)client->version, type,
                                                       &answer),
                           mqtt_client_all(client));
}

/* The message has arrived, or never will; another may take its place. */
static void complete(struct mqtt_client *client, const struct mqtt_delivery *delivery,
                     uint16_t packet_id)
{
        mqtt_journal_done(client->session, delivery, packet_id);
        mqtt_inflight_remove(&client->session->inflight, packet_id);
        mqtt_account_tables(client->session);
        mqtt_sender_go_on(client->session);
}

static void on_puback(struct mqtt_client *client, const struct mqtt_acknowledgement *puback)
{
        struct mqtt_delivery *delivery =
                mqtt_inflight_find(&client->session->inflight, puback->packet_id);

        /* One that we don't know was for a session before this one; it does no harm. */
        if (!delivery)
                return;
        if (delivery->qos != 1)
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR);
        else
                complete(client, delivery, puback->packet_id);
}

/* From here on the message is the client's ([MQTT-4.3.3-4], [MQTT-4.3.3-5]). Of one that we
 * don't know we cannot tell a client that recovers from one that is mistaken (3.6.2.1), and
 * many take 0x92 for a message that failed: it is let go of, as in 3.1.1. */
static void on_pubrec(struct mqtt_client *client, const struct mqtt_acknowledgement *pubrec)
{
        struct mqtt_delivery *delivery =
                mqtt_inflight_find(&client->session->inflight, pubrec->packet_id);

        if (!delivery) {
                if (pubrec->reason < MQTT_UNSPECIFIED_ERROR)
                        answer(client, MQTT_PUBREL, pubrec->packet_id, MQTT_SUCCESS);
                return;
        }
        if (delivery->qos != 2) {
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR);
                return;
        }
        if (pubrec->reason >= MQTT_UNSPECIFIED_ERROR) {
                complete(client, delivery, pubrec->packet_id);
                return;
        }
        if (delivery->state != MQTT_DELIVERY_RELEASED)
                mqtt_journal_released(client->session, delivery, pubrec->packet_id);
        mqtt_delivery_done(delivery);
        delivery->state = MQTT_DELIVERY_RELEASED;
        answer(client, MQTT_PUBREL, pubrec->packet_id, MQTT_SUCCESS);
}

static void on_pubcomp(struct mqtt_client *client, const struct mqtt_acknowledgement *pubcomp)
{
        const struct mqtt_delivery *delivery =
                mqtt_inflight_find(&client->session->inflight, pubcomp->packet_id);

        if (!delivery)
                return;
        if (delivery->qos != 2 || delivery->state != MQTT_DELIVERY_RELEASED)
                mqtt_client_refuse(client, MQTT_PROTOCOL_ERROR);
        else
                complete(client, delivery, pubcomp->packet_id);
}

/* [MQTT-4.3.3-11]: the identifier may be used anew for another message; one that we don't know
 * as well, see on_pubrec(). */
static void on_pubrel(struct mqtt_client *client, const struct mqtt_acknowledgement *pubrel)
{
        if (mqtt_id_set_remove(&client->session->received, pubrel->packet_id)) {
                if (client->receiving > 0)
                        client->receiving--;
                mqtt_journal_forgotten(client->session, pubrel->packet_id);
        }
        mqtt_account_tables(client->session);
        answer(client, MQTT_PUBCOMP, pubrel->packet_id, MQTT_SUCCESS);
}

void mqtt_handle_acknowledgement(struct mqtt_client *client, const struct mqtt_frame *frame)
{
        struct mqtt_acknowledgement packet;
        int reason =
                mqtt_decode_acknowledgement(frame, (enum mqtt_version)client->version, &packet);

        if (reason != 0) {
                mqtt_client_refuse(client, (enum mqtt_reason)reason);
                return;
        }
        switch (frame->type) {
        case MQTT_PUBACK:
                on_puback(client, &packet);
                break;
        case MQTT_PUBREC:
                on_pubrec(client, &packet);
                break;
        case MQTT_PUBREL:
                on_pubrel(client, &packet);
                break;
        default:
                on_pubcomp(client, &packet);
        }
}
