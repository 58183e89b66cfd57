/* agent/gpio/sim.h - a chip that exists in memory, with the kernel's rules.
 *
 * Stands in where there is no hardware, and for tests. What is wired to a pin
 * is played by gpio_sim_drive(). Debouncing needs time to pass: it runs on the
 * clock given here. A released output returns to input, as upstream kernels do
 * it, unless `persist` is set, as Raspberry Pi kernels do it. */
#pragma once

#include "agent/gpio/chip.h"

struct gpio_sim_config {
        const char *label; /* NULL: "pifleet-sim" */
        unsigned lines;    /* 0: 54, named GPIO0 and so on */
        bool persist;
        uint64_t (*now_ns)(void *owner); /* NULL: CLOCK_MONOTONIC */
        void *owner;
};

int gpio_sim_new(const struct gpio_sim_config *config, struct gpio_chip **ret); /* -ENOMEM */

/* The level somebody outside puts on a line; seen by inputs, subject to
 * debouncing. -EINVAL: no such line, or not a simulated chip. */
int gpio_sim_drive(struct gpio_chip *chip, unsigned offset, bool level);
/* Takes the outside away: the line then follows its bias, and stays where it
 * was without one. */
int gpio_sim_float(struct gpio_chip *chip, unsigned offset);
/* The electrical level, whoever drives it. */
int gpio_sim_level(const struct gpio_chip *chip, unsigned offset, bool *ret);
/* Somebody else holds the line, as a kernel driver would: requests get -EBUSY. */
int gpio_sim_hog(struct gpio_chip *chip, unsigned offset, const char *consumer);

/* When the next debounce period ends, on the chip's clock; UINT64_MAX: none. The
 * owner calls gpio_sim_settle() then. */
uint64_t gpio_sim_next_ns(const struct gpio_chip *chip);
void gpio_sim_settle(struct gpio_chip *chip);
