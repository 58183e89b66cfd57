/* agent/gpio/pwm.h - the port to a PWM signal on one pin.
 *
 * Two backends: a hardware channel (pwm-sysfs.h) and a thread that sets the line
 * (pwm-software.h). A channel belongs to one thread; no call blocks for longer than
 * a write to sysfs. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

enum { GPIO_PWM_FREQUENCY_DEFAULT_HZ = 100 };

struct gpio_pwm;

struct gpio_pwm_operations {
        /* `high_ns` is at most `period_ns`, which is above 0. */
        int (*set)(struct gpio_pwm *pwm, uint64_t period_ns, uint64_t high_ns);
        int (*stop)(struct gpio_pwm *pwm);
        void (*free)(struct gpio_pwm *pwm);
        bool hardware;
};

struct gpio_pwm {
        const struct gpio_pwm_operations *operations;
        double duty, frequency_hz; /* as set last */
};

/* `duty` 0 to 1: 0 is low and 1 is high for good. `frequency_hz` 0: as it is, at
 * first 100. -EINVAL: not a number, or outside; -ERANGE: the backend does not go
 * there; -errno of the backend. On failure the signal goes on as it was, as far as
 * the hardware allows. */
int gpio_pwm_set(struct gpio_pwm *pwm, double duty, double frequency_hz);
/* Low, and no signal any more; it may be set again. */
int gpio_pwm_stop(struct gpio_pwm *pwm);
/* Stops it first. NULL is fine. */
struct gpio_pwm *gpio_pwm_free(struct gpio_pwm *pwm);
DEFINE_CLEANUP(gpio_pwm)
/* Ends our part without touching the signal: hardware goes on by itself. */
struct gpio_pwm *gpio_pwm_abandon(struct gpio_pwm *pwm);
