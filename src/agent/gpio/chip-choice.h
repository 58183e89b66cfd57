/* agent/gpio/chip-choice.h - the chip that the configuration asks for, open.
 *
 * `auto` takes the hardware where it is found and may be opened, else the simulated
 * chip; hardware that is there but of no use (an old kernel, several chips that fit)
 * is an error. `chardev` never falls back. */
#pragma once

#include "agent/gpio/chip.h"
#include "agent/gpio/config.h"
#include "agent/gpio/gpio-system.h"
#include "base/error.h"

/* On success *why is empty, or says why the chip is a simulated one though the
 * hardware was asked for first. Errors of gpio_chip_find() and
 * gpio_chardev_open(), with the key that is to blame; -EINVAL: a chip is named
 * beside `simulated`; -ENOMEM. */
int gpio_chip_choose(const struct gpio_config *config, const struct gpio_system *system,
                     struct gpio_chip **ret, struct error *why, struct error *error);
