#include "net/tls.h"

#include "base/attributes.h"
#include "net/identity-fixture.h"
#include "net/stream-internal.h"
#include "net/tls-internal.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* ---- two streams that talk to each other ---- */

struct side {
        struct net_stream *stream; /* NULL once closed */
        size_t consumed;
        unsigned long sum; /* of the bytes, to see that none changed */
        char seen[64];
        unsigned ends, closings;
        bool pause, finish_on_bytes;
        int reason;
        char failure[200];
};

static size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        struct side *side = owner;
        size_t take = side->pause && count > 10 ? 10 : count;

        for (size_t i = 0; i < take; i++) {
                if (side->consumed + i < sizeof(side->seen) - 1)
                        side->seen[side->consumed + i] = bytes[i];
                side->sum = side->sum * 31 + (unsigned char)bytes[i];
        }
        side->consumed += take;
        if (side->pause)
                net_stream_pause(side->stream);
        if (side->finish_on_bytes) {
                net_stream_write(side->stream, "bye", 3);
                net_stream_finish(side->stream);
        }
        return take;
}

static void on_end(void *owner)
{
        ((struct side *)owner)->ends++;
}

static void on_closed(void *owner, int reason)
{
        struct side *side = owner;

        side->closings++;
        side->reason = reason;
        snprintf(side->failure, sizeof(side->failure), "%s", net_stream_failure(side->stream));
        side->stream = NULL;
}

struct fixture {
        char directory[32];
        struct identity identity;
        struct loop *loop;
        struct net_context *context;
        struct net_tls *server_tls, *client_tls;
        struct side server, client;
        int fds[2];
};

static const struct net_stream_limits limits = {
        .input = MIB, .output = 16 * MIB, .output_high = 256 * KIB};

static struct net_stream_owner side_owner(struct side *side)
{
        static const struct net_stream_calls calls = {
                .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};

        return (struct net_stream_owner){.owner = side, .calls = &calls};
}

/* Everything but the streams. */
static void fixture_prepare(struct fixture *f, const char *names, long seconds)
{
        *f = (struct fixture){0};
        signal(SIGPIPE, SIG_IGN);
        strcpy(f->directory, "/tmp/tls-XXXXXX");
        CHECK(mkdtemp(f->directory) != NULL);
        identity_make(&f->identity, f->directory, "agent", names, seconds, NULL);
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(net_context_new(f->loop, 64 * MIB, &f->context), 0);
        CHECK_EQ(net_tls_new_server(f->identity.certificate, f->identity.key, &f->server_tls, NULL),
                 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->fds), 0);
}

static void fixture_serve(struct fixture *f)
{
        struct net_address peer = {0};
        struct net_stream_owner owner = side_owner(&f->server);

        CHECK_EQ(net_stream_new(f->context, TAKE_FD(f->fds[0]), f->server_tls, &peer, &limits,
                                &owner, &f->server.stream),
                 0);
}

static int fixture_call(struct fixture *f, const char *authority, bool verify, const char *name)
{
        struct net_stream_owner owner = side_owner(&f->client);
        int r;

        CHECK_EQ(net_tls_new_client(authority, verify, &f->client_tls, NULL), 0);
        r = net_stream_new_client(f->context, f->fds[1], f->client_tls, name, &limits, &owner,
                                  &f->client.stream);
        if (r == 0)
                f->fds[1] = -1;
        return r;
}

static void fixture_rounds(struct fixture *f, unsigned rounds)
{
        for (unsigned i = 0; i < rounds; i++)
                loop_run_once(f->loop, 0);
}

static void fixture_init(struct fixture *f)
{
        fixture_prepare(f, "DNS:agent.test,IP:127.0.0.1,IP:::1", 86400);
        fixture_serve(f);
        CHECK_EQ(fixture_call(f, f->identity.certificate, true, "agent.test"), 0);
        fixture_rounds(f, 8);
}

static void fixture_done(struct fixture *f)
{
        net_stream_close(f->server.stream);
        net_stream_close(f->client.stream);
        fixture_rounds(f, 2);
        CHECK_EQ(net_context_budget(f->context)->used, 0);
        net_context_free(f->context);
        net_tls_free(f->server_tls);
        net_tls_free(f->client_tls);
        loop_free(f->loop);
        for (size_t i = 0; i < 2; i++)
                if (f->fds[i] >= 0)
                        close(f->fds[i]);
        identity_done(&f->identity);
        CHECK_EQ(rmdir(f->directory), 0);
}

TEST(bytes_go_both_ways_and_what_was_written_early_waits_for_the_handshake)
{
        struct fixture f;

        fixture_prepare(&f, "DNS:agent.test", 86400);
        fixture_serve(&f);
        CHECK_EQ(fixture_call(&f, f.identity.certificate, true, "agent.test"), 0);
        CHECK_EQ(net_stream_write(f.client.stream, "early", 5), 0);
        CHECK_EQ(net_stream_write(f.server.stream, "greeting", 8), 0);
        fixture_rounds(&f, 10);
        CHECK_TEXT(f.server.seen, "early");
        CHECK_TEXT(f.client.seen, "greeting");
        CHECK_EQ(net_stream_write(f.server.stream, " again", 6), 0);
        fixture_rounds(&f, 3);
        CHECK_TEXT(f.client.seen, "greeting again");
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(large_transfers_in_both_directions_at_once_arrive_unchanged)
{
        enum { SIZE = 8 * MIB };
        struct fixture f;
        unsigned long sum = 0;
        char *bytes = malloc(SIZE);

        CHECK(bytes != NULL);
        for (size_t i = 0; i < SIZE; i++) {
                bytes[i] = (char)(i * 7 + i / 251);
                sum = sum * 31 + (unsigned char)bytes[i];
        }
        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.client.stream, bytes, SIZE), 0);
        CHECK_EQ(net_stream_write(f.server.stream, bytes, SIZE), 0);
        for (unsigned i = 0; i < 10000; i++) {
                loop_run_once(f.loop, 0);
                if (f.server.consumed == SIZE && f.client.consumed == SIZE)
                        break;
        }
        CHECK_EQ(f.server.consumed, SIZE);
        CHECK_EQ(f.client.consumed, SIZE);
        CHECK(f.server.sum == sum);
        CHECK(f.client.sum == sum);
        free(bytes);
        fixture_done(&f);
}

/* A read of 16 KiB leaves bytes in OpenSSL's buffer that no event tells of when
 * the room for them is smaller. */
TEST(bytes_that_openssl_holds_back_are_not_forgotten)
{
        static char bytes[16 * KIB];
        struct fixture f;
        char some[1000];

        fixture_init(&f);
        memset(bytes, 'x', sizeof(bytes));
        net_stream_pause(f.server.stream);
        CHECK_EQ(net_stream_write(f.client.stream, bytes, sizeof(bytes)), 0);
        fixture_rounds(&f, 3);
        /* Takes a part of the record out, as a small read would. */
        CHECK_EQ(f.server.stream->transport.type->read(&f.server.stream->transport, some,
                                                       sizeof(some)),
                 sizeof(some));
        fixture_rounds(&f, 2);
        CHECK_EQ(f.server.consumed, 0);
        net_stream_resume(f.server.stream);
        fixture_rounds(&f, 3);
        CHECK_EQ(f.server.consumed, sizeof(bytes) - sizeof(some));
        fixture_done(&f);
}

TEST(pausing_keeps_the_rest_and_resuming_presents_it)
{
        struct fixture f;

        fixture_init(&f);
        f.server.pause = true;
        CHECK_EQ(net_stream_write(f.client.stream, "0123456789abc", 13), 0);
        fixture_rounds(&f, 4);
        CHECK_EQ(f.server.consumed, 10);
        CHECK_EQ(net_stream_write(f.client.stream, "def", 3), 0);
        fixture_rounds(&f, 4);
        CHECK_EQ(f.server.consumed, 10);
        f.server.pause = false;
        net_stream_resume(f.server.stream);
        fixture_rounds(&f, 4);
        CHECK_TEXT(f.server.seen, "0123456789abcdef");
        fixture_done(&f);
}

TEST(finish_delivers_the_last_bytes_and_the_farewell)
{
        struct fixture f;

        fixture_init(&f);
        /* Without the farewell, the end of the stream is now an error. */
        SSL_clear_options(f.client.stream->transport.session, SSL_OP_IGNORE_UNEXPECTED_EOF);
        f.server.finish_on_bytes = true;
        CHECK_EQ(net_stream_write(f.client.stream, "x", 1), 0);
        fixture_rounds(&f, 4);
        CHECK_TEXT(f.client.seen, "bye");
        CHECK_EQ(f.client.ends, 1);
        CHECK_EQ(f.server.closings, 0);
        net_stream_finish(f.client.stream);
        fixture_rounds(&f, 4);
        CHECK_EQ(f.server.closings, 1);
        CHECK_EQ(f.server.reason, 0);
        CHECK_EQ(f.client.closings, 1);
        CHECK_EQ(f.client.reason, 0);
        fixture_done(&f);
}

TEST(a_peer_that_just_leaves_is_like_one_that_ends)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_close(f.client.stream);
        fixture_rounds(&f, 3);
        CHECK_EQ(f.server.ends, 1);
        CHECK_EQ(net_stream_write(f.server.stream, "too late", 8), 0);
        fixture_rounds(&f, 3);
        CHECK_EQ(f.server.closings, 1);
        CHECK_EQ(f.server.reason, -EPIPE);
        fixture_done(&f);
}

TEST(a_certificate_must_be_trusted_and_for_the_name_that_was_called)
{
        static const struct {
                const char *name;
                long seconds;
                bool trusted, verify;
                const char *failure; /* NULL: accepted */
        } cases[] = {
                {"agent.test", 86400, true, true, NULL},
                {"AGENT.test", 86400, true, true, NULL},
                {"127.0.0.1", 86400, true, true, NULL},
                {"::1", 86400, true, true, NULL},
                {"other.test", 86400, true, true,
                 "the server's certificate is not trusted: hostname mismatch"},
                {"127.0.0.2", 86400, true, true,
                 "the server's certificate is not trusted: IP address mismatch"},
                {"agent.test", 86400, false, true,
                 "the server's certificate is not trusted: self-signed certificate"},
                {"agent.test", -10, true, true,
                 "the server's certificate is not trusted: certificate has expired"},
                {"other.test", -10, false, false, NULL},
                {"127.0.0.2", 86400, false, false, NULL},
                {NULL, 86400, false, false, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                struct identity stranger;

                fixture_prepare(&f, "DNS:agent.test,IP:127.0.0.1,IP:::1", cases[i].seconds);
                identity_make(&stranger, f.directory, "stranger", "DNS:agent.test", 86400, NULL);
                fixture_serve(&f);
                CHECK_EQ(fixture_call(&f,
                                      cases[i].trusted ? f.identity.certificate
                                                       : stranger.certificate,
                                      cases[i].verify, cases[i].name),
                         0);
                net_stream_write(f.client.stream, "secret", 6);
                fixture_rounds(&f, 10);
                if (cases[i].failure) {
                        CHECK_EQ(f.client.reason, -EPROTO);
                        CHECK_TEXT(f.client.failure, cases[i].failure);
                        CHECK_EQ(f.server.consumed, 0);
                        CHECK_EQ(f.server.closings, 1);
                } else {
                        CHECK_EQ(f.client.closings, 0);
                        CHECK_TEXT(f.server.seen, "secret");
                }
                identity_done(&stranger);
                fixture_done(&f);
        }
}

TEST(verification_needs_a_name)
{
        struct fixture f;

        fixture_prepare(&f, "DNS:agent.test", 86400);
        CHECK_EQ(fixture_call(&f, f.identity.certificate, true, NULL), -EINVAL);
        CHECK_NULL(f.client.stream);
        fixture_done(&f);
}

TEST(a_client_that_does_not_speak_tls_is_closed_with_a_reason)
{
        struct fixture f;

        fixture_prepare(&f, "DNS:agent.test", 86400);
        fixture_serve(&f);
        CHECK_EQ(send(f.fds[1], "{\"command\":\"ping\"}\n", 19, MSG_NOSIGNAL), 19);
        fixture_rounds(&f, 4);
        CHECK_EQ(f.server.closings, 1);
        CHECK_EQ(f.server.reason, -EPROTO);
        CHECK(strncmp(f.server.failure, "the TLS handshake failed: ", 26) == 0);
        fixture_done(&f);
}

TEST(a_server_that_does_not_speak_tls_is_told_to_the_client)
{
        struct fixture f;

        fixture_prepare(&f, "DNS:agent.test", 86400);
        CHECK_EQ(fixture_call(&f, f.identity.certificate, true, "agent.test"), 0);
        fixture_rounds(&f, 2);
        CHECK_EQ(send(f.fds[0], "{\"success\":false}\n", 18, MSG_NOSIGNAL), 18);
        fixture_rounds(&f, 2);
        CHECK_EQ(f.client.reason, -EPROTO);
        CHECK(strncmp(f.client.failure, "the TLS handshake failed: ", 26) == 0);
        fixture_done(&f);
}

TEST(a_client_that_leaves_during_the_handshake_is_told)
{
        struct fixture f;

        fixture_prepare(&f, "DNS:agent.test", 86400);
        fixture_serve(&f);
        close(TAKE_FD(f.fds[1]));
        fixture_rounds(&f, 3);
        CHECK_EQ(f.server.closings, 1);
        CHECK_EQ(f.server.reason, -ECONNRESET);
        CHECK_TEXT(f.server.failure, "the TLS handshake failed: the peer closed the connection");
        fixture_done(&f);
}

TEST(a_handshake_has_ten_seconds)
{
        struct fixture f;

        fixture_prepare(&f, "DNS:agent.test", 86400);
        fixture_serve(&f);
        loop_advance_ms(f.loop, 9999);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.server.closings, 0);
        loop_advance_ms(f.loop, 1);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.server.reason, -ETIMEDOUT);
        fixture_done(&f);

        fixture_init(&f);
        loop_advance_ms(f.loop, 60000);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.server.closings, 0);
        CHECK_EQ(f.client.closings, 0);
        fixture_done(&f);
}

TEST(a_record_that_was_tampered_with_ends_the_connection)
{
        struct fixture f;
        static const char forged[] = "\x17\x03\x03\x00\x20"
                                     "this is not what the key says..";

        fixture_init(&f);
        CHECK_EQ(send(net_stream_fd(f.client.stream), forged, sizeof(forged), MSG_NOSIGNAL),
                 sizeof(forged));
        fixture_rounds(&f, 3);
        CHECK_EQ(f.server.reason, -EPROTO);
        CHECK_EQ(f.server.consumed, 0);
        CHECK(strncmp(f.server.failure, "the TLS connection failed: ", 27) == 0);
        fixture_done(&f);
}

/* A context that offers no more than TLS 1.1 must not get in. */
TEST(old_versions_are_refused)
{
        struct fixture f;
        SSL_CTX *old = SSL_CTX_new(TLS_client_method());
        SSL *session;

        CHECK(old != NULL);
        SSL_CTX_set_security_level(old, 0);
        CHECK_EQ(SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION), 1);
        SSL_CTX_set_min_proto_version(old, 0);
        session = SSL_new(old);
        fixture_prepare(&f, "DNS:agent.test", 86400);
        fixture_serve(&f);
        CHECK_EQ(SSL_set_fd(session, f.fds[1]), 1);
        SSL_set_connect_state(session);
        loop_run_once(f.loop, 0);
        CHECK_EQ(fcntl(f.fds[1], F_SETFL, O_NONBLOCK), 0);
        SSL_do_handshake(session);
        fixture_rounds(&f, 3);
        CHECK_EQ(f.server.reason, -EPROTO);
        SSL_free(session);
        SSL_CTX_free(old);
        fixture_done(&f);
}

TEST(files_that_cannot_be_used_are_named)
{
        struct fixture f;
        struct identity other, locked, missing;
        struct net_tls *tls = NULL;
        struct error error = {0};

        fixture_prepare(&f, "DNS:agent.test", 86400);
        identity_make(&other, f.directory, "other", "DNS:x", 86400, NULL);
        identity_make(&locked, f.directory, "locked", "DNS:x", 86400, "geheim");
        snprintf(missing.certificate, sizeof(missing.certificate), "%s/missing", f.directory);

        CHECK_EQ(net_tls_new_server(missing.certificate, other.key, &tls, &error), -EINVAL);
        CHECK(strstr(error.text, "/missing") != NULL);
        CHECK(strstr(error.text, "No such file or directory") != NULL);
        CHECK_EQ(net_tls_new_server(f.identity.key, f.identity.key, &tls, &error), -EINVAL);
        CHECK(strstr(error.text, "agent.key cannot be used") != NULL);
        CHECK_EQ(net_tls_new_server(f.identity.certificate, other.key, &tls, &error), -EINVAL);
        CHECK(strstr(error.text, "other.key") != NULL);
        CHECK_EQ(net_tls_new_server(locked.certificate, locked.key, &tls, &error), -EINVAL);
        CHECK(strstr(error.text, "without a passphrase") != NULL);
        /* Else OpenSSL would ask on the terminal. */
        CHECK(SSL_CTX_get_default_passwd_cb(f.server_tls->context) != NULL);
        CHECK_EQ(net_tls_new_client(missing.certificate, true, &tls, &error), -EINVAL);
        CHECK(strstr(error.text, "/missing") != NULL);
        CHECK_NULL(tls);
        CHECK_EQ(net_tls_new_client(NULL, true, &tls, &error), 0);
        net_tls_free(tls);
        CHECK_NULL(net_tls_free(NULL));

        identity_done(&other);
        identity_done(&locked);
        fixture_done(&f);
}
