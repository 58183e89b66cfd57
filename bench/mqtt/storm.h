/* bench/mqtt/storm.h - clients that come and go, a number of them at a time.
 *
 * Each connects, says CONNECT, awaits CONNACK, says DISCONNECT, ends its direction and
 * awaits the other's end; then the next one takes its place. Under TLS each shakes hands before
 * all that. */
#pragma once

#include "bench/clocks.h"
#include "bench/histogram.h"

#include <netinet/in.h>

enum { STORM_AT_ONCE_MAX = 1000 };

enum storm_tls {
        STORM_PLAIN,
        STORM_FULL,    /* handshakes of clients that were never there */
        STORM_RESUMED, /* with the session of a client before: one is there before all others */
};

struct storm_plan {
        struct sockaddr_in broker;
        unsigned at_once;
        enum storm_tls tls;
};

struct storm_result {
        struct clocks window;
        struct histogram latencies; /* from just before connect(2) to CONNACK */
        uint64_t resumed;           /* sessions, of those in `latencies` */
        uint64_t lost;              /* clients that were refused or not answered */
};

/* -EINVAL: a number that is 0 or over its limit; -ECONNREFUSED and the like: nobody is there;
 * -EBADMSG: an answer that is no CONNACK; -EPROTO: a handshake failed; -ETIMEDOUT: who was to be
 * there before all others is not answered; -ENOMEM, -errno. */
int storm_measure(const struct storm_plan *plan, int server, unsigned warm_up_ms,
                  unsigned window_ms, struct storm_result *ret);
