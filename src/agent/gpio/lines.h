/* agent/gpio/lines.h - the lines that commands drive, one request for each pin.
 *
 * A pin is taken at its first use and kept, so that its level is nobody else's
 * from then on; its consumer is "pifleet:pin17". Belongs to the thread that owns
 * the chip; knows no loop and no command. */
#pragma once

#include "agent/gpio/chip.h"

enum { GPIO_LINES_MAX = 64 }; /* pins 0 to 63, or as many as the chip has */

/* What becomes of a line that nobody drives any more. */
enum gpio_safe {
        GPIO_SAFE_OFF,
        GPIO_SAFE_ON,
        GPIO_SAFE_HOLD,  /* stays as it is */
        GPIO_SAFE_INPUT, /* an input, as most lines are after power-on */
};

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
/* Makes the pin an input with this bias, with edge events of both directions or
 * without any; takes it first where needed. Errors as above, and -ENXIO: the line has
 * no interrupt. */
int gpio_lines_listen(struct gpio_lines *lines, unsigned pin, enum gpio_bias bias, bool edges);
/* What the line reads. -ENOENT: not held. */
int gpio_lines_get(struct gpio_lines *lines, unsigned pin, bool *ret);
/* Makes the pin again what it was when it was taken (an input, or an output with
 * its level) and lets go. Fine when not held. -errno of the chip; it is let go
 * all the same. */
int gpio_lines_release(struct gpio_lines *lines, unsigned pin);
/* Brings the pin to its safe state, in which it stays held; takes it first where
 * needed. Errors as above. */
int gpio_lines_safe(struct gpio_lines *lines, unsigned pin, enum gpio_safe safe);
/* The pin is held and an output. */
bool gpio_lines_driven(const struct gpio_lines *lines, unsigned pin);

/* The request of a pin that is held, for whoever may drive it; the table's own. */
struct gpio_request *gpio_lines_request(struct gpio_lines *lines, unsigned pin);
/* A line that was held before, in a process that is gone, is held on without
 * moving. It counts as found an input. Errors of gpio_chip_adopt(); -EEXIST: held
 * already. `fd` is taken over on success. */
int gpio_lines_adopt(struct gpio_lines *lines, unsigned pin, int fd, bool output);
