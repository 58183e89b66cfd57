/* bench/crowd.h - connections that each keep a number of requests in flight.
 *
 * Closed loop: a connection that received k replies sends k requests at once,
 * in one write, as a pipelining client does. One thread, epoll, one receive and
 * one send for each batch and nothing else: what is measured must be the server.
 *
 * A request's latency runs from just before its write to just after the read
 * that completed its reply. */
#pragma once

#include "bench/histogram.h"
#include "bench/protocol.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum {
        CROWD_CONNECTIONS_MAX = 1024,
        /* So few that they always fit into a socket's buffer: a short write is
         * then a broken connection, not a case to handle in the hot path. */
        CROWD_IN_FLIGHT_MAX = 64,
};

struct crowd;

/* Connects all. -EINVAL: a number over its limit, or 0, or requests that differ in
 * length; -ENOMEM; -errno of
 * socket(2), connect(2). */
int crowd_new(const struct sockaddr_in *address, const struct protocol *protocol,
              unsigned connections, unsigned in_flight, struct crowd **ret);
struct crowd *crowd_free(struct crowd *crowd); /* NULL is fine; returns NULL */

/* Sends the first requests of each connection. -errno. */
int crowd_start(struct crowd *crowd);
/* Runs until the monotonic clock has passed `deadline_ns`, recording latencies
 * into `histogram` (NULL: nowhere). -EBADMSG: a reply is not the expected one;
 * -EPROTO: more replies than requests; -ECONNRESET: the server hung up;
 * -ETIMEDOUT: no reply at all within three seconds; -errno. */
int crowd_run(struct crowd *crowd, uint64_t deadline_ns, struct histogram *histogram);
/* Lets the replies that are due arrive without asking for more. 0: all came;
 * otherwise as crowd_run(). */
int crowd_drain(struct crowd *crowd);
