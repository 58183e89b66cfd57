/* agent/gpio/executor-internal.h - what the files of the executor know of one
 * another: executor.c (jobs, waiting, safe state), executor-effect.c (blinking and
 * its kin) and executor-pwm.c. */
#pragma once

#include "agent/gpio/executor.h"
#include "agent/gpio/guarded.h"
#include "agent/gpio/pwm-software.h"
#include "base/list.h"

struct parked {
        struct list link;
        struct gpio_job job;
};

struct gpio_pin {
        struct gpio_executor *executor;
        unsigned number;
        bool waits;         /* for `guarded` to decide */
        struct list parked; /* the job that waits first, then those behind it */
        struct loop_timer patience;

        struct gpio_blink blink;
        bool blinks;
        struct gpio_job effect; /* the job that made it blink */
        bool fresh;             /* taken for this job: the pin was free before */

        struct gpio_pwm *pwm;      /* NULL: no signal, or a hardware channel that is not held yet */
        struct gpio_pwm *next_pwm; /* open, and waits for the supervisor */
        struct loop_timer retry;   /* to open it, when udev is slow */
        unsigned retries;

        bool told, told_value; /* what the last event said */
};

struct gpio_executor {
        struct gpio_executor_setup setup;
        struct gpio_lines *lines;
        struct gpio_guarded *guarded;
        struct gpio_pwm_group *pwm_group;
        bool stopping;
        struct gpio_result unseen; /* where results go that nobody waits for */
        struct gpio_pin pins[GPIO_LINES_MAX];
        struct parked parked[]; /* by slot */
};

/* executor.c */

/* Where the result of the job goes; then executor_done(). */
struct gpio_result *executor_result(struct gpio_executor *executor, const struct gpio_job *job);
void executor_done(struct gpio_executor *executor, const struct gpio_job *job);
/* A result that is nothing but an error, or 0. */
void executor_answer(struct gpio_executor *executor, const struct gpio_job *job, int error);
/* What becomes of a job that a safe state overtakes. */
int executor_cancelled(const struct gpio_executor *executor);

/* The pin is an output with this level now. */
void pin_tell(struct gpio_pin *pin, bool value, const char *cause);
/* Back to the front of those that wait for the pin. */
void pin_park_first(struct gpio_pin *pin, const struct gpio_job *job);
/* Until pin_decided(). */
void pin_wait(struct gpio_pin *pin);
/* `result` is the first job's; those behind it run. */
void pin_decided(struct gpio_pin *pin, int result);
/* Its line or channel was closed: the supervisor lets go of it too. */
void pin_let_go(struct gpio_pin *pin);

/* executor-effect.c */

void effect_start(struct gpio_pin *pin, const struct gpio_job *job);
/* `leave`: the pin stays as it is; else as the effect would have left it. Fine when
 * there is none. */
void effect_end(struct gpio_pin *pin, bool leave);

/* executor-pwm.c */

void pwm_set(struct gpio_pin *pin, const struct gpio_job *job);
/* The signal ends, low; a software channel's line stays held. Fine when there is none. */
int pwm_end(struct gpio_pin *pin);
void pwm_init(struct gpio_pin *pin);
/* The signal goes on where it can: what ends it is a safe state, or our death. */
void pwm_done(struct gpio_pin *pin);
