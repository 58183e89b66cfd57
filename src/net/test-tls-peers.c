/* Certificates of clients, and what else a listener may ask of handshakes. */
#include "net/certificate.h"
#include "net/test-tls-authority.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

TEST(who_shows_a_certificate_of_the_authority_comes_in)
{
        static const enum net_tls_peers all[] = {NET_TLS_PEERS_NONE, NET_TLS_PEERS_OPTIONAL,
                                                 NET_TLS_PEERS_REQUIRED};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                struct hall hall;

                hall_init(&hall, all[i]);
                if (all[i] == NET_TLS_PEERS_NONE)
                        hall.server.authorities = NULL;
                CHECK_EQ(hall_meet(&hall), 0);
                hall_done(&hall);
        }
}

TEST(who_shows_none_comes_in_where_it_is_optional)
{
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_OPTIONAL);
        hall.client.certificate = hall.client.key = NULL;
        CHECK_EQ(hall_meet(&hall), 0);
        hall.server.peers = NET_TLS_PEERS_REQUIRED;
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the TLS handshake failed: peer did not return a certificate");
        CHECK_TEXT(hall.f.client.failure,
                   "the TLS connection failed: the peer says: certificate required");
        hall_done(&hall);
}

/* Between sockets of TCP, where there are resets. */
static void use_tcp(int fds[2])
{
        AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof(address);

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK_EQ(bind(listener, (struct sockaddr *)&address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &length), 0);
        close(fds[0]);
        close(fds[1]);
        fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(fds[1], (struct sockaddr *)&address, length), 0);
        fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(fds[0] >= 0);
}

TEST(who_writes_after_it_was_refused_learns_the_reason_all_the_same)
{
        struct hall hall;
        struct fixture *f = &hall.f;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        CHECK_EQ(net_tls_reload(f->server_tls, &hall.server, NULL), 1);
        hall.client.certificate = hall.client.key = NULL;
        CHECK_EQ(net_tls_new(NET_TLS_CLIENT, &hall.client, &f->client_tls, NULL), 0);
        use_tcp(f->fds);
        fixture_serve(f);
        CHECK_EQ(fixture_connect(f, "agent.test"), 0);
        net_stream_write(f->client.stream, "hello", 5);
        for (unsigned i = 0; i < 100 && f->server.closings == 0; i++)
                loop_run_once(f->loop, 1000);
        CHECK_EQ(f->server.closings, 1);
        CHECK_EQ(f->client.closings, 0);
        net_stream_write(f->client.stream, "more", 4);
        stream_flush(f->client.stream);
        for (unsigned i = 0; i < 100 && f->client.closings == 0; i++)
                loop_run_once(f->loop, 1000);
        CHECK_EQ(f->client.reason, -EPROTO);
        CHECK_TEXT(f->client.failure,
                   "the TLS connection failed: the peer says: certificate required");
        hall_done(&hall);
}

TEST(a_certificate_that_is_not_trusted_is_refused_and_both_are_told_why)
{
        static const struct {
                const char *label;
                bool stranger; /* signed by itself */
                const char *purpose;
                long from, until;
                const char *failure, *heard;
        } cases[] = {
                {"late", false, NULL, -3600, -60, "certificate has expired", "certificate expired"},
                {"early", false, NULL, 3600, 7200, "certificate is not yet valid",
                 "bad certificate"},
                {"stranger", true, NULL, -3600, 3600, "self-signed certificate", "unknown ca"},
                {"server", false, "serverAuth", -3600, 3600, "unsuitable certificate purpose",
                 "unsupported certificate"},
                {"client", false, "clientAuth", -3600, 3600, NULL, NULL},
        };
        static const enum net_tls_peers asked[] = {NET_TLS_PEERS_OPTIONAL, NET_TLS_PEERS_REQUIRED};

        for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
                const size_t k = i / 2;
                char failure[200], heard[200];
                struct identity other;
                struct hall hall;

                hall_init(&hall, asked[i % 2]);
                identity_make_as(&other, hall.f.directory,
                                 &(struct identity_request){
                                         .label = cases[k].label,
                                         .purpose = cases[k].purpose,
                                         .from = cases[k].from,
                                         .until = cases[k].until,
                                         .issuer = cases[k].stranger ? NULL : &hall.authority});
                hall.client.certificate = other.certificate;
                hall.client.key = other.key;
                CHECK_EQ(hall_meet(&hall), cases[k].failure ? -EPROTO : 0);
                if (cases[k].failure) {
                        snprintf(failure, sizeof(failure),
                                 "the client's certificate is not trusted: %s", cases[k].failure);
                        snprintf(heard, sizeof(heard),
                                 "the TLS connection failed: the peer says: %s", cases[k].heard);
                        CHECK_TEXT(hall.f.server.failure, failure);
                        CHECK_TEXT(hall.f.client.failure, heard);
                }
                identity_done(&other);
                hall_done(&hall);
        }
}

TEST(of_its_own_date_alone_a_certificate_may_be_excused)
{
        static const struct {
                const char *label;
                bool late_authority, revoked;
                const char *purpose;
                long from, until;
                const char *failure;
        } cases[] = {
                {"late", false, false, NULL, -3600, -60, NULL},
                {"early", false, false, NULL, 3600, 7200, NULL},
                {"server", false, false, "serverAuth", -3600, -60,
                 "the client's certificate is not trusted: unsuitable certificate purpose"},
                {"gone", false, true, NULL, -3600, -60,
                 "the client's certificate is not trusted: certificate revoked"},
                {"orphan", true, false, NULL, -3600, -60,
                 "the client's certificate is not trusted: certificate has expired"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO(net_certificate) struct net_certificate *certificate = NULL;
                struct identity_request request = {
                        .label = "past", .from = -3600, .until = cases[i].late_authority ? -1 : 60};
                const unsigned serial = 9;
                struct identity past, other;
                struct hall hall;

                hall_init(&hall, NET_TLS_PEERS_REQUIRED);
                identity_make_as(&past, hall.f.directory, &request);
                request = (struct identity_request){.label = cases[i].label,
                                                    .purpose = cases[i].purpose,
                                                    .issuer = &past,
                                                    .from = cases[i].from,
                                                    .until = cases[i].until,
                                                    .serial = serial};
                identity_make_as(&other, hall.f.directory, &request);
                hall.server.authorities = past.certificate;
                hall.client.certificate = other.certificate;
                hall.client.key = other.key;
                if (cases[i].revoked) {
                        identity_revoke(&past, hall.revoked, &serial, 1, 3600);
                        hall.server.revoked = hall.revoked;
                }
                CHECK_EQ(hall_meet(&hall), -EPROTO);
                hall.server.any_date = true;
                CHECK_EQ(hall_meet(&hall), cases[i].failure ? -EPROTO : 0);
                if (cases[i].failure) {
                        CHECK_TEXT(hall.f.server.failure, cases[i].failure);
                } else {
                        CHECK_EQ(net_stream_certificate(hall.f.server.stream, &certificate), 0);
                        CHECK_TEXT(certificate->common_name, cases[i].label);
                }
                hall.server.any_date = false;
                CHECK_EQ(hall_meet(&hall), -EPROTO);
                identity_done(&past);
                identity_done(&other);
                hall_done(&hall);
        }
}

TEST(who_is_revoked_does_not_come_in_and_a_list_must_be_there_and_current)
{
        static const unsigned others[] = {1, 6, 8}, ann[] = {6, 7};
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        hall.server.revoked = hall.revoked;
        identity_revoke(&hall.authority, hall.revoked, NULL, 0, 3600);
        CHECK_EQ(hall_meet(&hall), 0);
        identity_revoke(&hall.authority, hall.revoked, others, ARRAY_SIZE(others), 3600);
        CHECK_EQ(hall_meet(&hall), 0);
        identity_revoke(&hall.authority, hall.revoked, ann, ARRAY_SIZE(ann), 3600);
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the client's certificate is not trusted: certificate revoked");
        CHECK_TEXT(hall.f.client.failure,
                   "the TLS connection failed: the peer says: certificate revoked");
        identity_revoke(&hall.authority, hall.revoked, others, ARRAY_SIZE(others), -1);
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the client's certificate is not trusted: CRL has expired");
        /* Somebody else's list says nothing about those of the authority. */
        identity_revoke(&hall.f.identity, hall.revoked, NULL, 0, 3600);
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the client's certificate is not trusted: unable to get certificate CRL");
        hall_done(&hall);
}

/* What OpenSSL looks up in a folder is a link named after the subject's hash. */
TEST(authorities_may_be_in_a_folder)
{
        char folder[64], link[128], command[256];
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        snprintf(folder, sizeof(folder), "%s/folder", hall.f.directory);
        snprintf(link, sizeof(link), "%s/authority.pem", folder);
        CHECK_EQ(mkdir(folder, 0700), 0);
        hall.server.authorities = NULL;
        hall.server.authorities_folder = folder;
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure, "the client's certificate is not trusted: unable to get "
                                          "local issuer certificate");
        CHECK_EQ(symlink("../authority.crt", link), 0);
        snprintf(command, sizeof(command), "openssl rehash %s", folder);
        CHECK_EQ(system(command), 0);
        CHECK_EQ(hall_meet(&hall), 0);
        snprintf(command, sizeof(command), "rm -r %s", folder);
        CHECK_EQ(system(command), 0);
        hall_done(&hall);
}

TEST(what_the_holder_of_a_certificate_signed_is_worth_nothing)
{
        struct identity leaf;
        char both[64], command[256];
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        identity_make_as(&leaf, hall.f.directory,
                         &(struct identity_request){
                                 .label = "leaf", .issuer = &hall.ann, .from = -60, .until = 60});
        snprintf(both, sizeof(both), "%s/both.crt", hall.f.directory);
        snprintf(command, sizeof(command), "cat %s %s >%s", leaf.certificate, hall.ann.certificate,
                 both);
        CHECK_EQ(system(command), 0);
        hall.client.certificate = both;
        hall.client.key = leaf.key;
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure,
                   "the client's certificate is not trusted: invalid CA certificate");
        identity_done(&leaf);
        unlink(both);
        hall_done(&hall);
}

TEST(versions_and_ciphers_may_be_narrowed)
{
        struct hall hall;

        hall_init(&hall, NET_TLS_PEERS_NONE);
        hall.server.authorities = NULL;
        hall.server.version = NET_TLS_1_3;
        hall.server.suites = "TLS_CHACHA20_POLY1305_SHA256";
        CHECK_EQ(hall_meet(&hall), 0);
        CHECK_TEXT(SSL_get_cipher(hall.f.server.stream->transport.session),
                   "TLS_CHACHA20_POLY1305_SHA256");
        hall.client.suites = "TLS_AES_128_GCM_SHA256";
        CHECK_EQ(hall_meet(&hall), -EPROTO);
        CHECK_TEXT(hall.f.server.failure, "the TLS handshake failed: no shared cipher");
        CHECK_TEXT(hall.f.client.failure,
                   "the TLS handshake failed: the peer says: handshake failure");
        hall_done(&hall);
}

TEST(what_cannot_be_meant_is_refused_with_a_sentence)
{
        static const char *const empty[] = {"", NULL};
        struct hall hall;
        struct net_tls_options broken[12];
        static const char *const words[] = {
                "TLS needs a certificate",
                "TLS needs a certificate",
                "a file or folder of authorities",
                "nobody is asked",
                "1 to 255 bytes",
                "`openssl ciphers`",
                "TLS 1.3",
                "the authority's",
                "the authority's",
                "the revocation list",
                "the revocation list",
                "No such file",
        };

        hall_init(&hall, NET_TLS_PEERS_REQUIRED);
        for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
                broken[i] = hall.server;
        broken[0].certificate = NULL;
        broken[1].key = NULL;
        broken[2].authorities = NULL;
        broken[3].peers = NET_TLS_PEERS_NONE;
        broken[3].revoked = hall.revoked;
        broken[4].protocols = empty;
        broken[5].ciphers = "NONSENSE";
        broken[6].suites = "NONSENSE";
        broken[7].authorities = "/nowhere";
        broken[8].authorities = hall.ann.key;
        broken[9].revoked = "/nowhere";
        broken[10].revoked = hall.ann.certificate;
        broken[11].key = "/nowhere";
        for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
                struct net_tls *tls = NULL;
                struct error error = {0};

                CHECK_EQ(net_tls_new(NET_TLS_SERVER, &broken[i], &tls, &error), -EINVAL);
                CHECK_NULL(tls);
                if (!strstr(error.text, words[i]))
                        FAIL("\"%s\" does not say \"%s\"", error.text, words[i]);
                CHECK_EQ(net_tls_reload(hall.f.server_tls, &broken[i], &error), -EINVAL);
        }
        CHECK_EQ(hall_meet(&hall), 0);
        hall_done(&hall);
}
