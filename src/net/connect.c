#include "net/connect.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

/* A listener whose queue is full keeps callers waiting. */
enum { LOCAL_TIMEOUT_S = 5 };

static void free_addresses(struct addrinfo **list)
{
        if (*list)
                freeaddrinfo(*list);
}

/* How long poll(2) may wait until `deadline_ns`, rounded up. */
static int milliseconds_left(uint64_t deadline_ns)
{
        uint64_t now = clock_monotonic_ns();
        uint64_t left = deadline_ns > now ? (deadline_ns - now + 999999) / 1000000 : 0;

        return left < INT32_MAX ? (int)left : INT32_MAX;
}

static int wait_connected(int fd, uint64_t deadline_ns)
{
        struct pollfd watch = {.fd = fd, .events = POLLOUT};
        socklen_t length = sizeof(int);
        int n, error = 0;

        do
                n = poll(&watch, 1, milliseconds_left(deadline_ns));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n == 0)
                return -ETIMEDOUT;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
                return -errno;
        return -error;
}

static int set_blocking(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

static int connect_one(const struct addrinfo *address, uint64_t deadline_ns, int *ret_fd)
{
        static const int on = 1;
        AUTO_CLOSE int fd = -1;
        int r;

        fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
                return -errno;
        if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
                if (errno != EINPROGRESS)
                        return -errno;
                r = wait_connected(fd, deadline_ns);
                if (r < 0)
                        return r;
        }
        r = set_blocking(fd);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int explain(const char *host, uint16_t port, unsigned timeout_ms, int r, struct error *error)
{
        bool brackets = strchr(host, ':') != NULL;
        char where[300];

        snprintf(where, sizeof(where), "%s%s%s:%u", brackets ? "[" : "", host, brackets ? "]" : "",
                 port);
        switch (r) {
        case -ECONNREFUSED:
                return error_set(error, r, "nothing listens at %s: is pifleet-agent running?",
                                 where);
        case -ETIMEDOUT:
                return error_set(error, r,
                                 "%s did not answer within %u ms: is the machine on, and does a "
                                 "firewall let port %u pass?",
                                 where, timeout_ms, port);
        case -EHOSTUNREACH:
        case -ENETUNREACH:
                return error_set(error, r,
                                 "%s cannot be reached (%s): check the address and the network",
                                 where, strerror(-r));
        default:
                return error_set(error, r, "cannot connect to %s: %s", where, strerror(-r));
        }
}

int net_connect(const char *host, uint16_t port, unsigned timeout_ms, int *ret_fd,
                struct error *error)
{
        __attribute__((cleanup(free_addresses))) struct addrinfo *list = NULL;
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        uint64_t deadline_ns;
        char service[8];
        int r;

        snprintf(service, sizeof(service), "%u", port);
        r = getaddrinfo(host, service, &hints, &list);
        if (r != 0)
                return error_set(error, -ENOENT,
                                 "the address of \"%s\" cannot be found (%s): check the name, or "
                                 "give a numeric address",
                                 host, gai_strerror(r));
        deadline_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
        r = -EHOSTUNREACH;
        for (const struct addrinfo *address = list; address; address = address->ai_next) {
                r = connect_one(address, deadline_ns, ret_fd);
                if (r == 0)
                        return 0;
        }
        return explain(host, port, timeout_ms, r, error);
}

static int explain_local(const char *path, int r, struct error *error)
{
        switch (r) {
        case -ENOENT:
        case -ECONNREFUSED:
                return error_set(error, r, "nothing listens at %s: is pifleet-agent running?",
                                 path);
        case -EACCES:
                return error_set(error, r,
                                 "you may not use %s: try sudo, or join the group that `ls -l` "
                                 "shows",
                                 path);
        case -EAGAIN:
                return error_set(error, -ETIMEDOUT,
                                 "%s did not answer within %d s: is pifleet-agent stuck?", path,
                                 LOCAL_TIMEOUT_S);
        default:
                return error_set(error, r, "cannot connect to %s: %s", path, strerror(-r));
        }
}

/* The time limit of sending is that of connecting too (socket(7)). */
static int set_send_timeout(int fd, int seconds)
{
        struct timeval limit = {.tv_sec = seconds};

        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ? -errno : 0;
}

int net_connect_local(const char *path, int *ret_fd, struct error *error)
{
        AUTO_CLOSE int fd = -1;
        struct net_address address;
        int r;

        r = net_address_local(path, &address);
        if (r < 0)
                return error_set(error, r,
                                 "\"%s\" cannot be a socket's path: it must have 1 to %zu bytes",
                                 path, sizeof(address.local.sun_path) - 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        r = fd < 0 ? -errno : set_send_timeout(fd, LOCAL_TIMEOUT_S);
        if (r == 0 && connect(fd, &address.any, address.length) < 0)
                r = -errno;
        if (r == 0)
                r = set_send_timeout(fd, 0);
        if (r < 0)
                return explain_local(path, r, error);
        *ret_fd = TAKE_FD(fd);
        return 0;
}
