/* agent/gpio/gpio-event.h - a command moved an output. */
#pragma once

#include "command/bus.h"
#include "command/command.h"

#include <stdbool.h>

struct gpio_line_change {
        unsigned pin; /* BCM */
        bool value;
        bool simulated;
        char cause[COMMAND_NAME_MAX + 1]; /* the command's name, or "stop": the agent's end */
};

/* "gpio.line": published when the level of an output is another than before, and
 * when a pin becomes an output. */
extern const struct command_event_type gpio_line_event;
