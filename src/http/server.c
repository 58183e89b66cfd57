#include "http/server.h"

#include "http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_OUT_MAX = 16 * 1024 };

static size_t or_default(size_t value, size_t fallback)
{
        return value > 0 ? value : fallback;
}

int http_server_new(struct loop *loop, struct net_context *net, const struct http_router *router,
                    const struct http_limits *limits, struct http_server **ret)
{
        static const struct http_limits defaults = {0};
        struct http_server *server = calloc(1, sizeof(*server));

        if (!server)
                return -ENOMEM;
        if (!limits)
                limits = &defaults;
        server->loop = loop;
        server->net = net;
        server->router = router;
        server->limits = (struct http_limits){
                .connections = or_default(limits->connections, 1024),
                .head = or_default(limits->head, 8 * 1024),
                .output = or_default(limits->output, 4 * 1024 * 1024),
                .idle_ms = limits->idle_ms > 0 ? limits->idle_ms : 30000,
                .request_ms = limits->request_ms > 0 ? limits->request_ms : 10000,
        };
        list_init(&server->connections);
        buffer_init(&server->scratch, HEAD_OUT_MAX);
        *ret = server;
        return 0;
}

struct http_server *http_server_free(struct http_server *server)
{
        if (!server)
                return NULL;
        server->stopped = NULL;
        server->on_count = NULL;
        list_for_each (&server->connections, position)
                http_connection_close(container_of(position, struct http_connection, link));
        /* Streams go at the end of a round. */
        while (!list_is_empty(&server->connections))
                loop_run_once(server->loop, 0);
        buffer_done(&server->scratch);
        free(server->spare);
        free(server);
        return NULL;
}

static void tell_count(const struct http_server *server)
{
        if (server->on_count)
                server->on_count(server->count_owner, &server->figures);
}

static const char no_room[] = "HTTP/1.1 503 Service Unavailable\r\n"
                              "Connection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n";

static void count_turned_away(struct http_server *server)
{
        server->figures.turned_away++;
        tell_count(server);
}

/* One more than we serve is told so, as far as the socket takes it without waiting. */
static void turn_away(struct http_server *server, int fd, const struct net_tls *tls)
{
        count_turned_away(server);
        if (!tls)
                (void)!send(fd, no_room, sizeof(no_room) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(fd);
}

static bool has_room(const struct http_server *server)
{
        return !server->stopping && server->figures.connections < server->limits.connections &&
               !net_budget_is_tight(net_context_budget(server->net));
}

static void count_connection(struct http_server *server)
{
        server->figures.connections++;
        tell_count(server);
}

void http_server_attach(struct http_server *server, int fd, struct net_tls *tls,
                        const struct net_address *peer)
{
        if (has_room(server) && http_connection_new(server, fd, tls, peer) == 0)
                count_connection(server);
        else
                turn_away(server, fd, tls);
}

void http_server_adopt(struct http_server *server, struct net_stream *stream)
{
        if (has_room(server) && http_connection_adopt(server, stream) == 0) {
                count_connection(server);
                return;
        }
        count_turned_away(server);
        net_stream_write(stream, no_room, sizeof(no_room) - 1);
        net_stream_finish(stream);
}

void http_server_count_answer(struct http_server *server, int status)
{
        server->figures.answers[status / 100]++;
}

static void tell_stopped(struct http_server *server)
{
        http_stopped_fn *stopped;

        if (!server->stopping || !list_is_empty(&server->connections) || !server->stopped)
                return;
        stopped = TAKE(server->stopped);
        stopped(server->stopped_owner);
}

void http_server_on_gone(struct http_server *server)
{
        server->figures.connections--;
        tell_count(server);
        tell_stopped(server);
}

void http_server_stop(struct http_server *server, http_stopped_fn *stopped, void *owner)
{
        server->stopping = true;
        server->stopped = stopped;
        server->stopped_owner = owner;
        list_for_each (&server->connections, position)
                http_connection_stop(container_of(position, struct http_connection, link));
        tell_stopped(server);
}

void http_server_on_count(struct http_server *server, http_count_fn *on_count, void *owner)
{
        server->on_count = on_count;
        server->count_owner = owner;
}

struct http_figures http_server_figures(const struct http_server *server)
{
        return server->figures;
}
