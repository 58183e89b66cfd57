/* bench/mqtt/storm.h - clients that come and go, a number of them at a time.
 *
 * Each connects, says CONNECT, awaits CONNACK, says DISCONNECT, ends its direction and
 * awaits the other's end; then the next one takes its place. */
#pragma once

#include "bench/clocks.h"
#include "bench/histogram.h"

#include <netinet/in.h>

enum { STORM_AT_ONCE_MAX = 1000 };

struct storm_result {
        struct clocks window;
        struct histogram latencies; /* from just before connect(2) to CONNACK */
        uint64_t lost;              /* clients that were refused or not answered */
};

/* -EINVAL: a number that is 0 or over its limit; -ECONNREFUSED and the like: nobody is there;
 * -EBADMSG: an answer that is no CONNACK; -ENOMEM, -errno. */
int storm_measure(const struct sockaddr_in *broker, unsigned at_once, int server,
                  unsigned warm_up_ms, unsigned window_ms, struct storm_result *ret);
