/* agent/gpio/executor.h - does what jobs say: lines, effects, supervisor.
 *
 * The part of the hardware worker that knows neither thread nor queue. Nothing
 * blocks: what has to wait (for the supervisor's answer, for the end of an effect)
 * gives its result later. Jobs for a pin that waits are parked and keep their
 * order; a safe state overtakes them. A job with patience for a line that somebody else
 * holds waits aside, and holds up nobody. One thread; timers and chip on its loop. */
#pragma once

#include "agent/gpio/guard-link.h"
#include "agent/gpio/job.h"
#include "agent/gpio/result.h"

enum {
        GPIO_ANSWER_MS = 1000, /* how long jobs wait for the supervisor */
        GPIO_LOOK_MS = 5000,   /* how often outputs are read back, while there are any */
        GPIO_NO_SLOT = UINT32_MAX,
};

struct gpio_executor;

struct gpio_executor_setup {
        struct loop *loop;
        struct gpio_chip *chip; /* borrowed */
        enum gpio_safe safe;
        /* In front of /sys ("") where hardware PWM is looked for; NULL: nowhere, since
         * the chip is a simulated one. Static. */
        const char *pwm_root;
        size_t slots; /* of jobs, each under way at most once: 0 to this */

        void *owner;
        /* Zeroed memory for the result of the job in this slot, then: it is written.
         * Once for each job that was run; none for GPIO_NO_SLOT. */
        struct gpio_result *(*result)(void *owner, uint32_t slot);
        void (*done)(void *owner, uint32_t slot);
        void (*changed)(void *owner, const struct gpio_pin_change *change);
        /* Takes jobs that nobody has begun yet out of the queue. */
        size_t (*purge)(void *owner, uint64_t tag, struct gpio_job ret[], size_t max);
};

int gpio_executor_new(const struct gpio_executor_setup *setup, struct gpio_executor **ret);
/* Effects end where they are and lines are let go of as they stand; what still
 * waits has no result. */
struct gpio_executor *gpio_executor_free(struct gpio_executor *executor);
DEFINE_CLEANUP(gpio_executor)

void gpio_executor_run(struct gpio_executor *executor, const struct gpio_job *job);

/* The supervisor's side: lines that come back, and from when on it answers (NULL:
 * it is gone). */
void gpio_executor_return(struct gpio_executor *executor, const struct guard_hold *hold,
                          int descriptor);
void gpio_executor_link(struct gpio_executor *executor, struct guard_link *link);
