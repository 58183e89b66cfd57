#include "supervisor/backoff.h"

uint64_t backoff_next_ms(struct backoff *backoff, uint64_t lived_ms)
{
        if (backoff->last_ms == 0 || lived_ms >= BACKOFF_HEALTHY_MS)
                backoff->last_ms = BACKOFF_FIRST_MS;
        else if (backoff->last_ms < BACKOFF_MAX_MS / 2)
                backoff->last_ms *= 2;
        else
                backoff->last_ms = BACKOFF_MAX_MS;
        return backoff->last_ms;
}
