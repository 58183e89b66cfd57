#include "agent/handler/restart.h"

#include "base/attributes.h"

#include <errno.h>

void restart_forget(struct restart *restart)
{
        *restart = (struct restart){0};
}

int restart_on_end(struct restart *restart, uint64_t now_ms, uint64_t served_ms,
                   uint64_t *ret_delay_ms)
{
        unsigned within = 0;

        for (unsigned i = 0; i < restart->count; i++)
                within += now_ms - restart->at_ms[i] < RESTART_WINDOW_MS;
        restart->at_ms[restart->next] = now_ms;
        restart->next = (restart->next + 1) % ARRAY_SIZE(restart->at_ms);
        if (restart->count < ARRAY_SIZE(restart->at_ms))
                restart->count++;
        if (served_ms >= RESTART_STEADY_MS)
                restart->row = 0;
        if (within >= RESTART_WINDOW_MAX || restart->row > RESTART_TRIES)
                return -ESTALE;
        *ret_delay_ms = restart->row == 0 ? 0 : (uint64_t)RESTART_FIRST_MS << (restart->row - 1);
        restart->row++;
        return 0;
}
