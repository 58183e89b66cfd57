/* agent/gpio/chardev-fixture.h - a chip of a kernel that the test plays. */
#pragma once

#include "agent/gpio/chardev.h"
#include "agent/gpio/fake-kernel.h"
#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>

struct fixture {
        struct fake_kernel *kernel;
        struct fake_chip *board;
        struct gpio_chip *chip;
};

void fixture_init(struct fixture *f);
/* Whatever a test did, nothing is left open in the kernel. */
void fixture_done(struct fixture *f);

/* The board's chip, once more. */
struct gpio_chip *open_chip(struct fixture *f);
/* Holds the line, on behalf of "pifleet:test". */
struct gpio_request *take(struct fixture *f, unsigned offset, struct gpio_line_config config);
bool readable(int fd);
uint64_t values_of(struct gpio_request *request, uint64_t mask);
