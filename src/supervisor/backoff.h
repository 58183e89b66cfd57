/* supervisor/backoff.h - how long to wait before the agent is started again. Pure. */
#pragma once

#include <stdint.h>

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 60000, BACKOFF_HEALTHY_MS = 60000 };

/* Zeroes: nothing has happened yet. */
struct backoff {
        uint64_t last_ms;
};

/* After an agent that lived so long: 1 s, then twice as long each time, up to
 * 60 s; from the start again after one that lived for 60 s. */
uint64_t backoff_next_ms(struct backoff *backoff, uint64_t lived_ms);
