/* Answers of each kind, as a peer reads them. */
#include "base/attributes.h"
#include "http/server-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void note_gone(void *owner)
{
        struct fixture *f = owner;

        f->held = NULL;
        f->gone++;
}

TEST(head_is_get_without_a_body)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fd),
                   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n");
        say(&f, fd, "HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "\r\n\r\n")[4] == '\0');
        fixture_end(&f, fd);
}

TEST(a_stream_of_events_is_written_as_it_comes_and_ends_with_its_connection)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fd), "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                 "Content-Type: text/event-stream\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
        http_exchange_write(f.held, "data: 2\n\n", 9);
        http_exchange_write(f.held, "", 0);
        CHECK_TEXT(hear(&f, fd), "9\r\ndata: 2\n\n\r\n");
        /* What is said meanwhile is nobody's. */
        say(&f, fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_TEXT(hear(&f, fd), "");
        http_exchange_finish(f.held);
        CHECK_TEXT(hear(&f, fd), "0\r\n\r\nEOF");
        fixture_end(&f, fd);
        CHECK_EQ(f.gone, 0);
}

TEST(a_stream_to_an_old_client_has_no_chunks)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /events HTTP/1.0\r\n\r\n");
        http_exchange_finish(f.held);
        CHECK_TEXT(hear(&f, fd), "HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                 "Content-Type: text/event-stream\r\n\r\ndata: 1\n\nEOF");
        fixture_end(&f, fd);
}

TEST(who_writes_events_hears_that_nobody_listens)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        turn(&f);
        CHECK_EQ(f.gone, 1);
        CHECK_NULL(f.held);
        close(fd);
        turn(&f);
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        fixture_close(&f);
}

TEST(who_does_not_read_events_is_seen_and_then_cut_off)
{
        struct http_limits limits = {.output = 1 << 20};
        static char bytes[64 << 10];
        struct fixture f;
        unsigned written = 0;
        int fd;

        memset(bytes, 'x', sizeof(bytes));
        fd = fixture_begin(&f, &limits);
        say(&f, fd, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        while (!http_exchange_is_congested(f.held)) {
                http_exchange_write(f.held, bytes, sizeof(bytes));
                turn(&f);
                CHECK(++written < 100);
        }
        for (int i = 0; i < 32 && f.held; i++) {
                http_exchange_write(f.held, bytes, sizeof(bytes));
                turn(&f);
        }
        CHECK_EQ(f.gone, 1);
        fixture_end(&f, fd);
}

TEST(a_long_answer_goes_out_as_fast_as_it_is_read)
{
        struct http_limits limits = {.idle_ms = 5000};
        size_t length = 0;
        struct fixture f;
        int fd = fixture_begin(&f, &limits);

        say(&f, fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        for (;;) {
                static char part[8 << 10];
                ssize_t got = recv(fd, part, sizeof(part), 0);

                if (got <= 0)
                        break;
                length += (size_t)got;
                /* A slow reader, but one that reads: longer in all than may be idle. */
                advance(&f, 100);
        }
        CHECK(length > 1 << 20);
        CHECK_EQ(http_server_figures(f.server).answers[2], 2);
        CHECK_EQ(http_server_figures(f.server).timed_out, 0);
        fixture_end(&f, fd);
}

TEST(idle_is_who_has_read_the_answer_and_says_nothing)
{
        struct http_limits limits = {.idle_ms = 5000};
        struct fixture f;
        int fd = fixture_begin(&f, &limits);

        say(&f, fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        advance(&f, 4900);
        CHECK(strlen(hear(&f, fd)) > 1 << 20);
        advance(&f, 4900);
        say(&f, fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "200 OK") != NULL);
        advance(&f, 5000);
        CHECK_TEXT(hear(&f, fd), "EOF");
        fixture_end(&f, fd);
}

TEST(the_last_answer_of_a_connection_is_whole_for_who_reads_slowly)
{
        static char bytes[16 << 10];
        struct fixture f;
        int fd = fixture_begin(&f, NULL);
        size_t total = 0;
        ssize_t n = 1;

        say(&f, fd, "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        for (unsigned i = 0; n > 0 && i < 1000; i++) {
                n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
                total += n > 0 ? (size_t)n : 0;
                /* 32 KiB a second; for half a minute. */
                advance(&f, 500);
        }
        CHECK_EQ(n, 0);
        CHECK(total > 1 << 20);
        fixture_end(&f, fd);
}

#define HANDSHAKE                                                                                  \
        "GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"         \
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

TEST(a_websocket_is_somebody_elses_stream)
{
        static const char frame[] = "\x82\x83\x01\x01\x01\x01"
                                    "`cb";
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, HANDSHAKE);
        CHECK_TEXT(hear(&f, fd), "HTTP/1.1 101 Switching Protocols\r\n"
                                 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                                 "Sec-WebSocket-Protocol: echo\r\n\r\n");
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        say(&f, fd, frame);
        CHECK_TEXT(hear(&f, fd), "\x82\x03"
                                 "abc");
        close(fd);
        turn(&f);
        CHECK_NULL(f.socket);
        fixture_close(&f);
}

TEST(what_is_no_request_for_a_websocket_stays_http)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /socket HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "426 Upgrade Required") != NULL);
        /* Nobody has agreed to frames yet. */
        say(&f, fd, HANDSHAKE "\x82\x81");
        CHECK(strstr(hear(&f, fd), "400 Bad Request") != NULL);
        CHECK_NULL(f.socket);
        fixture_end(&f, fd);
}

#define KEY HTTP_TEXT("dGhlIHNhbXBsZSBub25jZQ==")

/* A request whose answer is put off, as when somebody is asked who this is. */
static int hold(struct fixture *f)
{
        int fd;

        fixture_open(f, NULL);
        fd = fixture_connect(f);
        say(f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(f->held != NULL);
        return fd;
}

/* What came meanwhile is frames too, as nobody has read it. */
TEST(a_request_that_was_put_off_may_go_on_as_a_websocket)
{
        struct net_stream *socket;
        char pong[3] = "";
        struct fixture f;
        int fd = hold(&f);

        CHECK_EQ(send(fd, "\x89\x81\0\0\0\0!", 7, MSG_NOSIGNAL), 7);
        turn(&f);
        CHECK_EQ(http_exchange_upgrade(f.held, KEY, NULL, &socket), 0);
        CHECK(strstr(hear(&f, fd), "\r\n\r\n\x8a\x01!") != NULL);
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        CHECK_EQ(send(fd, "\x89\x81\0\0\0\0?", 7, MSG_NOSIGNAL), 7);
        turn(&f);
        CHECK_EQ(recv(fd, pong, sizeof(pong), 0), sizeof(pong));
        CHECK_EQ(pong[2], '?');
        net_stream_close(socket);
        close(fd);
        turn(&f);
        fixture_close(&f);
        CHECK_EQ(f.gone, 0);
}

TEST(what_came_with_a_request_that_was_put_off_keeps_it_from_being_a_websocket)
{
        struct net_stream *socket;
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n\x82\x81");
        CHECK_EQ(http_exchange_upgrade(f.held, KEY, NULL, &socket), -EPROTO);
        CHECK(strstr(hear(&f, fd), "400 Bad Request") != NULL);
        fixture_end(&f, fd);
}

TEST(a_server_that_stops_begins_no_websocket)
{
        struct net_stream *socket;
        struct fixture f;
        int fd = hold(&f);

        http_server_stop(f.server, NULL, NULL);
        CHECK_EQ(http_exchange_upgrade(f.held, KEY, NULL, &socket), -ESHUTDOWN);
        CHECK(strstr(hear(&f, fd), "503 Service Unavailable") != NULL);
        close(fd);
        turn(&f);
        CHECK_EQ(http_server_figures(f.server).connections, 0);
        fixture_close(&f);
}

TEST(without_memory_for_its_answer_a_websocket_is_closed)
{
        struct net_stream *socket;
        struct fixture f;
        int fd = hold(&f);
        struct net_budget *budget = net_context_budget(f.net);
        size_t left = budget->limit - budget->used;

        CHECK_EQ(net_budget_take(budget, left), 0);
        CHECK_EQ(http_exchange_upgrade(f.held, KEY, NULL, &socket), -EPIPE);
        net_budget_give(budget, left);
        CHECK_TEXT(hear(&f, fd), "EOF");
        CHECK_EQ(f.gone, 1);
        fixture_end(&f, fd);
}

#define UPLOAD "POST /upload HTTP/1.1\r\nHost: a\r\n"

TEST(a_route_may_refuse_before_the_body_is_waited_for)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, UPLOAD "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        CHECK_TEXT(hear(&f, fd),
                   "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n"
                   "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 11\r\n\r\n"
                   "show a key\nEOF");
        fixture_end(&f, fd);
        CHECK_EQ(f.gone, 0);
}

TEST(a_route_may_go_on_without_a_body_all_the_same)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, UPLOAD "Content-Length: 0\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "401 Unauthorized") != NULL);
        say(&f, fd, UPLOAD "Key: 1\r\nContent-Length: 0\r\n\r\n");
        CHECK(strstr(hear(&f, fd), "201 Created") != NULL);
        fixture_end(&f, fd);
        CHECK_EQ(f.gone, 0);
}

TEST(how_long_a_body_may_be_is_the_routes_to_say)
{
        static const struct {
                const char *text, *answer;
                unsigned gone;
        } cases[] = {
                {UPLOAD "Key: 1\r\nContent-Length: 10\r\n\r\n0123456789", "HTTP/1.1 201 ", 0},
                {UPLOAD "Key: 1\r\nContent-Length: 11\r\n\r\n", "HTTP/1.1 413 ", 1},
                {UPLOAD "Key: 1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n",
                 "HTTP/1.1 413 ", 1},
                {UPLOAD "Key: 1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 400 ", 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                int fd;

                fixture_open(&f, NULL);
                fd = fixture_connect(&f);
                say(&f, fd, cases[i].text);
                if (strncmp(hear(&f, fd), cases[i].answer, strlen(cases[i].answer)) != 0)
                        FAIL("%s: not %s", cases[i].text, cases[i].answer);
                /* What was put off before the body is given up with it. */
                CHECK_EQ(f.gone, cases[i].gone);
                close(fd);
                fixture_close(&f);
        }
}

TEST(who_goes_while_the_body_comes_is_told_of)
{
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, UPLOAD "Key: 1\r\nContent-Length: 10\r\n\r\n01234");
        close(fd);
        turn(&f);
        CHECK_EQ(f.gone, 1);
        fixture_close(&f);
}

TEST(an_answer_that_was_put_off_may_become_a_stream)
{
        struct http_exchange *held;
        struct fixture f;
        int fd = fixture_begin(&f, NULL);

        say(&f, fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
        held = f.held;
        (void)http_exchange_begin_stream(held, 200, note_gone, &f);
        http_exchange_write(held, "one", 3);
        CHECK(strstr(hear(&f, fd), "\r\n\r\n3\r\none\r\n") != NULL);
        /* That its reader goes is seen, though nothing was read while the answer waited. */
        shutdown(fd, SHUT_WR);
        turn(&f);
        CHECK_EQ(f.gone, 1);
        fixture_end(&f, fd);
}
