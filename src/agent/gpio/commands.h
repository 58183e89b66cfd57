/* agent/gpio/commands.h - led_on, led_off, gpio_status, gpio_test, pwm_set, pwm_off.
 *
 * A pin is any name of agent/gpio/pin-name.h; replies say the BCM number in
 * `pin`. `state` is "on" or "off" and `value` 1 or 0: the level of the line. A
 * line that the agent does not hold cannot be read without disturbing what it is
 * used for (taking a UART's pin and letting go of it ends the UART), so there
 * both are null. Loop thread. */
#pragma once

#include "agent/gpio/worker.h"
#include "base/error.h"
#include "command/registry.h"

enum {
        GPIO_TEST_INTERVAL_MIN_MS = 10,
        GPIO_TEST_INTERVAL_MAX_MS = 10000,
        GPIO_TEST_TOTAL_MAX_MS = 300000,
};

struct gpio_commands;

/* Registers the commands, which from then on are jobs for the worker; so its
 * changes are the bus's events. Borrows both; the worker is freed first, which
 * answers what is under way. `chip` is the worker's; `processes` is "/proc" but for
 * tests, and static. -EEXIST, -ENOMEM as command_registry_add(). */
int gpio_commands_new(struct command_registry *registry, struct gpio_worker *worker,
                      const struct gpio_chip_info *chip, const char *processes,
                      struct gpio_commands **ret, struct error *error);
/* Withdraws the commands. Those that look for the holder of a pin have their replies
 * before this returns, after 200 ms at most. */
struct gpio_commands *gpio_commands_free(struct gpio_commands *commands);
DEFINE_CLEANUP(gpio_commands)
