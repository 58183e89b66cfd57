/* agent/gpio/lines.h - the lines that commands drive, one request for each pin.
 *
 * A pin is taken at its first use and kept, so that its level is nobody else's
 * from then on; its consumer is "pifleet:pin17". Belongs to the thread that owns
 * the chip; knows no loop and no command. */
#pragma once

#include "agent/gpio/chip.h"

enum { GPIO_LINES_MAX = 64 }; /* pins 0 to 63, or as many as the chip has */

struct gpio_lines;

/* Borrows the chip. -ENOMEM. */
int gpio_lines_new(struct gpio_chip *chip, struct gpio_lines **ret);
/* Lets go of all lines as they stand: see gpio_lines_safe(). */
struct gpio_lines *gpio_lines_free(struct gpio_lines *lines);
DEFINE_CLEANUP(gpio_lines)

bool gpio_lines_held(const struct gpio_lines *lines, unsigned pin);
/* Takes the pin without moving it: direction and level go on. Fine when held.
 * -EBUSY: held by somebody else (see gpio_chip_line_info); -EINVAL: no such
 * line; -errno of the chip. */
int gpio_lines_take(struct gpio_lines *lines, unsigned pin);
/* Drives the pin; takes it first where needed. The first level is set in one
 * step with the direction: no glitch. Errors as above; the pin is then held or
 * free as it was before. */
int gpio_lines_set(struct gpio_lines *lines, unsigned pin, bool value);
/* What the line reads. -ENOENT: not held. */
int gpio_lines_get(struct gpio_lines *lines, unsigned pin, bool *ret);
/* Makes the pin again what it was when it was taken (an input, or an output with
 * its level) and lets go. Fine when not held. -errno of the chip; it is let go
 * all the same. */
int gpio_lines_release(struct gpio_lines *lines, unsigned pin);
/* Drives every pin that is held and an output to its safe state, off, and goes
 * on over failures: returns the first. The lines stay held. */
int gpio_lines_safe(struct gpio_lines *lines);
