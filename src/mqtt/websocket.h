/* mqtt/websocket.h - a broker's clients over WebSockets: a path of an HTTP server.
 *
 * Source: MQTT 5.0 and 3.1.1, chapter 6. */
#pragma once

#include "http/router.h"
#include "mqtt/broker.h"

/* Where they go. May be changed at any time, for those who come from then on. */
struct mqtt_websocket {
        struct mqtt_broker *broker;
        const struct mqtt_terms *terms; /* the program's; NULL: those of the broker's limits */
        /* May pages of this origin connect, too? NULL: no others than its own. */
        bool (*trusts)(void *owner, struct http_text origin);
        /* Is the host that it asks for a name of ours? NULL: none is, addresses and localhost are.
         */
        bool (*is_named)(void *owner, const struct http_request *request);
        void *owner;
};

/* GET /mqtt, with the subprotocol "mqtt". Pages of other origins are refused, and all pages
 * where the broker is asked by a name that need not be its own. `websocket`
 * outlives the router. -ENOMEM. */
int mqtt_websocket_route(struct http_router *router, struct mqtt_websocket *websocket);
/* The handler of that route, for others: `websocket` is a struct mqtt_websocket. */
void mqtt_websocket_handle(void *websocket, struct http_exchange *exchange);
