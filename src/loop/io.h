/* loop/io.h - readiness of one descriptor, level-triggered. */
#pragma once

#include "loop/loop.h"

enum {
        LOOP_READABLE = 1,
        LOOP_WRITABLE = 2,
        LOOP_HANGUP = 4, /* the peer has sent its last byte, or is gone */
};

struct loop_io;
/* An error on the descriptor comes as all three at once, whatever is
 * watched: the read or write that follows yields the errno. Nothing is watched
 * from then on until loop_io_watch() says so again. */
typedef void loop_io_ready_fn(struct loop_io *io, unsigned events);
/* The last call for this source: its memory may be freed here. */
typedef void loop_io_closed_fn(struct loop_io *io);

struct loop_io {
        uv_poll_t poll;
        union {
                loop_io_ready_fn *on_ready;
                loop_io_closed_fn *on_closed; /* from loop_io_close() on */
        };
        unsigned watched;
};

/* The descriptor stays the caller's. Makes it non-blocking. -errno (-EPERM: a
 * regular file cannot be watched). */
int loop_io_open(struct loop_io *io, struct loop *loop, int fd, loop_io_ready_fn *on_ready);
/* What on_ready is called for; 0 pauses, errors included (they come with any of
 * the others). A change costs a system call, and another when the round ends. */
void loop_io_watch(struct loop_io *io, unsigned events);
/* No more on_ready from here on; the descriptor may be closed at once. The
 * memory must stay until on_closed (may be NULL), at the end of the round. May
 * be called from on_ready itself. */
void loop_io_close(struct loop_io *io, loop_io_closed_fn *on_closed);
