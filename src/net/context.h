/* net/context.h - what the streams of one loop share: a read buffer, the budget
 * and a few spare buffers, so that a reply costs no allocation. For this room. */
#pragma once

#include "base/buffer.h"
#include "loop/trim.h"
#include "net/stream.h"

#include <stdbool.h>

struct websocket_frames;

enum {
        NET_SCRATCH_SIZE = 64 * 1024,
        NET_SPARES_MAX = 32,
        NET_SPARE_SIZE_MAX = 8 * 1024, /* larger ones are given back to the system */
        NET_STREAM_SIZE = 1024,        /* about what one takes, with what its owner has */
        /* About what OpenSSL takes: 14 KiB, 19 with a certificate of the peer; in a handshake
         * buffers of records and messages too. */
        NET_TLS_SIZE = 16 * 1024,
        NET_HANDSHAKE_SIZE = 40 * 1024,
        NET_WEBSOCKET_SIZE = 128,     /* what one more takes that is a WebSocket */
        NET_FRAMES_SIZE = 5 * 1024,   /* while it is in the middle of a frame */
        NET_HANDSHAKES_MS = 5,        /* of a round; others have their turn before the rest */
        NET_BURST_SIZE = 1024 * 1024, /* worth a trim when it is gone */
};

struct net_context {
        struct loop *loop;
        struct net_budget budget;
        size_t streams;
        /* Spent on handshakes in a round. */
        uint64_t handshakes_round, handshakes_ns, handshakes_ns_max;
        struct loop_trim trim; /* of what streams and their buffers take */
        size_t spares_count;
        struct buffer spares[NET_SPARES_MAX];
        struct websocket_frames *frames; /* of the WebSocket that reads or writes now, or NULL */
        char scratch[NET_SCRATCH_SIZE];  /* valid until the next read of any stream */
};

/* A handshake is a millisecond of arithmetic, or thirty on a small board: many at once shall not
 * keep those who are connected waiting. One at least has its turn in each round. */
bool net_context_may_shake(struct net_context *context);
void net_context_note_handshake(struct net_context *context, uint64_t ns);

/* A stream came or went. */
void net_context_count(struct net_context *context, size_t streams);

/* A stream's buffer: its capacity is paid for from the budget. Makes room for
 * `extra` more bytes. -ENOBUFS, -ENOMEM, -EMSGSIZE (beyond the buffer's max). */
int net_context_reserve(struct net_context *context, struct buffer *buffer, size_t extra);
int net_context_append(struct net_context *context, struct buffer *buffer, const void *bytes,
                       size_t count);
/* Gives memory far beyond the content back. */
void net_context_trim(struct net_context *context, struct buffer *buffer);
/* Gives all back; the buffer is empty and can be used again. */
void net_context_release(struct net_context *context, struct buffer *buffer);

/* Was kept in the middle of a frame, which is over now: stays at hand, or goes. */
void net_context_return_frames(struct net_context *context, struct websocket_frames *frames);
