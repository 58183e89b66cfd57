/* net/stream-internal.h - a stream, as its three files know it: stream.c (life
 * and states), input.c, output.c. */
#pragma once

#include "loop/io.h"
#include "loop/task.h"
#include "loop/timer.h"
#include "net/context.h"
#include "net/transport.h"

struct net_certificate;

enum stream_state {
        STREAM_CONNECTING,
        STREAM_HANDSHAKE,
        STREAM_OPEN,
        STREAM_LINGERING, /* our last byte is out; waiting for the peer's */
        STREAM_CLOSED,    /* until the end of the round */
};

/* A wait that ends; only streams that come or go have one. */
struct stream_deadline {
        struct loop_timer timer;
        struct net_stream *stream;
        uint32_t discarded; /* bytes of input nobody wants any more */
        uint32_t pending;   /* bytes of output when it was set */
        bool patient;       /* it is set anew for who goes on reading */
};

/* There may be ten thousands that are silent: what those do not need is not in here. */
struct net_stream {
        struct loop_io io;
        struct loop_task task;            /* presents the tail again, and flushes */
        struct stream_deadline *deadline; /* NULL: none */
        struct net_context *context;
        struct net_transport transport;
        struct net_certificate
                *vouched; /* what a proxy says that was shown to it; NULL: none does */
        struct net_stream_owner owner;

        struct buffer tail; /* max: the limit of input, and what one read may leave beyond */
        struct buffer output;
        uint64_t active_ms;
        uint32_t output_high;
        int reason;
        uint8_t state;       /* enum stream_state */
        bool finishing : 1;  /* input is discarded; closes once the output is out */
        bool ended : 1;      /* the peer's last byte is in */
        bool paused : 1;     /* by the owner */
        bool parked : 1;     /* paused, and input arrived meanwhile: stop watching for it */
        bool hung_up : 1;    /* the peer's end was noticed while paused */
        bool again : 1;      /* the tail is to be presented by the task; no reading before */
        bool presenting : 1; /* inside on_bytes, which looks at the tail */
        bool blocked : 1;    /* the kernel takes no more output for now */
        bool congested : 1;
        bool framed : 1;  /* a WebSocket, paid for from the budget */
        bool secured : 1; /* TLS, the same */
        bool shaking : 1; /* its handshake too */

        struct net_peer peer;
};

/* stream.c */
/* Closes now; on_closed gets the reason. */
void stream_close(struct net_stream *stream, int reason);
/* Watches for what the stream waits for now; the last thing in each callback. */
void stream_settle(struct net_stream *stream);
void stream_note_activity(struct net_stream *stream);
void stream_set_limits(struct net_stream *stream, const struct net_stream_limits *limits);
/* What has not come to its end by then is closed; replaces the deadline before. -ENOMEM. */
int stream_set_deadline(struct net_stream *stream, uint64_t delay_ms);

/* input.c */
void stream_read(struct net_stream *stream);          /* one read, handed to the owner */
void stream_present_again(struct net_stream *stream); /* the tail */
void stream_discard(struct net_stream *stream);
void stream_drop_tail(struct net_stream *stream);

/* output.c */
void stream_flush(struct net_stream *stream); /* one write, or the farewell */
