/* agent/gpio/input.h - one pin that is listened to: its edges, as they come.
 *
 * Edges that the kernel had to drop are noticed by the gap in their numbers, and the
 * level is read again, so that what is told last is how the line stands. A line that
 * floods us with edges spends its budget (edge-budget.h): then its edges are switched
 * off and its level is looked at each GPIO_STORM_POLL_MS, until it was calm for a while.
 *
 * Belongs to the thread of its loop and lines; costs nothing while the line rests. */
#pragma once

#include "agent/gpio/lines.h"
#include "loop/loop.h"

struct gpio_input;

struct gpio_input_owner {
        void *owner;
        /* The level after an edge, after a loss, or as polled: may be what it was. */
        void (*on_level)(void *owner, bool value);
        /* Edges were dropped, this many so far. */
        void (*on_lost)(void *owner, uint64_t edges);
        /* True: it is polled from here on; false: its edges are heard again. */
        void (*on_storm)(void *owner, bool storms);
};

/* Makes the pin an input, as gpio_lines_listen(), and *ret_value is its level. It stays
 * held, by `lines`, which is borrowed. -ENOMEM; -errno of the chip: the pin is then held
 * or free as it was before. */
int gpio_input_new(struct loop *loop, struct gpio_lines *lines, unsigned pin, enum gpio_bias bias,
                   const struct gpio_input_owner *owner, struct gpio_input **ret, bool *ret_value);
/* Before the line is released. Not from a callback. */
struct gpio_input *gpio_input_free(struct gpio_input *input);
DEFINE_CLEANUP(gpio_input)
