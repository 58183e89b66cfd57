/* http/exchange.h - one request and its answer, as a handler sees them.
 *
 * It lives until it is answered, or until the peer is gone; what it shows lives as long. */
#pragma once

#include "http/server.h"
#include "proto/http/response.h"

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
struct http_text http_exchange_body(const struct http_exchange *exchange);
/* Of the route's pattern; NULL: it has none of that name. */
const char *http_exchange_parameter(const struct http_exchange *exchange, const char *name);
const struct net_peer *http_exchange_peer(const struct http_exchange *exchange);

/* The answer comes after the handler returned. `on_gone`: the connection broke before; the
 * exchange is gone when it returns, and is not to be answered. A peer that only closed its
 * side, as far as anybody can tell, still waits for the answer. */
typedef void http_gone_fn(void *owner);
void http_exchange_defer(struct http_exchange *exchange, http_gone_fn *on_gone, void *owner);
/* What was given with `on_gone`, for a handler whose route has put the answer off before the
 * body came (router.h, http_admit_fn); NULL: nothing was. */
void *http_exchange_owner(const struct http_exchange *exchange);

/* The answer in one call. To HEAD, and where the status has none, the body is left out. */
void http_exchange_answer(struct http_exchange *exchange, int status, const char *type,
                          const void *body, size_t count);
/* A sentence in plain text. */
void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why);

/* The answer in two: fields of the handler's own come between. */
struct http_response *http_exchange_begin(struct http_exchange *exchange, int status);
void http_exchange_end(struct http_exchange *exchange, const void *body, size_t count);

/* An answer without an end of its own, such as text/event-stream: fields may follow, then
 * the first write, perhaps of nothing, before the handler returns. Whoever writes looks at
 * http_exchange_is_congested(), or at how much is pending, and leaves out what a slow
 * reader cannot take. `on_gone` as
 * above, and when the server stops. The connection ends with it. */
struct http_response *http_exchange_begin_stream(struct http_exchange *exchange, int status,
                                                 http_gone_fn *on_gone, void *owner);
void http_exchange_write(struct http_exchange *exchange, const void *bytes, size_t count);
bool http_exchange_is_congested(const struct http_exchange *exchange);
size_t http_exchange_pending(const struct http_exchange *exchange); /* bytes not yet sent */
void http_exchange_finish(struct http_exchange *exchange);

/* Answers 101, and hands over the stream, which is a WebSocket from here on: nobody's,
 * until whoever asked hands it on or closes it (net/upgrade.h). `key`, and `protocol` of those
 * that the client offers, or NULL: see proto/http/websocket.h. The exchange is gone. -errno:
 * it is answered, as with -EPROTO and -ESHUTDOWN (the server stops), or its connection is
 * closed. */
int http_exchange_upgrade(struct http_exchange *exchange, struct http_text key,
                          const char *protocol, struct net_stream **ret);
