/* agent/gpio/uapi.h - our terms in those of the kernel's uAPI v2, and back.
 *
 * linux/gpio.h: enum gpio_v2_line_flag, struct gpio_v2_line_config, struct
 * gpio_v2_line_info. Pure. */
#pragma once

#include "agent/gpio/chip.h"

#include <linux/gpio.h>

/* GPIO_V2_LINE_FLAG_*, as a configuration attribute or a guard's hold has them.
 * `value` and `debounce_us` are no flags. */
uint64_t gpio_uapi_flags(const struct gpio_line_config *config);
/* The other way; unknown flags are passed over. */
void gpio_uapi_config(uint64_t flags, struct gpio_line_config *ret);
/* The configuration of a whole request, all reserved bytes zero. -E2BIG: needs more
 * than GPIO_V2_LINE_NUM_ATTRS_MAX attributes. */
int gpio_uapi_encode(const struct gpio_line_config configs[], size_t count,
                     struct gpio_v2_line_config *ret);
/* Hostile input is fine: texts end, counts are bounded. */
void gpio_uapi_line_info(const struct gpio_v2_line_info *info, struct gpio_line_info *ret);
