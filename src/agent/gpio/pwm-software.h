/* agent/gpio/pwm-software.h - PWM on any pin, by a thread that keeps time.
 *
 * One thread for all channels of a group, asleep until the next edge of any of
 * them. Edges are at absolute times: lateness moves an edge, never the ones
 * behind it. Runs under SCHED_FIFO where that is permitted, and sleeps for good
 * while no channel has edges; duty 0 and 1 have none. It is no replacement for
 * hardware where jitter matters (a servo moves 1 degree in 5.6 us). */
#pragma once

#include "agent/gpio/pwm.h"

enum {
        GPIO_PWM_SOFTWARE_CHANNELS = 64,
        GPIO_PWM_SOFTWARE_MAX_HZ = 1000,
};

struct gpio_pwm_group;

/* The thread is started with the first channel. -ENOMEM, -errno. */
int gpio_pwm_group_new(struct gpio_pwm_group **ret);
/* After its channels. */
struct gpio_pwm_group *gpio_pwm_group_free(struct gpio_pwm_group *group);
DEFINE_CLEANUP(gpio_pwm_group)

/* Drives the line. Called on the group's thread, or on the caller's within
 * gpio_pwm_set() and _stop(), never on both at once: what it uses must not be used
 * by others until the channel is stopped or freed. Must not block. */
typedef int gpio_pwm_drive_fn(void *context, bool value);

/* -ENOSPC; -ENOMEM; -EAGAIN: no thread. */
int gpio_pwm_software_new(struct gpio_pwm_group *group, gpio_pwm_drive_fn *drive, void *context,
                          struct gpio_pwm **ret);
/* The first failure of `drive` on the group's thread since the last call; it goes on
 * trying. */
int gpio_pwm_software_error(struct gpio_pwm *pwm);
