/* mqtt/route.h - from a message to the sessions whose filters match its topic. Inside of
 * mqtt/ only. */
#pragma once

#include "mqtt/broker-internal.h"
#include "mqtt/topic-tree.h"

struct mqtt_client;

/* A message on its way, in two steps, so that its publisher can be answered in between. */
struct mqtt_routing {
        struct mqtt_broker *broker;
        struct mqtt_message *message;
        struct mqtt_match match;
};

/* Retains it when it says so. `from`: who published, for No Local; NULL: nobody's. -ENOSPC: it
 * could not be retained, and nobody gets it; -EIO: the disk could not keep it, and nobody gets
 * it: only what a client sent; -ENOMEM: nobody gets it. After 0 it will be ended. */
int mqtt_route_begin(struct mqtt_routing *routing, struct mqtt_broker *broker,
                     const struct mqtt_publish *publish, enum mqtt_origin origin,
                     const struct mqtt_client *from);
/* Gives it to each session once, with the highest QoS and all identifiers of the
 * subscriptions that match (3.3.4). How many had subscribed. */
int mqtt_route_end(struct mqtt_routing *routing);
/* Both. */
int mqtt_route(struct mqtt_broker *broker, const struct mqtt_publish *publish,
               enum mqtt_origin origin, const struct mqtt_client *from);

/* A will's, of a client that is gone: `who` as its hooks were asked. */
int mqtt_route_will(struct mqtt_broker *broker, const struct mqtt_publish *publish,
                    const struct mqtt_who *who);

void mqtt_route_on_expiry(struct loop_timer *timer);
/* Has all been routed, and sent of retained messages, that a round may take? */
bool mqtt_route_is_enough(struct mqtt_broker *broker);
bool mqtt_walks_are_enough(struct mqtt_broker *broker);
