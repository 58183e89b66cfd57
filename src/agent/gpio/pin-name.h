/* agent/gpio/pin-name.h - the many names of a pin on the 40-pin header.
 *
 * Takes what gpiozero takes on a Pi with that header (all since 2014): 17, "17",
 * "GPIO17", "BCM17", "BOARD11" and "J8:11" (the position on the header), "WPI0"
 * (wiringPi's number). Case does not count and zeros may stand in front, as in
 * gpiozero 1.6. Refused, as in gpiozero 2: GPIO28 and above, which are not on
 * the header but on the SD card, the radio and the power supply. Pure. */
#pragma once

#include "base/error.h"

#include <stdint.h>

enum { GPIO_PINS = 28 }; /* BCM 0 to 27 are on the header */

/* *ret is the BCM number. -EINVAL: not a GPIO pin of the header; the sentence
 * says whether it is unknown, a power pin or ground. */
int gpio_pin_parse(const char *name, unsigned *ret, struct error *error);
int gpio_pin_check(int64_t number, unsigned *ret, struct error *error);
