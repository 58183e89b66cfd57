#include "cli/console-shape.h"

const struct options_entry console_shape_options[CONSOLE_SHAPE_OPTIONS_COUNT] = {
        {.name = "json",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct console_shape, json),
         .help = "all of it as one line of JSON, as it is without a terminal"},
        {.name = "text",
         .type = OPTIONS_SWITCH,
         .offset = offsetof(struct console_shape, text),
         .help = "readable output, without a terminal too"},
};
