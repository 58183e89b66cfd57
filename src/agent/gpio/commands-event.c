/* What the worker tells of pins, as events for everybody and as members of a status. */
#include "agent/gpio/commands-internal.h"
#include "agent/gpio/gpio-event.h"
#include "base/attributes.h"
#include "base/text-copy.h"

#define EDGES_LOST "EdgesLost"

static const struct {
        enum gpio_warning warning;
        const char *name;
} names[] = {
        {GPIO_WARNING_FOREIGN_WRITE, "ForeignWrite"},
        {GPIO_WARNING_EDGE_STORM, "EdgeStorm"},
        {GPIO_WARNING_PWM_FAILED, "PWMFailed"},
};

static void publish_moved(struct gpio_commands *commands, const struct gpio_pin_change *pin_change)
{
        struct gpio_line_change change = {.pin = pin_change->pin,
                                          .value = pin_change->value,
                                          .simulated = commands->simulated};

        text_copy_into(change.cause, sizeof(change.cause), pin_change->cause);
        command_bus_publish(command_registry_bus(commands->registry), &gpio_line_event, &change);
}

static void publish_warning(struct gpio_commands *commands, unsigned pin, const char *name,
                            bool active, uint64_t edges_lost)
{
        const struct gpio_line_warning warning = {.pin = pin,
                                                  .warning = name,
                                                  .active = active,
                                                  .edges_lost = edges_lost,
                                                  .simulated = commands->simulated};

        command_bus_publish(command_registry_bus(commands->registry), &gpio_warning_event,
                            &warning);
}

void gpio_commands_publish(void *owner, const struct gpio_pin_change *change)
{
        struct gpio_commands *commands = owner;
        unsigned *warnings = &commands->warnings[change->pin];
        uint64_t *edges_lost = &commands->edges_lost[change->pin];

        if (change->moved)
                publish_moved(commands, change);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if ((change->warnings ^ *warnings) & names[i].warning)
                        publish_warning(commands, change->pin, names[i].name,
                                        change->warnings & names[i].warning, 0);
        if (change->edges_lost > *edges_lost)
                publish_warning(commands, change->pin, EDGES_LOST, true, change->edges_lost);
        *warnings = change->warnings;
        *edges_lost = change->edges_lost;
}

void gpio_commands_write_warnings(struct json_writer *writer, unsigned warnings,
                                  uint64_t edges_lost)
{
        if (warnings == 0 && edges_lost == 0)
                return;
        json_write_array(writer, "warnings");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (warnings & names[i].warning)
                        json_write_string(writer, NULL, names[i].name);
        if (edges_lost > 0)
                json_write_string(writer, NULL, EDGES_LOST);
        json_write_end(writer);
        if (edges_lost > 0)
                json_write_integer(writer, "edges_lost", (int64_t)edges_lost);
}
