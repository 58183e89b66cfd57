/* agent/gpio/gpio-event.h - what happened to pins. */
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

/* "gpio.line": published when the level of an output, or of an input that is listened
 * to, is another than before, and when a pin becomes the one or the other. */
extern const struct command_event_type gpio_line_event;

struct gpio_line_warning {
        unsigned pin;
        /* "ForeignWrite": an output reads another level than it was given; "EdgeStorm":
         * an input has too many edges, and is polled; "EdgesLost": the kernel had to
         * drop some; "PWMFailed": a signal by software could not be driven. Static. */
        const char *warning;
        bool active;         /* false: that is over; EdgesLost has no end */
        uint64_t edges_lost; /* EdgesLost: so far */
        bool simulated;
};

/* "gpio.warning": something is wrong with a pin that works all the same. */
extern const struct command_event_type gpio_warning_event;
