/* A broker's clients over WebSockets, from the handshake on: requests and frames by hand. */
#include "mqtt/websocket.h"

#include "base/attributes.h"
#include "http/server.h"
#include "mqtt/conversation-fixture.h"
#include "support/allocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEARD_MAX = 4 << 20 };

struct fixture {
        struct conversation talk; /* the broker, its loop and streams */
        struct mqtt_websocket websocket;
        struct http_router *router;
        struct http_server *server;
};

static void open_fixture(struct fixture *f, const struct mqtt_limits *limits)
{
        conversation_init(&f->talk, limits, NULL);
        CHECK_EQ(http_router_new(&f->router), 0);
        f->websocket = (struct mqtt_websocket){.broker = f->talk.broker};
        CHECK_EQ(mqtt_websocket_route(f->router, &f->websocket), 0);
        CHECK_EQ(http_server_new(f->talk.loop, f->talk.net, f->router, NULL, &f->server), 0);
}

/* In the order of a program that ends, which gives no stream time for a farewell. */
static void close_fixture(struct fixture *f)
{
        f->server = http_server_free(f->server);
        f->router = http_router_free(f->router);
        conversation_done(&f->talk);
}

static void turn(struct fixture *f)
{
        for (int i = 0; i < 30; i++)
                loop_run_once(f->talk.loop, 0);
}

/* All that came until nothing does, as bytes that live until the next call. */
static const uint8_t *hear(struct fixture *f, int fd, size_t *ret_count)
{
        static uint8_t bytes[HEARD_MAX];
        size_t count = 0;
        ssize_t got;

        turn(f);
        while ((got = recv(fd, bytes + count, sizeof(bytes) - 1 - count, MSG_DONTWAIT)) > 0) {
                count += (size_t)got;
                turn(f);
        }
        bytes[count] = '\0';
        *ret_count = count;
        return bytes;
}

#define HANDSHAKE                                                                                  \
        "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"   \
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"             \
        "Sec-WebSocket-Protocol: mqtt\r\n\r\n"

/* A connection that has asked; what it is told is heard next. */
static int dial_with(struct fixture *f, const char *request)
{
        struct net_address peer = {0};
        int fds[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        http_server_attach(f->server, fds[0], NULL, &peer);
        (void)!send(fds[1], request, strlen(request), MSG_NOSIGNAL);
        return fds[1];
}

static int dial(struct fixture *f)
{
        return dial_with(f, HANDSHAKE);
}

static bool is_told(struct fixture *f, int fd, const char *status)
{
        size_t count;

        return strstr((const char *)hear(f, fd, &count), status) != NULL;
}

/* A packet in the notation of conversations, in a frame whose mask changes nothing. */
static void say(int fd, const char *packet)
{
        size_t count;
        uint8_t *bytes = conversation_bytes(packet, &count);
        uint8_t frame[6 + 125] = {0x82, (uint8_t)(0x80 | count)};

        CHECK(count <= 125);
        memcpy(frame + 6, bytes, count);
        CHECK_EQ(send(fd, frame, 6 + count, MSG_NOSIGNAL), 6 + count);
        free(bytes);
}

/* Takes the headers of frames out of bytes that hold nothing but whole binary ones. */
static size_t unframe(uint8_t *bytes, size_t count)
{
        size_t at = 0, payload = 0;

        while (at < count) {
                size_t length, header = 2;

                CHECK_EQ(bytes[at], 0x82);
                length = bytes[at + 1];
                if (length == 126) {
                        length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
                        header = 4;
                } else if (length == 127) {
                        length = 0;
                        for (size_t i = 0; i < 8; i++)
                                length = length << 8 | bytes[at + 2 + i];
                        header = 10;
                }
                CHECK(length <= count - at - header);
                memmove(bytes + payload, bytes + at + header, length);
                payload += length;
                at += header + length;
        }
        return payload;
}

/* A client that is connected and has a subscription to [t]. */
static int subscribe(struct fixture *f)
{
        static const uint8_t suback[] = {0x82, 6, 0x90, 4, 0, 1, 0, 0};
        int fd = dial(f);
        const uint8_t *heard;
        size_t count;

        CHECK(is_told(f, fd, "101 Switching Protocols"));
        say(fd, "10{[MQTT] 05 02 0000 () [s]}");
        heard = hear(f, fd, &count);
        CHECK(count > 4 && heard[2] == 0x20 && heard[5] == 0);
        say(fd, "82{0001 () [t] 00}");
        heard = hear(f, fd, &count);
        CHECK_EQ(count, sizeof(suback));
        CHECK(memcmp(heard, suback, sizeof(suback)) == 0);
        return fd;
}

TEST(what_is_dropped_for_a_slow_reader_is_whole_packets)
{
        enum { MESSAGES = 2000, PAYLOAD = 1024, PACKET = 3 + 3 + 1 + PAYLOAD };
        static uint8_t zeros[PAYLOAD], packets[HEARD_MAX];
        const struct mqtt_publish publish = {.topic = {"t", 1}, .payload = {zeros, PAYLOAD}};
        struct fixture f;
        size_t count, delivered, idle;
        int fd;

        open_fixture(&f, NULL);
        fd = subscribe(&f);
        idle = net_context_budget(f.talk.net)->used;
        for (int i = 0; i < MESSAGES; i++) {
                CHECK(mqtt_broker_publish(f.talk.broker, &publish) >= 0);
                loop_run_once(f.talk.loop, 0);
        }
        CHECK(conversation_count(&f.talk, MQTT_COUNT_DROPPED_SLOW) > 0);
        CHECK(net_context_budget(f.talk.net)->used <= 4 * conversation_limits.output_bytes);
        memcpy(packets, hear(&f, fd, &count), HEARD_MAX);
        count = unframe(packets, count);
        delivered = (size_t)conversation_count(&f.talk, MQTT_COUNT_DELIVERED);
        CHECK_EQ(delivered + conversation_count(&f.talk, MQTT_COUNT_DROPPED_SLOW), MESSAGES);
        CHECK_EQ(count, delivered * PACKET);
        for (size_t i = 0; i < delivered; i++)
                CHECK(memcmp(packets + i * PACKET, "\x30\x84\x08\0\1t\0", 7) == 0);
        CHECK_EQ(net_context_budget(f.talk.net)->used, idle);
        say(fd, "C000");
        CHECK(memcmp(hear(&f, fd, &count), "\x82\x02\xd0\0", 4) == 0);
        close(fd);
        close_fixture(&f);
}

TEST(a_broker_without_room_says_so_before_the_handshake)
{
        struct mqtt_limits limits = conversation_limits;
        struct fixture f;
        int first, second;

        limits.connecting = 1;
        open_fixture(&f, &limits);
        first = dial(&f);
        CHECK(is_told(&f, first, "101 Switching Protocols"));
        second = dial(&f);
        CHECK(is_told(&f, second, "503 Service Unavailable"));
        CHECK_EQ(conversation_count(&f.talk, MQTT_COUNT_REFUSED_CONNECTING), 1);
        /* It may ask again. */
        close(first);
        turn(&f);
        CHECK_EQ(send(second, HANDSHAKE, sizeof(HANDSHAKE) - 1, MSG_NOSIGNAL),
                 sizeof(HANDSHAKE) - 1);
        CHECK(is_told(&f, second, "101 Switching Protocols"));
        close(second);
        close_fixture(&f);
}

TEST(a_broker_that_stops_takes_no_more_of_them)
{
        struct fixture f;
        int fd;

        open_fixture(&f, NULL);
        mqtt_broker_stop(f.talk.broker, MQTT_SERVER_SHUTTING_DOWN);
        fd = dial(&f);
        CHECK(is_told(&f, fd, "503 Service Unavailable"));
        close(fd);
        close_fixture(&f);
}

TEST(without_memory_a_handshake_fails_and_leaves_nothing)
{
        size_t n = 0;
        bool failed;

        do {
                struct fixture f;
                int fd;

                open_fixture(&f, NULL);
                allocation_fail_at(++n);
                fd = dial(&f);
                loop_run_once(f.talk.loop, 0);
                failed = allocation_end();
                /* The program ends now, whatever came of it. */
                close_fixture(&f);
                close(fd);
        } while (failed);
        CHECK(n > 3);
}

static bool trusts(void *owner, struct http_text origin)
{
        return origin.length == strlen(owner) && memcmp(origin.bytes, owner, origin.length) == 0;
}

static bool may_page_of(struct fixture *f, const char *origin)
{
        char request[512];
        int fd;
        bool may;

        /* The handshake without the empty line at its end, and one more field. */
        snprintf(request, sizeof(request), "%.*sOrigin: %s\r\n\r\n", (int)sizeof(HANDSHAKE) - 3,
                 HANDSHAKE, origin);
        fd = dial_with(f, request);
        may = is_told(f, fd, "101 ");
        close(fd);
        turn(f);
        return may;
}

static bool is_named(void *owner, const struct http_request *request)
{
        (void)request;
        return *(bool *)owner;
}

TEST(its_own_pages_may_connect_where_its_name_is_known)
{
        static const char request[] =
                "GET /mqtt HTTP/1.1\r\nHost: pi.example\r\n"
                "Connection: upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                "Origin: http://%s\r\n\r\n";
        static const struct {
                const char *origin;
                bool named, may;
        } cases[] = {
                {"pi.example", false, false},
                {"pi.example", true, true},
                {"evil.example", true, false},
                {"pi.example:81", true, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                bool named = cases[i].named;
                char text[512];
                struct fixture f;
                int fd;

                open_fixture(&f, NULL);
                f.websocket.is_named = is_named;
                f.websocket.owner = &named;
                snprintf(text, sizeof(text), request, cases[i].origin);
                fd = dial_with(&f, text);
                CHECK_EQ(is_told(&f, fd, cases[i].may ? "101 " : "403 "), true);
                close(fd);
                turn(&f);
                close_fixture(&f);
        }
}

TEST(pages_of_origins_that_the_program_trusts_may_connect)
{
        static char trusted[] = "https://example.org";
        struct fixture f;

        open_fixture(&f, NULL);
        CHECK(may_page_of(&f, "http://localhost"));
        CHECK(!may_page_of(&f, trusted));
        f.websocket.trusts = trusts;
        f.websocket.owner = trusted;
        CHECK(may_page_of(&f, trusted));
        CHECK(may_page_of(&f, "http://localhost"));
        CHECK(!may_page_of(&f, "https://example.com"));
        close_fixture(&f);
}
