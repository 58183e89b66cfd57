#include "agent/gpio/gpio-event.h"

static void write_change(const void *payload, struct json_writer *writer)
{
        const struct gpio_line_change *change = payload;

        json_write_integer(writer, "pin", change->pin);
        json_write_integer(writer, "value", change->value);
        json_write_string(writer, "cause", change->cause);
        json_write_bool(writer, "simulated", change->simulated);
}

const struct command_event_type gpio_line_event = {
        .name = "gpio.line",
        .size = sizeof(struct gpio_line_change),
        .write = write_change,
};

static void write_warning(const void *payload, struct json_writer *writer)
{
        const struct gpio_line_warning *warning = payload;

        json_write_integer(writer, "pin", warning->pin);
        json_write_string(writer, "warning", warning->warning);
        json_write_bool(writer, "active", warning->active);
        if (warning->edges_lost > 0)
                json_write_integer(writer, "edges_lost", (int64_t)warning->edges_lost);
        json_write_bool(writer, "simulated", warning->simulated);
}

const struct command_event_type gpio_warning_event = {
        .name = "gpio.warning",
        .size = sizeof(struct gpio_line_warning),
        .write = write_warning,
};

_Static_assert(sizeof(struct gpio_line_change) <= COMMAND_EVENT_PAYLOAD_MAX, "fits the bus");
