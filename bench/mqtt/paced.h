/* bench/mqtt/paced.h - one command after the other to an agent, at a steady pace, and as many
 * of the same bytes to an echo, each halfway between two commands.
 *
 * So both servers are asked by one client, at one pace, in the same moments, and what the
 * machine does to one of them it does to the other. A command is an MQTT 5.0 request of QoS 0
 * whose reply comes to the client's own response topic: led_on and led_off of one pin in turn.
 * Latencies run from just before the write to just after the read that completed the reply;
 * what is late for its place in the pace is sent at once. Blocking, one thread. */
#pragma once

#include "bench/clocks.h"
#include "bench/histogram.h"

#include <netinet/in.h>

enum { PACED_PER_SECOND_MAX = 2000, PACED_COUNT_MAX = 1000000 };

struct paced_plan {
        struct sockaddr_in agent, echo;
        unsigned per_second; /* to each of the two */
        unsigned pin;        /* BCM number */
        unsigned warm_up;    /* commands that do not count */
        unsigned count;      /* commands that do */
};

struct paced_result {
        struct clocks window; /* the server is the agent */
        struct histogram agent, echo;
};
/* -EINVAL: a number that is 0 or over its limit; -EBADMSG: a reply that is not that of a command
 * that was carried out, or bytes that were not sent; -ETIMEDOUT: none within three seconds; as
 * link_open(). */
int paced_measure(const struct paced_plan *plan, int server, struct paced_result *ret);
