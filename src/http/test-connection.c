/* The way of requests through a connection, on real sockets. */
#include "base/attributes.h"
#include "http/server-fixture.h"
#include "net/entrance.h"
#include "support/allocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

TEST(requests_are_answered_in_order_on_one_connection)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fd), HELLO);
        say(&f, fd,
            "GET /devices/pi-1 HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
            "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fd),
                   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\npi-1"
                   "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: "
                   "3\r\n\r\nabc" HELLO);
        close(fd);
        turn(&f);
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        CHECK_EQ(http_server_figures(f.server).requests, 4);
        CHECK_EQ(http_server_figures(f.server).answers[2], 4);
        fixture_close(&f);
}

TEST(requests_that_come_byte_by_byte_are_the_same)
{
        static const char text[] =
                "\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
                "\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        char byte[2] = "";
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        for (size_t i = 0; text[i]; i++) {
                byte[0] = text[i];
                say(&f, fd, byte);
        }
        CHECK_TEXT(hear(&f, fd), "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\n"
                                 "Content-Length: 5\r\n\r\nabcde");
        fixture_end(&f, fd);
}

TEST(a_trailer_may_be_longer_than_a_head)
{
        struct http_limits limits = {.head = 512};
        char x[1001] = "";
        struct fixture f;
        int fd;

        memset(x, 'x', sizeof(x) - 1);
        fd = fixture_begin(&f, &limits);
        say(&f, fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ");
        say(&f, fd, x);
        say(&f, fd, "\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "201 Created") != NULL);
        fixture_end(&f, fd);
}

TEST(many_requests_at_once_are_all_answered)
{
        static const char one[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
        char text[100 * (sizeof(one) - 1) + 1] = "";
        struct fixture f;
        int fd;

        for (size_t i = 0; i < 100; i++)
                memcpy(text + i * (sizeof(one) - 1), one, sizeof(one));
        fd = fixture_begin(&f, NULL);
        say(&f, fd, text);
        CHECK_EQ(strlen(hear(&f, fd)), 100 * (sizeof(HELLO) - 1));
        fixture_end(&f, fd);
}

TEST(what_is_refused_is_counted_too)
{
        static const char *const requests[] = {
                "GET / HTTP/2.0\r\n\r\n",                                     /* a whole head */
                "GET /\n",                                                    /* none */
                "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", /* no route */
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        };
        struct fixture f;

        fixture_open(&f, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
                int fd = fixture_connect(&f);

                say(&f, fd, requests[i]);
                CHECK(strstr(hear(&f, fd), "EOF") != NULL);
                close(fd);
                turn(&f);
                CHECK_EQ(http_server_figures(f.server).requests, i + 1);
        }
        CHECK_EQ(http_server_figures(f.server).answers[4] +
                         http_server_figures(f.server).answers[5],
                 ARRAY_SIZE(requests));
        fixture_close(&f);
}

TEST(what_comes_behind_a_request_waits_for_its_answer)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fd), "");
        CHECK(f.held != NULL);
        http_exchange_answer(f.held, 202, "text/plain", "late", 4);
        CHECK_TEXT(hear(&f, fd),
                   "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\n"
                   "late" HELLO);
        fixture_end(&f, fd);
        CHECK_EQ(f.gone, 0);
}

/* Over TCP, where what was sent may come later; the client's end blocks. */
static int connect_over_tcp(struct fixture *f)
{
        struct net_address own = {.v4 = {.sin_family = AF_INET}, .length = sizeof(own.v4)};
        struct net_address peer = {.length = sizeof(peer.v4)};
        AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int near, far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        own.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK_EQ(bind(listener, &own.any, own.length), 0);
        CHECK_EQ(getsockname(listener, &own.any, &own.length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(connect(far, &own.any, own.length), 0);
        near = accept4(listener, &peer.any, &peer.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        CHECK(near >= 0);
        http_server_attach(f->server, near, NULL, &peer);
        return far;
}

TEST(a_handler_hears_that_the_peer_is_gone)
{
        static const struct linger reset = {.l_onoff = 1};
        struct fixture f;
        int fd;

        fixture_open(&f, NULL);
        fd = connect_over_tcp(&f);
        say(&f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
        while (!f.held)
                loop_run_once(f.loop, 1000);
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(fd);
        while (f.gone == 0)
                loop_run_once(f.loop, 1000);
        CHECK_EQ(f.gone, 1);
        CHECK_NULL(f.held);
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        fixture_close(&f);
}

TEST(a_half_closed_connection_gets_its_answer)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        turn(&f);
        CHECK(f.held != NULL);
        http_exchange_answer(f.held, 200, "text/plain", "late", 4);
        CHECK(strstr(hear(&f, fd), "\r\n\r\nlateEOF") != NULL);
        fixture_end(&f, fd);
}

/* What is refused, and what the connection does then. */
static const struct {
        const char *name, *text, *answer;
        bool closes;
} refusals[] = {
        {"no request", "hello\r\n\r\n", "HTTP/1.1 400 ", true},
        {"too long a head", NULL, "HTTP/1.1 431 ", true},
        {"an unknown path", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 ", false},
        {"a path that leads upwards", "GET /devices/%2e%2e HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 400 ", false},
        {"another method", "PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, OPTIONS\r\n", false},
        {"the methods", "OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 204 No Content\r\nAllow: POST, OPTIONS\r\n\r\n", false},
        {"an unknown path with a body",
         "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
         "HTTP/1.1 404 Not Found\r\nConnection: close\r\n", true},
        {"a body where none belongs", "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
         "HTTP/1.1 413 ", true},
        {"a body that is too long",
         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", "HTTP/1.1 413 ", true},
        {"a chunk that is too long",
         "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n",
         "HTTP/1.1 413 ", true},
        {"no chunk",
         "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
         "HTTP/1.1 400 ", true},
        {"a request smuggled behind two lengths",
         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 44\r\nTransfer-Encoding: "
         "chunked\r\n\r\n"
         "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
         "HTTP/1.1 400 ", true},
        {"a field that may not be", "GET /bad HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 500 ", false},
        {"1.0 is closed", "GET /hello HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n",
         true},
        {"1.0 stays when it asks", "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", false},
        {"closed when asked", "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 200 OK\r\nConnection: close\r\n", true},
};

TEST(what_is_refused_is_told_and_the_connection_goes_on_where_it_can)
{
        static char long_head[16 << 10];

        snprintf(long_head, sizeof(long_head), "GET / HTTP/1.1\r\nHost: %01000d%010000d", 0, 0);
        for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
                const char *text = refusals[i].text ? refusals[i].text : long_head, *answer;
                struct fixture f;
                int fd;

                fixture_open(&f, NULL);
                fd = fixture_connect(&f);
                say(&f, fd, text);
                answer = hear(&f, fd);
                if (strncmp(answer, refusals[i].answer, strlen(refusals[i].answer)) != 0 ||
                    strstr(answer + 1, "HTTP/1.1") ||
                    (strstr(answer, "EOF") != NULL) != refusals[i].closes)
                        FAIL("%s: %s", refusals[i].name, answer);
                if (!refusals[i].closes) {
                        say(&f, fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
                        CHECK_TEXT(hear(&f, fd), HELLO);
                }
                close(fd);
                turn(&f);
                fixture_close(&f);
        }
}

TEST(a_body_waits_for_its_invitation)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd,
            "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            "Content-Length: 3\r\n\r\n");
        CHECK_TEXT(hear(&f, fd), "HTTP/1.1 100 Continue\r\n\r\n");
        say(&f, fd, "abc");
        CHECK(strstr(hear(&f, fd), "\r\n\r\nabc") != NULL);
        /* And is not invited where nobody would take it. */
        say(&f, fd,
            "POST /none HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            "Content-Length: 3\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "HTTP/1.1 404 ") != NULL);
        fixture_end(&f, fd);
}

TEST(who_is_silent_or_slow_is_not_waited_for)
{
        struct http_limits limits = {.idle_ms = 5000, .request_ms = 2000};
        struct fixture f;
        int fd = fixture_begin(&f, &limits);

        advance(&f, 4999);
        CHECK_TEXT(hear(&f, fd), "");
        advance(&f, 1);
        CHECK_TEXT(hear(&f, fd), "EOF");
        close(fd);
        /* A byte now and then does not help. */
        fd = fixture_connect(&f);
        say(&f, fd, "GET /hello");
        advance(&f, 1999);
        say(&f, fd, " ");
        CHECK_TEXT(hear(&f, fd), "");
        advance(&f, 1);
        CHECK_EQ(strncmp(hear(&f, fd), "HTTP/1.1 408 ", 13), 0);
        close(fd);
        /* A body has a second for each 16 KiB beside. */
        fd = fixture_connect(&f);
        say(&f, fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 32768\r\n\r\nabc");
        advance(&f, 3999);
        CHECK_TEXT(hear(&f, fd), "");
        advance(&f, 1);
        CHECK_EQ(strncmp(hear(&f, fd), "HTTP/1.1 408 ", 13), 0);
        close(fd);
        /* While it waits for us its time does not run. */
        fd = fixture_connect(&f);
        say(&f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
        advance(&f, 100000);
        http_exchange_answer(f.held, 200, "text/plain", "x", 1);
        CHECK(strstr(hear(&f, fd), "\r\n\r\nx") != NULL);
        CHECK_EQ(http_server_figures(f.server).timed_out, 3);
        fixture_end(&f, fd);
}

TEST(one_connection_too_many_is_told_so)
{
        struct fixture f;
        int fds[4];

        fixture_open(&f, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = fixture_connect(&f);
        CHECK_EQ(strncmp(hear(&f, fds[3]), "HTTP/1.1 503 ", 13), 0);
        say(&f, fds[2], "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fds[2]), HELLO);
        CHECK_EQ(http_server_figures(f.server).turned_away, 1);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
        fixture_close(&f);
}

static void adopt(void *owner, struct net_stream *stream)
{
        struct fixture *f = owner;

        http_server_adopt(f->server, stream);
}

TEST(who_came_through_an_entrance_is_served_or_told_that_there_is_no_room)
{
        AUTO(net_entrance) struct net_entrance *entrance = NULL;
        const struct net_address peer = {.length = sizeof(peer.any.sa_family)};
        struct net_entrance_owner owner = {.on_stream = adopt};
        struct fixture f;
        int pairs[4][2];

        fixture_open(&f, NULL);
        owner.owner = &f;
        CHECK_EQ(net_entrance_new(f.loop, f.net, &(struct net_entrance_options){0}, &owner,
                                  &entrance),
                 0);
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                                    pairs[i]),
                         0);
                net_entrance_admit(entrance, pairs[i][0], &peer);
                turn(&f);
        }
        CHECK_EQ(strncmp(hear(&f, pairs[3][1]), "HTTP/1.1 503 ", 13), 0);
        for (size_t i = 0; i < 3; i++) {
                say(&f, pairs[i][1], "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
                CHECK_TEXT(hear(&f, pairs[i][1]), HELLO);
        }
        CHECK_EQ(http_server_figures(f.server).connections, 3);
        CHECK_EQ(http_server_figures(f.server).turned_away, 1);
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
                close(pairs[i][1]);
        turn(&f);
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        fixture_close(&f);
}

static void note_stopped(void *owner)
{
        struct fixture *f = owner;

        f->stopped++;
}

TEST(a_server_that_stops_answers_what_is_under_way)
{
        struct fixture f;
        int idle, held, events;
        struct http_exchange *exchange;

        fixture_open(&f, NULL);
        idle = fixture_connect(&f);
        held = fixture_connect(&f);
        events = fixture_connect(&f);
        say(&f, events, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        say(&f, held, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
        exchange = f.held;
        http_server_stop(f.server, note_stopped, &f);
        CHECK_EQ(f.gone, 1);
        CHECK_TEXT(hear(&f, idle), "EOF");
        CHECK_EQ(f.stopped, 0);
        http_exchange_answer(exchange, 200, "text/plain", "x", 1);
        CHECK(strstr(hear(&f, held), "Connection: close\r\n") != NULL);
        CHECK(strstr(hear(&f, events), "EOF") != NULL);
        close(idle);
        close(held);
        close(events);
        turn(&f);
        CHECK_EQ(f.stopped, 1);
        fixture_close(&f);
}

TEST(want_of_memory_costs_one_connection)
{
        bool failed = true;

        for (size_t nth = 1; failed; nth++) {
                struct fixture f;
                int fd;

                fixture_open(&f, NULL);
                allocation_fail_at(nth);
                fd = fixture_connect(&f);
                say(&f, fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
                (void)hear(&f, fd);
                failed = allocation_end();
                close(fd);
                turn(&f);
                fd = fixture_connect(&f);
                say(&f, fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
                CHECK_TEXT(hear(&f, fd), HELLO);
                close(fd);
                turn(&f);
                fixture_close(&f);
        }
}

static void note_count(void *owner, const struct http_figures *figures)
{
        struct http_figures *last = owner;

        *last = *figures;
}

TEST(whoever_counts_connections_is_told_of_each)
{
        struct http_figures figures = {0};
        struct fixture f;
        int fds[4];

        fixture_open(&f, NULL);
        http_server_on_count(f.server, note_count, &figures);
        for (size_t i = 0; i < 3; i++) {
                fds[i] = fixture_connect(&f);
                CHECK_EQ(figures.connections, i + 1);
        }
        fds[3] = fixture_connect(&f);
        CHECK_EQ(figures.turned_away, 1);
        for (size_t i = 0; i < 4; i++)
                close(fds[i]);
        turn(&f);
        CHECK_EQ(figures.connections, 0);
        fixture_close(&f);
}
