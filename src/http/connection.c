#include "http/connection.h"

#include "net/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EMPTY_LINE = 2 };

static void set_wait(struct http_connection *connection, enum http_wait wait, uint64_t delay_ms)
{
        if (connection->wait == wait)
                return;
        connection->wait = wait;
        if (wait == HTTP_WAIT_NONE)
                loop_timer_stop(&connection->timer);
        else
                loop_timer_start(&connection->timer, delay_ms);
}

/* No more is read; what was written goes out, then it closes. */
static void finish(struct http_connection *connection)
{
        connection->ended = true;
        set_wait(connection, HTTP_WAIT_NONE, 0);
        net_stream_finish_patiently(connection->stream);
}

/* What cannot be read as a request, or not in time. */
static void reject(struct http_connection *connection, int status, const char *why)
{
        http_exchange_abandon(TAKE(connection->exchange));
        http_exchange_reject(connection, status, why);
        finish(connection);
}

static void on_time(struct loop_timer *timer)
{
        struct http_connection *connection = container_of(timer, struct http_connection, timer);

        uint64_t idle_ms = loop_now_ms(timer->loop) - net_stream_active_ms(connection->stream);
        uint64_t limit_ms = connection->server->limits.idle_ms;

        /* Who still reads the last answer, or did lately, has not been idle for so long. */
        if (connection->wait == HTTP_WAIT_IDLE && idle_ms < limit_ms) {
                loop_timer_start(timer, limit_ms - idle_ms);
                return;
        }
        connection->server->figures.timed_out++;
        connection->server->figures.requests += connection->wait == HTTP_WAIT_HEAD;
        if (connection->wait == HTTP_WAIT_IDLE)
                finish(connection);
        else
                reject(connection, 408, "the request did not come in time");
}

void http_connection_close(struct http_connection *connection)
{
        connection->ended = true;
        net_stream_close(connection->stream);
}

void http_connection_stop(struct http_connection *connection)
{
        struct http_exchange *exchange = connection->exchange;

        if (exchange && !connection->reading && !exchange->streams)
                return;
        http_exchange_abandon(TAKE(connection->exchange));
        finish(connection);
}

void http_connection_answered(struct http_connection *connection)
{
        struct http_exchange *exchange = TAKE(connection->exchange);
        bool persists = exchange->persists;

        http_server_count_answer(connection->server, exchange->status);
        http_exchange_free(exchange);
        if (!persists || connection->ended || connection->server->stopping) {
                finish(connection);
                return;
        }
        set_wait(connection, HTTP_WAIT_IDLE, connection->server->limits.idle_ms);
        if (!connection->handling && !net_stream_is_congested(connection->stream))
                net_stream_resume(connection->stream);
}

/* "GET, HEAD, PUT", RFC 9110, 10.2.1. */
static void name_methods(unsigned allowed, char text[64])
{
        static const char *const names[] = {
                [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
                [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
                [HTTP_OPTIONS] = "OPTIONS",
        };
        size_t length = 0;

        allowed |= 1U << HTTP_OPTIONS;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (allowed & 1U << i)
                        length += (size_t)snprintf(text + length, 64 - length, "%s%s",
                                                   length > 0 ? ", " : "", names[i]);
}

static void answer_with_methods(struct http_exchange *exchange, int status)
{
        static const char why[] = "this path knows other methods, see Allow\n";
        char methods[64];

        name_methods(exchange->match.allowed, methods);
        http_response_field(http_exchange_begin(exchange, status), "Allow", methods);
        if (status == 405)
                http_response_field(&exchange->response, "Content-Type",
                                    "text/plain; charset=utf-8");
        http_exchange_end(exchange, why, status == 405 ? sizeof(why) - 1 : 0);
}

/* Answers what has no route; true: it has one. */
static bool find_route(struct http_exchange *exchange)
{
        const struct http_request *request = &exchange->request;
        int r = http_router_find(exchange->connection->server->router, request->method,
                                 request->path, &exchange->match);

        if (r == 0)
                return true;
        if (http_text_equals(request->path, HTTP_TEXT("*")) ||
            (r == -EOPNOTSUPP && request->method == HTTP_OPTIONS))
                answer_with_methods(exchange, 204);
        else if (r == -EOPNOTSUPP)
                answer_with_methods(exchange, 405);
        else if (r == -EINVAL)
                http_exchange_refuse(exchange, 400, "the path cannot be decoded");
        else
                http_exchange_refuse(exchange, 404, "there is nothing at this path");
        return false;
}

static uint64_t body_ms(const struct http_exchange *exchange)
{
        const struct http_limits *limits = &exchange->connection->server->limits;
        uint64_t bytes = exchange->request.framing == HTTP_FRAMING_LENGTH
                                 ? exchange->request.content_length
                                 : exchange->framing.max;

        return limits->request_ms + bytes * 1000 / HTTP_BODY_RATE;
}

/* How long the body may be; false: it is answered already, and gone. */
static bool admit(struct http_connection *connection, size_t *ret_max)
{
        struct http_exchange *exchange = connection->exchange;
        const struct http_route *route = exchange->match.route;

        *ret_max = route->body_max;
        if (route->admit)
                *ret_max = route->admit(exchange->match.owner, exchange);
        return connection->exchange != NULL;
}

/* The head is there: who answers it, and does a body follow that may? */
static void begin_exchange(struct http_connection *connection)
{
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        struct http_exchange *exchange = connection->exchange;
        size_t body_max;

        /* Until it is known to be read, a body stands between us and the next request. */
        connection->reading = exchange->request.framing != HTTP_FRAMING_NONE;
        set_wait(connection, HTTP_WAIT_NONE, 0);
        if (!find_route(exchange) || !admit(connection, &body_max))
                return;
        if (http_body_begin(&exchange->framing, &exchange->request, body_max) < 0) {
                reject(connection, 413, "the body is larger than this path takes");
                return;
        }
        exchange->body.max = (uint32_t)body_max;
        if (exchange->request.expects_continue)
                net_stream_write(connection->stream, go_on, sizeof(go_on) - 1);
        if (connection->reading)
                set_wait(connection, HTTP_WAIT_BODY, body_ms(exchange));
        else
                exchange->match.route->handler(exchange->match.owner, exchange);
}

/* Takes a head off the front; 0: there is none yet, or nothing more to take. */
static size_t take_head(struct http_connection *connection, const char *bytes, size_t count)
{
        const struct http_limits *limits = &connection->server->limits;
        struct http_refusal refusal;
        size_t skip, length;
        int r = http_head_find(&connection->scanner, bytes, count, limits->head, &skip, &length,
                               &refusal);

        if (r == HTTP_HEAD_NEED_MORE) {
                if (count > 0)
                        set_wait(connection, HTTP_WAIT_HEAD, limits->request_ms);
                return 0;
        }
        connection->server->figures.requests++;
        if (r == HTTP_HEAD_FOUND) {
                connection->exchange = http_exchange_new(connection, bytes + skip, length);
                if (!connection->exchange) {
                        http_connection_close(connection);
                        return 0;
                }
                r = http_head_parse(connection->exchange->head, length,
                                    &connection->exchange->request, &refusal);
        }
        if (r < 0) {
                reject(connection, refusal.status, refusal.why);
                return 0;
        }
        connection->behind = count - skip - length;
        begin_exchange(connection);
        return skip + length;
}

/* Takes some of the body off the front; 0: there is none yet, or nothing more to take. */
static size_t take_body(struct http_connection *connection, const char *bytes, size_t count)
{
        struct http_exchange *exchange = connection->exchange;
        struct http_text data;
        size_t consumed;
        int r = http_body_next(&exchange->framing, bytes, count, &data, &consumed);

        if (r == HTTP_BODY_DATA)
                r = http_exchange_keep(exchange, data);
        if (r == -EMSGSIZE)
                reject(connection, 413, "the body is larger than this path takes");
        else if (r == -EPROTO)
                reject(connection, 400, "the body is not made of chunks as it says");
        else if (r < 0)
                reject(connection, 503, "there is no memory for this body now");
        if (r == HTTP_BODY_END) {
                connection->reading = false;
                set_wait(connection, HTTP_WAIT_NONE, 0);
                exchange->match.route->handler(exchange->match.owner, exchange);
        }
        return r < 0 ? 0 : consumed;
}

/* Whether it is our turn: a request is being answered, or answers wait for the peer. */
static bool must_wait(const struct http_connection *connection)
{
        return (connection->exchange && !connection->reading) ||
               net_stream_is_congested(connection->stream);
}

/* What comes while events are written is nobody's. */
static bool is_streaming(const struct http_connection *connection)
{
        return connection->exchange && connection->exchange->streams;
}

static size_t take_requests(struct http_connection *connection, const char *bytes, size_t count)
{
        size_t consumed = 0;
        unsigned heads = 0;

        while (!connection->ended) {
                struct http_exchange *before = connection->exchange;
                size_t taken;

                if (is_streaming(connection))
                        return count;
                if (must_wait(connection)) {
                        net_stream_pause(connection->stream);
                        break;
                }
                if (!before && heads++ == HTTP_REQUESTS_PER_ROUND) {
                        net_stream_again(connection->stream);
                        break;
                }
                taken = before ? take_body(connection, bytes + consumed, count - consumed)
                               : take_head(connection, bytes + consumed, count - consumed);
                consumed += taken;
                if (taken == 0 && connection->exchange == before && !must_wait(connection))
                        break;
        }
        return consumed;
}

static void forget(struct http_connection *connection)
{
        struct http_server *server = connection->server;

        loop_timer_stop(&connection->timer);
        list_remove(&connection->link);
        free(connection);
        http_server_on_gone(server);
}

static size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        struct http_connection *connection = owner;
        size_t consumed;

        connection->handling = true;
        consumed = take_requests(connection, bytes, count);
        connection->handling = false;
        if (connection->left) {
                forget(connection);
                return consumed;
        }
        return connection->ended ? count : consumed;
}

static void on_end(void *owner)
{
        struct http_connection *connection = owner;
        struct http_exchange *exchange = connection->exchange;

        connection->ended = true;
        if (!exchange || connection->reading || exchange->streams)
                finish(connection);
}

static void on_drained(void *owner)
{
        struct http_connection *connection = owner;

        if (!connection->ended && !must_wait(connection))
                net_stream_resume(connection->stream);
}

static void on_closed(void *owner, int reason)
{
        struct http_connection *connection = owner;

        (void)reason;
        http_exchange_abandon(TAKE(connection->exchange));
        forget(connection);
}

void http_connection_leave(struct http_connection *connection)
{
        http_exchange_free(TAKE(connection->exchange));
        connection->ended = connection->left = true;
        if (!connection->handling)
                forget(connection);
}

static const struct net_stream_calls calls = {
        .on_bytes = on_bytes, .on_end = on_end, .on_drained = on_drained, .on_closed = on_closed};

static struct net_stream_limits stream_limits(const struct http_server *server)
{
        return (struct net_stream_limits){
                .input = server->limits.head > HTTP_TRAILER_MAX ? server->limits.head + EMPTY_LINE
                                                                : HTTP_TRAILER_MAX,
                .output = server->limits.output,
                .output_high = server->limits.output / 4,
        };
}

static struct http_connection *connection_alloc(struct http_server *server)
{
        struct http_connection *connection = calloc(1, sizeof(*connection));

        if (!connection)
                return NULL;
        connection->server = server;
        loop_timer_init(&connection->timer, server->loop, on_time);
        return connection;
}

static void connection_enter(struct http_connection *connection)
{
        struct http_server *server = connection->server;

        list_append(&server->connections, &connection->link);
        set_wait(connection, HTTP_WAIT_IDLE, server->limits.idle_ms);
}

int http_connection_new(struct http_server *server, int fd, struct net_tls *tls,
                        const struct net_address *peer)
{
        const struct net_stream_limits limits = stream_limits(server);
        struct http_connection *connection = connection_alloc(server);
        const struct net_stream_owner owner = {connection, &calls};
        int r;

        if (!connection)
                return -ENOMEM;
        r = net_stream_new(server->net, fd, tls, peer, &limits, &owner, &connection->stream);
        if (r < 0) {
                free(connection);
                return r;
        }
        connection_enter(connection);
        return 0;
}

int http_connection_adopt(struct http_server *server, struct net_stream *stream)
{
        const struct net_stream_limits limits = stream_limits(server);
        struct http_connection *connection = connection_alloc(server);
        const struct net_stream_owner owner = {connection, &calls};

        if (!connection)
                return -ENOMEM;
        connection->stream = stream;
        net_stream_hand_over(stream, &limits, &owner);
        connection_enter(connection);
        return 0;
}
