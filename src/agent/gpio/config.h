/* agent/gpio/config.h - the section `gpio` of the configuration: which chip, and
 * what becomes of its outputs when nobody drives them.
 *
 *     gpio: {backend: auto, safe: off} */
#pragma once

#include "agent/gpio/lines.h"
#include "data/config.h"

enum gpio_backend {
        GPIO_BACKEND_AUTO,      /* the hardware where there is some, else the simulated chip */
        GPIO_BACKEND_CHARDEV,   /* the hardware or an error; never the simulated chip */
        GPIO_BACKEND_SIMULATED, /* no hardware is touched */
};

struct gpio_config {
        enum gpio_backend backend;
        char *chip;          /* label or path of a hardware chip; NULL: the Pi's header chip */
        enum gpio_safe safe; /* of pins that commands drive */
};

/* The section for config_load(), which fills *config. */
struct config_section gpio_config_section(struct gpio_config *config);
