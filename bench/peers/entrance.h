/* bench/peers/entrance.h - where clients of a bare server come in: one listener, one epoll. */
#pragma once

#include <stdint.h>

/* A listener on 127.0.0.1 in a new epoll, whose data are descriptors. -errno. */
int entrance_open(uint16_t port, int *ret_epoll_fd, int *ret_listener);
int entrance_watch(int epoll_fd, int fd);
/* The next client, without Nagle's delay and not blocking; -EAGAIN: no more for now; -errno. */
int entrance_accept(int listener);
