/* agent/capacity.h - how many clients descriptors allow, and whose they are. */
#pragma once

#include "agent/config.h"

struct capacity {
        size_t command; /* connections of the command server, `limits.connections` at most */
        size_t mqtt;    /* a part of its own, so that neither kind keeps the other out */
};

/* Raises the limit of descriptors as far as it goes. */
struct capacity capacity_find(const struct agent_config *config);
