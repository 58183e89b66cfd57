#include "agent/gpio/gpio.h"

#include "agent/gpio/chip-choice.h"
#include "agent/gpio/commands.h"

#include <errno.h>

struct gpio {
        struct gpio_chip *chip;
        struct error why_simulated;
        struct gpio_lines *lines;
        struct gpio_commands *commands;
};

static void write_status(void *owner, struct json_writer *writer)
{
        const struct gpio *gpio = owner;
        struct gpio_chip_info info;

        gpio_chip_info(gpio->chip, &info);
        json_write_string(writer, "gpio_backend", info.simulated ? "simulated" : "chardev");
        json_write_string(writer, "gpio_chip", info.label);
        /* Somebody with a Pi in hand should not have to guess. */
        if (gpio->why_simulated.code != 0)
                json_write_string(writer, "gpio_reason", gpio->why_simulated.text);
}

int gpio_attach(struct command_registry *registry, const struct gpio_config *config,
                struct gpio **ret, struct error *error)
{
        AUTO(gpio) struct gpio *gpio = calloc(1, sizeof(*gpio));
        int r;

        if (!gpio)
                return error_set(error, -ENOMEM, "gpio: not enough memory");
        r = gpio_chip_choose(config, &gpio_system_kernel, &gpio->chip, &gpio->why_simulated, error);
        if (r < 0)
                return r;
        r = gpio_lines_new(gpio->chip, &gpio->lines);
        if (r < 0)
                return error_set(error, r, "gpio: not enough memory");
        r = gpio_commands_new(registry, gpio->chip, gpio->lines, &gpio->commands, error);
        if (r < 0)
                return r;
        /* Last, since it cannot be taken back. */
        r = command_registry_add_status(registry, write_status, gpio);
        if (r < 0)
                return error_set(error, r, "gpio: too many rooms contribute to the status");
        *ret = TAKE(gpio);
        return 0;
}

int gpio_stop(struct gpio *gpio)
{
        return gpio_commands_stop(gpio->commands);
}

struct gpio *gpio_free(struct gpio *gpio)
{
        if (!gpio)
                return NULL;
        if (gpio->commands)
                gpio_stop(gpio);
        gpio_commands_free(gpio->commands);
        gpio_lines_free(gpio->lines);
        gpio_chip_free(gpio->chip);
        free(gpio);
        return NULL;
}
