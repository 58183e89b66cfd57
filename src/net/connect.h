/* net/connect.h - a connection for a command line program: blocking, with a
 * time limit, and failures that say the next step.
 *
 * Asks the resolver, so never on a loop thread that serves anybody. */
#pragma once

#include "base/error.h"

#include <stdint.h>

/* Tries all addresses of `host` (a name or a numeric address) until one answers;
 * `timeout_ms` is for all of them together, the resolver's time not counted. The
 * descriptor is blocking and close-on-exec, TCP_NODELAY set; the caller's.
 * -ENOENT: no such host; -ETIMEDOUT; -ECONNREFUSED and others of connect(2). */
int net_connect(const char *host, uint16_t port, unsigned timeout_ms, int *ret_fd,
                struct error *error);

/* The same to a Unix socket, within 5 s. -ENOENT, -EACCES, -ECONNREFUSED,
 * -ETIMEDOUT, -ENAMETOOLONG. */
int net_connect_local(const char *path, int *ret_fd, struct error *error);
