#include "http/server-fixture.h"

#include "base/attributes.h"
#include "net/upgrade.h"
#include "proto/http/websocket.h"
#include "support/wire.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIG = 1 << 20 };

static void on_hello(void *owner, struct http_exchange *exchange)
{
        (void)owner;
        http_exchange_answer(exchange, 200, "text/plain", "hello", 5);
}

static void on_echo(void *owner, struct http_exchange *exchange)
{
        struct http_text body = http_exchange_body(exchange);

        (void)owner;
        http_response_field(http_exchange_begin(exchange, 201), "Content-Type", "text/plain");
        http_exchange_end(exchange, body.bytes, body.length);
}

static void on_gone(void *owner)
{
        struct fixture *f = owner;

        f->held = NULL;
        f->gone++;
}

static void on_hold(void *owner, struct http_exchange *exchange)
{
        struct fixture *f = owner;

        f->held = exchange;
        http_exchange_defer(exchange, on_gone, f);
}

static void on_events(void *owner, struct http_exchange *exchange)
{
        struct fixture *f = owner;
        struct http_response *response = http_exchange_begin_stream(exchange, 200, on_gone, f);

        f->held = exchange;
        http_response_field(response, "Content-Type", "text/event-stream");
        http_exchange_write(exchange, "data: 1\n\n", 9);
}

static void on_big(void *owner, struct http_exchange *exchange)
{
        char *bytes = malloc(BIG);

        (void)owner;
        CHECK(bytes != NULL);
        memset(bytes, 'x', BIG);
        http_exchange_answer(exchange, 200, "text/plain", bytes, BIG);
        free(bytes);
}

static void on_bad(void *owner, struct http_exchange *exchange)
{
        (void)owner;
        http_response_field(http_exchange_begin(exchange, 200), "X-Name", "a\r\nSet-Cookie: b");
        http_exchange_end(exchange, "hello", 5);
}

static void on_device(void *owner, struct http_exchange *exchange)
{
        const char *id = http_exchange_parameter(exchange, "id");

        (void)owner;
        http_exchange_answer(exchange, 200, "text/plain", id, strlen(id));
}

static size_t echo_bytes(void *owner, const char *bytes, size_t count)
{
        struct fixture *f = owner;

        net_stream_write(f->socket, bytes, count);
        return count;
}

static void end_socket(void *owner)
{
        struct fixture *f = owner;

        net_stream_finish(f->socket);
}

static void forget_socket(void *owner, int reason)
{
        struct fixture *f = owner;

        (void)reason;
        f->socket = NULL;
}

static void on_socket(void *owner, struct http_exchange *exchange)
{
        static const struct net_stream_calls calls = {
                .on_bytes = echo_bytes, .on_end = end_socket, .on_closed = forget_socket};
        static const struct net_stream_limits limits = {
                .input = 1024, .output = BIG, .output_high = BIG};
        const struct net_stream_owner echo = {owner, &calls};
        struct http_refusal refusal;
        struct fixture *f = owner;
        struct http_text key;
        int r = http_websocket_wanted(http_exchange_request(exchange), &key, &refusal);

        if (r == HTTP_WEBSOCKET_NOT_ASKED)
                http_exchange_refuse(exchange, 426, "this is for WebSockets");
        else if (r < 0)
                http_exchange_refuse(exchange, refusal.status, refusal.why);
        else if (http_exchange_upgrade(exchange, key, "echo", &f->socket) == 0)
                net_stream_hand_over(f->socket, &limits, &echo);
}

/* Who shows no key sends nothing; whoever does, ten bytes. */
static size_t admit_upload(void *owner, struct http_exchange *exchange)
{
        struct fixture *f = owner;

        if (http_request_field(http_exchange_request(exchange), HTTP_TEXT("Key")))
                http_exchange_defer(exchange, on_gone, f);
        else
                http_exchange_refuse(exchange, 401, "show a key");
        return 10;
}

static void on_upload(void *owner, struct http_exchange *exchange)
{
        CHECK(http_exchange_owner(exchange) == owner);
        on_echo(owner, exchange);
}

static const struct http_route routes[] = {
        {HTTP_POST, "/upload", on_upload, 100000, admit_upload},
        {HTTP_GET, "/hello", on_hello, 0, NULL},
        {HTTP_POST, "/echo", on_echo, 100000, NULL},
        {HTTP_GET, "/hold", on_hold, 0, NULL},
        {HTTP_GET, "/events", on_events, 0, NULL},
        {HTTP_GET, "/big", on_big, 0, NULL},
        {HTTP_GET, "/bad", on_bad, 0, NULL},
        {HTTP_GET, "/devices/{id}", on_device, 0, NULL},
        {HTTP_GET, "/socket", on_socket, 0, NULL},
};

void fixture_open(struct fixture *f, const struct http_limits *limits)
{
        struct http_limits three = limits ? *limits : (struct http_limits){0};

        three.connections = 3;
        *f = (struct fixture){.held = NULL};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(net_context_new(f->loop, 64 << 20, &f->net), 0);
        CHECK_EQ(http_router_new(&f->router), 0);
        CHECK_EQ(http_router_add(f->router, routes, ARRAY_SIZE(routes), f), 0);
        CHECK_EQ(http_server_new(f->loop, f->net, f->router, &three, &f->server), 0);
}

void fixture_close(struct fixture *f)
{
        f->server = http_server_free(f->server);
        CHECK_EQ(net_context_budget(f->net)->used, 0);
        f->router = http_router_free(f->router);
        f->net = net_context_free(f->net);
        f->loop = loop_free(f->loop);
}

/* A pair, where the kernel has given to one end what the other said before it returns; what comes
 * over TCP, be it from here, may come later. As far as the server knows, it is TCP. */
int fixture_connect(struct fixture *f)
{
        const struct net_address peer = {
                .v4 = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}},
                .length = sizeof(peer.v4)};
        static const int room = 16 << 10;
        int ends[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        /* Little room in the kernel, so that a slow reader is one for us too. */
        CHECK_EQ(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
        http_server_attach(f->server, ends[0], NULL, &peer);
        turn(f);
        return ends[1];
}

void turn(struct fixture *f)
{
        wire_turn(f->loop);
}

void advance(struct fixture *f, uint64_t milliseconds)
{
        wire_advance(f->loop, milliseconds);
}

void say(struct fixture *f, int fd, const char *text)
{
        wire_say(f->loop, fd, text);
}

/* Its time is nobody's business here; that it is there is checked. */
static void drop_dates(char *text)
{
        char *line;

        while ((line = strstr(text, "Date: "))) {
                char *end = strstr(line, "GMT\r\n");

                CHECK(end != NULL && end - line < 40);
                memmove(line, end + 5, strlen(end + 5) + 1);
        }
}

const char *hear(struct fixture *f, int fd)
{
        char *text = wire_hear(f->loop, fd);

        drop_dates(text);
        return text;
}

int fixture_begin(struct fixture *f, const struct http_limits *limits)
{
        fixture_open(f, limits);
        return fixture_connect(f);
}

void fixture_end(struct fixture *f, int fd)
{
        close(fd);
        fixture_close(f);
}
