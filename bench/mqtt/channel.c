#include "bench/mqtt/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HEAD_MAX = 2048, FRAME_HEAD_MAX = 8, BINARY = 0x82, MASKED = 0x80, TWO_MORE = 126 };

struct channel {
        enum channel_kind kind;
        int fd;
        struct secure_stream *stream; /* NULL: plain */
        size_t frame_left;            /* of a message that has begun to come */
};

int channel_kind_parse(const char *name, enum channel_kind *ret)
{
        static const char *const names[] = {"tcp", "tls", "ws", "wss"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(names[i], name) == 0) {
                        *ret = (enum channel_kind)i;
                        return 0;
                }
        return -EINVAL;
}

static int stream_send(struct channel *channel, const void *bytes, size_t count)
{
        ssize_t sent;

        if (channel->stream) {
                sent = secure_send(channel->stream, bytes, count);
        } else {
                sent = send(channel->fd, bytes, count, MSG_NOSIGNAL);
                sent = sent < 0 ? -errno : sent;
        }
        return sent < 0 ? (int)sent : (size_t)sent == count ? 0 : -EIO;
}

/* Waiting longer than the socket's patience is -EAGAIN in either case. */
static ssize_t stream_recv(struct channel *channel, void *bytes, size_t room)
{
        ssize_t count;

        if (channel->stream)
                return secure_recv(channel->stream, bytes, room);
        count = recv(channel->fd, bytes, room, 0);
        return count < 0 ? -errno : count;
}

static int stream_recv_all(struct channel *channel, uint8_t *bytes, size_t count)
{
        while (count > 0) {
                ssize_t more = stream_recv(channel, bytes, count);

                if (more <= 0)
                        return more < 0 ? (int)more : -ECONNRESET;
                bytes += more;
                count -= (size_t)more;
        }
        return 0;
}

/* The sum in the answer is the server's business: nobody in between is to be kept from caching. */
static int upgrade(struct channel *channel)
{
        static const char request[] =
                "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n"
                "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
        static const char switching[] = "HTTP/1.1 101 ";
        char head[HEAD_MAX + 1];
        size_t count = 0;
        int r = stream_send(channel, request, sizeof(request) - 1);

        /* Byte by byte: behind the head, frames begin. */
        while (r == 0 && (count < 4 || memcmp(head + count - 4, "\r\n\r\n", 4) != 0)) {
                if (count == HEAD_MAX)
                        return -EPROTO;
                r = stream_recv_all(channel, (uint8_t *)head + count, 1);
                count += r == 0;
        }
        if (r < 0)
                return r;
        return count > sizeof(switching) && memcmp(head, switching, sizeof(switching) - 1) == 0
                       ? 0
                       : -EACCES;
}

int channel_new(enum channel_kind kind, struct secure *secure, int fd, struct channel **ret)
{
        struct channel *channel = calloc(1, sizeof(*channel));
        int r = 0;

        if (!channel)
                return -ENOMEM;
        channel->kind = kind;
        channel->fd = fd;
        if (kind == CHANNEL_TLS || kind == CHANNEL_WSS)
                r = secure_stream_new(secure, fd, &channel->stream);
        if (r == 0 && channel->stream)
                r = secure_handshake(channel->stream);
        if (r == 0 && (kind == CHANNEL_WS || kind == CHANNEL_WSS))
                r = upgrade(channel);
        if (r < 0) {
                channel_free(channel);
                return r;
        }
        *ret = channel;
        return 0;
}

struct channel *channel_free(struct channel *channel)
{
        if (!channel)
                return NULL;
        secure_stream_free(channel->stream);
        free(channel);
        return NULL;
}

static bool is_bare(const struct channel *channel)
{
        return channel->kind == CHANNEL_TCP || channel->kind == CHANNEL_TLS;
}

int channel_send(struct channel *channel, const void *bytes, size_t count)
{
        uint8_t frame[FRAME_HEAD_MAX + CHANNEL_SEND_MAX];
        size_t head = count < TWO_MORE ? 6 : 8;

        if (count > CHANNEL_SEND_MAX)
                return -EMSGSIZE;
        if (is_bare(channel))
                return stream_send(channel, bytes, count);
        frame[0] = BINARY;
        frame[1] = (uint8_t)(MASKED | (count < TWO_MORE ? count : TWO_MORE));
        frame[2] = (uint8_t)(count >> 8);
        frame[3] = (uint8_t)count;
        /* With a mask of zero the bytes are what they are. */
        memset(frame + head - 4, 0, 4);
        memcpy(frame + head, bytes, count);
        return stream_send(channel, frame, head + count);
}

static int begin_frame(struct channel *channel)
{
        uint8_t head[4];
        int r = stream_recv_all(channel, head, 2);

        if (r == 0 && (head[0] != BINARY || head[1] > TWO_MORE))
                r = -EPROTO;
        if (r == 0 && head[1] == TWO_MORE)
                r = stream_recv_all(channel, head + 2, 2);
        if (r == 0)
                channel->frame_left = head[1] < TWO_MORE ? head[1] : (size_t)head[2] << 8 | head[3];
        return r;
}

ssize_t channel_recv(struct channel *channel, void *bytes, size_t room)
{
        ssize_t count;
        int r = 0;

        if (is_bare(channel))
                return stream_recv(channel, bytes, room);
        while (r == 0 && channel->frame_left == 0)
                r = begin_frame(channel);
        if (r < 0)
                return r;
        count = stream_recv(channel, bytes,
                            room < channel->frame_left ? room : channel->frame_left);
        if (count > 0)
                channel->frame_left -= (size_t)count;
        return count;
}
