#include "agent/gpio/gpio.h"

#include "agent/gpio/chip-choice.h"
#include "agent/gpio/commands.h"
#include "agent/gpio/worker.h"

#include <errno.h>
#include <string.h>

struct gpio {
        struct gpio_chip_info chip;
        struct error why_simulated;
        struct gpio_worker *worker;
        struct gpio_commands *commands;
};

static void write_status(void *owner, struct json_writer *writer)
{
        const struct gpio *gpio = owner;

        json_write_string(writer, "gpio_backend", gpio->chip.simulated ? "simulated" : "chardev");
        json_write_string(writer, "gpio_chip", gpio->chip.label);
        /* Somebody with a Pi in hand should not have to guess. */
        if (gpio->why_simulated.code != 0)
                json_write_string(writer, "gpio_reason", gpio->why_simulated.text);
        json_write_bool(writer, "guarded", gpio_worker_is_guarded(gpio->worker));
}

static int start_worker(struct gpio *gpio, struct command_registry *registry,
                        const struct gpio_config *config, struct guard_link *guard,
                        struct error *error)
{
        AUTO(gpio_chip) struct gpio_chip *chip = NULL;
        struct gpio_worker_setup setup = {
                .home = command_registry_loop(registry), .guard = guard, .safe = config->safe};
        int r;

        r = gpio_chip_choose(config, &gpio_system_kernel, &chip, &gpio->why_simulated, error);
        if (r < 0)
                return r;
        gpio_chip_info(chip, &gpio->chip);
        setup.chip = chip;
        r = gpio_worker_new(&setup, &gpio->worker);
        if (r < 0)
                return error_set(error, r, "gpio: cannot start the hardware thread: %s",
                                 strerror(-r));
        (void)TAKE(chip);
        return 0;
}

int gpio_attach(struct command_registry *registry, const struct gpio_config *config,
                struct guard_link *guard, struct gpio **ret, struct error *error)
{
        AUTO(gpio) struct gpio *gpio = calloc(1, sizeof(*gpio));
        AUTO(guard_link) struct guard_link *link = guard;
        int r;

        if (!gpio)
                return error_set(error, -ENOMEM, "gpio: not enough memory");
        r = start_worker(gpio, registry, config, link, error);
        if (r < 0)
                return r;
        (void)TAKE(link);
        r = gpio_commands_new(registry, gpio->worker, &gpio->chip, "/proc", &gpio->commands, error);
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
        return gpio_worker_stop(gpio->worker);
}

struct gpio *gpio_free(struct gpio *gpio)
{
        if (!gpio)
                return NULL;
        /* The worker answers what is under way, to the commands. */
        gpio_worker_free(gpio->worker);
        gpio_commands_free(gpio->commands);
        free(gpio);
        return NULL;
}
