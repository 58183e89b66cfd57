/* mqtt/walk.h - the retained messages that new subscriptions are owed (3.3.1.3), on their way
 * to a session in slices, so that a hundred thousand of them hold up nobody. Inside of mqtt/
 * only.
 *
 * Sessions take turns with a slice of limits.slice_bytes, up to limits.turn_bytes a round. A
 * client that is away, reads slowly or has not acknowledged enough is waited for. */
#pragma once

#include "loop/task.h"
#include "mqtt/session.h"

/* Owes the messages that match `filter`, which is not shared; those of a subscription to the
 * same before are owed no more. Nothing is sent before mqtt_walks_go_on(). -ENOMEM. */
int mqtt_walk_start(struct mqtt_session *session, struct mqtt_text filter,
                    const struct mqtt_subscription_options *options);
/* The session has walks: sends what may be sent now. */
void mqtt_walks_go_on(struct mqtt_session *session);
/* The subscription is gone, and what it was still owed. */
void mqtt_walk_stop(struct mqtt_session *session, struct mqtt_text filter);
void mqtt_walks_drop(struct mqtt_session *session);

void mqtt_walks_on_task(struct loop_task *task);
