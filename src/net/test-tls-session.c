/* What handshakes settle: protocols, who the peer is, sessions that are resumed. */
#include "net/certificate.h"
#include "net/test-tls-authority.h"
#include "net/test-tls-caller.h"
#include "net/tls-internal.h"
#include "net/tls-session.h"
#include "net/upgrade.h"
#include "support/allocation.h"

#include <errno.h>

/* ---- protocols ---- */

TEST(the_first_protocol_that_both_have_is_spoken)
{
        static const char *const served[] = {"mqtt", "http/1.1", NULL};
        static const struct {
                const char *offered[3];
                const char *spoken; /* NULL: refused */
        } cases[] = {
                {{"mqtt"}, "mqtt"},
                {{"http/1.1", "mqtt"}, "mqtt"},
                {{"h2", "http/1.1"}, "http/1.1"},
                {{NULL}, ""},
                {{"h2", "mqttt"}, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[NET_PROTOCOL_SIZE];
                struct hall hall;

                hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
                hall.server.protocols = served;
                hall.client.protocols = cases[i].offered;
                CHECK_EQ(hall_meet(&hall), cases[i].spoken ? 0 : -EPROTO);
                if (cases[i].spoken) {
                        CHECK_TEXT(net_stream_protocol(hall.f.server.stream, text),
                                   cases[i].spoken);
                        CHECK_TEXT(net_stream_protocol(hall.f.client.stream, text),
                                   cases[i].spoken);
                } else {
                        CHECK_TEXT(hall.f.client.failure, "the TLS handshake failed: the peer "
                                                          "says: no application protocol");
                }
                hall_done(&hall);
        }
}

TEST(a_server_that_knows_of_no_protocols_takes_all)
{
        static const char *const offered[] = {"h2", NULL};
        char text[NET_PROTOCOL_SIZE];
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
        hall.client.protocols = offered;
        CHECK_EQ(hall_meet(&hall), 0);
        CHECK_TEXT(net_stream_protocol(hall.f.server.stream, text), "");
        hall_done(&hall);
}

/* ---- certificates ---- */

static void check_text(const char *actual, const char *expected)
{
        if (expected)
                CHECK_TEXT(actual, expected);
        else
                CHECK_NULL(actual);
}

TEST(a_certificate_says_who_its_holder_is)
{
        static const struct {
                const char *subject, *names;
                const char *common_name, *printed, *dns, *uri;
        } cases[] = {
                {"O=Home,CN=ann", "DNS:a.test,URI:urn:ann,DNS:b.test,URI:urn:b", "ann",
                 "CN=ann,O=Home", "a.test", "urn:ann"},
                {"O=Home", NULL, NULL, "O=Home", NULL, NULL},
                {"CN=first,CN=second", "IP:127.0.0.1", "first", "CN=second,CN=first", NULL, NULL},
                {"CN=J\xc3\xb6rg", NULL, "J\xc3\xb6rg", "CN=J\\C3\\B6rg", NULL, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO(net_certificate) struct net_certificate *certificate = NULL;
                struct identity other;
                struct hall hall;

                hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
                identity_make_as(&other, hall.f.directory,
                                 &(struct identity_request){.label = "other",
                                                            .subject = cases[i].subject,
                                                            .names = cases[i].names,
                                                            .issuer = &hall.authority,
                                                            .until = 60});
                hall.client.certificate = other.certificate;
                hall.client.key = other.key;
                CHECK_EQ(hall_meet(&hall), 0);
                CHECK_EQ(net_stream_become_websocket(hall.f.server.stream), 0);
                CHECK_EQ(net_stream_certificate(hall.f.server.stream, &certificate), 0);
                check_text(certificate->common_name, cases[i].common_name);
                check_text(certificate->subject, cases[i].printed);
                check_text(certificate->dns, cases[i].dns);
                check_text(certificate->uri, cases[i].uri);
                CHECK_EQ(strspn(certificate->fingerprint, "0123456789abcdef"), 64);
                identity_done(&other);
                hall_done(&hall);
        }
}

TEST(who_showed_no_certificate_has_none)
{
        struct net_certificate *certificate = NULL;
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
        hall.client.certificate = hall.client.key = NULL;
        CHECK_EQ(hall_meet(&hall), 0);
        CHECK_EQ(net_stream_certificate(hall.f.server.stream, &certificate), -ENOENT);
        /* Shown, but not verified. */
        hall.client.peers = NET_TLS_PEERS_NONE;
        CHECK_EQ(hall_meet(&hall), 0);
        CHECK_EQ(net_stream_certificate(hall.f.client.stream, &certificate), -ENOENT);
        CHECK_NULL(certificate);
        hall_done(&hall);
}

TEST(without_memory_a_certificate_is_not_half_read)
{
        struct net_certificate *certificate = NULL;
        struct hall hall;
        size_t n = 0;
        bool failed;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        CHECK_EQ(hall_meet(&hall), 0);
        do {
                int r;

                allocation_fail_at(++n);
                r = net_stream_certificate(hall.f.server.stream, &certificate);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(failed == (certificate == NULL));
        } while (failed);
        CHECK(n > 3);
        CHECK_TEXT(certificate->common_name, "ann");
        net_certificate_free(certificate);
        hall_done(&hall);
}

/* ---- tickets ---- */

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

TEST(a_session_is_resumed_and_its_client_is_who_it_was)
{
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                AUTO(net_certificate) struct net_certificate *certificate = NULL;
                struct hall hall;
                struct caller caller;

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                caller_init(&caller, &hall, versions[i]);
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(!net_stream_is_resumed(hall.f.server.stream));
                for (unsigned k = 0; k < 3; k++) {
                        CHECK_EQ(caller_call(&caller), 0);
                        CHECK(net_stream_is_resumed(hall.f.server.stream));
                }
                CHECK_EQ(net_stream_certificate(hall.f.server.stream, &certificate), 0);
                CHECK_TEXT(certificate->common_name, "ann");
                caller_done(&caller);
                hall_done(&hall);
        }
}

TEST(a_ticket_is_one_of_these_files_and_of_nothing_else)
{
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                static const unsigned ann[] = {7};
                struct hall hall;
                struct caller caller;

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                identity_revoke(&hall.authority, hall.revoked, NULL, 0, 3600);
                hall.server.revoked = hall.revoked;
                caller_init(&caller, &hall, versions[i]);
                CHECK_EQ(caller_call(&caller), 0);
                /* Nothing has changed. */
                CHECK_EQ(net_tls_reload(hall.f.server_tls, NULL, NULL), 0);
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(net_stream_is_resumed(hall.f.server.stream));
                /* Who has left does not come back by a ticket. */
                identity_revoke(&hall.authority, hall.revoked, ann, 1, 3600);
                CHECK_EQ(net_tls_reload(hall.f.server_tls, NULL, NULL), 1);
                CHECK_EQ(caller_call(&caller), -EPROTO);
                CHECK_TEXT(hall.f.server.failure,
                           "the client's certificate is not trusted: certificate revoked");
                caller_done(&caller);
                hall_done(&hall);
        }
}

static uint64_t fake_now_ns;

static uint64_t fake_clock(void)
{
        return fake_now_ns;
}

TEST(keys_of_tickets_live_for_two_hours_at_most)
{
        static const uint64_t second_ns = 1000000000;

        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                struct tls_tickets *tickets;
                struct hall hall;
                struct caller caller;
                SSL_SESSION *first;

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                caller_init(&caller, &hall, versions[i]);
                tickets = &hall.f.server_tls->edition->tickets;
                tickets->since_ns = fake_now_ns = 1000;
                tickets->clock_ns = fake_clock;
                CHECK_EQ(caller_call(&caller), 0);
                first = caller.ticket;
                SSL_SESSION_up_ref(first);
                fake_now_ns += 3600 * second_ns;
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(net_stream_is_resumed(hall.f.server.stream));
                /* What the key before opens gets a ticket of the one that is now. */
                fake_now_ns += 3599 * second_ns;
                caller_keep(&caller, first);
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(net_stream_is_resumed(hall.f.server.stream));
                fake_now_ns += 1 * second_ns;
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(net_stream_is_resumed(hall.f.server.stream));
                caller_keep(&caller, first);
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(!net_stream_is_resumed(hall.f.server.stream));
                fake_now_ns += 7200 * second_ns;
                CHECK_EQ(caller_call(&caller), 0);
                CHECK(!net_stream_is_resumed(hall.f.server.stream));
                SSL_SESSION_free(first);
                caller_done(&caller);
                hall_done(&hall);
        }
}

static bool has_expired(const struct caller *caller)
{
        const X509 *shown = SSL_CTX_get0_certificate(caller->context);

        return X509_cmp_current_time(X509_get0_notAfter(shown)) <= 0;
}

/* Calls once; what the server says to it. */
static int call_for_seconds(struct hall *hall, struct caller *caller, struct identity *brief,
                            long seconds)
{
        hall_init(hall, NET_TLS_PEERS_REQUIRED);
        identity_make_as(brief, hall->f.directory,
                         &(struct identity_request){.label = "brief",
                                                    .issuer = &hall->authority,
                                                    .from = -60,
                                                    .until = seconds});
        hall->client.certificate = brief->certificate;
        hall->client.key = brief->key;
        caller_init(caller, hall, TLS1_3_VERSION);
        return caller_call(caller);
}

static void end_call(struct hall *hall, struct caller *caller, struct identity *brief)
{
        caller_done(caller);
        identity_done(brief);
        hall_done(hall);
}

TEST(a_certificate_that_has_expired_since_is_not_resumed)
{
        struct identity brief;
        struct hall hall;
        struct caller caller;
        long seconds = 2;

        /* On a slow machine the first call may come too late already. */
        while (call_for_seconds(&hall, &caller, &brief, seconds) < 0) {
                CHECK(has_expired(&caller));
                end_call(&hall, &caller, &brief);
                seconds *= 2;
        }
        while (!has_expired(&caller))
                CHECK_EQ(poll(NULL, 0, 50), 0);
        CHECK_EQ(caller_call(&caller), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the client's certificate is not trusted: certificate has expired");
        end_call(&hall, &caller, &brief);
}

TEST(nothing_is_said_before_the_handshake_is_done)
{
        struct hall hall;
        struct caller caller;

        hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
        caller_init(&caller, &hall, TLS1_3_VERSION);
        CHECK_EQ(caller_call(&caller), 0);
        CHECK_EQ(SSL_SESSION_get_max_early_data(caller.ticket), 0);
        caller_done(&caller);
        hall_done(&hall);
}
