/* agent/gpio/sim-fixture.h - a simulated chip whose clock the test moves. */
#pragma once

#include "agent/gpio/sim.h"
#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>

#define INPUT(...) ((struct gpio_line_config){.direction = GPIO_DIRECTION_INPUT, ##__VA_ARGS__})
#define OUTPUT(...) ((struct gpio_line_config){.direction = GPIO_DIRECTION_OUTPUT, ##__VA_ARGS__})

struct fixture {
        struct gpio_chip *chip;
        uint64_t now_ns;
};

void fixture_init_persist(struct fixture *f, bool persist);
void fixture_init(struct fixture *f);
void fixture_done(struct fixture *f);
void fixture_advance_us(struct fixture *f, uint64_t us);

/* Holds the line, on behalf of "test". */
struct gpio_request *request_line(struct fixture *f, unsigned offset,
                                  struct gpio_line_config config);
/* The logical value of a request's first line. */
bool value_of(struct gpio_request *request);
/* The electrical level. */
bool level_of(struct fixture *f, unsigned offset);
bool fd_is_readable(struct gpio_request *request);
/* Takes all events that wait, as text that lives until the next call: "17+" rising,
 * "17-" falling. */
const char *events_of(struct gpio_request *request);
