/* net/websocket-frames.h - what a WebSocket needs while frames are on their way, in or out: the
 * library's state with its buffer, and frames of our own. Between frames, which is where those
 * are that are silent, it needs none of it. So all of a loop use the same (net/context.h), one
 * after the other, and who stops in the middle of a frame keeps it.
 * For this room. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <wslay/wslay.h>

enum {
        WEBSOCKET_HEADER_MAX = 14,
        WEBSOCKET_CONTROL_MAX = 125, /* RFC 6455, 5.5 */
};

struct net_websocket;

/* A frame of ours that is not payload: a pong, or the close. */
struct websocket_control {
        uint8_t opcode;
        bool due;
        bool begun; /* the library has its header, so that it cannot become another */
        uint8_t bytes[WEBSOCKET_CONTROL_MAX];
        size_t length, sent;
};

struct websocket_frames {
        struct net_websocket *websocket; /* who uses it */
        wslay_frame_context_ptr library; /* whose callbacks get this */
        bool paid;                       /* for, since it is kept */

        size_t allowance;    /* bytes that this read may still take from the inner transport */
        bool drained;        /* which has no more for now */
        size_t unread;       /* of those that were taken, what is not of whole frames yet */
        const uint8_t *rest; /* payload that the caller had no room for */
        size_t rest_length;
        uint64_t in_read; /* bytes of the payload of the frame that is coming in */

        size_t out_length, out_left;        /* payload of the frame that is on its way out */
        size_t held_length;                 /* of: */
        uint8_t held[WEBSOCKET_HEADER_MAX]; /* its header, until payload goes with it */
        int write_result;                   /* what the inner transport last said */

        struct websocket_control pong, close;
        uint8_t heard[WEBSOCKET_CONTROL_MAX]; /* payload of a control frame */
};

/* As it is between frames. NULL: no memory. */
struct websocket_frames *websocket_frames_new(const struct wslay_frame_callbacks *callbacks);
struct websocket_frames *websocket_frames_free(struct websocket_frames *frames);
DEFINE_CLEANUP(websocket_frames)

/* All frames that began have ended, in both directions: nothing in here is needed for the next,
 * and another WebSocket may go on with it. */
static inline bool websocket_frames_are_over(const struct websocket_frames *frames)
{
        return (frames->unread | frames->in_read | frames->rest_length | frames->out_left) == 0 &&
               !frames->pong.due && !frames->close.due;
}

void websocket_control_prepare(struct websocket_control *control, uint8_t opcode, const void *bytes,
                               size_t length);
/* Both as far as the inner transport takes it, the rest the next time; -EAGAIN, -errno. */
int websocket_frames_send_control(struct websocket_frames *frames,
                                  struct websocket_control *control); /* 0: it is out */
/* All that there is to write is one frame, whatever comes behind it meanwhile. How many of
 * `count` bytes were written. */
ssize_t websocket_frames_send(struct websocket_frames *frames, const void *bytes, size_t count);
