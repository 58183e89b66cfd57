#include "loop/trim.h"

#include "base/attributes.h"

#include <malloc.h>

static void trim_on_time(struct loop_timer *timer)
{
        struct loop_trim *trim = container_of(timer, struct loop_trim, timer);

        /* It came again meanwhile: what goes now would be wanted at once. */
        if (trim->recent >= trim->high / 2) {
                trim->high = trim->recent;
                loop_trim_note(trim, trim->now);
                return;
        }
        (void)malloc_trim(0);
        trim->high = trim->now;
        trim->trims++;
}

void loop_trim_init(struct loop_trim *trim, struct loop *loop, size_t least)
{
        *trim = (struct loop_trim){.least = least};
        loop_timer_init(&trim->timer, loop, trim_on_time);
}

void loop_trim_done(struct loop_trim *trim)
{
        loop_timer_stop(&trim->timer);
}

void loop_trim_wait(struct loop_trim *trim)
{
        trim->recent = trim->now;
        loop_timer_start(&trim->timer, LOOP_TRIM_AFTER_MS);
}
