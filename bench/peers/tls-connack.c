/* bench-tls-connack: shakes hands with OpenSSL's defaults, answers an MQTT CONNECT and a
 * SUBSCRIBE, and does nothing else.
 *
 * The floor for clients that come and go under TLS: what a handshake costs beyond it is not the
 * library's. With `lean` that for clients that are silent: the library keeps as little of each
 * as it can be told to. */
#include "bench/peers/entrance.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 128, CLIENTS_MAX = 16384 };

/* By descriptor; those beyond are turned away. */
struct server {
        SSL_CTX *context;
        int epoll_fd, listener;
        SSL *clients[CLIENTS_MAX];
};

static void leave(struct server *server, int fd)
{
        ERR_clear_error();
        (void)SSL_shutdown(server->clients[fd]);
        SSL_free(server->clients[fd]);
        server->clients[fd] = NULL;
        close(fd);
}

static int accept_all(struct server *server)
{
        int fd;

        while ((fd = entrance_accept(server->listener)) >= 0) {
                SSL *ssl = fd < CLIENTS_MAX ? SSL_new(server->context) : NULL;

                if (!ssl || SSL_set_fd(ssl, fd) != 1 || entrance_watch(server->epoll_fd, fd) < 0) {
                        SSL_free(ssl);
                        close(fd);
                        continue;
                }
                SSL_set_accept_state(ssl);
                server->clients[fd] = ssl;
        }
        return fd == -EAGAIN ? 0 : fd;
}

/* True: told. The few bytes that a server says always have room. */
static bool answer(SSL *ssl, const unsigned char *bytes, int count)
{
        static const unsigned char accepted[] = {0x20, 2, 0, 0};
        unsigned char subscribed[] = {0x90, 3, 0, 0, 0};

        if (bytes[0] == 0x10)
                return SSL_write(ssl, accepted, sizeof(accepted)) == sizeof(accepted);
        if (bytes[0] != 0x82 || count < 4)
                return true;
        memcpy(subscribed + 2, bytes + 2, 2); /* its number */
        return SSL_write(ssl, subscribed, sizeof(subscribed)) == sizeof(subscribed);
}

/* Reading does the handshake first. All that there is, since what the library has read is not
 * told by epoll again. */
static void serve_client(struct server *server, int fd)
{
        SSL *ssl = server->clients[fd];
        unsigned char bytes[256];
        int count;

        ERR_clear_error();
        while ((count = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
                if (!answer(ssl, bytes, count))
                        break;
        if (count > 0 || SSL_get_error(ssl, count) != SSL_ERROR_WANT_READ)
                leave(server, fd);
}

static int serve(struct server *server)
{
        struct epoll_event events[EVENTS_MAX];
        int r = 0;

        while (r == 0) {
                int count = epoll_wait(server->epoll_fd, events, EVENTS_MAX, -1);

                if (count < 0 && errno != EINTR)
                        r = -errno;
                for (int i = 0; i < count && r == 0; i++) {
                        if (events[i].data.fd == server->listener)
                                r = accept_all(server);
                        else
                                serve_client(server, events[i].data.fd);
                }
        }
        return r;
}

int main(int argc, char **argv)
{
        static struct server server;
        bool lean = argc == 5 && strcmp(argv[4], "lean") == 0;
        unsigned long port = argc == 4 || lean ? strtoul(argv[1], NULL, 10) : 0;
        int r;

        if (port == 0 || port > 65535) {
                fprintf(stderr, "Usage: bench-tls-connack PORT CERTIFICATE KEY [lean]\n");
                return 2;
        }
        server.context = SSL_CTX_new(TLS_server_method());
        if (!server.context || SSL_CTX_use_certificate_chain_file(server.context, argv[2]) != 1 ||
            SSL_CTX_use_PrivateKey_file(server.context, argv[3], SSL_FILETYPE_PEM) != 1) {
                ERR_print_errors_fp(stderr);
                return 1;
        }
        if (lean) {
                SSL_CTX_set_mode(server.context, SSL_MODE_RELEASE_BUFFERS);
                SSL_CTX_set_session_cache_mode(server.context, SSL_SESS_CACHE_OFF);
                SSL_CTX_set_num_tickets(server.context, 1);
        }
        r = entrance_open((uint16_t)port, &server.epoll_fd, &server.listener);
        if (r == 0)
                r = serve(&server);
        fprintf(stderr, "bench-tls-connack: %s\n", strerror(-r));
        return 1;
}
