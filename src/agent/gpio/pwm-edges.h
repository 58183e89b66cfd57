/* agent/gpio/pwm-edges.h - when the edges of a PWM signal are due.
 *
 * Reckons only: waits for nothing, drives nothing, and asks no clock. Times are ns of
 * the caller's clock, which never goes back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct gpio_pwm_edges {
        uint64_t period_ns, high_ns; /* may be set anew at any time, for the next edge on */
        uint64_t start_ns;           /* of the period that runs */
        uint64_t due_ns;             /* the next edge */
        bool level;
};

/* The first edge, to high, is now. `high_ns` is above 0 and below `period_ns`. */
void gpio_pwm_edges_start(struct gpio_pwm_edges *edges, uint64_t now_ns);
/* Takes the edge that is due, at `now_ns` or before: returns the level from it on. However
 * late it is, the next ones keep to their times; after more than two periods nobody is
 * helped by the edges of the past, and it goes on in the period that runs now. */
bool gpio_pwm_edges_step(struct gpio_pwm_edges *edges, uint64_t now_ns);
