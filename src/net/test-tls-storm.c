/* Files that change while handshakes go on, and peers that are slow, many, or send nonsense. */
#include "net/entrance.h"
#include "net/test-tls-caller.h"
#include "net/tls-internal.h"
#include "net/tls-session.h"
#include "support/allocation.h"

#include <errno.h>
#include <sys/resource.h>

/* Half of a handshake: our first flight, its answer not read. */
static SSL *begin(struct caller *caller)
{
        SSL *session = caller_dial(caller);

        CHECK_EQ(SSL_do_handshake(session), -1);
        fixture_rounds(&caller->hall->f, 2);
        return session;
}

/* The rest of it, and a word; 0, or how the server ended it. */
static int complete(struct caller *caller)
{
        struct fixture *f = &caller->hall->f;
        bool said = false;
        char byte;

        for (unsigned i = 0; i < 20 && f->server.closings == 0; i++) {
                said = said || SSL_write(caller->session, "hello", 5) == 5;
                if (said)
                        (void)SSL_read(caller->session, &byte, 1);
                fixture_rounds(f, 1);
        }
        if (f->server.closings == 0)
                CHECK_TEXT(f->server.seen, "hello");
        return f->server.reason;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void shown(SSL *session, char text[64])
{
        X509 *certificate = SSL_get1_peer_certificate(session);

        CHECK(certificate != NULL);
        CHECK(X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text,
                                        64) > 0);
        X509_free(certificate);
}

/* ---- files that change ---- */

TEST(a_handshake_under_way_ends_with_the_certificate_it_began_with)
{
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                struct identity other;
                struct caller caller;
                struct hall hall;
                char text[64];

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                identity_make(&other, hall.f.directory, "other", "DNS:agent.test", 86400, NULL);
                caller_init(&caller, &hall, versions[i]);
                begin(&caller);
                hall.server.certificate = other.certificate;
                hall.server.key = other.key;
                CHECK_EQ(net_tls_reload(hall.f.server_tls, &hall.server, NULL), 1);
                CHECK_EQ(complete(&caller), 0);
                shown(caller.session, text);
                CHECK_TEXT(text, "agent");
                /* The connection goes on, and the next one is shown what is new. */
                CHECK_EQ(net_tls_reload(hall.f.server_tls, NULL, NULL), 0);
                net_stream_write(hall.f.server.stream, "still", 5);
                fixture_rounds(&hall.f, 2);
                CHECK_EQ(SSL_read(caller.session, text, 5), 5);
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(!net_stream_is_resumed(hall.f.server.stream));
                shown(caller.session, text);
                CHECK_TEXT(text, "other");
                caller_done(&caller);
                identity_done(&other);
                hall_done(&hall);
        }
}

/* As whoever renews certificates does it: the files have the same names. */
TEST(files_that_were_replaced_are_read_again)
{
        struct net_tls_validity before, after;
        struct caller caller;
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        caller_init(&caller, &hall, TLS1_3_VERSION);
        CHECK_EQ(caller_call(&caller), 0);
        before = net_tls_validity(hall.f.server_tls);
        CHECK(before.from < before.until);
        identity_make(&hall.f.identity, hall.f.directory, "agent", "DNS:agent.test", 172800, NULL);
        CHECK_EQ(net_tls_reload(hall.f.server_tls, NULL, NULL), 1);
        after = net_tls_validity(hall.f.server_tls);
        CHECK(after.until >= before.until + 86400);
        CHECK_EQ(caller_call(&caller), 0);
        /* The authority is another one of the same name now: who it signed before is nobody. */
        identity_make_as(&hall.authority, hall.f.directory,
                         &(struct identity_request){.label = "authority", .until = 3600});
        CHECK_EQ(net_tls_reload(hall.f.server_tls, NULL, NULL), 1);
        CHECK_EQ(caller_call(&caller), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the client's certificate is not trusted: certificate signature failure");
        caller_done(&caller);
        hall_done(&hall);
}

TEST(a_certificate_that_cannot_be_used_leaves_all_as_it_is)
{
        static const struct {
                long from, until;
                bool foreign_key, cut;
                const char *why;
        } cases[] = {
                {-7200, -3600, false, false, "has expired"},
                {3600, 7200, false, false, "is not yet valid"},
                {-60, 3600, true, false, "that belongs to"},
                {-60, 3600, false, true, "cannot be used"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct net_tls_options broken;
                struct error error = {0};
                struct caller caller;
                struct identity bad;
                struct hall hall;
                char text[64];

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                identity_make_as(&bad, hall.f.directory,
                                 &(struct identity_request){.label = "bad",
                                                            .from = cases[i].from,
                                                            .until = cases[i].until});
                if (cases[i].cut)
                        CHECK_EQ(truncate(bad.certificate, 200), 0);
                caller_init(&caller, &hall, TLS1_3_VERSION);
                CHECK_EQ(caller_call(&caller), 0);
                broken = hall.server;
                broken.certificate = bad.certificate;
                broken.key = cases[i].foreign_key ? hall.ann.key : bad.key;
                CHECK_EQ(net_tls_reload(hall.f.server_tls, &broken, &error), -EINVAL);
                if (!strstr(error.text, cases[i].why))
                        FAIL("%s", error.text);
                CHECK(strstr(error.text, "/bad.crt") != NULL);
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(net_stream_is_resumed(hall.f.server.stream));
                CHECK_EQ(net_tls_reload(hall.f.server_tls, NULL, NULL), 0);
                shown(caller.session, text);
                CHECK_TEXT(text, "agent");
                caller_done(&caller);
                identity_done(&bad);
                hall_done(&hall);
        }
}

TEST(without_memory_a_reload_leaves_all_as_it_is)
{
        struct hall hall;
        size_t n = 0;
        bool failed;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        CHECK_EQ(hall_meet(&hall), 0);
        do {
                struct tls_edition *before = hall.f.server_tls->edition;
                int r;

                allocation_fail_at(++n);
                r = net_tls_reload(hall.f.server_tls, NULL, NULL);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(hall.f.server_tls->edition == before);
        } while (failed);
        CHECK(n > 3);
        CHECK_EQ(hall_meet(&hall), 0);
        hall_done(&hall);
}

TEST(a_context_may_go_before_its_streams)
{
        struct caller caller;
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        caller_init(&caller, &hall, TLS1_3_VERSION);
        begin(&caller);
        hall.f.server_tls = net_tls_free(hall.f.server_tls);
        CHECK_EQ(complete(&caller), 0);
        caller_done(&caller);
        hall_done(&hall);
}

/* ---- slow ones, and many ---- */

/* All that the client would say, byte by byte. */
TEST(a_handshake_may_come_in_single_bytes)
{
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                BIO *incoming = BIO_new(BIO_s_mem()), *outgoing = BIO_new(BIO_s_mem());
                struct caller caller;
                struct hall hall;
                struct fixture *f = &hall.f;
                SSL *session;
                char bytes[4096];
                int n;

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                caller_init(&caller, &hall, versions[i]);
                session = caller_dial(&caller);
                SSL_set_bio(session, incoming, outgoing);
                for (unsigned k = 0; k < 10; k++) {
                        (void)SSL_write(session, "hello", SSL_is_init_finished(session) ? 5 : 0);
                        (void)SSL_do_handshake(session);
                        while ((n = BIO_read(outgoing, bytes, 1)) > 0) {
                                CHECK_EQ(send(f->fds[1], bytes, 1, MSG_NOSIGNAL), 1);
                                fixture_rounds(f, 1);
                        }
                        n = (int)recv(f->fds[1], bytes, sizeof(bytes), MSG_DONTWAIT);
                        if (n > 0)
                                CHECK_EQ(BIO_write(incoming, bytes, n), n);
                }
                CHECK(f->server.consumed >= 5);
                CHECK_EQ(strncmp(f->server.seen, "hello", 5), 0);
                caller_done(&caller);
                hall_done(&hall);
        }
}

static void count_stream(void *owner, struct net_stream *stream)
{
        ++*(unsigned *)owner;
        net_stream_close(stream);
}

static unsigned answered(const int *fds, unsigned count)
{
        unsigned answers = 0;
        char byte;

        for (unsigned i = 0; i < count; i++)
                answers += recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
        return answers;
}

/* Whoever is connected waits for a few milliseconds of them, not for all. */
TEST(many_handshakes_at_once_take_turns_with_those_who_are_connected)
{
        enum { MANY = 20 };
        const struct net_address peer = {.length = sizeof(peer.any.sa_family)};
        struct net_entrance *entrance = NULL;
        unsigned streams = 0, before = 0;
        struct caller caller;
        struct hall hall;
        int fds[MANY];

        hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
        caller_init(&caller, &hall, TLS1_3_VERSION);
        CHECK_EQ(caller_call(&caller), 0);
        CHECK_EQ(net_entrance_new(
                         hall.f.loop, hall.f.context,
                         &(struct net_entrance_options){.tls = hall.f.server_tls},
                         &(struct net_entrance_owner){.owner = &streams, .on_stream = count_stream},
                         &entrance),
                 0);
        hall.f.context->handshakes_ns_max = 1; /* one in a round */
        for (unsigned i = 0; i < MANY; i++) {
                SSL *session = SSL_new(caller.context);
                int pair[2];

                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
                net_entrance_admit(entrance, pair[0], &peer);
                fds[i] = pair[1];
                CHECK_EQ(SSL_set_fd(session, fds[i]), 1);
                SSL_set_connect_state(session);
                CHECK_EQ(SSL_do_handshake(session), -1);
                SSL_free(session);
        }
        for (unsigned round = 0; round < MANY; round++) {
                unsigned now;

                hall.f.server.consumed = 0;
                CHECK_EQ(SSL_write(caller.session, "x", 1), 1);
                fixture_rounds(&hall.f, 1);
                CHECK_EQ(hall.f.server.consumed, 1);
                now = answered(fds, MANY);
                CHECK_EQ(now, before + 1);
                before = now;
        }
        CHECK_EQ(net_entrance_waiting(entrance), MANY);
        for (unsigned i = 0; i < MANY; i++)
                close(fds[i]);
        net_entrance_free(entrance);
        fixture_rounds(&hall.f, 2);
        CHECK_EQ(streams, 0);
        caller_done(&caller);
        hall_done(&hall);
}

/* They cost descriptors and memory, for ten seconds, up to a bound; then nothing. */
TEST(thousands_that_never_finish_are_bounded_and_go)
{
        enum { MANY = 1000, WAITING = 200 };
        const struct net_address peer = {.length = sizeof(peer.any.sa_family)};
        struct rlimit descriptors;
        struct net_entrance *entrance = NULL;
        unsigned streams = 0, open = 0;
        struct caller caller;
        struct hall hall;
        static int fds[MANY];
        size_t idle;
        char byte;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
        CHECK(descriptors.rlim_cur > MANY + WAITING + 50 || descriptors.rlim_max > 2048);
        descriptors.rlim_cur = descriptors.rlim_cur > 2048 ? descriptors.rlim_cur : 2048;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
        hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
        caller_init(&caller, &hall, TLS1_3_VERSION);
        CHECK_EQ(caller_call(&caller), 0);
        idle = net_context_budget(hall.f.context)->used;
        CHECK_EQ(net_entrance_new(
                         hall.f.loop, hall.f.context,
                         &(struct net_entrance_options){.tls = hall.f.server_tls,
                                                        .waiting_max = WAITING},
                         &(struct net_entrance_owner){.owner = &streams, .on_stream = count_stream},
                         &entrance),
                 0);
        for (unsigned i = 0; i < MANY; i++) {
                int pair[2];

                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
                net_entrance_admit(entrance, pair[0], &peer);
                fds[i] = pair[1];
        }
        CHECK_EQ(net_entrance_waiting(entrance), WAITING);
        CHECK(net_context_budget(hall.f.context)->used <= idle + WAITING * NET_HANDSHAKE_SIZE);
        hall.f.server.consumed = 0;
        CHECK_EQ(SSL_write(caller.session, "x", 1), 1);
        fixture_rounds(&hall.f, 2);
        CHECK_EQ(hall.f.server.consumed, 1);
        for (unsigned i = 0; i < MANY; i++)
                open += recv(fds[i], &byte, 1, MSG_DONTWAIT) < 0;
        CHECK_EQ(open, WAITING);
        loop_advance_ms(hall.f.loop, 10000);
        fixture_rounds(&hall.f, 2);
        CHECK_EQ(net_entrance_waiting(entrance), 0);
        CHECK_EQ(net_context_budget(hall.f.context)->used, idle);
        for (unsigned i = 0; i < MANY; i++)
                close(fds[i]);
        net_entrance_free(entrance);
        CHECK_EQ(streams, 0);
        caller_done(&caller);
        hall_done(&hall);
}

/* ---- nonsense ---- */

TEST(what_is_no_tls_is_said_to_be_none)
{
        /* From 3.2 on the library's records are a layer of their own, with other words for it. */
        const char *too_long = OpenSSL_version_num() < 0x30200000L
                                       ? "the TLS handshake failed: packet length too long"
                                       : "the TLS handshake failed: data length too long";
        const struct {
                const char *bytes;
                size_t count;
                const char *why;
        } cases[] = {
                {"\x10\x0c\0\4MQTT\4\2\0\0\0\0", 14,
                 "the TLS handshake failed: wrong version number"},
                {"GET / HTTP/1.1\r\n\r\n", 18, "the TLS handshake failed: http request"},
                {"\x16\x03\x01\x48\x01", 5, too_long},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;

                fixture_prepare(&f, "DNS:agent.test", 86400);
                fixture_serve(&f);
                CHECK_EQ(send(f.fds[1], cases[i].bytes, cases[i].count, MSG_NOSIGNAL),
                         cases[i].count);
                fixture_rounds(&f, 3);
                CHECK_EQ(f.server.reason, -EPROTO);
                CHECK_TEXT(f.server.failure, cases[i].why);
                fixture_done(&f);
        }
}

TEST(a_client_may_not_begin_anew)
{
        struct caller caller;
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        caller_init(&caller, &hall, TLS1_2_VERSION);
        CHECK_EQ(caller_call(&caller), 0);
        CHECK_EQ(SSL_renegotiate(caller.session), 1);
        (void)SSL_do_handshake(caller.session);
        fixture_rounds(&hall.f, 3);
        (void)SSL_do_handshake(caller.session);
        fixture_rounds(&hall.f, 3);
        /* It was refused, which a client may live with; this one does not. */
        CHECK_TEXT(hall.f.server.failure,
                   "the TLS connection failed: the peer says: handshake failure");
        caller_done(&caller);
        hall_done(&hall);
}

/* Records without content cost us work and tell us nothing. */
TEST(a_storm_of_empty_records_ends_the_connection)
{
        static const char empty[] = "\x16\x03\x03\0\0", change[] = "\x14\x03\x03\0\1\1";
        unsigned sent = 0;
        struct caller caller;
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        fixture_serve(&hall.f);
        while (hall.f.server.closings == 0 && sent++ < 100) {
                CHECK_EQ(send(hall.f.fds[1], empty, sizeof(empty) - 1, MSG_NOSIGNAL),
                         sizeof(empty) - 1);
                fixture_rounds(&hall.f, 1);
        }
        CHECK(sent <= 40);
        CHECK_EQ(hall.f.server.reason, -EPROTO);
        CHECK_TEXT(hall.f.server.failure, "the TLS handshake failed: record too small");

        caller_init(&caller, &hall, TLS1_3_VERSION);
        begin(&caller);
        for (sent = 0; hall.f.server.closings == 0 && sent < 100; sent++) {
                CHECK_EQ(send(hall.f.fds[1], change, sizeof(change) - 1, MSG_NOSIGNAL),
                         sizeof(change) - 1);
                fixture_rounds(&hall.f, 1);
        }
        CHECK(sent <= 40);
        CHECK_TEXT(hall.f.server.failure, "the TLS handshake failed: unexpected ccs message");
        caller_done(&caller);
        hall_done(&hall);
}

/* Each costs keys; one read shall not go on for as long as they come. */
TEST(a_storm_of_new_keys_does_not_hold_the_loop)
{
        enum { STORM = 100 };
        unsigned rounds = 0;
        struct caller caller;
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        caller_init(&caller, &hall, TLS1_3_VERSION);
        CHECK_EQ(caller_call(&caller), 0);
        hall.f.server.consumed = 0;
        for (unsigned i = 0; i < STORM; i++) {
                CHECK_EQ(SSL_key_update(caller.session, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
                CHECK_EQ(SSL_do_handshake(caller.session), 1);
        }
        CHECK_EQ(SSL_write(caller.session, "x", 1), 1);
        while (hall.f.server.consumed == 0 && rounds < 10 * STORM) {
                fixture_rounds(&hall.f, 1);
                rounds++;
        }
        CHECK_EQ(hall.f.server.consumed, 1);
        CHECK(rounds > STORM / 4);
        caller_done(&caller);
        hall_done(&hall);
}
