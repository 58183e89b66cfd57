#include "client/backoff.h"

#include <stddef.h>
#include <sys/random.h>

uint32_t client_backoff_next_ms(struct client_backoff *backoff)
{
        uint32_t bound = backoff->bound_ms ? backoff->bound_ms : CLIENT_BACKOFF_FIRST_MS;
        uint32_t random = 0;

        /* Without randomness (not before the kernel has some) the whole wait is still right. */
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
                random = bound / 2;
        backoff->bound_ms = bound < CLIENT_BACKOFF_LAST_MS / 2 ? bound * 2 : CLIENT_BACKOFF_LAST_MS;
        return bound - random % (bound / 2 + 1);
}
