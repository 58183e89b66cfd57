/* bench-echo: sends back what it receives, and does nothing else.
 *
 * The floor of the comparison: nothing that answers over these sockets with
 * epoll can be faster, so what moves here is the machine and not a server.
 *
 * With "connack" behind the port it answers an MQTT CONNECT, and nothing else: the floor
 * for a broker's clients that come and go. */
#include "bench/peers/entrance.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 128, BYTES_MAX = 16 * 1024 };

static int accept_all(int epoll_fd, int listener)
{
        int fd;

        while ((fd = entrance_accept(listener)) >= 0)
                if (entrance_watch(epoll_fd, fd) < 0)
                        close(fd);
        return fd == -EAGAIN ? 0 : fd;
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
        int epoll_fd, listener;
        int r = entrance_open(port, &epoll_fd, &listener);

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
