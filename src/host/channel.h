/* host/channel.h - frames over the descriptor that leads to the agent: four bytes of
 * length, most significant first, and so many bytes of JSON. docs/host-protocol.md.
 *
 * Blocks, and sets no deadlines: the agent kills a host that takes too long. */
#pragma once

#include "base/buffer.h"

#include <stddef.h>

enum {
        HOST_FRAME_HEADER = 4,
        HOST_SEND_MAX = 1 << 20,     /* bytes of JSON to the agent */
        HOST_RECEIVE_MAX = 16 << 20, /* from it */
};

struct host_channel {
        int fd;
        struct buffer in;
        size_t taken; /* of `in`: the frame that was handed out last */
};

/* Takes the descriptor over: moves it as high as the limit of open files allows, so
 * that whoever writes to the old number does not disturb, and marks it close-on-exec.
 * -errno of dup(2), and `fd` stays the caller's. */
int host_channel_init(struct host_channel *channel, int fd);
void host_channel_done(struct host_channel *channel);

/* 1: *json holds *length bytes until the next call; 0: the other end is closed;
 * -EMSGSIZE: a frame is announced that is too long; -ENOMEM; -errno of read(2). */
int host_channel_receive(struct host_channel *channel, const char **json, size_t *length);

/* `frame` begins with HOST_FRAME_HEADER bytes, which are filled in here.
 * -EMSGSIZE: over HOST_SEND_MAX; -errno of send(2). */
int host_channel_send(struct host_channel *channel, struct buffer *frame);
