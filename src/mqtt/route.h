/* mqtt/route.h - from a message to the sessions whose filters match its topic. Inside of
 * mqtt/ only. */
#pragma once

#include "mqtt/broker-internal.h"

struct mqtt_client;

/* Retains it when it says so, and gives it to each session once, with the highest QoS and
 * all identifiers of the subscriptions that match (3.3.4). `from`: who
 * published, for No Local; NULL: nobody's. How many it was for; -ENOSPC: it could not be
 * retained, and nobody gets it; -EIO: the disk could not keep it, and nobody gets it: only what a
 * client sent; -ENOMEM: nobody gets it. */
int mqtt_route(struct mqtt_broker *broker, const struct mqtt_publish *publish,
               enum mqtt_origin origin, const struct mqtt_client *from);

void mqtt_route_on_expiry(struct loop_timer *timer);
/* Has all been routed, and sent of retained messages, that a round may take? */
bool mqtt_route_is_enough(struct mqtt_broker *broker);
bool mqtt_walks_are_enough(struct mqtt_broker *broker);
