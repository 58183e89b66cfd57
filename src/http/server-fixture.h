/* http/server-fixture.h - a server with a few routes, on real sockets and a virtual clock,
 * for tests. */
#pragma once

#include "http/exchange.h"
#include "support/test.h"

struct fixture {
        struct loop *loop;
        struct net_context *net;
        struct http_router *router;
        struct http_server *server;
        struct http_exchange *held; /* of /hold and /events; NULL once the peer is gone */
        struct net_stream *socket;  /* of /socket; NULL once closed */
        unsigned gone, stopped;
};

/* Its routes: GET /hello; POST /echo (up to 100,000 bytes); GET /hold, which waits for the
 * test; POST /upload, which takes ten bytes of those that send `Key`; GET /events, a stream; GET
 * /big, 1 MiB; GET /bad, with a field that none may be; GET /devices/{id}; GET /socket, a WebSocket
 * that says what it hears. At most three connections; other limits as given. */
void fixture_open(struct fixture *f, const struct http_limits *limits);
void fixture_close(struct fixture *f);
/* The client's end. */
int fixture_connect(struct fixture *f);
/* A server and one client, and their end. */
int fixture_begin(struct fixture *f, const struct http_limits *limits);
void fixture_end(struct fixture *f, int fd);

/* Rounds of the loop, as many as anything here needs. */
void turn(struct fixture *f);
void advance(struct fixture *f, uint64_t milliseconds);
void say(struct fixture *f, int fd, const char *text);
/* All that came, without the lines of Date, as text that lives until the next call; "EOF"
 * at its end when the connection is closed. */
const char *hear(struct fixture *f, int fd);
