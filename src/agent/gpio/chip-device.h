/* agent/gpio/chip-device.h - one device of a GPIO chip: open it, ask who it is.
 *
 * What finding a chip and using it have in common, with the sentences for people
 * when it cannot be done. */
#pragma once

#include "agent/gpio/chip.h"
#include "agent/gpio/gpio-system.h"
#include "base/error.h"

/* *ret_fd is the caller's, to be closed with `system`. -ENODEV: there is no such
 * device, or it is no GPIO chip; -EACCES; -ENAMETOOLONG; -errno. */
int gpio_chip_device_open(const struct gpio_system *system, const char *path, int *ret_fd,
                          struct gpio_chip_info *ret, struct error *error);
