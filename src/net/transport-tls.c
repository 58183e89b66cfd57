#include "net/transport.h"

#include "loop/io.h"
#include "net/tls-internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* A round's share of a long output; a record has at most 16 KiB. */
enum { WRITE_RECORDS_MAX = 16 };

static SSL *session_of(const struct net_transport *transport)
{
        return transport->session;
}

static void fail_with(struct net_transport *transport, const char *what, const char *why)
{
        free(transport->failure);
        if (asprintf(&transport->failure, "%s: %s", what, why) < 0)
                transport->failure = NULL;
}

/* What an operation that did not succeed means: 0 for the peer's farewell. */
static int judge(struct net_transport *transport, int result, uint8_t *waits_for, const char *what)
{
        char text[128];

        switch (SSL_get_error(session_of(transport), result)) {
        case SSL_ERROR_WANT_READ:
                *waits_for = LOOP_READABLE;
                return -EAGAIN;
        case SSL_ERROR_WANT_WRITE:
                *waits_for = LOOP_WRITABLE;
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return 0;
        case SSL_ERROR_SYSCALL:
                return errno != 0 ? -errno : -ECONNRESET;
        default:
                fail_with(transport, what, net_tls_error_text(text, sizeof(text)));
                return -EPROTO;
        }
}

static void prepare(void)
{
        ERR_clear_error();
        errno = 0;
}

static int tls_handshake(struct net_transport *transport)
{
        SSL *session = session_of(transport);
        long verdict;
        int n, r;

        prepare();
        n = SSL_do_handshake(session);
        if (n == 1) {
                transport->read_waits_for = LOOP_READABLE;
                return 0;
        }
        r = judge(transport, n, &transport->read_waits_for, "the TLS handshake failed");
        if (r == -EAGAIN)
                return r;
        verdict = SSL_get_verify_result(session);
        if (r == -EPROTO && verdict != X509_V_OK)
                fail_with(transport,
                          SSL_is_server(session) ? "the client's certificate is not trusted"
                                                 : "the server's certificate is not trusted",
                          X509_verify_cert_error_string(verdict));
        else if (r == 0 || r == -ECONNRESET)
                fail_with(transport, "the TLS handshake failed", "the peer closed the connection");
        return r == 0 ? -ECONNRESET : r;
}

static ssize_t tls_read(struct net_transport *transport, void *bytes, size_t count)
{
        int n;

        prepare();
        n = SSL_read(session_of(transport), bytes, count < INT32_MAX ? (int)count : INT32_MAX);
        transport->read_waits_for = LOOP_READABLE;
        if (n > 0)
                return n;
        return judge(transport, n, &transport->read_waits_for, "the TLS connection failed");
}

/* One record at a time, since that is what SSL_write() makes of partial writes. */
static ssize_t tls_write(struct net_transport *transport, const void *bytes, size_t count)
{
        const char *rest = bytes;
        size_t written = 0;

        transport->write_waits_for = LOOP_WRITABLE;
        for (unsigned i = 0; i < WRITE_RECORDS_MAX && written < count; i++) {
                size_t left = count - written;
                int n, r;

                prepare();
                n = SSL_write(session_of(transport), rest + written,
                              left < INT32_MAX ? (int)left : INT32_MAX);
                if (n > 0) {
                        written += (size_t)n;
                        continue;
                }
                r = judge(transport, n, &transport->write_waits_for, "the TLS connection failed");
                if (r == -EAGAIN && written > 0)
                        break;
                return r == 0 ? -EPIPE : r;
        }
        return (ssize_t)written;
}

static int tls_end(struct net_transport *transport)
{
        int n, r = 0;

        prepare();
        transport->write_waits_for = LOOP_WRITABLE;
        n = SSL_shutdown(session_of(transport));
        /* 0: ours is out, the peer's is not in; the caller waits for that. */
        if (n < 0)
                r = judge(transport, n, &transport->write_waits_for, "the TLS connection failed");
        if (r < 0)
                return r;
        return shutdown(transport->fd, SHUT_WR) < 0 ? -errno : 0;
}

static bool tls_has_more(const struct net_transport *transport)
{
        return SSL_has_pending(session_of(transport)) == 1;
}

static void tls_done(struct net_transport *transport)
{
        struct tls_edition *edition = tls_edition_of(session_of(transport));

        SSL_free(session_of(transport));
        tls_edition_unref(edition);
        transport->session = NULL;
        ERR_clear_error();
}

static const struct net_transport_type tls_type = {
        .handshake = tls_handshake,
        .read = tls_read,
        .write = tls_write,
        .end = tls_end,
        .has_more = tls_has_more,
        .tls = session_of,
        .done = tls_done,
};

static int init_tls(struct net_transport *transport, int fd, struct net_tls *tls)
{
        SSL *session;

        net_transport_init_plain(transport, fd);
        ERR_clear_error();
        session = SSL_new(tls->edition->context);
        if (!session || SSL_set_fd(session, fd) != 1) {
                SSL_free(session);
                ERR_clear_error();
                return -ENOMEM;
        }
        tls_edition_ref(tls->edition);
        transport->type = &tls_type;
        transport->session = session;
        return 0;
}

int net_transport_init_tls_server(struct net_transport *transport, int fd, struct net_tls *tls)
{
        int r = init_tls(transport, fd, tls);

        if (r < 0)
                return r;
        SSL_set_accept_state(session_of(transport));
        /* The first to speak is the client. */
        transport->read_waits_for = LOOP_READABLE;
        return 0;
}

/* Names go out in the clear, so that the server can choose a certificate (RFC
 * 6066, 3); numeric addresses must not. Both are what it must then certify. */
static bool expect_name(SSL *session, const char *name, bool verify)
{
        unsigned char bytes[sizeof(struct in6_addr)];

        if (inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1)
                return !verify || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), name) == 1;
        return SSL_set_tlsext_host_name(session, name) == 1 &&
               (!verify || SSL_set1_host(session, name) == 1);
}

int net_transport_init_tls_client(struct net_transport *transport, int fd, struct net_tls *tls,
                                  const char *server_name)
{
        int r = init_tls(transport, fd, tls);

        if (r < 0)
                return r;
        SSL_set_connect_state(session_of(transport));
        if (server_name && !expect_name(session_of(transport), server_name, tls->edition->verify)) {
                ERR_clear_error();
                return -EINVAL;
        }
        /* Trusting any name would be trusting anybody the authority knows. */
        if (!server_name && tls->edition->verify)
                return -EINVAL;
        return 0;
}
