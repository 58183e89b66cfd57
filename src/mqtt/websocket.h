/* mqtt/websocket.h - a broker's clients over WebSockets: a path of an HTTP server.
 *
 * Source: MQTT 5.0 and 3.1.1, chapter 6. */
#pragma once

#include "http/router.h"
#include "mqtt/broker.h"

/* GET /mqtt, with the subprotocol "mqtt". Pages of other origins are refused, and all pages
 * where the broker is asked by a name that need not be its own. The broker outlives the
 * router. -ENOMEM. */
int mqtt_websocket_route(struct http_router *router, struct mqtt_broker *broker);
