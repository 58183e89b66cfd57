/* cli/console-shape.h - in which shape output is asked for: the options that all
 * subcommands which print an object have in common. */
#pragma once

#include "cli/options.h"

#include <stdbool.h>

struct console_shape {
        bool json, text; /* for console_init() */
};

enum { CONSOLE_SHAPE_OPTIONS_COUNT = 2 };
extern const struct options_entry console_shape_options[CONSOLE_SHAPE_OPTIONS_COUNT];

#define CONSOLE_SHAPE_GROUP(type, member)                                                          \
        {                                                                                          \
                "Output", console_shape_options, CONSOLE_SHAPE_OPTIONS_COUNT,                      \
                        offsetof(type, member)                                                     \
        }
