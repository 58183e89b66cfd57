/* client/backoff.h - how long to wait before the next attempt to connect.
 *
 * Doubles from half a second to half a minute; each wait is a random part of that, half of it
 * at least, so that the clients of a broker that comes back do not all come in one second. */
#pragma once

#include <stdint.h>

enum { CLIENT_BACKOFF_FIRST_MS = 500, CLIENT_BACKOFF_LAST_MS = 30000 };

struct client_backoff {
        uint32_t bound_ms; /* of the next wait; 0: CLIENT_BACKOFF_FIRST_MS */
};

/* The next wait, CLIENT_BACKOFF_LAST_MS at most. */
uint32_t client_backoff_next_ms(struct client_backoff *backoff);

/* A connection stood: the next wait is short again. */
static inline void client_backoff_reset(struct client_backoff *backoff)
{
        backoff->bound_ms = 0;
}
