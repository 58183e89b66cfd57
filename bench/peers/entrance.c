#include "bench/peers/entrance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

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

int entrance_watch(int epoll_fd, int fd)
{
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

        return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int entrance_open(uint16_t port, int *ret_epoll_fd, int *ret_listener)
{
        int listener = listen_on(port);
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        int r = listener < 0   ? listener
                : epoll_fd < 0 ? -errno
                               : entrance_watch(epoll_fd, listener);

        if (r < 0) {
                if (listener >= 0)
                        close(listener);
                if (epoll_fd >= 0)
                        close(epoll_fd);
                return r;
        }
        *ret_epoll_fd = epoll_fd;
        *ret_listener = listener;
        return 0;
}

int entrance_accept(int listener)
{
        for (;;) {
                const int on = 1;
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd < 0) {
                        if (errno == ECONNABORTED)
                                continue;
                        return -errno;
                }
                if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0)
                        return fd;
                close(fd);
        }
}
