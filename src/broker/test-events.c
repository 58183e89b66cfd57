/* Server-sent events of a broker's clients, on real sockets and a clock that is moved by hand. */
#include "broker/events.h"

#include "base/attributes.h"
#include "http/event-reader.h"
#include "mqtt/terms.h"
#include "support/allocation.h"
#include "support/test.h"
#include "support/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
        struct loop *loop;
        struct net_context *net;
        struct http_router *router;
        struct http_server *server;
        struct broker_events events;
        struct mqtt_terms terms;
        struct net_peer peer;
};

static void on_request(void *owner, struct http_exchange *exchange)
{
        broker_events_add_reader(owner, exchange);
}

static void fixture_open(struct fixture *f)
{
        static const struct http_route route = {
                .method = HTTP_GET, .pattern = "/events", .handler = on_request};
        struct net_address address;

        *f = (struct fixture){.terms = {.name = "web"}};
        CHECK_EQ(net_address_parse("192.0.2.7", 5, &address, NULL), 0);
        net_peer_init(&f->peer, &address);
        CHECK_EQ(loop_new_virtual(0, &f->loop), 0);
        CHECK_EQ(net_context_new(f->loop, 64 << 20, &f->net), 0);
        CHECK_EQ(http_router_new(&f->router), 0);
        CHECK_EQ(http_router_add(f->router, &route, 1, &f->events), 0);
        CHECK_EQ(http_server_new(f->loop, f->net, f->router, NULL, &f->server), 0);
        broker_events_init(&f->events, f->loop);
}

static void fixture_close(struct fixture *f)
{
        http_server_free(f->server);
        CHECK_EQ(f->events.readers_count, 0);
        broker_events_done(&f->events);
        http_router_free(f->router);
        net_context_free(f->net);
        loop_free(f->loop);
}

static void turn(struct fixture *f)
{
        wire_turn(f->loop);
}

static void advance(struct fixture *f, uint64_t ms)
{
        wire_advance(f->loop, ms);
}

/* A reader's end. */
static int reader(struct fixture *f)
{
        struct net_address address = {0};
        int fds[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        http_server_attach(f->server, fds[0], NULL, &address);
        wire_say(f->loop, fds[1], "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return fds[1];
}

/* All that came, as text that lives until the next call; "EOF" at its end when it is closed. */
static const char *hear(struct fixture *f, int fd)
{
        return wire_hear(f->loop, fd);
}

static struct mqtt_who who_is(const struct fixture *f, const char *id)
{
        return (struct mqtt_who){.client_id = {id, (uint16_t)strlen(id)},
                                 .version = MQTT_VERSION_5,
                                 .peer = &f->peer,
                                 .terms = &f->terms};
}

static void drop(struct fixture *f, const char *id, const char *topic, enum mqtt_counter cause)
{
        broker_events_dropped(&f->events, (struct mqtt_text){id, (uint16_t)strlen(id)},
                              (struct mqtt_text){topic, (uint16_t)strlen(topic)}, cause);
}

TEST(readers_hear_who_comes_and_who_goes)
{
        struct fixture f;
        struct mqtt_who who;
        const char *heard;
        int fd;

        fixture_open(&f);
        who = who_is(&f, "a\"b");
        broker_events_connected(&f.events, &who, (struct mqtt_text){"ann", 3});
        fd = reader(&f);
        CHECK(strstr(hear(&f, fd), "retry: 3000\n\n") != NULL);
        broker_events_connected(&f.events, &who, (struct mqtt_text){"ann", 3});
        heard = hear(&f, fd);
        CHECK(strstr(heard, "event: connected\ndata: {\"type\":\"connected\",\"timestamp\":"));
        CHECK(strstr(heard,
                     ",\"client_id\":\"a\\\"b\",\"user\":\"ann\",\"version\":\"5.0\",\"peer\":"
                     "\"192.0.2.7:5\",\"listener\":\"web\"}\n\n"));
        broker_events_disconnected(&f.events, &who, MQTT_KEEP_ALIVE_TIMEOUT, 0);
        CHECK(strstr(hear(&f, fd), "\"reason\":141,\"why\":\"Keep Alive timeout\"}"));
        broker_events_disconnected(&f.events, &who, MQTT_UNSPECIFIED_ERROR, -104);
        CHECK(strstr(hear(&f, fd), "\"reason\":128,\"why\":\"Connection reset by peer\"}"));
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(what_is_dropped_in_a_second_is_told_once)
{
        struct fixture f;
        const char *heard;
        int fd;

        fixture_open(&f);
        drop(&f, "early", "t", MQTT_COUNT_DROPPED_QUEUE);
        fd = reader(&f);
        (void)hear(&f, fd);
        for (int i = 0; i < 1000; i++)
                drop(&f, "a", i == 999 ? "last" : "t", MQTT_COUNT_DROPPED_QUEUE);
        drop(&f, "a", "t", MQTT_COUNT_DROPPED_SLOW);
        drop(&f, "b", "t", MQTT_COUNT_DROPPED_QUEUE);
        CHECK_TEXT(hear(&f, fd), "");
        advance(&f, BROKER_EVENTS_GATHER_MS);
        heard = hear(&f, fd);
        CHECK(strstr(heard, "\"client_id\":\"a\",\"cause\":\"dropped_queue\",\"count\":1000,"
                            "\"topic\":\"last\"}"));
        CHECK(strstr(heard, "\"client_id\":\"a\",\"cause\":\"dropped_slow\",\"count\":1,"));
        CHECK(strstr(heard, "\"client_id\":\"b\",\"cause\":\"dropped_queue\",\"count\":1,"));
        CHECK(!strstr(heard, "early"));
        advance(&f, BROKER_EVENTS_GATHER_MS);
        CHECK_TEXT(hear(&f, fd), "");
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(more_causes_than_fit_are_told_together)
{
        struct fixture f;
        char id[16];
        int fd;

        fixture_open(&f);
        fd = reader(&f);
        for (int i = 0; i < BROKER_EVENTS_CAUSES_MAX + 5; i++) {
                snprintf(id, sizeof(id), "client-%d", i);
                drop(&f, id, "t", MQTT_COUNT_DROPPED_QUEUE);
        }
        advance(&f, BROKER_EVENTS_GATHER_MS);
        CHECK(strstr(hear(&f, fd), "\"client_id\":null,\"count\":5}"));
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(a_reader_that_does_not_read_is_told_how_many_it_missed)
{
        const int many = 20000;
        struct mqtt_who who;
        struct fixture f;
        const char *heard, *missed;
        int fd, got = 0, count;

        fixture_open(&f);
        who = who_is(&f, "a");
        fd = reader(&f);
        (void)hear(&f, fd);
        for (int i = 0; i < many; i++) {
                broker_events_disconnected(&f.events, &who, MQTT_SUCCESS, 0);
                if (i % 100 == 0)
                        turn(&f);
        }
        heard = hear(&f, fd);
        for (const char *at = heard; (at = strstr(at, "event: disconnected")); at++)
                got++;
        CHECK(got > 0 && got < many);
        CHECK(!strstr(heard, "event: missed"));
        broker_events_disconnected(&f.events, &who, MQTT_SUCCESS, 0);
        missed = strstr(hear(&f, fd), "event: missed");
        CHECK(missed != NULL);
        CHECK_EQ(sscanf(strstr(missed, "\"count\":"), "\"count\":%d", &count), 1);
        CHECK_EQ(count, many - got);
        CHECK(strstr(missed, "event: disconnected") != NULL);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(a_stream_is_kept_alive_and_ends_after_an_hour)
{
        struct fixture f;
        const char *heard;
        int fd;

        fixture_open(&f);
        fd = reader(&f);
        (void)hear(&f, fd);
        advance(&f, HTTP_EVENTS_KEEP_ALIVE_MS);
        CHECK(strstr(hear(&f, fd), ":\n\n"));
        for (int i = 0; i < 3600000 / HTTP_EVENTS_KEEP_ALIVE_MS; i++)
                advance(&f, HTTP_EVENTS_KEEP_ALIVE_MS);
        heard = hear(&f, fd);
        CHECK_TEXT(heard + strlen(heard) - 3, "EOF");
        CHECK_EQ(f.events.readers_count, 0);
        CHECK_NULL(f.events.drops);
        close(fd);
        fixture_close(&f);
}

TEST(readers_are_so_many_and_no_more)
{
        int fds[BROKER_EVENTS_READERS_MAX], fd;
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = reader(&f);
        fd = reader(&f);
        CHECK(strncmp(hear(&f, fd), "HTTP/1.1 503 ", 13) == 0);
        close(fd);
        close(fds[0]);
        turn(&f);
        fds[0] = reader(&f);
        CHECK(strncmp(hear(&f, fds[0]), "HTTP/1.1 200 ", 13) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
        turn(&f);
        fixture_close(&f);
}

TEST(without_memory_a_reader_is_refused_or_misses_an_event)
{
        struct mqtt_who who;
        struct fixture f;
        int fd;

        fixture_open(&f);
        who = who_is(&f, "a");
        fd = reader(&f);
        (void)hear(&f, fd);
        allocation_fail_from(1);
        broker_events_connected(&f.events, &who, (struct mqtt_text){"", 0});
        CHECK(allocation_end());
        CHECK_TEXT(hear(&f, fd), "");
        broker_events_disconnected(&f.events, &who, MQTT_SUCCESS, 0);
        CHECK(strstr(hear(&f, fd), "\"type\":\"missed\""));
        close(fd);
        turn(&f);
        fixture_close(&f);
}
