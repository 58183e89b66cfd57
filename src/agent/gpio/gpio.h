/* agent/gpio/gpio.h - the GPIO of this Pi, as the daemon sees it: one call.
 *
 * Owns the commands and the hardware worker, on whose thread chip and lines live.
 * Loop thread. */
#pragma once

#include "agent/gpio/config.h"
#include "agent/gpio/guard-link.h"
#include "base/error.h"
#include "command/registry.h"

struct gpio;

/* Opens the chip, starts the worker, registers the commands (commands.h), and adds
 * `gpio_backend` and `gpio_chip` to the status, and `gpio_reason` when the hardware
 * was looked for in vain. `guarded` there says whether the supervisor answers.
 * `guard` is opened and taken over in every case; NULL: there is no supervisor. The
 * registry must outlive it. Errors of gpio_chip_choose(), with what to do, of
 * gpio_worker_new() and of command_registry_add(). */
int gpio_attach(struct command_registry *registry, const struct gpio_config *config,
                struct guard_link *guard, struct gpio **ret, struct error *error);
/* Takes the commands back, answers what is under way and ends the worker's
 * thread, after gpio_stop() where that was not called. The registry must not
 * write its status any more: it would ask the one that is gone. */
struct gpio *gpio_free(struct gpio *gpio);
DEFINE_CLEANUP(gpio)

/* The graceful stop: tests that run are ended and answered, every output is
 * driven to its safe state and kept there, further commands are refused with
 * NOT_READY. Waits for it, but no longer than GPIO_STOP_WAIT_MS: -ETIMEDOUT. -errno:
 * an output could not be driven; the others were. */
int gpio_stop(struct gpio *gpio);
