#include "agent/gpio/chardev-fixture.h"

#include <poll.h>
#include <stdio.h>

struct gpio_chip *open_chip(struct fixture *f)
{
        struct gpio_chip *chip;
        struct error error;
        char path[128];

        snprintf(path, sizeof(path), "%s/gpiochip0", f->kernel->folder);
        CHECK_EQ(gpio_chardev_open(&f->kernel->system, path, &chip, &error), 0);
        return chip;
}

void fixture_init(struct fixture *f)
{
        f->kernel = fake_kernel_new();
        f->board = fake_kernel_add(f->kernel, "pinctrl-bcm2711", FAKE_LINES_MAX, true);
        f->chip = open_chip(f);
}

void fixture_done(struct fixture *f)
{
        gpio_chip_free(f->chip);
        CHECK_EQ(fake_kernel_free(f->kernel), 0);
}

struct gpio_request *take(struct fixture *f, unsigned offset, struct gpio_line_config config)
{
        struct gpio_request *request = NULL;

        CHECK_EQ(gpio_chip_request(f->chip, "pifleet:test", &offset, &config, 1, &request), 0);
        return request;
}

bool readable(int fd)
{
        struct pollfd wanted = {.fd = fd, .events = POLLIN};

        return poll(&wanted, 1, 0) == 1;
}

uint64_t values_of(struct gpio_request *request, uint64_t mask)
{
        uint64_t values = 0;

        CHECK_EQ(gpio_request_get(request, mask, &values), 0);
        return values;
}
