/* agent/capacity.h - how many clients descriptors allow, and whose they are. */
#pragma once

#include "agent/config.h"

struct capacity {
        size_t command; /* connections of the command server, `limits.connections` at most */
        size_t mqtt;    /* a part of its own, so that no kind keeps the others out */
        size_t http;    /* the same; who goes on as a WebSocket counts for MQTT */
};

/* Raises the limit of descriptors as far as it goes. */
struct capacity capacity_find(const struct agent_config *config);
