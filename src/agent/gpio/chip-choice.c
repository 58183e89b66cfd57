#include "agent/gpio/chip-choice.h"

#include "agent/gpio/chardev.h"
#include "agent/gpio/chip-finder.h"
#include "agent/gpio/sim.h"

#include <errno.h>
#include <string.h>

static int open_simulated(struct gpio_chip **ret, struct error *error)
{
        int r = gpio_sim_new(NULL, ret);

        return r == -ENOMEM ? error_set(error, r, "gpio: not enough memory")
               : r < 0      ? error_set(error, r, "gpio: the simulated chip: %s", strerror(-r))
                            : 0;
}

static int open_hardware(const struct gpio_config *config, const struct gpio_system *system,
                         struct gpio_chip **ret, struct error *error)
{
        char path[GPIO_PATH_MAX];
        int r = gpio_chip_find(system, config->chip, path, error);

        return r < 0 ? r : gpio_chardev_open(system, path, ret, error);
}

/* There is nothing that we could use, or were meant to use. */
static bool is_missing(int result)
{
        return result == -ENODEV || result == -ENOENT || result == -EACCES || result == -EPERM;
}

int gpio_chip_choose(const struct gpio_config *config, const struct gpio_system *system,
                     struct gpio_chip **ret, struct error *why, struct error *error)
{
        struct error hardware = {0};
        int r;

        *why = (struct error){0};
        if (config->backend == GPIO_BACKEND_SIMULATED) {
                if (config->chip)
                        return error_set(error, -EINVAL,
                                         "gpio.chip: \"%s\" names hardware, but gpio.backend is "
                                         "simulated; remove one of the two",
                                         config->chip);
                return open_simulated(ret, error);
        }
        r = open_hardware(config, system, ret, &hardware);
        if (r == 0)
                return 0;
        if (config->backend == GPIO_BACKEND_AUTO && is_missing(r)) {
                *why = hardware;
                return open_simulated(ret, error);
        }
        return error_set(error, r, "gpio.%s: %s", config->chip ? "chip" : "backend", hardware.text);
}
