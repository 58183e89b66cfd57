/* agent/gpio/chip-finder.h - which device is the chip of the 40-pin header?
 *
 * By its label, never by number: the numbers of chips change from kernel to kernel,
 * and on a Pi 5 the first one once ran the board itself. Where no label is known,
 * by the name "GPIO17" that the device tree gives to line 17. */
#pragma once

#include "agent/gpio/chip.h"
#include "agent/gpio/gpio-system.h"
#include "base/error.h"

enum { GPIO_FINDER_DEVICES_MAX = 64 }; /* devices that are looked at */

/* `wanted` is a label, or a path (it begins with '/' and is taken as it is); NULL: the
 * header chip. The sentence lists what there is instead. -ENODEV: no such chip;
 * -EACCES: none among those that could be opened, and not all could, with whose
 * permission they could; -ENOTUNIQ: several; -ENAMETOOLONG; -errno. */
int gpio_chip_find(const struct gpio_system *system, const char *wanted,
                   char ret_path[GPIO_PATH_MAX], struct error *error);
