/* mqtt/insider.h - a subscription of the program that the broker is in; what callers know of
 * it is in broker.h. Inside of mqtt/ only. */
#pragma once

#include "mqtt/session.h"

struct mqtt_insider *mqtt_insider_from_link(struct list *link); /* of the broker's insiders */
/* Queues it for the end of the round. Takes `delivery` over. */
void mqtt_insider_deliver(struct mqtt_insider *insider, struct mqtt_delivery *delivery);
