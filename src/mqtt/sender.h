/* mqtt/sender.h - messages from a session to its client: at once, or when the client's
 * window and its connection allow. Inside of mqtt/ only.
 *
 * QoS 0 goes out at once or is dropped and counted, but that limits.queue_qos_0 lets it wait for
 * who is away; QoS 1 and 2 wait in the session's queue
 * while its receive maximum is reached ([MQTT-3.3.4-9]), while its connection is congested,
 * or while it is away. So messages of one QoS keep their order ([MQTT-4.6.0-6]). */
#pragma once

#include "mqtt/session.h"

/* As the subscriptions of `receiver` and its message's own QoS say. */
void mqtt_sender_deliver(struct mqtt_session *session, struct mqtt_message *message,
                         const struct mqtt_receiver *receiver, bool retain);

/* There is room again: what an earlier connection was sent and is not acknowledged goes first
 * ([MQTT-4.4.0-1], [MQTT-4.6.0-1]), then the queue, then retained messages. */
void mqtt_sender_go_on(struct mqtt_session *session);
/* The client is back: the same, after all PUBRELs, which no window holds back
 * ([MQTT-3.3.4-10]). */
void mqtt_sender_resume(struct mqtt_session *session);
/* A PUBLISH of QoS 2 that waited for the disk (journal-held.h), if it still is to be sent. */
void mqtt_sender_send_held(struct mqtt_client *client, uint16_t packet_id);
/* Could it be sent a message of QoS 1 or 2 at once? */
bool mqtt_sender_is_ready(const struct mqtt_session *session);
/* The same for the topic tree, to choose among the members of a shared subscription. */
bool mqtt_sender_may_take(void *owner, const struct mqtt_subscriber *subscriber);
