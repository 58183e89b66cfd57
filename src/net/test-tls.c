#include "net/test-tls-peer.h"
#include "net/tls-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>

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
        CHECK_EQ(net_context_budget(f.context)->used, 2 * NET_TLS_SIZE);
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
        CHECK(SSL_CTX_get_default_passwd_cb(f.server_tls->edition->context) != NULL);
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
