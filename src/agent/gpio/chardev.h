/* agent/gpio/chardev.h - a chip of this machine, by the kernel's character device.
 *
 * uAPI v2 (linux/gpio.h, Linux 5.10 and later) by its ioctls alone. A request is a
 * descriptor: it keeps the lines held as long as one duplicate is open anywhere. */
#pragma once

#include "agent/gpio/chip.h"
#include "agent/gpio/gpio-system.h"
#include "base/error.h"

/* `system` is borrowed and must outlive the chip. -ENODEV: not a GPIO chip; -EACCES:
 * with whose permission it would work; -EOPNOTSUPP: the kernel is too old;
 * -ENAMETOOLONG: GPIO_PATH_MAX; -ENOMEM; -errno. */
int gpio_chardev_open(const struct gpio_system *system, const char *path, struct gpio_chip **ret,
                      struct error *error);
