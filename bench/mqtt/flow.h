/* bench/mqtt/flow.h - publishers, receivers, and messages between them as fast as they arrive.
 *
 * Closed loop: a publisher has a fixed number of messages under way (ledger.h) and writes a
 * fixed number at once, in one write, when so many are done. Receivers acknowledge all
 * that one read brought in one write. MQTT 3.1.1. */
#pragma once

#include "bench/clocks.h"
#include "bench/histogram.h"
#include "bench/mqtt/channel.h"
#include "bench/mqtt/shape.h"

#include <netinet/in.h>

enum { FLOW_PAYLOAD = 64, FLOW_CLIENTS_MAX = 20000, FLOW_FILTERS_MAX = 10000 };

struct flow_plan {
        struct sockaddr_in broker;
        enum shape shape;
        unsigned publishers, receivers;
        unsigned qos;
        unsigned window, per_write;
        unsigned filters; /* of each receiver; of a fleet, else 1 */
        bool lasting;     /* the receivers' sessions */
        bool retain;      /* every message; not of a fleet */
        enum channel_kind kind;
        struct secure *secure; /* for TLS, else NULL; borrowed */
};

struct flow;
/* Connects all. -EINVAL: numbers that do not go together, or publishers whose connection is more
 * than TCP; -errno, as link_open(). */
int flow_new(const struct flow_plan *plan, struct flow **ret);
struct flow *flow_free(struct flow *flow); /* NULL is fine; returns NULL */

/* All receivers subscribe to all their filters. */
int flow_subscribe(struct flow *flow);

struct flow_result {
        struct clocks window;
        struct histogram acknowledgements; /* with QoS 1 and 2: from just before a message's write
                                            * to PUBACK, PUBCOMP; in the window */
        uint64_t delivered;                /* in the window */
        uint64_t lost;                     /* of all that was published, before and after it too */
};
/* Runs for `warm_up_ms`, counts for `window_ms`, and lets all arrive that is under way:
 * what does not within three seconds of silence is lost. Sessions that last end then, and
 * nothing stays retained. -EBADMSG:
 * something arrived that should not; as links_turn(). */
int flow_measure(struct flow *flow, int server, unsigned warm_up_ms, unsigned window_ms,
                 struct flow_result *ret);
