/* proto/http/websocket.h - a request that wants to go on as a WebSocket (RFC 6455, 4.2.1). */
#pragma once

#include "proto/http/head.h"

enum http_websocket_outcome {
        HTTP_WEBSOCKET_NOT_ASKED = 0, /* an ordinary request */
        HTTP_WEBSOCKET_ASKED = 1,
};

/* HTTP_WEBSOCKET_ASKED: *ret_key is the client's key, 24 base64 digits for 16 bytes.
 * -EPROTO: it asked, but not as it has to; *refusal says what to answer: 400, 405, or 426
 * with "Sec-WebSocket-Version: 13". */
int http_websocket_wanted(const struct http_request *request, struct http_text *ret_key,
                          struct http_refusal *refusal);
/* Whether the client offers this subprotocol, 11.3.4; names are compared letter by letter. */
bool http_websocket_offers(const struct http_request *request, struct http_text protocol);
