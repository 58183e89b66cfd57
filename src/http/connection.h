/* http/connection.h - one client, and the request of it that is under way. For this room. */
#pragma once

#include "base/buffer.h"
#include "base/list.h"
#include "http/exchange.h"
#include "loop/timer.h"
#include "proto/http/body.h"

enum {
        HTTP_REQUESTS_PER_ROUND = 16, /* of one connection; then others have their turn */
        HTTP_BODY_RATE = 16 * 1024,   /* bytes a second that a body has to come with */
};

struct http_server {
        struct loop *loop;
        struct net_context *net;
        const struct http_router *router;
        struct http_limits limits;
        struct list connections;
        struct http_exchange *spare; /* one, so that most requests allocate nothing */
        struct buffer scratch;       /* the head of the answer that is being written */
        struct http_figures figures;
        bool stopping;
        http_stopped_fn *stopped;
        void *stopped_owner;
        http_count_fn *on_count; /* may be NULL */
        void *count_owner;
};

/* What is answered, and how far. */
struct http_exchange {
        struct http_connection *connection;
        struct http_request request;
        struct http_match match;
        struct http_body framing;
        struct buffer body;
        size_t paid; /* of its memory, from the budget */
        struct http_response response;
        int status;
        bool persists; /* the connection goes on behind it */
        bool streams;  /* http_exchange_begin_stream() */
        bool begun;    /* its head is written */
        http_gone_fn *on_gone;
        void *gone_owner;
        char head[]; /* what the request's texts point into */
};

/* What a connection has a limited time for. */
enum http_wait {
        HTTP_WAIT_NONE, /* while it waits for us */
        HTTP_WAIT_IDLE, /* for the next request */
        HTTP_WAIT_HEAD,
        HTTP_WAIT_BODY,
};

struct http_connection {
        struct list link;
        struct http_server *server;
        struct net_stream *stream;
        struct http_head_scanner scanner;
        struct loop_timer timer;
        enum http_wait wait;            /* what the timer is for */
        struct http_exchange *exchange; /* NULL: between requests */
        size_t behind;                  /* bytes at hand that follow the exchange's head */
        bool reading;                   /* the exchange's body is still coming */
        bool handling;                  /* inside of the loop over requests, which goes on */
        bool ended;                     /* no more requests come */
        bool left;                      /* its stream is somebody else's */
};

/* server.c */
void http_server_count_answer(struct http_server *server, int status);
/* A connection is gone, its memory too. */
void http_server_on_gone(struct http_server *server);

/* connection.c: takes `fd` over on success only. -ENOMEM, -errno. */
int http_connection_new(struct http_server *server, int fd, struct net_tls *tls,
                        const struct net_address *peer);
/* The same with a stream that is there already. -ENOMEM. */
int http_connection_adopt(struct http_server *server, struct net_stream *stream);
void http_connection_close(struct http_connection *connection);
/* Closes when what is under way is answered. */
void http_connection_stop(struct http_connection *connection);
/* The stream is somebody else's now: the connection and its exchange are gone. */
void http_connection_leave(struct http_connection *connection);
/* The exchange is answered: on to the next, or to the end. */
void http_connection_answered(struct http_connection *connection);

/* exchange.c */
struct http_exchange *http_exchange_new(struct http_connection *connection, const char *head,
                                        size_t length);
void http_exchange_free(struct http_exchange *exchange);
/* Some more of the body. -EMSGSIZE: beyond the route's limit; -ENOBUFS, -ENOMEM. */
int http_exchange_keep(struct http_exchange *exchange, struct http_text data);
/* The peer is gone. */
void http_exchange_abandon(struct http_exchange *exchange);
/* An answer to what is no request: nothing of it can be relied on. */
void http_exchange_reject(struct http_connection *connection, int status, const char *why);
