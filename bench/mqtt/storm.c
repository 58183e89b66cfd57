#include "bench/mqtt/storm.h"

#include "bench/mqtt/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SILENCE_MAX_MS = 3000, EVENTS_MAX = 256, KEEP_ALIVE_S = 60 };

enum step { CONNECTING, SHAKING_HANDS, ASKED, LEAVING };

struct visitor {
        int fd;
        struct secure_stream *stream; /* NULL: plain */
        enum step step;
        uint64_t began_ns;
};

struct storm {
        const struct storm_plan *plan;
        struct secure *secure; /* NULL: plain */
        int epoll_fd;
        bool coming; /* false: no more take the place of those that leave */
        unsigned present;
        uint32_t number;             /* of the next */
        struct storm_result *counts; /* NULL: nothing does */
        struct visitor *visitors;
};

static int come(struct storm *storm, struct visitor *visitor)
{
        struct epoll_event event = {.events = EPOLLOUT, .data.ptr = visitor};

        visitor->began_ns = clocks_now_ns();
        visitor->step = CONNECTING;
        visitor->fd = link_connect(&storm->plan->broker, storm->number++, SOCK_NONBLOCK);
        if (visitor->fd < 0)
                return visitor->fd;
        storm->present++;
        return epoll_ctl(storm->epoll_fd, EPOLL_CTL_ADD, visitor->fd, &event) == 0 ? 0 : -errno;
}

static int say(struct visitor *visitor, const uint8_t *bytes, size_t count)
{
        ssize_t sent;

        if (visitor->stream)
                sent = secure_send(visitor->stream, bytes, count);
        else
                sent = send(visitor->fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0)
                return visitor->stream ? (int)sent : -errno;
        return (size_t)sent == count ? 0 : -EIO;
}

static int await(struct storm *storm, struct visitor *visitor, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = visitor};

        return epoll_ctl(storm->epoll_fd, EPOLL_CTL_MOD, visitor->fd, &event) == 0 ? 0 : -errno;
}

static int ask(struct storm *storm, struct visitor *visitor)
{
        struct wire_connect connect = {.keep_alive_s = KEEP_ALIVE_S};
        uint8_t bytes[128];
        char id[32];
        int length, r;

        snprintf(id, sizeof(id), "visitor-%06u", (unsigned)(visitor - storm->visitors));
        connect.client_id = wire_text_of(id);
        length = wire_write_connect(bytes, sizeof(bytes), &connect);
        if (length < 0)
                return length;
        visitor->step = ASKED;
        r = say(visitor, bytes, (size_t)length);
        return r < 0 ? r : await(storm, visitor, EPOLLIN);
}

static int shake_hands(struct storm *storm, struct visitor *visitor)
{
        int r = secure_handshake(visitor->stream);

        if (r == -EAGAIN)
                return await(storm, visitor,
                             secure_stream_writes(visitor->stream) ? EPOLLOUT : EPOLLIN);
        return r < 0 ? r : ask(storm, visitor);
}

static int arrive(struct storm *storm, struct visitor *visitor)
{
        int error = 0, r;
        socklen_t size = sizeof(error);

        if (getsockopt(visitor->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
                return -(error != 0 ? error : errno);
        if (!storm->secure)
                return ask(storm, visitor);
        visitor->step = SHAKING_HANDS;
        r = secure_stream_new(storm->secure, visitor->fd, &visitor->stream);
        return r < 0 ? r : shake_hands(storm, visitor);
}

static ssize_t hear(struct visitor *visitor, uint8_t *bytes, size_t room)
{
        ssize_t count;

        if (visitor->stream)
                return secure_recv(visitor->stream, bytes, room);
        count = recv(visitor->fd, bytes, room, 0);
        return count < 0 ? -errno : count;
}

static void count_visit(struct storm *storm, const struct visitor *visitor)
{
        if (!storm->counts)
                return;
        histogram_add(&storm->counts->latencies, clocks_now_ns() - visitor->began_ns, 1);
        if (visitor->stream && secure_stream_resumed(visitor->stream))
                storm->counts->resumed++;
}

/* CONNACK fits into one segment. */
static int leave(struct storm *storm, struct visitor *visitor)
{
        static const uint8_t farewell[] = {WIRE_DISCONNECT << 4, 0};
        struct wire_packet packet;
        uint8_t bytes[128];
        ssize_t length = hear(visitor, bytes, sizeof(bytes));
        int r;

        /* Tickets may come first. */
        if (length < 0)
                return length == -EAGAIN ? 0 : (int)length;
        if (wire_next(bytes, (size_t)length, &packet) != 1 || packet.type != WIRE_CONNACK ||
            packet.body.length < 2 || packet.body.bytes[1] != 0)
                return -EBADMSG;
        count_visit(storm, visitor);
        visitor->step = LEAVING;
        r = say(visitor, farewell, sizeof(farewell));
        if (r < 0)
                return r;
        if (visitor->stream)
                secure_finish(visitor->stream);
        return shutdown(visitor->fd, SHUT_WR) < 0 && errno != ENOTCONN ? -errno : 0;
}

static int go(struct storm *storm, struct visitor *visitor)
{
        uint8_t bytes[128];
        ssize_t length = recv(visitor->fd, bytes, sizeof(bytes), 0);

        if (length < 0 && errno != ECONNRESET)
                return errno == EAGAIN ? 0 : -errno;
        /* Under TLS, that it is the end is said in a record. */
        if (length > 0)
                return visitor->stream ? 0 : -EBADMSG;
        visitor->stream = secure_stream_free(visitor->stream);
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
                int r = visitor->step == CONNECTING      ? arrive(storm, visitor)
                        : visitor->step == SHAKING_HANDS ? shake_hands(storm, visitor)
                        : visitor->step == ASKED         ? leave(storm, visitor)
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

/* Who comes before any session was kept has none to resume: one comes and goes before all others,
 * however short the warm-up is. */
static int keep_first_session(struct storm *storm)
{
        int r = come(storm, &storm->visitors[0]);

        while (r >= 0 && storm->present > 0) {
                r = storm_turn(storm);
                if (r == 0)
                        return -ETIMEDOUT;
        }
        return r < 0 ? r : 0;
}

static int run(struct storm *storm, int server, unsigned warm_up_ms, unsigned window_ms,
               struct storm_result *ret)
{
        struct clocks before = {0}, after = {0};
        int r = storm->plan->tls == STORM_RESUMED ? keep_first_session(storm) : 0;

        storm->coming = true;
        for (unsigned i = 0; r == 0 && i < storm->plan->at_once; i++)
                r = come(storm, &storm->visitors[i]);
        if (r == 0)
                r = run_until(storm, clocks_now_ns() + (uint64_t)warm_up_ms * 1000000);
        histogram_reset(&ret->latencies);
        ret->resumed = 0;
        storm->counts = ret;
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
        storm->counts = NULL;
        for (r = 1; r > 0 && storm->present > 0;)
                r = storm_turn(storm);
        ret->lost = storm->present;
        return r < 0 ? r : 0;
}

int storm_measure(const struct storm_plan *plan, int server, unsigned warm_up_ms,
                  unsigned window_ms, struct storm_result *ret)
{
        struct storm storm = {.plan = plan, .epoll_fd = -1};
        int r = 0;

        if (plan->at_once == 0 || plan->at_once > STORM_AT_ONCE_MAX)
                return -EINVAL;
        storm.visitors = calloc(plan->at_once, sizeof(*storm.visitors));
        if (!storm.visitors)
                return -ENOMEM;
        for (unsigned i = 0; i < plan->at_once; i++)
                storm.visitors[i].fd = -1;
        if (plan->tls != STORM_PLAIN)
                r = secure_new(plan->tls == STORM_RESUMED, &storm.secure);
        if (r == 0)
                storm.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (r == 0)
                r = storm.epoll_fd < 0 ? -errno : run(&storm, server, warm_up_ms, window_ms, ret);
        for (unsigned i = 0; i < plan->at_once; i++) {
                secure_stream_free(storm.visitors[i].stream);
                if (storm.visitors[i].fd >= 0)
                        close(storm.visitors[i].fd);
        }
        if (storm.epoll_fd >= 0)
                close(storm.epoll_fd);
        secure_free(storm.secure);
        free(storm.visitors);
        return r;
}
