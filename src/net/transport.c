#include "net/transport.h"

#include "loop/io.h"

#include <errno.h>
#include <sys/socket.h>

static int plain_handshake(struct net_transport *transport)
{
        return 0;
}

static ssize_t plain_read(struct net_transport *transport, void *bytes, size_t count)
{
        ssize_t n;

        do
                n = recv(transport->fd, bytes, count, 0);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

static ssize_t plain_write(struct net_transport *transport, const void *bytes, size_t count)
{
        ssize_t n;

        do
                n = send(transport->fd, bytes, count, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

static int plain_end(struct net_transport *transport)
{
        return shutdown(transport->fd, SHUT_WR) < 0 ? -errno : 0;
}

static bool plain_has_more(const struct net_transport *transport)
{
        return false;
}

static struct ssl_st *plain_tls(const struct net_transport *transport)
{
        return NULL;
}

static void plain_done(struct net_transport *transport)
{
}

static const struct net_transport_type plain = {
        .handshake = plain_handshake,
        .read = plain_read,
        .write = plain_write,
        .end = plain_end,
        .has_more = plain_has_more,
        .tls = plain_tls,
        .done = plain_done,
};

void net_transport_init_plain(struct net_transport *transport, int fd)
{
        *transport = (struct net_transport){
                .type = &plain,
                .fd = fd,
                .read_waits_for = LOOP_READABLE,
                .write_waits_for = LOOP_WRITABLE,
        };
}
