/* net/test-peer.h - for the tests of streams: a stream on one end of a
 * connection, the test on the other. */
#pragma once

#include "base/attributes.h"
#include "net/stream-internal.h"
#include "support/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024, PATIENCE_MS = 20000 };

/* A stream on one end of a connection, the test on the other, and an owner that
 * does as the test says. */
struct fixture {
        struct loop *loop;
        struct net_context *context;
        struct net_stream *stream; /* NULL once closed */
        int near, far;             /* `near` is the stream's */

        size_t consume_most; /* of each call */
        bool consume_lines;  /* whole lines only */
        void (*react)(struct fixture *fixture);

        char seen[256]; /* the first bytes consumed */
        size_t consumed;
        size_t calls, last_count;
        unsigned ends, drains, closings;
        int reason;
};

static inline size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        struct fixture *f = owner;
        size_t take = count;

        f->calls++;
        f->last_count = count;
        if (f->consume_lines) {
                const char *newline = memrchr(bytes, '\n', count);

                take = newline ? (size_t)(newline - bytes) + 1 : 0;
        }
        if (take > f->consume_most)
                take = f->consume_most;
        for (size_t i = 0; i < take && f->consumed + i < sizeof(f->seen) - 1; i++)
                f->seen[f->consumed + i] = bytes[i];
        f->consumed += take;
        if (f->react)
                f->react(f);
        /* Whatever the owner did, the bytes stay until it returns. */
        CHECK(count == 0 || memchr(bytes, '\f', count) == NULL);
        return take;
}

static inline void on_end(void *owner)
{
        struct fixture *f = owner;

        f->ends++;
}

static inline void on_drained(void *owner)
{
        struct fixture *f = owner;

        f->drains++;
}

static inline void on_closed(void *owner, int reason)
{
        struct fixture *f = owner;

        CHECK(f->stream != NULL);
        CHECK(strlen(net_stream_failure(f->stream)) > 0);
        f->closings++;
        f->reason = reason;
        f->stream = NULL;
}

static inline int fixture_try_to_attach(struct fixture *f, int near, int far, size_t memory)
{
        struct net_stream_limits limits = {
                .input = 16 * MIB, .output = 4 * MIB, .output_high = 256 * KIB};
        static const struct net_stream_calls calls = {.on_bytes = on_bytes,
                                                      .on_end = on_end,
                                                      .on_drained = on_drained,
                                                      .on_closed = on_closed};
        struct net_stream_owner owner = {.owner = f, .calls = &calls};
        struct net_address peer = {0};
        int r;

        *f = (struct fixture){.near = near, .far = far, .consume_most = SIZE_MAX};
        r = loop_new_virtual(1000, &f->loop);
        if (r == 0)
                r = net_context_new(f->loop, memory, &f->context);
        if (r == 0)
                r = net_stream_new(f->context, near, NULL, &peer, &limits, &owner, &f->stream);
        return r;
}

static inline void fixture_attach(struct fixture *f, int near, int far, size_t memory)
{
        CHECK_EQ(fixture_try_to_attach(f, near, far, memory), 0);
}

static inline void fixture_init(struct fixture *f)
{
        int fds[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fixture_attach(f, fds[0], fds[1], 64 * MIB);
}

/* The same over TCP, where there are resets and urgent data. */
static inline void fixture_init_tcp(struct fixture *f)
{
        AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof(address);
        int far, near;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK_EQ(bind(listener, (struct sockaddr *)&address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &length), 0);
        far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(far, (struct sockaddr *)&address, length), 0);
        near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(near >= 0);
        fixture_attach(f, near, far, 64 * MIB);
}

static inline void fixture_rounds(struct fixture *f, unsigned rounds)
{
        for (unsigned i = 0; i < rounds; i++)
                loop_run_once(f->loop, 0);
}

/* Until the stream's end can see this: poll(2)'s words. What was sent over TCP may arrive later,
 * even here. */
static inline void fixture_await(struct fixture *f, short events)
{
        struct pollfd near = {.fd = f->near, .events = events};

        CHECK_EQ(poll(&near, 1, PATIENCE_MS), 1);
        CHECK(near.revents & events);
}

static inline void fixture_send(struct fixture *f, const char *bytes, size_t count)
{
        CHECK_EQ(send(f->far, bytes, count, MSG_NOSIGNAL), count);
}

static inline void fixture_say(struct fixture *f, const char *text)
{
        fixture_send(f, text, strlen(text));
        fixture_rounds(f, 2);
}

/* What the stream wrote, as text of at most 255 bytes; "" when nothing waits. */
static inline const char *fixture_hear(struct fixture *f)
{
        static char text[256];
        ssize_t n = recv(f->far, text, sizeof(text) - 1, MSG_DONTWAIT);

        text[n > 0 ? n : 0] = '\0';
        return text;
}

static inline size_t fixture_drain(struct fixture *f)
{
        static char bytes[64 * KIB];
        size_t total = 0;
        ssize_t n;

        while ((n = recv(f->far, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                total += (size_t)n;
        return total;
}

static inline void fixture_done(struct fixture *f)
{
        net_stream_close(f->stream);
        fixture_rounds(f, 2);
        CHECK_EQ(f->closings, 1);
        CHECK_EQ(net_context_budget(f->context)->used, 0);
        net_context_free(f->context);
        loop_free(f->loop);
        if (f->far >= 0)
                close(f->far);
}

static inline void reset(int fd)
{
        struct linger linger = {.l_onoff = 1};

        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        close(fd);
}

/* A loop that has nothing to do waits; one that spins comes back at once. */
static inline bool fixture_sleeps(struct fixture *f)
{
        struct pollfd watch = {.events = POLLIN};

        fixture_rounds(f, 4);
        watch.fd = uv_backend_fd(loop_uv(f->loop));
        return poll(&watch, 1, 0) == 0 && uv_backend_timeout(loop_uv(f->loop)) != 0;
}
