#include "ipc/channel.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct header {
        uint16_t version;
        uint16_t type;
        uint16_t length;
        uint16_t descriptors_count;
};

union control {
        struct cmsghdr alignment;
        unsigned char bytes[CMSG_SPACE(sizeof(int) * IPC_DESCRIPTORS_MAX)];
};

int ipc_channel_pair(uint16_t version, struct ipc_channel *ours, struct ipc_channel *theirs)
{
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
                return -errno;
        *ours = (struct ipc_channel){.fd = ends[0], .version = version};
        *theirs = (struct ipc_channel){.fd = ends[1], .version = version};
        return 0;
}

int ipc_channel_adopt(int fd, uint16_t version, struct ipc_channel *ret)
{
        int type, domain, flags;
        socklen_t length = sizeof(type);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
                return -errno;
        length = sizeof(domain);
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0)
                return -errno;
        if (type != SOCK_SEQPACKET || domain != AF_UNIX)
                return -EPROTOTYPE;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        *ret = (struct ipc_channel){.fd = fd, .version = version};
        return 0;
}

void ipc_channel_close(struct ipc_channel *channel)
{
        if (channel->fd >= 0)
                close(TAKE_FD(channel->fd));
}

static void put_descriptors(struct msghdr *message, union control *control, const int descriptors[],
                            size_t count)
{
        struct cmsghdr *part;

        memset(control, 0, sizeof(*control));
        message->msg_control = control->bytes;
        message->msg_controllen = CMSG_SPACE(sizeof(int) * count);
        part = CMSG_FIRSTHDR(message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(part), descriptors, sizeof(int) * count);
}

int ipc_send(struct ipc_channel *channel, uint16_t type, const void *payload, size_t length,
             const int descriptors[], size_t descriptors_count)
{
        struct header header = {channel->version, type, (uint16_t)length,
                                (uint16_t)descriptors_count};
        struct iovec parts[] = {{&header, sizeof(header)}, {(void *)payload, length}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = length > 0 ? 2 : 1};
        union control control;
        ssize_t sent;

        if (channel->fd < 0)
                return -EPIPE;
        if (length > IPC_PAYLOAD_MAX || descriptors_count > IPC_DESCRIPTORS_MAX)
                return -EMSGSIZE;
        if (descriptors_count > 0)
                put_descriptors(&message, &control, descriptors, descriptors_count);
        do
                sent = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (sent < 0 && errno == EINTR);
        /* An end that was closed with messages unread says so by a reset. */
        if (sent < 0)
                return errno == ECONNRESET ? -EPIPE : -errno;
        return 0;
}

static int take_descriptors(struct msghdr *message, struct ipc_message *ret)
{
        int r = 0;

        for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
             part = CMSG_NXTHDR(message, part)) {
                size_t count;

                if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
                        r = -EPROTO;
                        continue;
                }
                /* There is room for no more, so the kernel left none over here. */
                count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count && ret->descriptors_count < IPC_DESCRIPTORS_MAX; i++)
                        memcpy(&ret->descriptors[ret->descriptors_count++],
                               CMSG_DATA(part) + i * sizeof(int), sizeof(int));
        }
        return r;
}

static int check_header(const struct ipc_channel *channel, const struct header *header,
                        size_t received, const struct ipc_message *message)
{
        if (received < sizeof(*header) || header->version != channel->version ||
            header->length != received - sizeof(*header) ||
            header->descriptors_count != message->descriptors_count)
                return -EPROTO;
        return 0;
}

int ipc_receive(struct ipc_channel *channel, struct ipc_message *ret)
{
        struct header header;
        struct iovec parts[] = {{&header, sizeof(header)}, {ret->payload, sizeof(ret->payload)}};
        union control control;
        struct msghdr message = {.msg_iov = parts,
                                 .msg_iovlen = 2,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof(control.bytes)};
        ssize_t received;
        int r;

        ret->descriptors_count = 0;
        if (channel->fd < 0)
                return 0;
        do
                received = recvmsg(channel->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        while (received < 0 && errno == EINTR);
        if (received < 0)
                return errno == ECONNRESET ? 0 : -errno;
        r = take_descriptors(&message, ret);
        if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                r = -EPROTO;
        /* Without a byte and without descriptors it is the end, not a message. */
        if (r == 0 && received == 0 && ret->descriptors_count == 0)
                return 0;
        if (r == 0)
                r = check_header(channel, &header, (size_t)received, ret);
        if (r < 0) {
                ipc_message_discard(ret);
                return r;
        }
        ret->type = header.type;
        ret->length = header.length;
        return 1;
}

int ipc_message_take_descriptor(struct ipc_message *message)
{
        if (message->descriptors_count != 1)
                return -EPROTO;
        message->descriptors_count = 0;
        return message->descriptors[0];
}

void ipc_message_discard(struct ipc_message *message)
{
        for (size_t i = 0; i < message->descriptors_count; i++)
                close(message->descriptors[i]);
        message->descriptors_count = 0;
}
