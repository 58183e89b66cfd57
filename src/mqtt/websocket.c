#include "mqtt/websocket.h"

#include "http/exchange.h"
#include "proto/http/origin.h"
#include "proto/http/websocket.h"

/* [MQTT-6.0.0-3], [MQTT-6.0.0-4]. */
static const char subprotocol[] = "mqtt";

static void refuse_version(struct http_exchange *exchange, const char *why)
{
        struct http_response *response = http_exchange_begin(exchange, 426);

        http_response_field(response, "Sec-WebSocket-Version", "13");
        http_response_field(response, "Upgrade", "websocket");
        http_response_field(response, "Content-Type", "text/plain; charset=utf-8");
        http_exchange_end(exchange, why, strlen(why));
}

static bool may_connect(const struct mqtt_websocket *websocket, const struct http_request *request)
{
        const struct http_text *origin = http_request_field(request, HTTP_TEXT("Origin"));

        if (origin && websocket->trusts && websocket->trusts(websocket->owner, *origin))
                return true;
        if (!http_origin_is_own(request))
                return false;
        return !origin || http_host_is_address(request) ||
               (websocket->is_named && websocket->is_named(websocket->owner, request));
}

void mqtt_websocket_handle(void *owner, struct http_exchange *exchange)
{
        const struct http_request *request = http_exchange_request(exchange);
        struct mqtt_websocket *websocket = owner;
        struct http_refusal refusal;
        struct net_stream *stream;
        struct http_text key;
        int r = http_websocket_wanted(request, &key, &refusal);

        if (r == HTTP_WEBSOCKET_NOT_ASKED)
                refuse_version(exchange, "MQTT over WebSockets is spoken here\n");
        else if (r < 0 && refusal.status == 426)
                refuse_version(exchange, "only version 13 of WebSocket is spoken here\n");
        else if (r < 0)
                http_exchange_refuse(exchange, refusal.status, refusal.why);
        else if (!http_websocket_offers(request,
                                        (struct http_text){subprotocol, sizeof(subprotocol) - 1}))
                http_exchange_refuse(exchange, 400, "the subprotocol is \"mqtt\"");
        else if (!may_connect(websocket, request))
                http_exchange_refuse(exchange, 403, "this page is of another origin");
        else if (mqtt_broker_check_room(websocket->broker, websocket->terms) < 0)
                http_exchange_refuse(exchange, 503, "there is no room for one more client now");
        else if (http_exchange_upgrade(exchange, key, subprotocol, &stream) == 0 &&
                 mqtt_broker_adopt(websocket->broker, stream, websocket->terms) < 0)
                net_stream_close(stream); /* nobody would be there for its farewell */
}

int mqtt_websocket_route(struct http_router *router, struct mqtt_websocket *websocket)
{
        static const struct http_route route = {
                .method = HTTP_GET, .pattern = "/mqtt", .handler = mqtt_websocket_handle};

        return http_router_add(router, &route, 1, websocket);
}
