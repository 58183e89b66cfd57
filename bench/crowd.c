#include "bench/crowd.h"

#include "bench/clocks.h"
#include "bench/http-reply.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        RECEIVE_MAX = 64 * 1024,
        EVENTS_MAX = 128,
        /* Replies to what is in flight are due within this time. */
        SILENCE_MAX_MS = 3000,
};

/* Requests that left in one write share one time. */
struct batch {
        uint64_t sent_ns;
        unsigned requests;
};

struct connection {
        int fd;
        bool inside_reply; /* the last read ended in the middle of one */
        size_t come;       /* of that, where replies have one length */
        bool turned;       /* the next request is the protocol's other one */
        unsigned first;    /* of the batches that wait for replies; a ring */
        unsigned batches_count;
        unsigned outstanding; /* requests in those batches */
        struct batch batches[CROWD_IN_FLIGHT_MAX];
};

struct crowd {
        const struct protocol *protocol;
        size_t expected_length;
        size_t request_length;
        size_t reply_length; /* 0: a newline ends it */
        char *requests;      /* one more than `in_flight`, one behind the other, in turn */
        unsigned in_flight;
        int epoll_fd;
        bool asking; /* false: replies are no longer answered with requests */
        uint64_t outstanding;
        unsigned connections_count;
        struct connection *connections;
        char received[RECEIVE_MAX];
};

/* Asks once, so that it is known how many bytes a reply has. */
static int learn_length(struct crowd *crowd, const struct connection *connection)
{
        size_t count = 0;
        long length = 0;

        if (send(connection->fd, crowd->requests, crowd->request_length, MSG_NOSIGNAL) !=
            (ssize_t)crowd->request_length)
                return -EIO;
        while (length == 0 || count < (size_t)length) {
                ssize_t more;

                if (length > (long)sizeof(crowd->received))
                        return -EMSGSIZE;
                more = recv(connection->fd, crowd->received + count,
                            sizeof(crowd->received) - count, 0);
                if (more <= 0)
                        return more == 0 ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;
                count += (size_t)more;
                length = http_reply_length(crowd->received, count);
                if (length < 0)
                        return (int)length;
        }
        if (count != (size_t)length ||
            !memmem(crowd->received, count, crowd->protocol->expected, crowd->expected_length))
                return -EBADMSG;
        crowd->reply_length = count;
        return 0;
}

static int connection_open(struct crowd *crowd, struct connection *connection,
                           const struct sockaddr_in *address)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        const struct timeval patience = {.tv_sec = SILENCE_MAX_MS / 1000};
        const int on = 1;
        int r = 0;

        connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connection->fd < 0)
                return -errno;
        if (connect(connection->fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
            setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
            setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
                return -errno;
        if (crowd->protocol->replies_have_one_length && crowd->reply_length == 0)
                r = learn_length(crowd, connection);
        if (r < 0)
                return r;
        if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) < 0 ||
            epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) < 0)
                return -errno;
        return 0;
}

static int crowd_prepare(struct crowd *crowd, const struct sockaddr_in *address)
{
        const char *const turns[] = {crowd->protocol->request, crowd->protocol->other
                                                                       ? crowd->protocol->other
                                                                       : crowd->protocol->request};

        crowd->requests = malloc(crowd->request_length * (crowd->in_flight + 1));
        crowd->connections = calloc(crowd->connections_count, sizeof(*crowd->connections));
        if (!crowd->requests || !crowd->connections)
                return -ENOMEM;
        for (unsigned i = 0; i <= crowd->in_flight; i++)
                memcpy(crowd->requests + i * crowd->request_length, turns[i % 2],
                       crowd->request_length);
        for (unsigned i = 0; i < crowd->connections_count; i++)
                crowd->connections[i].fd = -1;

        crowd->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (crowd->epoll_fd < 0)
                return -errno;
        for (unsigned i = 0; i < crowd->connections_count; i++) {
                int r = connection_open(crowd, &crowd->connections[i], address);

                if (r < 0)
                        return r;
        }
        return 0;
}

int crowd_new(const struct sockaddr_in *address, const struct protocol *protocol,
              unsigned connections, unsigned in_flight, struct crowd **ret)
{
        struct crowd *crowd;
        int r;

        if (connections == 0 || connections > CROWD_CONNECTIONS_MAX || in_flight == 0 ||
            in_flight > CROWD_IN_FLIGHT_MAX ||
            (protocol->other && strlen(protocol->other) != strlen(protocol->request)))
                return -EINVAL;
        crowd = calloc(1, sizeof(*crowd));
        if (!crowd)
                return -ENOMEM;
        crowd->protocol = protocol;
        crowd->expected_length = strlen(protocol->expected);
        crowd->request_length = strlen(protocol->request);
        crowd->in_flight = in_flight;
        crowd->connections_count = connections;
        crowd->epoll_fd = -1;

        r = crowd_prepare(crowd, address);
        if (r < 0) {
                crowd_free(crowd);
                return r;
        }
        *ret = crowd;
        return 0;
}

struct crowd *crowd_free(struct crowd *crowd)
{
        if (!crowd)
                return NULL;
        for (unsigned i = 0; crowd->connections && i < crowd->connections_count; i++)
                if (crowd->connections[i].fd >= 0)
                        close(crowd->connections[i].fd);
        if (crowd->epoll_fd >= 0)
                close(crowd->epoll_fd);
        free(crowd->connections);
        free(crowd->requests);
        free(crowd);
        return NULL;
}

static int connection_send(struct crowd *crowd, struct connection *connection, unsigned requests,
                           uint64_t now)
{
        size_t length = requests * crowd->request_length;
        const char *bytes = crowd->requests + (connection->turned ? crowd->request_length : 0);
        unsigned last = (connection->first + connection->batches_count) % CROWD_IN_FLIGHT_MAX;
        ssize_t sent;

        connection->batches[last] = (struct batch){.sent_ns = now, .requests = requests};
        connection->batches_count++;
        connection->outstanding += requests;
        crowd->outstanding += requests;
        connection->turned ^= requests % 2 != 0;
        sent = send(connection->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0)
                return -errno;
        return (size_t)sent == length ? 0 : -ENOBUFS;
}

/* `replies` more have arrived: the oldest requests are done. */
static void connection_settle(struct connection *connection, unsigned replies, uint64_t now,
                              struct histogram *histogram)
{
        connection->outstanding -= replies;
        while (replies > 0) {
                struct batch *batch = &connection->batches[connection->first];
                unsigned settled = replies < batch->requests ? replies : batch->requests;

                if (histogram)
                        histogram_add(histogram, now - batch->sent_ns, settled);
                replies -= settled;
                batch->requests -= settled;
                if (batch->requests == 0) {
                        connection->first = (connection->first + 1) % CROWD_IN_FLIGHT_MAX;
                        connection->batches_count--;
                }
        }
}

/* How many replies end in the `length` bytes just received, and where the first of them does. */
static unsigned count_newlines(const struct crowd *crowd, size_t length, size_t *ret_first)
{
        unsigned count = 0;

        for (size_t i = 0; i < length; i++)
                if (crowd->received[i] == '\n' && count++ == 0)
                        *ret_first = i;
        return count;
}

static unsigned count_replies(struct crowd *crowd, struct connection *connection, size_t length,
                              size_t *ret_first)
{
        unsigned count;

        if (crowd->reply_length == 0) {
                count = count_newlines(crowd, length, ret_first);
                connection->inside_reply = crowd->received[length - 1] != '\n';
                return count;
        }
        *ret_first = crowd->reply_length - connection->come;
        connection->come += length;
        count = (unsigned)(connection->come / crowd->reply_length);
        connection->come %= crowd->reply_length;
        connection->inside_reply = connection->come > 0;
        return count;
}

static int connection_receive(struct crowd *crowd, struct connection *connection,
                              struct histogram *histogram, uint64_t *now)
{
        ssize_t length = recv(connection->fd, crowd->received, sizeof(crowd->received), 0);
        bool was_inside = connection->inside_reply;
        unsigned replies;
        size_t first = 0;

        if (length < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (length == 0)
                return -ECONNRESET;
        *now = clocks_now_ns();
        replies = count_replies(crowd, connection, (size_t)length, &first);
        if (replies > connection->outstanding)
                return -EPROTO;
        /* A fast refusal must not pass for a fast answer. The first reply of a
         * read stands for its companions: to search each would cost more than
         * all else here. */
        if (!was_inside && replies > 0 &&
            !memmem(crowd->received, first, crowd->protocol->expected, crowd->expected_length))
                return -EBADMSG;
        if (replies == 0)
                return 0;
        connection_settle(connection, replies, *now, histogram);
        crowd->outstanding -= replies;
        return crowd->asking ? connection_send(crowd, connection, replies, *now) : 0;
}

/* One wait and what it brought. Sets *now when anything arrived. */
static int crowd_turn(struct crowd *crowd, struct histogram *histogram, uint64_t *now)
{
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(crowd->epoll_fd, events, EVENTS_MAX, SILENCE_MAX_MS);

        if (count < 0)
                return errno == EINTR ? 0 : -errno;
        if (count == 0)
                return -ETIMEDOUT;
        for (int i = 0; i < count; i++) {
                int r = connection_receive(crowd, events[i].data.ptr, histogram, now);

                if (r < 0)
                        return r;
        }
        return 0;
}

int crowd_start(struct crowd *crowd)
{
        crowd->asking = true;
        for (unsigned i = 0; i < crowd->connections_count; i++) {
                int r = connection_send(crowd, &crowd->connections[i], crowd->in_flight,
                                        clocks_now_ns());

                if (r < 0)
                        return r;
        }
        return 0;
}

int crowd_run(struct crowd *crowd, uint64_t deadline_ns, struct histogram *histogram)
{
        uint64_t now = clocks_now_ns();

        while (now < deadline_ns) {
                int r = crowd_turn(crowd, histogram, &now);

                if (r < 0)
                        return r;
        }
        return 0;
}

int crowd_drain(struct crowd *crowd)
{
        uint64_t now;

        crowd->asking = false;
        while (crowd->outstanding > 0) {
                int r = crowd_turn(crowd, NULL, &now);

                if (r < 0)
                        return r;
        }
        return 0;
}
