/* agent/gpio/sim.h - a chip that exists in memory, with the kernel's rules.
 *
 * Stands in where there is no hardware, and for tests. What is wired to a pin
 * is played by gpio_sim_drive(). Debouncing needs time to pass: it runs on the
 * clock given here. A released output returns to input, as upstream kernels do
 * it, unless `persist` is set, as Raspberry Pi kernels do it. A pull stays
 * switched on when its line is released, as it does on a Raspberry Pi. At the
 * start all lines are inputs without a pull and read low. */
#pragma once

#include "agent/gpio/chip.h"

enum { GPIO_SIM_LINES_MAX = 1024 };

struct gpio_sim_config {
        const char *label; /* NULL: "pifleet-sim"; cut to 31 bytes */
        unsigned lines;    /* 0: 54, named GPIO0 and so on */
        bool persist;
        uint64_t (*now_ns)(void *owner); /* NULL: CLOCK_MONOTONIC */
        void *owner;
};

/* `config` is copied; NULL: all defaults. -EINVAL: over GPIO_SIM_LINES_MAX
 * lines; -ENOMEM; -EMFILE. */
int gpio_sim_new(const struct gpio_sim_config *config, struct gpio_chip **ret);

/* The level somebody outside puts on a line; seen by inputs, subject to
 * debouncing. An output that drives is stronger; one that lets go (open drain,
 * open source) is not. -EINVAL: no such line, or not a simulated chip. */
int gpio_sim_drive(struct gpio_chip *chip, unsigned offset, bool level);
/* Takes the outside away: the line then follows its bias, and stays where it
 * was without one. */
int gpio_sim_float(struct gpio_chip *chip, unsigned offset);
/* The electrical level, whoever drives it. */
int gpio_sim_level(const struct gpio_chip *chip, unsigned offset, bool *ret);
/* Somebody else holds the line, as a kernel driver would: requests get -EBUSY.
 * `consumer` NULL: lets go again. -EBUSY: held by a request. */
int gpio_sim_hog(struct gpio_chip *chip, unsigned offset, const char *consumer);

/* When the next debounce period ends, on the chip's clock; UINT64_MAX: none. The
 * owner calls gpio_sim_settle() then, which makes descriptors readable; whoever
 * reads a level or events sees what is due without it. */
uint64_t gpio_sim_next_ns(const struct gpio_chip *chip);
void gpio_sim_settle(struct gpio_chip *chip);
