#include "bench/mqtt/storm.h"

#include "bench/mqtt/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SILENCE_MAX_MS = 3000, EVENTS_MAX = 256, KEEP_ALIVE_S = 60 };

enum step { CONNECTING, ASKED, LEAVING };

struct visitor {
        int fd;
        enum step step;
        uint64_t began_ns;
};

struct storm {
        const struct sockaddr_in *broker;
        int epoll_fd;
        bool coming; /* false: no more take the place of those that leave */
        unsigned present;
        uint32_t number; /* of the next */
        struct histogram *latencies;
        struct visitor *visitors;
        unsigned at_once;
};

static int come(struct storm *storm, struct visitor *visitor)
{
        struct epoll_event event = {.events = EPOLLOUT, .data.ptr = visitor};

        visitor->began_ns = clocks_now_ns();
        visitor->step = CONNECTING;
        visitor->fd = link_connect(storm->broker, storm->number++, SOCK_NONBLOCK);
        if (visitor->fd < 0)
                return visitor->fd;
        storm->present++;
        return epoll_ctl(storm->epoll_fd, EPOLL_CTL_ADD, visitor->fd, &event) == 0 ? 0 : -errno;
}

static int ask(struct storm *storm, struct visitor *visitor)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = visitor};
        uint8_t bytes[128];
        char id[32];
        int error = 0, length;
        socklen_t size = sizeof(error);

        if (getsockopt(visitor->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
                return -(error != 0 ? error : errno);
        snprintf(id, sizeof(id), "visitor-%06u", (unsigned)(visitor - storm->visitors));
        length = wire_write_connect(bytes, sizeof(bytes), false, wire_text_of(id), KEEP_ALIVE_S);
        if (length < 0)
                return length;
        visitor->step = ASKED;
        if (send(visitor->fd, bytes, (size_t)length, MSG_NOSIGNAL) != length ||
            epoll_ctl(storm->epoll_fd, EPOLL_CTL_MOD, visitor->fd, &event) < 0)
                return -errno;
        return 0;
}

/* CONNACK fits into one segment. */
static int leave(struct storm *storm, struct visitor *visitor)
{
        static const uint8_t farewell[] = {WIRE_DISCONNECT << 4, 0};
        struct wire_packet packet;
        uint8_t bytes[128];
        ssize_t length = recv(visitor->fd, bytes, sizeof(bytes), 0);

        if (length < 0)
                return -errno;
        if (wire_next(bytes, (size_t)length, &packet) != 1 || packet.type != WIRE_CONNACK ||
            packet.body.length < 2 || packet.body.bytes[1] != 0)
                return -EBADMSG;
        if (storm->latencies)
                histogram_add(storm->latencies, clocks_now_ns() - visitor->began_ns, 1);
        visitor->step = LEAVING;
        if (send(visitor->fd, farewell, sizeof(farewell), MSG_NOSIGNAL) < 0 ||
            shutdown(visitor->fd, SHUT_WR) < 0)
                return errno == ENOTCONN ? 0 : -errno;
        return 0;
}

static int go(struct storm *storm, struct visitor *visitor)
{
        uint8_t bytes[128];
        ssize_t length = recv(visitor->fd, bytes, sizeof(bytes), 0);

        if (length < 0 && errno != ECONNRESET)
                return errno == EAGAIN ? 0 : -errno;
        if (length > 0)
                return -EBADMSG;
        close(visitor->fd);
        visitor->fd = -1;
        storm->present--;
        return storm->coming ? come(storm, visitor) : 0;
}

/* As links_turn(). */
static int storm_turn(struct storm *storm)
{
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(storm->epoll_fd, events, EVENTS_MAX, SILENCE_MAX_MS);

        if (count < 0)
                return errno == EINTR ? 1 : -errno;
        for (int i = 0; i < count; i++) {
                struct visitor *visitor = events[i].data.ptr;
                int r = visitor->step == CONNECTING ? ask(storm, visitor)
                        : visitor->step == ASKED    ? leave(storm, visitor)
                                                    : go(storm, visitor);

                if (r < 0)
                        return r;
        }
        return count > 0;
}

static int run_until(struct storm *storm, uint64_t deadline_ns)
{
        while (clocks_now_ns() < deadline_ns) {
                int r = storm_turn(storm);

                if (r <= 0)
                        return r;
        }
        return 1;
}

static int run(struct storm *storm, int server, unsigned warm_up_ms, unsigned window_ms,
               struct storm_result *ret)
{
        struct clocks before = {0}, after = {0};
        int r = 0;

        storm->coming = true;
        for (unsigned i = 0; r == 0 && i < storm->at_once; i++)
                r = come(storm, &storm->visitors[i]);
        if (r == 0)
                r = run_until(storm, clocks_now_ns() + (uint64_t)warm_up_ms * 1000000);
        histogram_reset(&ret->latencies);
        storm->latencies = &ret->latencies;
        if (r >= 0)
                r = clocks_read(server, &before);
        if (r >= 0)
                r = run_until(storm, before.monotonic_ns + (uint64_t)window_ms * 1000000);
        if (r >= 0)
                r = clocks_read(server, &after);
        if (r < 0)
                return r;
        ret->window = clocks_between(&before, &after);
        storm->coming = false;
        storm->latencies = NULL;
        for (r = 1; r > 0 && storm->present > 0;)
                r = storm_turn(storm);
        ret->lost = storm->present;
        return r < 0 ? r : 0;
}

int storm_measure(const struct sockaddr_in *broker, unsigned at_once, int server,
                  unsigned warm_up_ms, unsigned window_ms, struct storm_result *ret)
{
        struct storm storm = {.broker = broker, .at_once = at_once};
        int r;

        if (at_once == 0 || at_once > STORM_AT_ONCE_MAX)
                return -EINVAL;
        storm.visitors = calloc(at_once, sizeof(*storm.visitors));
        if (!storm.visitors)
                return -ENOMEM;
        for (unsigned i = 0; i < at_once; i++)
                storm.visitors[i].fd = -1;
        storm.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        r = storm.epoll_fd < 0 ? -errno : run(&storm, server, warm_up_ms, window_ms, ret);
        for (unsigned i = 0; i < at_once; i++)
                if (storm.visitors[i].fd >= 0)
                        close(storm.visitors[i].fd);
        if (storm.epoll_fd >= 0)
                close(storm.epoll_fd);
        free(storm.visitors);
        return r;
}
