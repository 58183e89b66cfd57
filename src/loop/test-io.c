#include "loop/io.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 20000 };

struct source {
        struct loop_io io;
        unsigned events;
        unsigned calls;
        unsigned closings;
        bool close_on_ready;
};

static void on_closed(struct loop_io *io)
{
        container_of(io, struct source, io)->closings++;
}

static void on_ready(struct loop_io *io, unsigned events)
{
        struct source *s = container_of(io, struct source, io);

        s->events |= events;
        s->calls++;
        if (s->close_on_ready)
                loop_io_close(io, on_closed);
}

struct fixture {
        struct loop *loop;
        struct source source;
        int near, far;
};

static void fixture_init(struct fixture *f)
{
        int fds[2];

        *f = (struct fixture){0};
        CHECK_EQ(loop_new_virtual(0, &f->loop), 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        f->near = fds[0];
        f->far = fds[1];
        CHECK_EQ(loop_io_open(&f->source.io, f->loop, f->near, on_ready), 0);
}

static void fixture_done(struct fixture *f)
{
        loop_free(f->loop);
        close(f->near);
        if (f->far >= 0)
                close(f->far);
}

static unsigned fixture_round(struct fixture *f)
{
        f->source.events = 0;
        loop_run_once(f->loop, 0);
        return f->source.events;
}

TEST(a_descriptor_is_made_nonblocking)
{
        struct fixture f;

        fixture_init(&f);
        CHECK(fcntl(f.near, F_GETFL) & O_NONBLOCK);
        fixture_done(&f);
}

TEST(only_what_is_watched_is_reported_and_again_while_it_lasts)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(fixture_round(&f), 0);
        loop_io_watch(&f.source.io, LOOP_WRITABLE);
        CHECK_EQ(fixture_round(&f), LOOP_WRITABLE);
        loop_io_watch(&f.source.io, LOOP_READABLE);
        CHECK_EQ(fixture_round(&f), 0);
        CHECK_EQ(write(f.far, "x", 1), 1);
        CHECK_EQ(fixture_round(&f), LOOP_READABLE);
        CHECK_EQ(fixture_round(&f), LOOP_READABLE);
        loop_io_watch(&f.source.io, LOOP_READABLE | LOOP_WRITABLE);
        CHECK_EQ(fixture_round(&f), LOOP_READABLE | LOOP_WRITABLE);
        loop_io_watch(&f.source.io, 0);
        CHECK_EQ(fixture_round(&f), 0);
        loop_io_watch(&f.source.io, LOOP_READABLE);
        CHECK_EQ(fixture_round(&f), LOOP_READABLE);
        fixture_done(&f);
}

TEST(a_hang_up_is_seen_without_reading)
{
        struct fixture f;

        fixture_init(&f);
        loop_io_watch(&f.source.io, LOOP_HANGUP);
        CHECK_EQ(write(f.far, "x", 1), 1);
        CHECK_EQ(fixture_round(&f), 0);
        CHECK_EQ(shutdown(f.far, SHUT_WR), 0);
        CHECK_EQ(fixture_round(&f), LOOP_HANGUP);
        loop_io_watch(&f.source.io, 0);
        CHECK_EQ(fixture_round(&f), 0);
        fixture_done(&f);
}

TEST(closing_ends_the_calls_and_comes_back_at_the_end_of_the_round)
{
        struct fixture f;

        fixture_init(&f);
        f.source.close_on_ready = true;
        loop_io_watch(&f.source.io, LOOP_WRITABLE);
        CHECK_EQ(fixture_round(&f), LOOP_WRITABLE);
        CHECK_EQ(f.source.closings, 1);
        CHECK_EQ(fixture_round(&f), 0);
        CHECK_EQ(f.source.calls, 1);
        fixture_done(&f);
        CHECK_EQ(f.source.closings, 1);
}

TEST(closings_that_are_under_way_run_when_the_loop_is_freed)
{
        struct fixture f;

        fixture_init(&f);
        loop_io_close(&f.source.io, on_closed);
        CHECK_EQ(f.source.closings, 0);
        fixture_done(&f);
        CHECK_EQ(f.source.closings, 1);
}

TEST(a_closed_source_lets_go_of_its_descriptor_at_once)
{
        struct fixture f;
        struct source again = {0};

        fixture_init(&f);
        loop_io_watch(&f.source.io, LOOP_WRITABLE);
        fixture_round(&f);
        loop_io_close(&f.source.io, on_closed);
        CHECK_EQ(loop_io_open(&again.io, f.loop, f.near, on_ready), 0);
        loop_io_watch(&again.io, LOOP_WRITABLE);
        f.source.calls = 0;
        fixture_round(&f);
        CHECK_EQ(again.events, LOOP_WRITABLE);
        CHECK_EQ(f.source.calls, 0);
        fixture_done(&f);
}

TEST(a_regular_file_cannot_be_watched)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        struct source s = {0};

        CHECK_EQ(loop_new(&loop), 0);
        CHECK(fd >= 0);
        CHECK_EQ(loop_io_open(&s.io, loop, fd, on_ready), -EPERM);
}

/* A TCP connection that its peer has reset: the kernel may carry that over some time later, and
 * the connection is writable until then. */
static void reset_connection(int *near)
{
        AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        AUTO_CLOSE int far = -1;
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof(address);
        struct linger linger = {.l_onoff = 1};

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK_EQ(bind(listener, (struct sockaddr *)&address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &length), 0);
        *near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(*near, (struct sockaddr *)&address, length), 0);
        far = accept(listener, NULL, NULL);
        CHECK(far >= 0);
        CHECK_EQ(setsockopt(far, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        CHECK_EQ(close(TAKE_FD(far)), 0);
        CHECK_EQ(poll(&(struct pollfd){.fd = *near}, 1, PATIENCE_MS), 1);
}

TEST(an_error_comes_once_for_each_watch_and_the_read_tells_it)
{
        static const unsigned watched[] = {LOOP_READABLE, LOOP_WRITABLE, LOOP_HANGUP};

        for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
                AUTO(loop) struct loop *loop = NULL;
                AUTO_CLOSE int near = -1;
                struct source s = {0};
                char byte;

                CHECK_EQ(loop_new(&loop), 0);
                reset_connection(&near);
                CHECK_EQ(loop_io_open(&s.io, loop, near, on_ready), 0);
                loop_io_watch(&s.io, watched[i]);
                loop_run_once(loop, 1000);
                CHECK_EQ(s.events, LOOP_READABLE | LOOP_WRITABLE | LOOP_HANGUP);
                loop_io_watch(&s.io, watched[i]);
                loop_run_once(loop, 0);
                CHECK_EQ(s.calls, 2);
                CHECK_EQ(read(near, &byte, 1), -1);
                CHECK_EQ(errno, ECONNRESET);
                loop_run_once(loop, 0);
                CHECK_EQ(s.calls, 2);
        }
}
