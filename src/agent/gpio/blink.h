/* agent/gpio/blink.h - effects on one pin: levels that follow one another by timer.
 *
 * Blinking, a pulse, a timed set and a test are all of them a number of halves,
 * the first with one level, the next with the other. Each half ends at its time
 * counted from the start, so that delays do not add up; who comes too late by
 * more than a half starts counting anew. A test reads the line at the end of each
 * half, so that what pulls it away in between is seen.
 *
 * Embedded in its owner; belongs to the thread of its loop; never blocks. */
#pragma once

#include "agent/gpio/lines.h"
#include "loop/timer.h"

enum { GPIO_BLINK_TIMES_MAX = 100 }; /* of what is read back */

struct gpio_blink;
/* The pin has another level now, or became an output. */
typedef void gpio_blink_changed_fn(struct gpio_blink *blink, bool value);
/* The last call: 0; -errno: the chip failed; -ECANCELED. The blink may be freed
 * or started again in it. */
typedef void gpio_blink_done_fn(struct gpio_blink *blink, int result);

enum gpio_blink_end {
        GPIO_BLINK_ENDS_OPPOSITE, /* of the first level */
        GPIO_BLINK_ENDS_RESTORED, /* what the pin was: its level, or as it was found and free */
};

struct gpio_reading {
        bool expected, read;
};

struct gpio_blink {
        /* Set by the owner before the start. */
        struct loop *loop;
        struct gpio_lines *lines;
        unsigned pin;
        bool first;          /* the level of the first half */
        uint32_t halves;     /* 0: without end */
        uint64_t half_ms[2]; /* of the 1st, 3rd ... and of the 2nd, 4th ... */
        bool reads;          /* at most 2 * GPIO_BLINK_TIMES_MAX halves then */
        enum gpio_blink_end end;
        bool lets_go; /* RESTORED: the pin was free, though it is held at the start */
        gpio_blink_changed_fn *on_changed;
        gpio_blink_done_fn *on_done;

        /* Results. */
        struct gpio_reading readings[2 * GPIO_BLINK_TIMES_MAX];
        size_t readings_count;

        struct loop_timer timer;
        uint64_t due_ms;
        uint32_t halves_done;
        bool was_held, was_on;
};

/* Sets the first level. -errno as gpio_lines_set(): nothing has happened, and
 * on_done is not called. */
int gpio_blink_start(struct gpio_blink *blink);
/* Ends one that runs before its time, as it would have ended: on_done comes at
 * once with -ECANCELED. */
void gpio_blink_cancel(struct gpio_blink *blink);
/* The same, but the pin stays as it is at this moment. */
void gpio_blink_leave(struct gpio_blink *blink);
/* All readings were what had been set. */
bool gpio_blink_passed(const struct gpio_blink *blink);
