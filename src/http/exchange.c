#include "http/exchange.h"

#include "http/connection.h"
#include "net/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct net_budget *budget_of(const struct http_exchange *exchange)
{
        return net_context_budget(exchange->connection->server->net);
}

struct http_exchange *http_exchange_new(struct http_connection *connection, const char *head,
                                        size_t length)
{
        struct http_server *server = connection->server;
        struct http_exchange *exchange = TAKE(server->spare);

        if (!exchange)
                exchange = malloc(sizeof(*exchange) + server->limits.head);
        if (!exchange)
                return NULL;
        memcpy(exchange->head, head, length);
        exchange->connection = connection;
        exchange->status = 0;
        exchange->streams = exchange->begun = false;
        exchange->on_gone = NULL;
        exchange->gone_owner = NULL;
        exchange->paid = 0;
        buffer_init(&exchange->body, 0);
        return exchange;
}

int http_exchange_keep(struct http_exchange *exchange, struct http_text data)
{
        size_t grown;
        int r = buffer_append(&exchange->body, data.bytes, data.length);

        if (r < 0)
                return r;
        grown = exchange->body.capacity - exchange->paid;
        r = net_budget_take(budget_of(exchange), grown);
        if (r == 0)
                exchange->paid += grown;
        return r;
}

void http_exchange_free(struct http_exchange *exchange)
{
        struct http_server *server;

        if (!exchange)
                return;
        server = exchange->connection->server;
        net_budget_give(budget_of(exchange), exchange->paid);
        buffer_done(&exchange->body);
        if (server->spare)
                free(exchange);
        else
                server->spare = exchange;
}

void http_exchange_abandon(struct http_exchange *exchange)
{
        if (exchange && exchange->on_gone)
                exchange->on_gone(exchange->gone_owner);
        http_exchange_free(exchange);
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange)
{
        return &exchange->request;
}

struct http_text http_exchange_body(const struct http_exchange *exchange)
{
        return (struct http_text){buffer_data(&exchange->body), buffer_length(&exchange->body)};
}

const char *http_exchange_parameter(const struct http_exchange *exchange, const char *name)
{
        return http_match_parameter(&exchange->match, name);
}

const struct net_peer *http_exchange_peer(const struct http_exchange *exchange)
{
        return net_stream_peer(exchange->connection->stream);
}

void http_exchange_defer(struct http_exchange *exchange, http_gone_fn *on_gone, void *owner)
{
        exchange->on_gone = on_gone;
        exchange->gone_owner = owner;
}

void *http_exchange_owner(const struct http_exchange *exchange)
{
        return exchange->gone_owner;
}

/* RFC 9110, 6.4.1: what has no body whatever its fields say. */
static bool has_body(const struct http_exchange *exchange)
{
        return exchange->request.method != HTTP_HEAD && exchange->status != 204 &&
               exchange->status != 304;
}

/* What has no end of its own is the last of its connection: nothing behind it is read. */
static bool will_persist(const struct http_exchange *exchange)
{
        const struct http_connection *connection = exchange->connection;

        return exchange->request.persistent && !connection->ended && !connection->reading &&
               !connection->server->stopping && !exchange->streams;
}

struct http_response *http_exchange_begin(struct http_exchange *exchange, int status)
{
        struct http_server *server = exchange->connection->server;

        exchange->status = status;
        exchange->persists = will_persist(exchange);
        buffer_truncate(&server->scratch, 0);
        http_response_begin(&exchange->response, &server->scratch, status);
        http_response_date(&exchange->response, loop_wall_ns(server->loop) / 1000000000);
        http_response_connection(&exchange->response, &exchange->request, exchange->persists);
        return &exchange->response;
}

static void write_scratch(struct http_connection *connection)
{
        struct buffer *scratch = &connection->server->scratch;

        net_stream_write(connection->stream, buffer_data(scratch), buffer_length(scratch));
        buffer_truncate(scratch, 0);
}

/* A handler's own mistake, or want of memory: nothing was written, so that this can be. */
static void answer_failure(struct http_exchange *exchange, int r)
{
        static const char why[] = "the answer could not be written\n";
        int status = r == -ENOMEM ? 503 : 500;

        http_exchange_begin(exchange, status);
        http_response_field(&exchange->response, "Content-Type", "text/plain; charset=utf-8");
        if (http_response_end(&exchange->response, sizeof(why) - 1) < 0) {
                net_stream_close(exchange->connection->stream);
                return;
        }
        write_scratch(exchange->connection);
        if (has_body(exchange))
                net_stream_write(exchange->connection->stream, why, sizeof(why) - 1);
}

void http_exchange_end(struct http_exchange *exchange, const void *body, size_t count)
{
        struct http_connection *connection = exchange->connection;
        int r = exchange->status == 204 || exchange->status == 304
                        ? http_response_end_empty(&exchange->response)
                        : http_response_end(&exchange->response, count);

        if (r == 0) {
                write_scratch(connection);
                if (has_body(exchange) && count > 0)
                        net_stream_write(connection->stream, body, count);
        } else {
                answer_failure(exchange, r);
        }
        http_connection_answered(connection);
}

void http_exchange_answer(struct http_exchange *exchange, int status, const char *type,
                          const void *body, size_t count)
{
        http_exchange_begin(exchange, status);
        if (count > 0)
                http_response_field(&exchange->response, "Content-Type", type);
        http_exchange_end(exchange, body, count);
}

void http_exchange_refuse(struct http_exchange *exchange, int status, const char *why)
{
        char text[256];
        int length = snprintf(text, sizeof(text), "%.254s\n", why);

        http_exchange_answer(exchange, status, "text/plain; charset=utf-8", text, (size_t)length);
}

struct http_response *http_exchange_begin_stream(struct http_exchange *exchange, int status,
                                                 http_gone_fn *on_gone, void *owner)
{
        struct http_connection *connection = exchange->connection;

        exchange->streams = true;
        /* An answer that was put off has paused it; now its reader's end is to be seen. */
        if (!connection->handling)
                net_stream_resume(connection->stream);
        http_exchange_defer(exchange, on_gone, owner);
        return http_exchange_begin(exchange, status);
}

/* RFC 9112, 6.3: without chunks, which 1.0 does not know, the connection's end is the end. */
static void begin_chunks(struct http_exchange *exchange)
{
        int r = exchange->request.minor > 0 ? http_response_end_chunked(&exchange->response)
                                            : http_response_end_empty(&exchange->response);

        exchange->begun = true;
        if (r < 0)
                net_stream_close(exchange->connection->stream);
        else
                write_scratch(exchange->connection);
}

void http_exchange_write(struct http_exchange *exchange, const void *bytes, size_t count)
{
        struct net_stream *stream = exchange->connection->stream;
        char line[24];

        if (!exchange->begun)
                begin_chunks(exchange);
        if (count == 0 || !has_body(exchange))
                return;
        if (exchange->request.minor == 0) {
                net_stream_write(stream, bytes, count);
                return;
        }
        net_stream_write(stream, line, (size_t)snprintf(line, sizeof(line), "%zx\r\n", count));
        net_stream_write(stream, bytes, count);
        net_stream_write(stream, "\r\n", 2);
}

bool http_exchange_is_congested(const struct http_exchange *exchange)
{
        return net_stream_is_congested(exchange->connection->stream);
}

size_t http_exchange_pending(const struct http_exchange *exchange)
{
        return net_stream_pending(exchange->connection->stream);
}

void http_exchange_finish(struct http_exchange *exchange)
{
        static const char last[] = "0\r\n\r\n";

        if (!exchange->begun)
                begin_chunks(exchange);
        if (exchange->request.minor > 0 && has_body(exchange))
                net_stream_write(exchange->connection->stream, last, sizeof(last) - 1);
        http_connection_answered(exchange->connection);
}

void http_exchange_reject(struct http_connection *connection, int status, const char *why)
{
        static const struct http_request nothing = {.minor = 1};
        struct http_server *server = connection->server;
        struct http_response response;
        char text[256];
        int length = snprintf(text, sizeof(text), "%.254s\n", why);

        buffer_truncate(&server->scratch, 0);
        http_response_begin(&response, &server->scratch, status);
        http_response_date(&response, loop_wall_ns(server->loop) / 1000000000);
        http_response_connection(&response, &nothing, false);
        http_response_field(&response, "Content-Type", "text/plain; charset=utf-8");
        if (http_response_end(&response, (uint64_t)length) < 0) {
                net_stream_close(connection->stream);
                return;
        }
        write_scratch(connection);
        net_stream_write(connection->stream, text, (size_t)length);
        http_server_count_answer(server, status);
}

/* RFC 6455, 4.2.2. The fields after 101 are the handshake's; nothing of HTTP follows. */
static int write_handshake(struct http_exchange *exchange, struct http_text key,
                           const char *protocol)
{
        struct http_response *response = &exchange->response;
        struct buffer *scratch = &exchange->connection->server->scratch;
        char accept[NET_WEBSOCKET_ACCEPT_SIZE];
        int r = net_websocket_accept(key.bytes, key.length, accept);

        if (r < 0)
                return r;
        exchange->status = 101;
        buffer_truncate(scratch, 0);
        http_response_begin(response, scratch, 101);
        http_response_field(response, "Upgrade", "websocket");
        http_response_field(response, "Connection", "Upgrade");
        http_response_field(response, "Sec-WebSocket-Accept", accept);
        if (protocol)
                http_response_field(response, "Sec-WebSocket-Protocol", protocol);
        r = http_response_end_empty(response);
        if (r == 0)
                write_scratch(exchange->connection);
        return r;
}

/* 0, or it is answered why not. */
static int refuse_upgrade(struct http_exchange *exchange)
{
        const struct http_connection *connection = exchange->connection;

        if (connection->server->stopping) {
                http_exchange_refuse(exchange, 503, "this server is stopping");
                return -ESHUTDOWN;
        }
        /* 4.1: a client waits; what came with the request nobody has looked at. What comes
         * later is not read before the answer. */
        if (connection->behind > 0) {
                http_exchange_refuse(exchange, 400,
                                     "something follows the request for a WebSocket");
                return -EPROTO;
        }
        return 0;
}

int http_exchange_upgrade(struct http_exchange *exchange, struct http_text key,
                          const char *protocol, struct net_stream **ret)
{
        static const struct net_stream_limits none = {.output = 4096, .output_high = 4096};
        struct http_connection *connection = exchange->connection;
        int r = refuse_upgrade(exchange);

        if (r < 0)
                return r;
        r = write_handshake(exchange, key, protocol);
        if (r == 0)
                r = net_stream_become_websocket(connection->stream);
        if (r < 0) {
                net_stream_close(connection->stream);
                return r;
        }
        *ret = connection->stream;
        net_stream_hand_over(*ret, &none, NULL);
        http_server_count_answer(connection->server, 101);
        http_connection_leave(connection);
        return 0;
}
