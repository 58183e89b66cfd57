/* agent/gpio/read-back.h - what our outputs should read, to find foreign writes.
 *
 * Holding a line keeps other users of the character device away, but not those of
 * /dev/gpiomem or of the pin controller. Pure; bit n is the n-th line. */
#pragma once

#include "agent/gpio/chip.h"

/* Zeroes: no line was given a level. */
struct gpio_read_back {
        uint64_t given;  /* lines that were given a level */
        uint64_t values; /* which */
        uint64_t active_low, open_drain, open_source;
};

/* The line is set up like this. AS_IS: nothing changes. */
void gpio_read_back_configure(struct gpio_read_back *expected, size_t index,
                              const struct gpio_line_config *config);
/* The lines in `mask`, all outputs, are given these levels. */
void gpio_read_back_set(struct gpio_read_back *expected, uint64_t mask, uint64_t values);
/* Lines that are driven by us, so that reading them has one right answer: not an
 * open drain or source that lets go. */
uint64_t gpio_read_back_driven(const struct gpio_read_back *expected);
/* Driven lines that read another level. */
uint64_t gpio_read_back_mismatches(const struct gpio_read_back *expected, uint64_t values);
