/* bench/mqtt/hoard.h - many retained messages, and a client that wants them all.
 *
 * Each of a topic of its own, "fleet/pi-000123/telemetry/indoor/state", with 64 bytes. */
#pragma once

#include "bench/clocks.h"

#include <netinet/in.h>
#include <stdbool.h>

enum { HOARD_TOPICS_MAX = 1000000, HOARD_WINDOW = 100 };

struct hoard_result {
        struct clocks window;
        uint64_t lost; /* of those that were to come */
};

/* Publishes `topics` of them with QoS 1, HOARD_WINDOW in one write when all before are
 * acknowledged. Without `retain` the same messages, and nothing is to stay of them. */
int hoard_store(const struct sockaddr_in *broker, unsigned topics, bool retain, int server,
                struct hoard_result *ret);
/* Subscribes to '#' with QoS 0: from the write of SUBSCRIBE until `topics` different ones
 * have come. -EBADMSG: one came twice, or something else. */
int hoard_fetch(const struct sockaddr_in *broker, unsigned topics, int server,
                struct hoard_result *ret);
