/* loop/trim.h - gives memory back to the system when a burst is over.
 *
 * What is freed stays with the process as long as something above it is in use: after ten
 * thousand clients that came and went, all that they took. Whoever holds much says how much
 * it is; when that has stayed below half of what it was at most for a second, the holes go
 * back (malloc_trim(3)): about 10 ms for each 400 MiB. One timer, which only runs then. */
#pragma once

#include "loop/timer.h"

#include <stddef.h>

enum { LOOP_TRIM_AFTER_MS = 1000 };

struct loop_trim {
        struct loop_timer timer;
        size_t least; /* a burst is what has reached this */
        size_t now, high;
        size_t recent;  /* the most since the wait began */
        uint64_t trims; /* how often */
};

void loop_trim_init(struct loop_trim *trim, struct loop *loop, size_t least);
void loop_trim_done(struct loop_trim *trim);
void loop_trim_wait(struct loop_trim *trim);

/* How much there is now, in whatever unit. */
static inline void loop_trim_note(struct loop_trim *trim, size_t now)
{
        trim->now = now;
        if (now > trim->recent)
                trim->recent = now;
        if (now > trim->high)
                trim->high = now;
        else if (now < trim->high / 2 && trim->high >= trim->least && !trim->timer.armed)
                loop_trim_wait(trim);
}
