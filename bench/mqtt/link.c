#include "bench/mqtt/link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        RECEIVE_MAX = 256 * 1024,
        EVENTS_MAX = 256,
        PACKET_MAX = 64 * 1024, /* of ours in the set-up */
};

int link_connect(const struct sockaddr_in *broker, unsigned number, int flags)
{
        const struct sockaddr_in source = {.sin_family = AF_INET,
                                           .sin_addr.s_addr =
                                                   htonl(INADDR_LOOPBACK + number % LINK_SOURCES)};
        const int on = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        int r = 0;

        if (fd < 0)
                return -errno;
        /* A source for brokers on this machine only. */
        if (ntohl(broker->sin_addr.s_addr) == INADDR_LOOPBACK &&
            (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
             bind(fd, (const struct sockaddr *)&source, sizeof(source)) < 0))
                r = -errno;
        if (r == 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
                r = -errno;
        if (r == 0 && connect(fd, (const struct sockaddr *)broker, sizeof(*broker)) < 0 &&
            errno != EINPROGRESS)
                r = -errno;
        if (r < 0)
                close(fd);
        return r < 0 ? r : fd;
}

static int send_all(struct link *link, const uint8_t *bytes, size_t count)
{
        ssize_t sent;

        if (link->channel)
                return channel_send(link->channel, bytes, count);
        sent = send(link->fd, bytes, count, MSG_NOSIGNAL);
        return sent == (ssize_t)count ? 0 : sent < 0 ? -errno : -EIO;
}

static ssize_t receive_some(struct link *link, uint8_t *bytes, size_t room)
{
        ssize_t count;

        if (link->channel)
                return channel_recv(link->channel, bytes, room);
        count = recv(link->fd, bytes, room, 0);
        return count < 0 ? -errno : count;
}

/* Sends, and waits for one whole packet of that type. */
static int ask(struct link *link, const uint8_t *bytes, size_t count, enum wire_type expected,
               uint8_t answer[], size_t room, struct wire_packet *ret)
{
        size_t length = 0;
        int r = send_all(link, bytes, count);

        if (r < 0)
                return r;
        while ((r = wire_next(answer, length, ret)) == 0) {
                ssize_t more = receive_some(link, answer + length, room - length);

                if (more < 0)
                        return more == -EAGAIN ? -ETIMEDOUT : (int)more;
                if (more == 0)
                        return length == room ? -EPROTO : -ECONNRESET;
                length += (size_t)more;
        }
        return r < 0 ? r : ret->type == expected && ret->length == length ? 0 : -EPROTO;
}

int link_open(struct link *link, const struct link_plan *plan, unsigned number,
              const char *client_id)
{
        const struct timeval patience = {.tv_sec = LINK_ANSWER_MS / 1000};
        const struct wire_connect connect = {.version_5 = plan->version_5,
                                             .lasting = plan->lasting,
                                             .client_id = wire_text_of(client_id),
                                             .keep_alive_s = LINK_KEEP_ALIVE_S};
        uint8_t bytes[256], answer[256];
        struct wire_packet packet;
        int length = wire_write_connect(bytes, sizeof(bytes), &connect);
        int r = 0;

        *link = (struct link){.fd = -1, .number = number, .version_5 = plan->version_5};
        if (length < 0)
                return length;
        link->fd = link_connect(&plan->broker, number, 0);
        if (link->fd < 0)
                return link->fd;
        if (setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
                return -errno;
        if (plan->kind != CHANNEL_TCP)
                r = channel_new(plan->kind, plan->secure, link->fd, &link->channel);
        if (r < 0)
                return r == -EAGAIN ? -ETIMEDOUT : r;
        r = ask(link, bytes, (size_t)length, WIRE_CONNACK, answer, sizeof(answer), &packet);
        if (r < 0)
                return r;
        if (packet.body.length < 2)
                return -EPROTO;
        return packet.body.bytes[1] == 0 ? 0 : -ECONNREFUSED;
}

int link_subscribe(struct link *link, uint16_t id, const struct wire_text filters[], size_t count,
                   uint8_t qos)
{
        uint8_t *bytes = malloc(2 * PACKET_MAX), *answer;
        struct wire_packet packet;
        int length, r;

        if (!bytes)
                return -ENOMEM;
        answer = bytes + PACKET_MAX;
        r = length =
                wire_write_subscribe(bytes, PACKET_MAX, link->version_5, id, filters, count, qos);
        if (r >= 0)
                r = ask(link, bytes, (size_t)length, WIRE_SUBACK, answer, PACKET_MAX, &packet);
        if (r == 0 && packet.body.length < count + 2)
                r = -EPROTO;
        for (size_t i = 0; r == 0 && i < count; i++)
                if (packet.body.bytes[packet.body.length - count + i] != qos)
                        r = -EACCES;
        free(bytes);
        return r;
}

int link_publish(struct link *link, const struct wire_publish *publish)
{
        uint8_t bytes[512], answer[256];
        struct wire_packet packet;
        int length = wire_write_publish(bytes, sizeof(bytes), link->version_5, publish);

        return length < 0 ? length
                          : ask(link, bytes, (size_t)length, WIRE_PUBACK, answer, sizeof(answer),
                                &packet);
}

void link_close(struct link *link)
{
        channel_free(link->channel);
        if (link->fd >= 0)
                close(link->fd);
        free(link->out);
        free(link->tail);
        *link = (struct link){.fd = -1};
}

int link_append(struct link *link, const void *bytes, size_t count)
{
        if (link->out_length + count > link->out_room) {
                size_t room = 2 * (link->out_length + count);
                uint8_t *larger;

                if (room > LINK_OUT_MAX)
                        return -ENOBUFS;
                larger = realloc(link->out, room);
                if (!larger)
                        return -ENOMEM;
                link->out = larger;
                link->out_room = room;
        }
        memcpy(link->out + link->out_length, bytes, count);
        link->out_length += count;
        return 0;
}

static int wait_for_room(struct link *link, int epoll_fd, bool wanted)
{
        struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0), .data.ptr = link};

        if (link->waits_for_room == wanted)
                return 0;
        link->waits_for_room = wanted;
        return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, link->fd, &event) == 0 ? 0 : -errno;
}

int link_flush(struct link *link, int epoll_fd)
{
        ssize_t sent;

        if (link->out_length == 0)
                return 0;
        sent = send(link->fd, link->out, link->out_length, MSG_NOSIGNAL);
        if (sent < 0) {
                if (errno != EAGAIN)
                        return -errno;
                sent = 0;
        }
        link->out_length -= (size_t)sent;
        if (link->out_length > 0)
                memmove(link->out, link->out + sent, link->out_length);
        return wait_for_room(link, epoll_fd, link->out_length > 0);
}

int links_init(struct links *links,
               int (*on_packet)(void *, struct link *, const struct wire_packet *), void *owner)
{
        *links = (struct links){.epoll_fd = -1, .on_packet = on_packet, .owner = owner};
        links->received = malloc(RECEIVE_MAX + WIRE_PACKET_MAX + 8);
        if (!links->received)
                return -ENOMEM;
        links->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        return links->epoll_fd < 0 ? -errno : 0;
}

void links_done(struct links *links)
{
        if (links->epoll_fd >= 0)
                close(links->epoll_fd);
        free(links->received);
        *links = (struct links){.epoll_fd = -1};
}

int links_add(struct links *links, struct link *link)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};

        if (link->channel)
                return -EOPNOTSUPP;
        if (fcntl(link->fd, F_SETFL, O_NONBLOCK) < 0 ||
            epoll_ctl(links->epoll_fd, EPOLL_CTL_ADD, link->fd, &event) < 0)
                return -errno;
        return 0;
}

/* What of a packet has come so far waits for the rest. */
static int keep_tail(struct link *link, const uint8_t *bytes, size_t count)
{
        uint8_t *tail = NULL;

        if (count > 0) {
                tail = malloc(count);
                if (!tail)
                        return -ENOMEM;
                memcpy(tail, bytes, count);
        }
        free(link->tail);
        link->tail = tail;
        link->tail_length = count;
        return 0;
}

static int present(struct links *links, struct link *link, size_t count)
{
        struct wire_packet packet;
        size_t at = 0;
        int r;

        while ((r = wire_next(links->received + at, count - at, &packet)) == 1) {
                r = links->on_packet(links->owner, link, &packet);
                if (r < 0)
                        return r;
                at += packet.length;
        }
        if (r < 0)
                return r;
        if (link->tail_length == 0 && at == count)
                return 0;
        return keep_tail(link, links->received + at, count - at);
}

static int receive(struct links *links, struct link *link)
{
        ssize_t count;
        int r;

        if (link->tail_length > 0)
                memcpy(links->received, link->tail, link->tail_length);
        count = recv(link->fd, links->received + link->tail_length, RECEIVE_MAX, 0);
        if (count < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (count == 0)
                return -ECONNRESET;
        r = present(links, link, link->tail_length + (size_t)count);
        return r < 0 ? r : link_flush(link, links->epoll_fd);
}

int links_turn(struct links *links, int timeout_ms)
{
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(links->epoll_fd, events, EVENTS_MAX, timeout_ms);

        if (count < 0)
                return errno == EINTR ? 1 : -errno;
        for (int i = 0; i < count; i++) {
                struct link *link = events[i].data.ptr;
                int r = 0;

                if (events[i].events & ~(unsigned)EPOLLOUT)
                        r = receive(links, link);
                else
                        r = link_flush(link, links->epoll_fd);
                if (r < 0)
                        return r;
        }
        return count > 0;
}
