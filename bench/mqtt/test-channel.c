#include "bench/mqtt/channel.h"
#include "support/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES_MAX = 4096 };

/* A server for one client after the other, which says back what it hears: as one frame, or as it
 * is told. */
struct server {
        int listener;
        struct sockaddr_in address;
        unsigned clients; /* how many it serves */
        bool websocket;
        SSL_CTX *context; /* NULL: plain */
        const char *greeting;
        const uint8_t *says; /* to the first that it hears; NULL: the same */
        size_t says_count;
        unsigned resumed;
        pthread_t thread;
};

struct client {
        int fd;
        SSL *ssl;
};

static ssize_t hear(struct client *client, uint8_t *bytes, size_t room)
{
        return client->ssl ? SSL_read(client->ssl, bytes, (int)room)
                           : recv(client->fd, bytes, room, 0);
}

static void say(struct client *client, const void *bytes, size_t count)
{
        if (client->ssl)
                (void)SSL_write(client->ssl, bytes, (int)count);
        else
                (void)send(client->fd, bytes, count, MSG_NOSIGNAL);
}

/* Takes the head of a frame with up to 64 KiB off, whose mask is 0. */
static size_t unframe(uint8_t *bytes, size_t count)
{
        size_t head = (bytes[1] & 0x7f) < 126 ? 6 : 8;
        size_t length = head == 6 ? bytes[1] & 0x7fU : (size_t)bytes[2] << 8 | bytes[3];

        CHECK_EQ(bytes[0], 0x82);
        CHECK_EQ(bytes[1] & 0x80, 0x80);
        CHECK_EQ(count, head + length);
        memmove(bytes, bytes + head, length);
        return length;
}

static void serve_client(struct server *server, struct client *client)
{
        uint8_t bytes[BYTES_MAX], frame[BYTES_MAX + 4];
        size_t head;
        ssize_t count;

        if (server->websocket) {
                count = hear(client, bytes, sizeof(bytes));
                CHECK(count > 4 && memcmp(bytes + count - 4, "\r\n\r\n", 4) == 0);
                say(client, server->greeting, strlen(server->greeting));
        }
        while ((count = hear(client, bytes, sizeof(bytes))) > 0) {
                size_t length = server->websocket ? unframe(bytes, (size_t)count) : (size_t)count;

                if (server->says) {
                        say(client, server->says, server->says_count);
                        return;
                }
                head = !server->websocket ? 0 : length < 126 ? 2 : 4;
                frame[0] = 0x82;
                frame[1] = (uint8_t)(length < 126 ? length : 126);
                if (head == 4) {
                        frame[2] = (uint8_t)(length >> 8);
                        frame[3] = (uint8_t)length;
                }
                memcpy(frame + head, bytes, length);
                say(client, frame, head + length);
        }
}

static void *serve(void *argument)
{
        struct server *server = argument;

        for (unsigned i = 0; i < server->clients; i++) {
                struct client client = {.fd = accept(server->listener, NULL, NULL)};

                if (server->context) {
                        client.ssl = SSL_new(server->context);
                        CHECK_EQ(SSL_set_fd(client.ssl, client.fd), 1);
                }
                if (!client.ssl || SSL_accept(client.ssl) == 1) {
                        server->resumed += client.ssl && SSL_session_reused(client.ssl);
                        serve_client(server, &client);
                }
                SSL_free(client.ssl);
                close(client.fd);
        }
        return NULL;
}

static SSL_CTX *context_new(void)
{
        SSL_CTX *context = SSL_CTX_new(TLS_server_method());
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();

        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
        CHECK_EQ(SSL_CTX_use_certificate(context, certificate), 1);
        CHECK_EQ(SSL_CTX_use_PrivateKey(context, key), 1);
        X509_free(certificate);
        EVP_PKEY_free(key);
        return context;
}

static void server_start(struct server *server)
{
        socklen_t size = sizeof(server->address);

        server->address = (struct sockaddr_in){.sin_family = AF_INET,
                                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        server->listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(bind(server->listener, (struct sockaddr *)&server->address, size), 0);
        CHECK_EQ(listen(server->listener, 4), 0);
        CHECK_EQ(getsockname(server->listener, (struct sockaddr *)&server->address, &size), 0);
        if (server->clients == 0)
                server->clients = 1;
        CHECK_EQ(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_end(struct server *server)
{
        CHECK_EQ(pthread_join(server->thread, NULL), 0);
        close(server->listener);
        SSL_CTX_free(server->context);
}

static int connected(const struct server *server)
{
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        CHECK_EQ(connect(fd, (const struct sockaddr *)&server->address, sizeof(server->address)),
                 0);
        return fd;
}

static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

static struct server server_of(enum channel_kind kind)
{
        bool tls = kind == CHANNEL_TLS || kind == CHANNEL_WSS;

        return (struct server){.websocket = kind == CHANNEL_WS || kind == CHANNEL_WSS,
                               .context = tls ? context_new() : NULL,
                               .greeting = switching};
}

static void hear_all(struct channel *channel, const uint8_t *expected, size_t count)
{
        uint8_t bytes[64];
        size_t come = 0;

        while (come < count) {
                ssize_t more = channel_recv(channel, bytes, sizeof(bytes));

                CHECK(more > 0 && (size_t)more <= count - come);
                CHECK(memcmp(bytes, expected + come, (size_t)more) == 0);
                come += (size_t)more;
        }
}

TEST(bytes_go_and_come_whatever_is_around_them)
{
        static const size_t counts[] = {1, 125, 126, 2000};
        uint8_t bytes[2000];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t)(i * 7);
        for (enum channel_kind kind = CHANNEL_TCP; kind <= CHANNEL_WSS; kind++) {
                struct server server = server_of(kind);
                struct secure *secure = NULL;
                struct channel *channel = NULL;
                int fd;

                server_start(&server);
                fd = connected(&server);
                CHECK_EQ(secure_new(false, &secure), 0);
                CHECK_EQ(channel_new(kind, secure, fd, &channel), 0);
                for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
                        CHECK_EQ(channel_send(channel, bytes, counts[i]), 0);
                        hear_all(channel, bytes, counts[i]);
                }
                channel_free(channel);
                secure_free(secure);
                close(fd);
                server_end(&server);
        }
}

/* What channel_new() or, after one byte was sent, channel_recv() says. */
static int outcome(enum channel_kind kind, struct server *server)
{
        struct secure *secure = NULL;
        struct channel *channel = NULL;
        uint8_t byte = 0;
        int fd, r;

        server_start(server);
        fd = connected(server);
        CHECK_EQ(secure_new(false, &secure), 0);
        r = channel_new(kind, secure, fd, &channel);
        if (r == 0)
                r = channel_send(channel, &byte, 1);
        if (r == 0)
                r = (int)channel_recv(channel, &byte, 1);
        channel_free(channel);
        secure_free(secure);
        close(fd);
        server_end(server);
        return r;
}

TEST(a_server_that_does_not_switch_is_told_of)
{
        struct server server = {.websocket = true, .greeting = "HTTP/1.1 403 No\r\n\r\n"};

        CHECK_EQ(outcome(CHANNEL_WS, &server), -EACCES);
}

TEST(frames_that_nobody_expects_end_it)
{
        static const uint8_t text[] = {0x81, 1, 'a'}, part[] = {0x02, 1, 'a'};
        static const uint8_t masked[] = {0x82, 0x81, 0, 0, 0, 0, 'a'}, vast[] = {0x82, 127};
        static const uint8_t cut[] = {0x82}, empty[] = {0x82, 0, 0x82, 1, 'a'};
        struct {
                const uint8_t *bytes;
                size_t count;
                int expected;
        } cases[] = {
                {text, sizeof(text), -EPROTO},     {part, sizeof(part), -EPROTO},
                {masked, sizeof(masked), -EPROTO}, {vast, sizeof(vast), -EPROTO},
                {cut, sizeof(cut), -ECONNRESET},   {empty, sizeof(empty), 1},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct server server = server_of(CHANNEL_WS);

                server.says = cases[i].bytes;
                server.says_count = cases[i].count;
                CHECK_EQ(outcome(CHANNEL_WS, &server), cases[i].expected);
        }
}

TEST(a_server_without_tls_fails_the_handshake)
{
        static const uint8_t words[] = "words that are no record";
        struct server server = {.says = words, .says_count = sizeof(words)};

        CHECK_EQ(outcome(CHANNEL_TLS, &server), -EPROTO);
}

/* Finishes after a byte has come: so have the tickets. */
static unsigned resumed_of_three(bool resume)
{
        struct server server = server_of(CHANNEL_TLS);
        struct secure *secure = NULL;
        unsigned resumed = 0;

        server.clients = 3;
        server_start(&server);
        CHECK_EQ(secure_new(resume, &secure), 0);
        for (unsigned i = 0; i < 3; i++) {
                struct secure_stream *stream = NULL;
                uint8_t byte = 0;
                int fd = connected(&server);

                CHECK_EQ(secure_stream_new(secure, fd, &stream), 0);
                CHECK_EQ(secure_handshake(stream), 0);
                CHECK_EQ(secure_send(stream, &byte, 1), 1);
                CHECK_EQ(secure_recv(stream, &byte, 1), 1);
                resumed += secure_stream_resumed(stream);
                secure_finish(stream);
                secure_stream_free(stream);
                close(fd);
        }
        secure_free(secure);
        server_end(&server);
        CHECK_EQ(server.resumed, resumed);
        return resumed;
}

TEST(only_who_wants_to_resumes_a_session)
{
        CHECK_EQ(resumed_of_three(true), 2);
        CHECK_EQ(resumed_of_three(false), 0);
}

TEST(kinds_have_names)
{
        enum channel_kind kind;

        CHECK_EQ(channel_kind_parse("tcp", &kind), 0);
        CHECK_EQ(kind, CHANNEL_TCP);
        CHECK_EQ(channel_kind_parse("wss", &kind), 0);
        CHECK_EQ(kind, CHANNEL_WSS);
        CHECK_EQ(channel_kind_parse("udp", &kind), -EINVAL);
}

TEST(a_message_has_a_bound)
{
        static const uint8_t bytes[CHANNEL_SEND_MAX + 1];
        struct channel *channel = NULL;

        CHECK_EQ(channel_new(CHANNEL_TCP, NULL, -1, &channel), 0);
        CHECK_EQ(channel_send(channel, bytes, sizeof(bytes)), -EMSGSIZE);
        channel_free(channel);
}
