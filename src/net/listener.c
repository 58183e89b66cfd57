#include "net/listener.h"

#include "loop/io.h"
#include "loop/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
        ACCEPTS_PER_ROUND = 64,
        REPORT_INTERVAL_MS = 1000,
        REST_MS = 100, /* when not even turning away works */
};

struct net_listener {
        struct loop_io io;
        struct loop_timer rest;
        struct net_listener_owner owner;
        struct net_address address;
        int fd;
        int reserve_fd; /* given up to accept and close when no descriptor is left */
        uint64_t report_after_ms;
        bool closed;
        bool has_path; /* of a Unix socket, ours to remove while it is still the same */
        dev_t path_device;
        ino_t path_inode;
};

static int open_reserve(void)
{
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void report_exhausted(struct net_listener *listener, int error)
{
        uint64_t now = loop_now_ms(listener->rest.loop);

        if (now < listener->report_after_ms)
                return;
        listener->report_after_ms = now + REPORT_INTERVAL_MS;
        if (listener->owner.on_exhausted)
                listener->owner.on_exhausted(listener->owner.owner, error);
}

/* A peer that is turned away sees the end of the connection, not a silence.
 * -EAGAIN: nobody waits (accept(2) looks for a descriptor before it looks for a
 * peer); others: even that is impossible now. */
static int turn_one_away(struct net_listener *listener)
{
        int fd, r = 0;

        if (listener->reserve_fd < 0)
                return -EMFILE;
        close(TAKE_FD(listener->reserve_fd));
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                r = -errno;
        else
                close(fd);
        listener->reserve_fd = open_reserve();
        return r;
}

static void listener_rest(struct net_listener *listener)
{
        loop_io_watch(&listener->io, 0);
        loop_timer_start(&listener->rest, REST_MS);
}

static void listener_on_rested(struct loop_timer *timer)
{
        struct net_listener *listener = container_of(timer, struct net_listener, rest);

        if (listener->reserve_fd < 0)
                listener->reserve_fd = open_reserve();
        loop_io_watch(&listener->io, LOOP_READABLE);
}

/* False: no more for this round. */
static bool on_exhaustion(struct net_listener *listener, int error)
{
        int r = -error;

        if (error == EMFILE || error == ENFILE)
                r = turn_one_away(listener);
        if (r == -EAGAIN)
                return false;
        report_exhausted(listener, -error);
        if (listener->closed)
                return false;
        if (r < 0)
                listener_rest(listener);
        return r == 0;
}

/* False: no more for this round. */
static bool accept_one(struct net_listener *listener)
{
        struct net_address peer = {.length = sizeof(peer.local)};
        int fd = accept4(listener->fd, &peer.any, &peer.length, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
                listener->owner.on_accept(listener->owner.owner, fd, &peer);
                return !listener->closed;
        }
        switch (errno) {
        case EAGAIN:
                return false;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case ENOBUFS:
                return on_exhaustion(listener, errno);
        default:
                /* Faults of the one connection (accept(2)); the next may be fine. */
                return true;
        }
}

static void listener_on_ready(struct loop_io *io, unsigned events)
{
        struct net_listener *listener = container_of(io, struct net_listener, io);

        for (unsigned i = 0; i < ACCEPTS_PER_ROUND; i++)
                if (!accept_one(listener))
                        return;
}

/* Is the socket file one that nobody listens at any more (a killed daemon's)? */
static bool is_stale(const struct net_address *address)
{
        AUTO_CLOSE int fd = -1;
        struct stat status;

        if (lstat(address->local.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
                return false;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return false;
        return connect(fd, &address->any, address->length) < 0 && errno == ECONNREFUSED;
}

/* Nobody can connect between bind() and listen(), so a mode set there holds from
 * the first connection on. */
static int bind_local(struct net_listener *listener, mode_t mode)
{
        const struct net_address *address = &listener->address;
        const char *path = address->local.sun_path;
        struct stat status;
        int r;

        r = bind(listener->fd, &address->any, address->length);
        if (r < 0 && errno == EADDRINUSE) {
                if (!is_stale(address))
                        return -EADDRINUSE;
                if (unlink(path) < 0 && errno != ENOENT)
                        return -errno;
                r = bind(listener->fd, &address->any, address->length);
        }
        if (r < 0)
                return -errno;
        if (lstat(path, &status) < 0)
                return -errno;
        listener->has_path = true;
        listener->path_device = status.st_dev;
        listener->path_inode = status.st_ino;
        return chmod(path, mode) < 0 ? -errno : 0;
}

static int bind_internet(struct net_listener *listener)
{
        static const int on = 1;
        struct net_address *address = &listener->address;
        const int v6_only = address->v6_only;

        if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
                return -errno;
        /* Accepted sockets inherit it from the listening one. */
        if (setsockopt(listener->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
                return -errno;
        /* "::" means all addresses, those of IPv4 too unless they are not meant, whatever the
         * system's default. */
        if (address->any.sa_family == AF_INET6 &&
            setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) < 0)
                return -errno;
        if (bind(listener->fd, &address->any, address->length) < 0)
                return -errno;
        address->length = sizeof(address->local);
        if (getsockname(listener->fd, &address->any, &address->length) < 0)
                return -errno;
        return 0;
}

static void remove_path(const struct net_listener *listener)
{
        const char *path = listener->address.local.sun_path;
        struct stat status;

        if (listener->has_path && lstat(path, &status) == 0 &&
            status.st_dev == listener->path_device && status.st_ino == listener->path_inode)
                (void)unlink(path);
}

static void listener_destroy(struct net_listener *listener)
{
        if (listener->fd >= 0)
                close(listener->fd);
        if (listener->reserve_fd >= 0)
                close(listener->reserve_fd);
        free(listener);
}

static int listener_open(struct net_listener *listener, struct loop *loop, mode_t mode)
{
        int family = listener->address.any.sa_family, r;

        listener->reserve_fd = open_reserve();
        if (listener->reserve_fd < 0)
                return -errno;
        listener->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (listener->fd < 0)
                return -errno;
        r = family == AF_UNIX ? bind_local(listener, mode) : bind_internet(listener);
        if (r < 0)
                return r;
        if (listen(listener->fd, BACKLOG) < 0)
                return -errno;
        r = loop_io_open(&listener->io, loop, listener->fd, listener_on_ready);
        if (r < 0)
                return r;
        loop_io_watch(&listener->io, LOOP_READABLE);
        return 0;
}

int net_listener_new(struct loop *loop, const struct net_address *address, mode_t mode,
                     const struct net_listener_owner *owner, struct net_listener **ret)
{
        struct net_listener *listener = calloc(1, sizeof(*listener));
        int r;

        if (!listener)
                return -ENOMEM;
        listener->owner = *owner;
        listener->address = *address;
        listener->fd = listener->reserve_fd = -1;
        loop_timer_init(&listener->rest, loop, listener_on_rested);
        r = listener_open(listener, loop, mode);
        if (r < 0) {
                remove_path(listener);
                listener_destroy(listener);
                return r;
        }
        *ret = listener;
        return 0;
}

static void listener_on_gone(struct loop_io *io)
{
        listener_destroy(container_of(io, struct net_listener, io));
}

struct net_listener *net_listener_free(struct net_listener *listener)
{
        if (!listener || listener->closed)
                return NULL;
        listener->closed = true;
        loop_timer_stop(&listener->rest);
        loop_io_close(&listener->io, listener_on_gone);
        remove_path(listener);
        /* Whoever waits in the backlog is refused now, not at the end of the round. */
        close(TAKE_FD(listener->fd));
        return NULL;
}

const struct net_address *net_listener_address(const struct net_listener *listener)
{
        return &listener->address;
}
