#include "net/greeting.h"

#include "base/attributes.h"
#include "loop/io.h"
#include "loop/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct greeting {
        struct loop_io io;
        struct loop_timer timer;
        greeting_fn *done;
        void *owner;
        int fd;
        size_t count;
        uint8_t bytes[PROXY_HEADER_MAX];
};

static ssize_t receive(int fd, void *bytes, size_t count, int flags)
{
        ssize_t n;

        do
                n = recv(fd, bytes, count, flags);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n;
}

/* Looks at what is there before it takes it: what stands behind the header is the next reader's,
 * which may be OpenSSL. As long as it is not complete all of it is the header's, so that the
 * same bytes do not wake us again. */
static int take(struct greeting *greeting, struct proxy_header *header)
{
        uint8_t *rest = greeting->bytes + greeting->count;
        ssize_t n = receive(greeting->fd, rest, PROXY_HEADER_MAX - greeting->count, MSG_PEEK);
        size_t seen, used;
        int r;

        if (n == 0)
                return greeting->count > 0 ? -ECONNRESET : -ENODATA;
        if (n < 0)
                return (int)n;
        seen = greeting->count + (size_t)n;
        r = proxy_header_decode(greeting->bytes, seen, header);
        if (r < 0)
                return r;
        used = (r > 0 ? (size_t)r : seen) - greeting->count;
        greeting->count += used;
        n = receive(greeting->fd, rest, used, 0);
        if (n != (ssize_t)used)
                return n < 0 ? (int)n : -EIO;
        return r > 0 ? r : -EAGAIN;
}

static void finish(struct greeting *greeting, int r, const struct proxy_header *header)
{
        greeting_fn *done = greeting->done;
        void *owner = greeting->owner;

        /* Its bytes stay until the end of the round. */
        greeting_free(greeting);
        done(owner, r, header);
}

static void on_ready(struct loop_io *io, unsigned events)
{
        struct greeting *greeting = container_of(io, struct greeting, io);
        struct proxy_header header;
        int r = take(greeting, &header);

        (void)events;
        if (r != -EAGAIN)
                finish(greeting, r, &header);
        else
                loop_io_watch(&greeting->io, LOOP_READABLE);
}

static void on_time(struct loop_timer *timer)
{
        static const struct proxy_header none;

        finish(container_of(timer, struct greeting, timer), -ETIMEDOUT, &none);
}

int greeting_new(struct loop *loop, int fd, greeting_fn *done, void *owner, struct greeting **ret)
{
        struct greeting *greeting = calloc(1, sizeof(*greeting));
        int r;

        if (!greeting)
                return -ENOMEM;
        greeting->done = done;
        greeting->owner = owner;
        greeting->fd = fd;
        r = loop_io_open(&greeting->io, loop, fd, on_ready);
        if (r < 0) {
                free(greeting);
                return r;
        }
        loop_io_watch(&greeting->io, LOOP_READABLE);
        loop_timer_init(&greeting->timer, loop, on_time);
        loop_timer_start(&greeting->timer, GREETING_MS);
        *ret = greeting;
        return 0;
}

static void on_gone(struct loop_io *io)
{
        free(container_of(io, struct greeting, io));
}

struct greeting *greeting_free(struct greeting *greeting)
{
        if (!greeting)
                return NULL;
        loop_timer_stop(&greeting->timer);
        loop_io_close(&greeting->io, on_gone);
        return NULL;
}
