/* net/stream-internal.h - a stream, as its three files know it: stream.c (life
 * and states), input.c, output.c. */
#pragma once

#include "loop/io.h"
#include "loop/task.h"
#include "loop/timer.h"
#include "net/context.h"
#include "net/transport.h"

enum stream_state {
        STREAM_CONNECTING,
        STREAM_HANDSHAKE,
        STREAM_OPEN,
        STREAM_LINGERING, /* our last byte is out; waiting for the peer's */
        STREAM_CLOSED,    /* until the end of the round */
};

struct net_stream {
        struct loop_io io;
        struct loop_task task; /* presents the tail again, and flushes */
        struct loop_timer timer;
        struct net_context *context;
        struct net_transport transport;
        struct net_stream_owner owner;

        struct buffer tail; /* max: what one read may leave beyond input_limit */
        struct buffer output;
        size_t input_limit, output_high;
        uint64_t bytes_in, bytes_out, active_ms;
        size_t discarded; /* input nobody wants any more */

        int reason;
        enum stream_state state : 8;
        bool finishing;  /* input is discarded; closes once the output is out */
        bool ended;      /* the peer's last byte is in */
        bool paused;     /* by the owner */
        bool parked;     /* paused, and input arrived meanwhile: stop watching for it */
        bool hung_up;    /* the peer's end was noticed while paused */
        bool again;      /* the tail is to be presented by the task; no reading before */
        bool presenting; /* inside on_bytes, which looks at the tail */
        bool blocked;    /* the kernel takes no more output for now */
        bool congested;

        struct net_address peer;
};

/* stream.c */
/* Closes now; on_closed gets the reason. */
void stream_close(struct net_stream *stream, int reason);
/* Watches for what the stream waits for now; the last thing in each callback. */
void stream_settle(struct net_stream *stream);
void stream_note_activity(struct net_stream *stream);

/* input.c */
void stream_read(struct net_stream *stream);          /* one read, handed to the owner */
void stream_present_again(struct net_stream *stream); /* the tail */
void stream_discard(struct net_stream *stream);
void stream_drop_tail(struct net_stream *stream);

/* output.c */
void stream_flush(struct net_stream *stream); /* one write, or the farewell */
