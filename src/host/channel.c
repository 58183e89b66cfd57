#include "host/channel.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        DESCRIPTORS_MAX = 1024, /* of which the last is taken, where the limit allows */
        READ_BYTES = 16 << 10,
        KEEP_BYTES = 64 << 10, /* of memory after a long frame */
};

int host_channel_init(struct host_channel *channel, int fd)
{
        long limit = sysconf(_SC_OPEN_MAX);
        int highest = limit > 0 && limit < DESCRIPTORS_MAX ? (int)limit - 1 : DESCRIPTORS_MAX - 1;
        int moved, flags;

        moved = fcntl(fd, F_DUPFD_CLOEXEC, highest > fd ? highest : fd);
        if (moved < 0)
                return -errno;
        flags = fcntl(moved, F_GETFL);
        if (flags < 0 || fcntl(moved, F_SETFL, flags & ~O_NONBLOCK) < 0) {
                int r = -errno;

                close(moved);
                return r;
        }
        close(fd);
        channel->fd = moved;
        channel->taken = 0;
        buffer_init(&channel->in, HOST_FRAME_HEADER + HOST_RECEIVE_MAX + READ_BYTES);
        return 0;
}

void host_channel_done(struct host_channel *channel)
{
        buffer_done(&channel->in);
        close(channel->fd);
        channel->fd = -1;
}

/* 1: at least `count` bytes are there; 0: the other end closed before. */
static int fill(struct host_channel *channel, size_t count)
{
        struct buffer *in = &channel->in;

        while (buffer_length(in) < count) {
                size_t wanted = count - buffer_length(in);
                ssize_t got;
                int r;

                r = buffer_reserve(in, wanted > READ_BYTES ? wanted : READ_BYTES);
                if (r < 0)
                        return r;
                got = read(channel->fd, buffer_data(in) + buffer_length(in), buffer_room(in));
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return got < 0 ? -errno : 0;
                buffer_commit(in, (size_t)got);
        }
        return 1;
}

int host_channel_receive(struct host_channel *channel, const char **json, size_t *length)
{
        uint32_t announced;
        int r;

        buffer_consume(&channel->in, channel->taken);
        channel->taken = 0;
        buffer_shrink(&channel->in, KEEP_BYTES);
        r = fill(channel, HOST_FRAME_HEADER);
        if (r <= 0)
                return r;
        memcpy(&announced, buffer_data(&channel->in), sizeof(announced));
        announced = be32toh(announced);
        if (announced > HOST_RECEIVE_MAX)
                return -EMSGSIZE;
        r = fill(channel, HOST_FRAME_HEADER + announced);
        if (r <= 0)
                return r;
        channel->taken = HOST_FRAME_HEADER + announced;
        *json = buffer_data(&channel->in) + HOST_FRAME_HEADER;
        *length = announced;
        return 1;
}

int host_channel_send(struct host_channel *channel, struct buffer *frame)
{
        size_t length = buffer_length(frame) - HOST_FRAME_HEADER;
        uint32_t announced = htobe32((uint32_t)length);

        if (length > HOST_SEND_MAX)
                return -EMSGSIZE;
        memcpy(buffer_data(frame), &announced, sizeof(announced));
        while (buffer_length(frame) > 0) {
                /* Not write(2): the module may have given SIGPIPE back its meaning. */
                ssize_t sent =
                        send(channel->fd, buffer_data(frame), buffer_length(frame), MSG_NOSIGNAL);

                if (sent < 0 && errno == EINTR)
                        continue;
                if (sent < 0)
                        return -errno;
                buffer_consume(frame, (size_t)sent);
        }
        return 0;
}
