/* supervisor/heartbeat.h - does the agent's hardware worker still beat? Pure, but
 * for reading the page. */
#pragma once

#include "ipc/guard.h"

#include <stdbool.h>

/* Zeroes: nothing was seen yet. */
struct heartbeat {
        uint32_t beat;
        bool beating;
        uint64_t seen_ms;   /* of the last look */
        uint64_t silent_ms; /* since the last beat */
};

/* A look, each GUARD_BEAT_MS while the agent runs. True: no beat for
 * GUARD_BEAT_LOST_MS while beats were due. Time in which we did not look ourselves
 * (stopped, suspended, starved) counts for no more than two looks: the worker then
 * had no chance either. */
bool heartbeat_is_lost(struct heartbeat *heartbeat, const struct guard_page *page, uint64_t now_ms);
