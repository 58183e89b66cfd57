/* What connections go through before anybody speaks with them. */
#include "net/certificate.h"
#include "net/entrance.h"
#include "net/test-tls-authority.h"
#include "net/tls-session.h"
#include "net/upgrade.h"
#include "support/allocation.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>

/* ---- an entrance, and whoever comes through it ---- */

struct door {
        struct hall hall;
        struct net_entrance *entrance;
        struct net_entrance_options options;
        struct side inside; /* who came through last */
        unsigned streams, refusals;
        bool close_at_once, free_at_once;
        int reason;
        char why[200], peer[NET_ADDRESS_TEXT_MAX], refused[NET_ADDRESS_TEXT_MAX];
};

static void on_stream(void *owner, struct net_stream *stream)
{
        const struct net_stream_owner inside = side_owner(&((struct door *)owner)->inside);
        struct door *door = owner;
        struct net_address peer;

        door->streams++;
        net_peer_address(net_stream_peer(stream), &peer);
        net_address_text(&peer, door->peer);
        if (door->free_at_once)
                door->entrance = net_entrance_free(door->entrance);
        if (door->close_at_once) {
                net_stream_close(stream);
                return;
        }
        door->inside.stream = stream;
        net_stream_hand_over(stream, &limits, &inside);
}

static void on_refused(void *owner, const struct net_address *peer, int reason, const char *why)
{
        struct door *door = owner;

        door->refusals++;
        door->reason = reason;
        snprintf(door->why, sizeof(door->why), "%s", why);
        net_address_text(peer, door->refused);
}

static int door_open(struct door *door)
{
        const struct net_entrance_owner owner = {
                .owner = door, .on_stream = on_stream, .on_refused = on_refused};

        return net_entrance_new(door->hall.f.loop, door->hall.f.context, &door->options, &owner,
                                &door->entrance);
}

static void door_init(struct door *door, const struct net_entrance_options *options)
{
        *door = (struct door){.options = *options};
        hall_init(&door->hall, NET_TLS_PEERS_OPTIONAL);
        CHECK_EQ(door_open(door), 0);
}

/* With TLS, as the hall's server has it. */
static void door_init_tls(struct door *door, bool proxy, bool certificates)
{
        *door = (struct door){0};
        hall_init(&door->hall, NET_TLS_PEERS_OPTIONAL);
        CHECK_EQ(net_tls_reload(door->hall.f.server_tls, &door->hall.server, NULL), 1);
        door->options = (struct net_entrance_options){
                .tls = door->hall.f.server_tls, .proxy = proxy, .proxy_certificates = certificates};
        CHECK_EQ(door_open(door), 0);
}

static void door_rounds(struct door *door, unsigned rounds)
{
        fixture_rounds(&door->hall.f, rounds);
}

/* Comes from `host`; what the caller says is written to *fd. */
static void door_come_from(struct door *door, const char *host, int *fd)
{
        struct net_address peer;
        int fds[2];

        CHECK_EQ(net_address_parse(host, 4711, &peer, NULL), 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        *fd = fds[1];
        net_entrance_admit(door->entrance, fds[0], &peer);
}

static void door_come(struct door *door, int *fd)
{
        door_come_from(door, "203.0.113.9", fd);
}

static bool is_closed(int fd)
{
        char byte;

        return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void say(int fd, const void *bytes, size_t count)
{
        CHECK_EQ(send(fd, bytes, count, MSG_NOSIGNAL), count);
}

static void door_done(struct door *door)
{
        net_stream_close(door->inside.stream);
        door->entrance = net_entrance_free(door->entrance);
        door_rounds(door, 3);
        hall_done(&door->hall);
}

/* ---- headers ---- */

static const char binary[] =
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x30\x39\x22\xb3";
static const char line[] = "PROXY TCP6 2001:db8::1 ::1 12345 8883\r\n";
static const char local[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
static const char unknown[] = "PROXY UNKNOWN\r\n";
static const char loopback[] = "PROXY TCP4 127.0.0.1 127.0.0.1 12345 1883\r\n";
static const char mapped[] = "PROXY TCP6 ::ffff:127.0.0.1 ::1 12345 1883\r\n";

TEST(who_comes_without_a_proxy_is_in_at_once)
{
        AUTO_CLOSE int fd = -1;
        struct door door;

        door_init(&door, &(struct net_entrance_options){0});
        door_come(&door, &fd);
        CHECK_EQ(door.streams, 1);
        CHECK_EQ(net_entrance_waiting(door.entrance), 0);
        CHECK_TEXT(door.peer, "203.0.113.9:4711");
        say(fd, "hello", 5);
        door_rounds(&door, 3);
        CHECK_TEXT(door.inside.seen, "hello");
        door_done(&door);
}

TEST(a_header_says_who_it_is_and_what_stands_behind_it_is_the_clients)
{
        static const struct {
                const char *header;
                size_t count;
                const char *sender, *peer;
        } cases[] = {
                {binary, sizeof(binary) - 1, "203.0.113.9", "192.0.2.1:12345"},
                {line, sizeof(line) - 1, "203.0.113.9", "[2001:db8::1]:12345"},
                {local, sizeof(local) - 1, "203.0.113.9", "203.0.113.9:4711"},
                {unknown, sizeof(unknown) - 1, "203.0.113.9", "unknown"},
                {unknown, sizeof(unknown) - 1, "127.0.0.1", "unknown"},
                {loopback, sizeof(loopback) - 1, "203.0.113.9", "unknown"},
                {mapped, sizeof(mapped) - 1, "203.0.113.9", "unknown"},
                {loopback, sizeof(loopback) - 1, "127.0.0.1", "127.0.0.1:12345"},
        };

        for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
                const size_t k = i / 2, count = cases[k].count;
                AUTO_CLOSE int fd = -1;
                char bytes[256];
                struct door door;

                memcpy(bytes, cases[k].header, count);
                memcpy(bytes + count, "hello", 5);
                door_init(&door, &(struct net_entrance_options){.proxy = true});
                door_come_from(&door, cases[k].sender, &fd);
                for (size_t n = 0; i % 2 == 0 && n < count + 5; n++) {
                        CHECK_EQ(door.streams, n >= count);
                        say(fd, bytes + n, 1);
                        door_rounds(&door, 1);
                }
                if (i % 2 == 1)
                        say(fd, bytes, count + 5);
                door_rounds(&door, 3);
                CHECK_EQ(door.streams, 1);
                CHECK_TEXT(door.peer, cases[k].peer);
                CHECK_TEXT(door.inside.seen, "hello");
                door_done(&door);
        }
}

TEST(what_is_no_header_ends_the_connection)
{
        static const char tall[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\x02\x09";
        static const struct {
                const char *bytes;
                size_t count;
                int reason;
                const char *why;
        } cases[] = {
                {"\x10\x0c\0\4MQTT", 8, -EBADMSG, "what came is no header of the PROXY protocol"},
                {"GET / HTTP", 10, -EBADMSG, "what came is no header of the PROXY protocol"},
                {"PROXY TCP4 \n", 12, -EBADMSG, "what came is no header of the PROXY protocol"},
                {tall, sizeof(tall) - 1, -EMSGSIZE, "the header of the PROXY protocol is too long"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO_CLOSE int fd = -1;
                struct door door;

                door_init(&door, &(struct net_entrance_options){.proxy = true});
                door_come(&door, &fd);
                say(fd, cases[i].bytes, cases[i].count);
                door_rounds(&door, 2);
                CHECK_EQ(door.streams, 0);
                CHECK_EQ(door.refusals, 1);
                CHECK_EQ(door.reason, cases[i].reason);
                CHECK_TEXT(door.why, cases[i].why);
                CHECK_TEXT(door.refused, "203.0.113.9:4711");
                CHECK_EQ(net_entrance_waiting(door.entrance), 0);
                door_done(&door);
        }
}

TEST(a_header_has_five_seconds)
{
        AUTO_CLOSE int fd = -1;
        struct door door;

        door_init(&door, &(struct net_entrance_options){.proxy = true});
        door_come(&door, &fd);
        say(fd, binary, 20);
        door_rounds(&door, 2);
        loop_advance_ms(door.hall.f.loop, 4999);
        CHECK_EQ(door.refusals, 0);
        CHECK_EQ(net_entrance_waiting(door.entrance), 1);
        loop_advance_ms(door.hall.f.loop, 1);
        CHECK_EQ(door.reason, -ETIMEDOUT);
        CHECK_TEXT(door.why, "no header of the PROXY protocol came in time");
        CHECK(is_closed(fd));
        door_done(&door);
}

TEST(who_only_looks_whether_we_are_there_is_not_spoken_of)
{
        AUTO_CLOSE int fd = -1;
        struct door door;

        door_init(&door, &(struct net_entrance_options){.proxy = true});
        door_come(&door, &fd);
        close(TAKE_FD(fd));
        door_rounds(&door, 2);
        CHECK_EQ(net_entrance_waiting(door.entrance), 0);
        CHECK_EQ(door.refusals, 0);
        door_come(&door, &fd);
        say(fd, binary, 3);
        door_rounds(&door, 2);
        close(TAKE_FD(fd));
        door_rounds(&door, 2);
        CHECK_EQ(door.refusals, 1);
        CHECK_TEXT(door.why, "the connection ended within the header of the PROXY protocol");
        door_done(&door);

        door_init_tls(&door, true, false);
        door_come(&door, &fd);
        say(fd, local, sizeof(local) - 1);
        door_rounds(&door, 2);
        CHECK_EQ(net_entrance_waiting(door.entrance), 1);
        close(TAKE_FD(fd));
        door_rounds(&door, 3);
        CHECK_EQ(net_entrance_waiting(door.entrance), 0);
        CHECK_EQ(door.refusals, 0);
        door_done(&door);
}

/* ---- bounds ---- */

TEST(beyond_the_bound_who_comes_is_turned_away_and_the_others_go_on)
{
        int fds[3] = {-1, -1, -1};
        struct door door;

        door_init(&door, &(struct net_entrance_options){.proxy = true, .waiting_max = 2});
        for (size_t i = 0; i < 3; i++)
                door_come(&door, &fds[i]);
        CHECK_EQ(door.refusals, 1);
        CHECK_EQ(door.reason, -ENOBUFS);
        CHECK_TEXT(door.why, "too many connections are on their way");
        CHECK(is_closed(fds[2]));
        say(fds[0], line, sizeof(line) - 1);
        door_rounds(&door, 2);
        CHECK_EQ(door.streams, 1);
        CHECK_EQ(net_entrance_waiting(door.entrance), 1);
        for (size_t i = 0; i < 3; i++)
                close(fds[i]);
        door_done(&door);
}

/* A handshake is paid for; what is left is for those who are connected. */
TEST(when_memory_is_tight_nobody_new_comes_in)
{
        struct net_budget *budget;
        int fds[20];
        struct door door;
        size_t most;

        door_init_tls(&door, false, false);
        budget = net_context_budget(door.hall.f.context);
        most = budget->limit = 16 * NET_HANDSHAKE_SIZE;
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                door_come(&door, &fds[i]);
        CHECK_EQ(net_entrance_waiting(door.entrance), 13);
        CHECK_EQ(door.refusals, 7);
        CHECK_EQ(door.reason, -ENOBUFS);
        CHECK_TEXT(door.why, "too little memory is left");
        CHECK(budget->used <= most - most / 4 + NET_HANDSHAKE_SIZE);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
        /* A round has time for one handshake at least, on a slow machine for no more. */
        door_rounds(&door, ARRAY_SIZE(fds) + 3);
        CHECK_EQ(net_entrance_waiting(door.entrance), 0);
        CHECK_EQ(budget->used, 0);
        door_done(&door);
}

TEST(an_entrance_may_go_while_others_are_on_their_way)
{
        int fds[4] = {-1, -1, -1, -1};
        struct door door;

        door_init_tls(&door, true, false);
        for (size_t i = 0; i < 4; i++)
                door_come(&door, &fds[i]);
        say(fds[0], line, sizeof(line) - 1);
        say(fds[1], line, 5);
        door_rounds(&door, 2);
        CHECK_EQ(net_entrance_waiting(door.entrance), 4);
        door.entrance = net_entrance_free(door.entrance);
        door_rounds(&door, 2);
        CHECK_EQ(door.refusals, 0);
        for (size_t i = 0; i < 4; i++) {
                CHECK(is_closed(fds[i]));
                close(fds[i]);
        }
        door_done(&door);
}

TEST(an_owner_may_free_the_entrance_or_close_who_came)
{
        for (unsigned i = 0; i < 4; i++) {
                AUTO_CLOSE int fd = -1;
                struct door door;

                door_init(&door, &(struct net_entrance_options){.proxy = true});
                door.close_at_once = i & 1;
                door.free_at_once = i & 2;
                door_come(&door, &fd);
                say(fd, line, sizeof(line) - 1);
                door_rounds(&door, 3);
                CHECK_EQ(door.streams, 1);
                CHECK(!door.close_at_once || is_closed(fd));
                door_done(&door);
        }
}

TEST(without_memory_nobody_comes_in_and_nothing_is_left)
{
        bool failed;
        size_t n = 0;

        do {
                AUTO_CLOSE int fd = -1;
                struct door door;

                door_init(&door, &(struct net_entrance_options){.proxy = true,
                                                                .proxy_certificates = true});
                allocation_fail_at(++n);
                door_come(&door, &fd);
                if (door.refusals == 0) {
                        say(fd, binary, sizeof(binary) - 1);
                        door_rounds(&door, 2);
                }
                failed = allocation_end();
                CHECK_EQ(door.streams, failed ? 0 : 1);
                CHECK_EQ(door.refusals, failed ? 1 : 0);
                CHECK(!failed || is_closed(fd));
                door_done(&door);
        } while (failed);
        CHECK(n > 3);
}

/* ---- TLS ---- */

/* TLS begins, or ends, for those who come from now on. */
TEST(options_may_change)
{
        struct door door;
        int plain, header;

        door_init(&door, &(struct net_entrance_options){.proxy = true});
        CHECK_EQ(net_tls_reload(door.hall.f.server_tls, &door.hall.server, NULL), 1);
        door_come(&door, &header);
        net_entrance_change(door.entrance, &(struct net_entrance_options){0});
        door_come(&door, &plain);
        CHECK_EQ(door.streams, 1);
        close(plain);
        net_stream_close(door.inside.stream);
        door_rounds(&door, 1);
        net_entrance_change(door.entrance,
                            &(struct net_entrance_options){.tls = door.hall.f.server_tls});
        say(header, line, sizeof(line) - 1);
        say(header, "no TLS", 6);
        door_rounds(&door, 3);
        CHECK_EQ(door.streams, 1);
        CHECK_EQ(door.reason, -EPROTO);
        close(header);
        door_done(&door);
}

/* A client behind the proxy: the header goes out first, then its handshake begins. */
static void door_call(struct door *door, const void *header, size_t count)
{
        struct fixture *f = &door->hall.f;
        int fd;

        door_come(door, &fd);
        if (count > 0)
                say(fd, header, count);
        f->fds[1] = fd;
        net_tls_free(f->client_tls);
        CHECK_EQ(net_tls_new(NET_TLS_CLIENT, &door->hall.client, &f->client_tls, NULL), 0);
        CHECK_EQ(fixture_connect(f, "agent.test"), 0);
        net_stream_write(f->client.stream, "hello", 5);
        door_rounds(door, 12);
}

TEST(behind_the_header_comes_the_handshake)
{
        AUTO(net_certificate) struct net_certificate *certificate = NULL;
        struct door door;

        door_init_tls(&door, true, false);
        door_call(&door, line, sizeof(line) - 1);
        CHECK_EQ(door.streams, 1);
        CHECK_TEXT(door.peer, "[2001:db8::1]:12345");
        CHECK_TEXT(door.inside.seen, "hello");
        CHECK_EQ(net_stream_certificate(door.inside.stream, &certificate), 0);
        CHECK_TEXT(certificate->common_name, "ann");
        CHECK_EQ(strlen(certificate->fingerprint), 64);
        door_done(&door);
}

TEST(a_handshake_that_fails_is_told_with_its_reason)
{
        struct door door;

        door_init_tls(&door, true, false);
        door.hall.client.certificate = door.hall.f.identity.certificate;
        door.hall.client.key = door.hall.f.identity.key;
        door_call(&door, line, sizeof(line) - 1);
        CHECK_EQ(door.streams, 0);
        CHECK_EQ(door.refusals, 1);
        CHECK_EQ(door.reason, -EPROTO);
        CHECK_TEXT(door.why, "the client's certificate is not trusted: self-signed certificate");
        CHECK_TEXT(door.refused, "[2001:db8::1]:12345");
        CHECK_EQ(net_entrance_waiting(door.entrance), 0);
        door_done(&door);
}

TEST(where_the_proxy_is_believed_its_word_replaces_its_own_certificate)
{
        static const char bob[] =
                "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1a\xc0\0\2\1\xc6\x33\x64\2\x30\x39"
                "\x22\xb3\x20\0\x0b\7\0\0\0\0\x22\0\3bob";

        for (unsigned i = 0; i < 4; i++) {
                AUTO(net_certificate) struct net_certificate *certificate = NULL;
                const bool believed = i & 1, named = i & 2;
                struct door door;

                door_init_tls(&door, true, believed);
                door_call(&door, named ? bob : binary,
                          named ? sizeof(bob) - 1 : sizeof(binary) - 1);
                CHECK_EQ(door.streams, 1);
                CHECK_TEXT(door.peer, "192.0.2.1:12345");
                CHECK_EQ(net_stream_certificate(door.inside.stream, &certificate),
                         believed && !named ? -ENOENT : 0);
                if (certificate)
                        CHECK_TEXT(certificate->common_name, believed ? "bob" : "ann");
                if (certificate && believed)
                        CHECK_TEXT(certificate->fingerprint, "");
                door_done(&door);
        }
}

TEST(a_proxy_may_have_to_prove_how_its_client_came)
{
#define ADDRESSES "\xc0\0\2\1\xc6\x33\x64\2\x30\x39\x22\xb3"
#define BY_TLS(client, verified)                                                                   \
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14" ADDRESSES "\x20\0\5" client "\0\0\0" verified
        static const char plain[] = BY_TLS("\0", "\0"), tls[] = BY_TLS("\1", "\1"),
                          none[] = BY_TLS("\1", "\0"), wrong[] = BY_TLS("\5", "\1"),
                          good[] = BY_TLS("\5", "\0");
        static const struct {
                const char *header;
                size_t count;
                enum net_entrance_proof proof; /* the best that it gives */
        } cases[] = {
                {binary, sizeof(binary) - 1, NET_ENTRANCE_PROOF_NONE},
                {line, sizeof(line) - 1, NET_ENTRANCE_PROOF_NONE},
                {plain, sizeof(plain) - 1, NET_ENTRANCE_PROOF_NONE},
                {tls, sizeof(tls) - 1, NET_ENTRANCE_PROOF_TLS},
                {none, sizeof(none) - 1, NET_ENTRANCE_PROOF_TLS},
                {wrong, sizeof(wrong) - 1, NET_ENTRANCE_PROOF_TLS},
                {good, sizeof(good) - 1, NET_ENTRANCE_PROOF_CERTIFICATE},
        };

        for (size_t i = 0; i < 3 * ARRAY_SIZE(cases); i++) {
                const size_t k = i / 3;
                const enum net_entrance_proof wanted = (enum net_entrance_proof)(i % 3);
                const bool enough = cases[k].proof >= wanted;
                AUTO_CLOSE int fd = -1;
                struct door door;

                door_init(&door,
                          &(struct net_entrance_options){.proxy = true, .proxy_proof = wanted});
                door_come(&door, &fd);
                say(fd, cases[k].header, cases[k].count);
                door_rounds(&door, 3);
                CHECK_EQ(door.streams, enough);
                CHECK_EQ(door.refusals, !enough);
                CHECK_EQ(is_closed(fd), !enough);
                if (!enough)
                        CHECK_EQ(door.reason, -EACCES);
                door_done(&door);
        }
}

/* A health check brings no proof, ends, and is not spoken of. */
TEST(a_proxy_that_looks_whether_we_are_there_proves_nothing)
{
        AUTO_CLOSE int fd = -1;
        struct door door;

        door_init(&door, &(struct net_entrance_options){.proxy = true,
                                                        .proxy_proof = NET_ENTRANCE_PROOF_TLS});
        door_come(&door, &fd);
        say(fd, local, sizeof(local) - 1);
        door_rounds(&door, 3);
        CHECK_EQ(door.streams + door.refusals, 0);
        CHECK(is_closed(fd));
        door_done(&door);
}

TEST(whoever_comes_is_known_by_protocol_before_it_has_an_owner)
{
        static const char *const served[] = {"mqtt", "http/1.1", NULL};
        static const char *const offered[] = {"http/1.1", NULL};
        char text[NET_PROTOCOL_SIZE];
        struct door door;

        door_init_tls(&door, false, false);
        door.hall.server.protocols = served;
        CHECK_EQ(net_tls_reload(door.hall.f.server_tls, &door.hall.server, NULL), 1);
        door.hall.client.protocols = offered;
        door_call(&door, NULL, 0);
        CHECK_EQ(door.streams, 1);
        CHECK_TEXT(net_stream_protocol(door.inside.stream, text), "http/1.1");
        CHECK_TEXT(door.inside.seen, "hello");
        door_done(&door);
}
