/* bench/mqtt/callers.h - requests with a response topic and correlation data, and a
 * responder that answers each with what it got. MQTT 5.0, QoS 0.
 *
 * Every caller has one request under way: a reply brings the next. The responder answers
 * all that one read brought in one write. Latencies run from just before a request's
 * write to just after the read that brought its reply. */
#pragma once

#include "bench/clocks.h"
#include "bench/histogram.h"

#include <netinet/in.h>

enum { CALLERS_MAX = 1000, CALLERS_PAYLOAD = 64 };

struct callers;
/* Connects all and subscribes. -EINVAL: a count that is 0 or over the limit; as link_open(). */
int callers_new(const struct sockaddr_in *broker, unsigned count, struct callers **ret);
struct callers *callers_free(struct callers *callers); /* NULL is fine; returns NULL */

struct callers_result {
        struct clocks window;
        struct histogram latencies; /* of the window */
        uint64_t lost;              /* requests without a reply at the end */
};
/* As flow_measure(). -EBADMSG: a reply that nobody asked for, or without its data. */
int callers_measure(struct callers *callers, int server, unsigned warm_up_ms, unsigned window_ms,
                    struct callers_result *ret);
