/* agent/gpio/blink.h - switch a pin on and off by timer, and read it back.
 *
 * Each half lasts one interval; the line is read at the end of each half, so
 * that what pulls it away in between is seen. However a blink ends, the pin is
 * afterwards what it was before: its level where it was held already, else as
 * it was found and free. Embedded in its owner; loop thread; never blocks. */
#pragma once

#include "agent/gpio/lines.h"
#include "loop/timer.h"

enum { GPIO_BLINK_TIMES_MAX = 100 };

struct gpio_blink;
/* The pin has another level now, or became an output. */
typedef void gpio_blink_changed_fn(struct gpio_blink *blink, bool value);
/* The last call: 0; -errno: the chip failed; -ECANCELED. The blink may be freed
 * in it. */
typedef void gpio_blink_done_fn(struct gpio_blink *blink, int result);

struct gpio_reading {
        bool expected, read;
};

struct gpio_blink {
        /* Set by the owner before the start. */
        struct loop *loop;
        struct gpio_lines *lines;
        unsigned pin;
        unsigned times;       /* 1 to GPIO_BLINK_TIMES_MAX */
        uint64_t interval_ms; /* of each half */
        gpio_blink_changed_fn *on_changed;
        gpio_blink_done_fn *on_done;

        /* Results. */
        struct gpio_reading readings[2 * GPIO_BLINK_TIMES_MAX];
        size_t readings_count;

        struct loop_timer timer;
        bool was_held, was_on;
};

/* Switches on for the first time. -errno as gpio_lines_set(): nothing has
 * happened, and on_done is not called. */
int gpio_blink_start(struct gpio_blink *blink);
/* Ends one that runs before its time: on_done comes at once with -ECANCELED. */
void gpio_blink_cancel(struct gpio_blink *blink);
/* All readings were what had been set. */
bool gpio_blink_passed(const struct gpio_blink *blink);
