/* mqtt/journal-clock.h - the time by which a journal says when something ends.
 *
 * It goes on where it was when the broker is started again, plus what passed meanwhile, if that
 * can be known: of the same boot the kernel counts it; else the wall clock says it, unless one of
 * its two readings is of before this was written (a machine without a clock begins in 1970) or
 * it went backwards: then as if no time had passed. While the broker runs, it goes with the
 * loop's clock, whatever the wall clock does. So what was to live for an hour lives for an
 * hour or longer, and what has ended never comes back, whatever the clock is set to;
 * but a wall clock that is set far ahead while the machine is off is believed. */
#pragma once

#include "loop/loop.h"

#include <stdbool.h>

/* Readings of all clocks at one moment; milliseconds. */
struct mqtt_clock_reading {
        uint64_t time_ms; /* of ours */
        uint64_t wall_ms; /* since 1970 */
        uint64_t boot_ms; /* since the machine was started, that is `boot` */
        uint64_t boot;    /* 0: not known */
};

/* What passed between two, the first of which may be of an earlier boot. */
uint64_t mqtt_clock_passed_ms(const struct mqtt_clock_reading *then,
                              const struct mqtt_clock_reading *now);

struct mqtt_journal_clock {
        struct loop *loop;
        uint64_t offset_ms; /* added to the loop's time, modulo 2^64 */
        uint64_t boot;
        struct mqtt_clock_reading written; /* the last that the log has; all 0: none */
};

void mqtt_journal_clock_init(struct mqtt_journal_clock *clock, struct loop *loop);
/* `last`: what was read back from the log; all 0: nothing. */
void mqtt_journal_clock_start(struct mqtt_journal_clock *clock,
                              const struct mqtt_clock_reading *last);

/* Of the loop's times, before and after now. NEVER (UINT64_MAX) stays what it is. */
static inline uint64_t mqtt_journal_clock_to(const struct mqtt_journal_clock *clock,
                                             uint64_t loop_ms)
{
        return loop_ms == UINT64_MAX ? loop_ms : loop_ms + clock->offset_ms;
}
/* The way back. What has been is now. */
uint64_t mqtt_journal_clock_from(const struct mqtt_journal_clock *clock, uint64_t time_ms);
/* How long ago that was; 0: it comes. */
uint64_t mqtt_journal_clock_since(const struct mqtt_journal_clock *clock, uint64_t time_ms);

struct mqtt_clock_reading mqtt_journal_clock_read(const struct mqtt_journal_clock *clock);
/* Is what the log has too old, or was the wall clock set since? */
bool mqtt_journal_clock_is_due(const struct mqtt_journal_clock *clock,
                               const struct mqtt_clock_reading *now);
