/* net/listener.h - accepts connections on one address.
 *
 * Takes all that wait, up to 64 a round. When descriptors run out a reserve is
 * spent to accept and close, so that peers see an end instead of a silence and
 * the loop does not spin; the owner hears of it by on_exhausted, at most once
 * a second. */
#pragma once

#include "base/cleanup.h"
#include "loop/loop.h"
#include "net/address.h"

#include <sys/types.h>

struct net_listener;

struct net_listener_owner {
        void *owner;
        /* `fd` is non-blocking and close-on-exec, TCP_NODELAY set; the callee's. */
        void (*on_accept)(void *owner, int fd, const struct net_address *peer);
        /* -EMFILE, -ENFILE, -ENOMEM, -ENOBUFS: peers are being turned away. May be NULL. */
        void (*on_exhausted)(void *owner, int error);
};

/* A Unix socket: a stale path (nobody answers) is removed first, `mode` is set
 * before anybody can connect, and the path is removed at the end. Port 0 asks
 * the kernel for one: net_listener_address() tells which.
 * -EADDRINUSE and others of bind(2); -ENOMEM. */
int net_listener_new(struct loop *loop, const struct net_address *address, mode_t mode,
                     const struct net_listener_owner *owner, struct net_listener **ret);
/* Stops at once; safe inside on_accept. */
struct net_listener *net_listener_free(struct net_listener *listener);
DEFINE_CLEANUP(net_listener)

const struct net_address *net_listener_address(const struct net_listener *listener);
