/* agent/handler/restart.h - how soon a host that ended is started again.
 *
 * Pure bookkeeping on times that the caller gives. The first start after a while of good
 * service is at once; then 10 s, doubled each time. Six ends in a row, or more than ten
 * within half an hour, and the module is disabled until somebody does something about it. */
#pragma once

#include <stdint.h>

enum {
        RESTART_FIRST_MS = 10 * 1000,
        RESTART_TRIES = 5, /* that wait, in a row */
        RESTART_WINDOW_MS = 30 * 60 * 1000,
        RESTART_WINDOW_MAX = 10,
        RESTART_STEADY_MS = 60 * 1000, /* served that long: a row of ends is over */
};

struct restart {
        unsigned row;
        uint64_t at_ms[RESTART_WINDOW_MAX];
        unsigned next, count;
};

void restart_forget(struct restart *restart);
/* It ended after having served for `served_ms` (0: it never came up). 0: *ret_delay_ms says when
 * to start it; -ESTALE: it has done so too often, give up. */
int restart_on_end(struct restart *restart, uint64_t now_ms, uint64_t served_ms,
                   uint64_t *ret_delay_ms);
