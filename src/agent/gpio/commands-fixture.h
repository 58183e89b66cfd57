/* agent/gpio/commands-fixture.h - the commands on a registry and a worker without a thread,
 * on a virtual clock and a simulated chip, for tests. */
#pragma once

#include "agent/gpio/commands.h"
#include "agent/gpio/sim.h"
#include "base/attributes.h"
#include "data/json.h"

#include "support/test.h"

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct command_subscription *subscription;
        struct gpio_chip *chip; /* the worker's, who runs on our loop here */
        struct gpio_worker *worker;
        struct gpio_commands *commands;
        struct command_session session;
        struct command_request *pending;
        cJSON *reply; /* the last */
        unsigned replies;
        char events[512];
        struct command_subscription *warning_subscription;
        char warnings[512];
};

void fixture_init(struct fixture *f);
/* As if the chip were the kernel's "gpiochip0", with a /proc of the test's own. */
void fixture_init_processes(struct fixture *f, const char *processes);
void fixture_done(struct fixture *f);

/* Jobs to the worker and results back: as many rounds as that takes. */
void settle(struct fixture *f);
void advance_ms(struct fixture *f, uint64_t ms);

/* Sends a request; false while its reply is outstanding. */
bool dispatch(struct fixture *f, const char *text);
void check_ok(struct fixture *f, const char *text);
void check_refused(struct fixture *f, const char *text, const char *code);

/* Of the last reply: "(none)", -1. */
const char *text_of(struct fixture *f, const char *name);
int64_t integer_of(struct fixture *f, const char *name);

/* What was published since the last call. */
const char *events_of(struct fixture *f);
bool level_of(struct fixture *f, unsigned pin);
