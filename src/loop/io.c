#include "loop/io.h"

#include "loop/loop-internal.h"

#include <assert.h>

static void on_poll(uv_poll_t *poll, int status, int events)
{
        struct loop_io *io = poll->data;
        unsigned ready = 0;

        if (status < 0) {
                /* POLLERR: libuv has stopped the handle by itself. */
                io->watched = 0;
                ready = LOOP_READABLE | LOOP_WRITABLE | LOOP_HANGUP;
        }
        if (events & UV_READABLE)
                ready |= LOOP_READABLE;
        if (events & UV_WRITABLE)
                ready |= LOOP_WRITABLE;
        if (events & UV_DISCONNECT)
                ready |= LOOP_HANGUP;
        if (ready != 0)
                io->on_ready(io, ready);
}

int loop_io_open(struct loop_io *io, struct loop *loop, int fd, loop_io_ready_fn *on_ready)
{
        int r = uv_poll_init(&loop->uv, &io->poll, fd);

        if (r < 0)
                return r;
        io->poll.data = io;
        io->on_ready = on_ready;
        io->watched = 0;
        return 0;
}

void loop_io_watch(struct loop_io *io, unsigned events)
{
        int wanted = 0, r;

        if (events == io->watched)
                return;
        if (events & LOOP_READABLE)
                wanted |= UV_READABLE;
        if (events & LOOP_WRITABLE)
                wanted |= UV_WRITABLE;
        if (events & LOOP_HANGUP)
                wanted |= UV_DISCONNECT;
        r = uv_poll_start(&io->poll, wanted, on_poll);
        /* Fails only for two sources on one descriptor: a bug of ours. */
        assert(r == 0);
        (void)r;
        io->watched = events;
}

static void on_handle_closed(uv_handle_t *handle)
{
        struct loop_io *io = handle->data;

        if (io->on_closed)
                io->on_closed(io);
}

void loop_io_close(struct loop_io *io, loop_io_closed_fn *on_closed)
{
        io->on_closed = on_closed;
        uv_close((uv_handle_t *)&io->poll, on_handle_closed);
}
