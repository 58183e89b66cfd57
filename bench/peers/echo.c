/* bench-echo: sends back what it receives, and does nothing else.
 *
 * The floor of the comparison: nothing that answers over these sockets with
 * epoll can be faster, so what moves here is the machine and not a server.
 *
 * With "connack" behind the port it answers an MQTT CONNECT, and nothing else: the floor
 * for a broker's clients that come and go. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 128, BYTES_MAX = 16 * 1024 };

static int watch(int epoll_fd, int fd)
{
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int listen_on(uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int on = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

static int accept_all(int epoll_fd, int listener)
{
        for (;;) {
                const int on = 1;
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd < 0)
                        return errno == EAGAIN || errno == ECONNABORTED ? 0 : -errno;
                if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
                    watch(epoll_fd, fd) < 0)
                        close(fd);
        }
}

static void echo(int fd, bool connack)
{
        static const char accepted[] = {0x20, 2, 0, 0};
        static char bytes[BYTES_MAX];
        ssize_t length = recv(fd, bytes, sizeof(bytes), 0);

        if (length < 0 && errno == EAGAIN)
                return;
        if (connack && length > 0) {
                /* CONNECT; all else is a farewell. */
                if (bytes[0] == 0x10 &&
                    send(fd, accepted, sizeof(accepted), MSG_NOSIGNAL) != sizeof(accepted))
                        close(fd);
                return;
        }
        /* The generator never has more in flight than fits: who does not read
         * here is no client of ours. */
        if (length <= 0 || send(fd, bytes, (size_t)length, MSG_NOSIGNAL) != length)
                close(fd);
}

static int serve(uint16_t port, bool connack)
{
        struct epoll_event events[EVENTS_MAX];
        int listener = listen_on(port);
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        int r;

        if (listener < 0)
                return listener;
        if (epoll_fd < 0)
                return -errno;
        r = watch(epoll_fd, listener);
        while (r == 0) {
                int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);

                if (count < 0 && errno != EINTR)
                        r = -errno;
                for (int i = 0; i < count && r == 0; i++) {
                        if (events[i].data.fd == listener)
                                r = accept_all(epoll_fd, listener);
                        else
                                echo(events[i].data.fd, connack);
                }
        }
        return r;
}

int main(int argc, char **argv)
{
        unsigned long port = argc >= 2 ? strtoul(argv[1], NULL, 10) : 0;
        bool connack = argc == 3 && strcmp(argv[2], "connack") == 0;
        int r;

        if (port == 0 || port > 65535 || argc != (connack ? 3 : 2)) {
                fprintf(stderr, "Usage: bench-echo PORT [connack]\n");
                return 2;
        }
        r = serve((uint16_t)port, connack);
        fprintf(stderr, "bench-echo: %s\n", strerror(-r));
        return 1;
}
