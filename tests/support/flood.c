/* flood: thousands of clients in a process of their own.
 *
 *     flood --port P --connections N [--host A] [--sources S] [--request TEXT]
 *
 * A test that opened them itself would share its limit of descriptors with the
 * server. Connects all, then prints one line, and another one for each command
 * line on standard input, when that command is done:
 *
 *     open=10000 failed=0 closed=0 asked=0 replies=0 bytes=0
 *
 * open: connected now; failed: never came about, or broke in a send; closed: by
 * the peer; asked, replies, bytes: in total, a reply being a newline.
 *
 *     count        looks what arrived and who hung up, without waiting
 *     send         one request on each open connection, waits for the replies
 *     partial      all of a request but its newline: the peer has to wait
 *     half-close   ends our direction of each, the other stays
 *     wait-closed  until the peer has closed all
 *     close N      closes N of them
 *     reset N      ends N of them by a reset
 *
 * Waits end after 20 seconds with what there is then: the caller compares the
 * figures. Ends with standard input. Exit status 1: it could not work at all.
 * Addresses are IPv4; --sources spreads the clients over 127.0.0.1 ... S. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
        CONNECTIONS_MAX = 100000,
        SOURCES_MAX = 250,
        REQUEST_MAX = 1024 * 1024,
        /* Fewer than a listener's queue holds: a connection that finds it full
         * would wait a second for its next attempt. */
        CONNECTING_MAX = 64,
        EVENTS_MAX = 256,
        WAIT_MAX_MS = 20000,
};

enum state { STATE_NONE, STATE_CONNECTING, STATE_OPEN };

struct client {
        int fd;
        enum state state;
};

struct flood {
        struct sockaddr_in address;
        unsigned sources;
        char *request; /* ends in a newline */
        size_t request_length;

        int epoll_fd;
        struct client *clients;
        unsigned clients_count;
        unsigned connecting;
        unsigned open, failed, closed;
        uint64_t asked, replies, bytes;
};

static const char usage[] = "Usage: flood --port P --connections N [--host A] [--sources S] "
                            "[--request TEXT]\n";

static uint64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void client_end(struct flood *flood, struct client *client, unsigned *counter)
{
        if (client->state == STATE_CONNECTING)
                flood->connecting--;
        if (client->state == STATE_OPEN)
                flood->open--;
        if (client->fd >= 0)
                close(client->fd);
        client->fd = -1;
        client->state = STATE_NONE;
        if (counter)
                (*counter)++;
}

static int client_bind(const struct flood *flood, const struct client *client)
{
        struct sockaddr_in source = {.sin_family = AF_INET};
        const int on = 1;

        if (flood->sources <= 1)
                return 0;
        source.sin_addr.s_addr =
                htonl(INADDR_LOOPBACK + (uint32_t)(client - flood->clients) % flood->sources);
        /* The port is chosen by connect(2), when the kernel knows the whole
         * pair of addresses: so each source has all ports of the range. */
        if (setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0 ||
            bind(client->fd, (struct sockaddr *)&source, sizeof(source)) < 0)
                return -errno;
        return 0;
}

static void client_connect(struct flood *flood, struct client *client)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = client};
        const int on = 1;

        client->state = STATE_CONNECTING;
        flood->connecting++;
        client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (client->fd < 0 || client_bind(flood, client) < 0 ||
            setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
            (connect(client->fd, (struct sockaddr *)&flood->address, sizeof(flood->address)) < 0 &&
             errno != EINPROGRESS) ||
            epoll_ctl(flood->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
                client_end(flood, client, &flood->failed);
}

static void client_connected(struct flood *flood, struct client *client)
{
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
        int error = 0;
        socklen_t length = sizeof(error);

        if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 || error != 0 ||
            epoll_ctl(flood->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) < 0) {
                client_end(flood, client, &flood->failed);
                return;
        }
        client->state = STATE_OPEN;
        flood->connecting--;
        flood->open++;
}

static void client_receive(struct flood *flood, struct client *client)
{
        static char bytes[64 * 1024];
        ssize_t length = recv(client->fd, bytes, sizeof(bytes), 0);

        if (length < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (length <= 0) {
                client_end(flood, client, &flood->closed);
                return;
        }
        flood->bytes += (uint64_t)length;
        for (ssize_t i = 0; i < length; i++)
                flood->replies += bytes[i] == '\n';
}

/* Handles what happens within `timeout_ms`; the number of events, or -errno. */
static int flood_turn(struct flood *flood, int timeout_ms)
{
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(flood->epoll_fd, events, EVENTS_MAX, timeout_ms);

        if (count < 0)
                return errno == EINTR ? 0 : -errno;
        for (int i = 0; i < count; i++) {
                struct client *client = events[i].data.ptr;

                if (client->state == STATE_CONNECTING)
                        client_connected(flood, client);
                else if (client->state == STATE_OPEN)
                        client_receive(flood, client);
        }
        return count;
}

static bool is_answered(const struct flood *flood)
{
        return flood->replies >= flood->asked || flood->open == 0;
}

static bool is_closed(const struct flood *flood)
{
        return flood->open == 0;
}

static int flood_wait(struct flood *flood, uint64_t deadline,
                      bool (*is_done)(const struct flood *flood))
{
        while (!is_done(flood) && now_ms() < deadline) {
                int r = flood_turn(flood, 100);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_connectable(const struct flood *flood)
{
        return flood->connecting < CONNECTING_MAX;
}

static bool is_connected(const struct flood *flood)
{
        return flood->connecting == 0;
}

static int flood_connect(struct flood *flood)
{
        uint64_t deadline = now_ms() + WAIT_MAX_MS;
        unsigned begun = 0;
        int r = 0;

        while (r == 0 && begun < flood->clients_count) {
                r = flood_wait(flood, deadline, is_connectable);
                if (!is_connectable(flood))
                        break;
                client_connect(flood, &flood->clients[begun++]);
        }
        if (r == 0)
                r = flood_wait(flood, deadline, is_connected);
        for (unsigned i = 0; i < begun; i++)
                if (flood->clients[i].state == STATE_CONNECTING)
                        client_end(flood, &flood->clients[i], &flood->failed);
        flood->failed += flood->clients_count - begun;
        return r;
}

static int flood_count(struct flood *flood)
{
        int r;

        do
                r = flood_turn(flood, 0);
        while (r > 0);
        return r;
}

static int flood_send(struct flood *flood, size_t length)
{
        for (unsigned i = 0; i < flood->clients_count; i++) {
                struct client *client = &flood->clients[i];

                if (client->state != STATE_OPEN)
                        continue;
                if (send(client->fd, flood->request, length, MSG_NOSIGNAL) != (ssize_t)length) {
                        client_end(flood, client, &flood->failed);
                        continue;
                }
                if (length == flood->request_length)
                        flood->asked++;
        }
        return flood_wait(flood, now_ms() + WAIT_MAX_MS, is_answered);
}

static int flood_half_close(struct flood *flood)
{
        for (unsigned i = 0; i < flood->clients_count; i++) {
                struct client *client = &flood->clients[i];

                if (client->state == STATE_OPEN && shutdown(client->fd, SHUT_WR) < 0)
                        client_end(flood, client, &flood->closed);
        }
        return 0;
}

static int flood_drop(struct flood *flood, unsigned count, bool reset)
{
        /* Lingering for no time: the kernel sends RST instead of FIN. */
        const struct linger linger = {.l_onoff = 1, .l_linger = 0};

        for (unsigned i = 0; i < flood->clients_count && count > 0; i++) {
                struct client *client = &flood->clients[i];

                if (client->state != STATE_OPEN)
                        continue;
                if (reset &&
                    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0)
                        return -errno;
                client_end(flood, client, NULL);
                count--;
        }
        return 0;
}

static int flood_obey(struct flood *flood, const char *line)
{
        unsigned count = 0;

        if (strcmp(line, "count\n") == 0)
                return flood_count(flood);
        if (strcmp(line, "send\n") == 0)
                return flood_send(flood, flood->request_length);
        if (strcmp(line, "partial\n") == 0)
                return flood_send(flood, flood->request_length - 1);
        if (strcmp(line, "half-close\n") == 0)
                return flood_half_close(flood);
        if (strcmp(line, "wait-closed\n") == 0)
                return flood_wait(flood, now_ms() + WAIT_MAX_MS, is_closed);
        if (sscanf(line, "close %u", &count) == 1)
                return flood_drop(flood, count, false);
        if (sscanf(line, "reset %u", &count) == 1)
                return flood_drop(flood, count, true);
        fprintf(stderr, "flood: unknown command: %s", line);
        return -EINVAL;
}

static int flood_report(const struct flood *flood)
{
        printf("open=%u failed=%u closed=%u asked=%" PRIu64 " replies=%" PRIu64 " bytes=%" PRIu64
               "\n",
               flood->open, flood->failed, flood->closed, flood->asked, flood->replies,
               flood->bytes);
        return fflush(stdout) == 0 ? 0 : -errno;
}

static int flood_run(struct flood *flood)
{
        char line[64];
        int r;

        flood->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (flood->epoll_fd < 0)
                return -errno;
        r = flood_connect(flood);
        if (r == 0)
                r = flood_report(flood);
        while (r == 0 && fgets(line, sizeof(line), stdin)) {
                r = flood_obey(flood, line);
                if (r == 0)
                        r = flood_report(flood);
        }
        return r;
}

static int set_request(struct flood *flood, const char *text)
{
        size_t length = strlen(text);

        if (length == 0 || length >= REQUEST_MAX)
                return -EINVAL;
        free(flood->request);
        flood->request = malloc(length + 1);
        if (!flood->request)
                return -ENOMEM;
        memcpy(flood->request, text, length);
        flood->request[length] = '\n';
        flood->request_length = length + 1;
        return 0;
}

static int parse_number(const char *text, unsigned max, unsigned *ret)
{
        char *end;
        unsigned long value;

        errno = 0;
        value = strtoul(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || value == 0 || value > max)
                return -EINVAL;
        *ret = (unsigned)value;
        return 0;
}

static int parse_options(struct flood *flood, int argc, char **argv)
{
        static const struct option known[] = {
                {"host", required_argument, NULL, 'h'},
                {"port", required_argument, NULL, 'p'},
                {"connections", required_argument, NULL, 'n'},
                {"sources", required_argument, NULL, 's'},
                {"request", required_argument, NULL, 'r'},
                {NULL, 0, NULL, 0},
        };
        int letter, r = 0;
        unsigned port = 0;

        while (r == 0 && (letter = getopt_long(argc, argv, "", known, NULL)) >= 0) {
                if (letter == 'h')
                        r = inet_pton(AF_INET, optarg, &flood->address.sin_addr) == 1 ? 0 : -EINVAL;
                else if (letter == 'p')
                        r = parse_number(optarg, 65535, &port);
                else if (letter == 'n')
                        r = parse_number(optarg, CONNECTIONS_MAX, &flood->clients_count);
                else if (letter == 's')
                        r = parse_number(optarg, SOURCES_MAX, &flood->sources);
                else if (letter == 'r')
                        r = set_request(flood, optarg);
                else
                        r = -EINVAL;
        }
        if (r == 0 && (optind != argc || port == 0 || flood->clients_count == 0))
                r = -EINVAL;
        flood->address.sin_port = htons((uint16_t)port);
        return r;
}

/* All the descriptors we may have: the soft limit is for programs that use
 * select(2). Too few show as failed connections. */
static int raise_descriptor_limit(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        limit.rlim_cur = limit.rlim_max;
        return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

static int flood_prepare(struct flood *flood)
{
        flood->clients = calloc(flood->clients_count, sizeof(*flood->clients));
        if (!flood->clients)
                return -ENOMEM;
        for (unsigned i = 0; i < flood->clients_count; i++)
                flood->clients[i].fd = -1;
        return raise_descriptor_limit();
}

static void flood_done(struct flood *flood)
{
        for (unsigned i = 0; flood->clients && i < flood->clients_count; i++)
                if (flood->clients[i].fd >= 0)
                        close(flood->clients[i].fd);
        if (flood->epoll_fd >= 0)
                close(flood->epoll_fd);
        free(flood->clients);
        free(flood->request);
}

int main(int argc, char **argv)
{
        struct flood flood = {
                .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                .epoll_fd = -1,
        };
        int r = set_request(&flood, "{\"command\":\"ping\"}");

        if (r == 0 && parse_options(&flood, argc, argv) < 0) {
                fputs(usage, stderr);
                flood_done(&flood);
                return 2;
        }
        if (r == 0)
                r = flood_prepare(&flood);
        if (r == 0)
                r = flood_run(&flood);
        if (r < 0)
                fprintf(stderr, "flood: %s\n", strerror(-r));
        flood_done(&flood);
        return r < 0 ? 1 : 0;
}
