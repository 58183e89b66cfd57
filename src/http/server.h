/* http/server.h - an HTTP/1.1 server on streams of a loop.
 *
 * Whoever accepts connections attaches them; routes say who answers what. One request of a
 * connection is answered at a time, in order; a body is handed over whole. Everything on
 * the loop's thread.
 *
 * Source: RFC 9110, RFC 9112. */
#pragma once

#include "http/router.h"
#include "loop/loop.h"
#include "net/stream.h"

/* Zero: the default that stands beside it. */
struct http_limits {
        size_t connections; /* 1,024; beyond: 503, and closed */
        size_t head;        /* bytes, 8 KiB; beyond: 414 or 431 */
        size_t output;      /* bytes that wait for a slow reader, 4 MiB; beyond: closed */
        uint64_t idle_ms;   /* between requests, 30 s; then closed */
        /* For a head, 10 s, and for a body beside a second for each 16 KiB; then 408. */
        uint64_t request_ms;
};

struct http_figures {
        size_t connections;
        uint64_t requests;    /* those that were refused included */
        uint64_t answers[6];  /* by the first digit of their status */
        uint64_t turned_away; /* connections beyond the limit, or while memory was tight */
        uint64_t timed_out;   /* connections that were silent or slow */
};

struct http_server;

/* `net` and `router` outlive it; `limits` is copied, NULL: the defaults. -ENOMEM. */
int http_server_new(struct loop *loop, struct net_context *net, const struct http_router *router,
                    const struct http_limits *limits, struct http_server **ret);
/* Closes what is left and turns the loop until the streams are gone. Not from inside of a
 * handler. */
struct http_server *http_server_free(struct http_server *server);
DEFINE_CLEANUP(http_server)

/* A connection that was accepted; `tls` NULL: plain. Takes `fd` over in every case. */
void http_server_attach(struct http_server *server, int fd, struct net_tls *tls,
                        const struct net_address *peer);
/* A stream that is open and nobody's (net/entrance.h). Takes it over in every case. */
void http_server_adopt(struct http_server *server, struct net_stream *stream);
/* No more requests: connections close when what is under way is answered; event streams
 * end. `stopped` is called when the last one is gone; at once when there is none. */
typedef void http_stopped_fn(void *owner);
void http_server_stop(struct http_server *server, http_stopped_fn *stopped, void *owner);
/* `on_count` is called when a connection came, went, or was turned away. */
typedef void http_count_fn(void *owner, const struct http_figures *figures);
void http_server_on_count(struct http_server *server, http_count_fn *on_count, void *owner);
struct http_figures http_server_figures(const struct http_server *server);
