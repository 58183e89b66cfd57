/* agent/gpio/executor-internal.h - what the files of the executor know of one
 * another: executor.c (jobs, waiting, safe state), executor-busy.c (lines of others),
 * executor-effect.c (blinking and its kin), executor-input.c, executor-look.c (what
 * is wrong with a pin) and executor-pwm.c. */
#pragma once

#include "agent/gpio/executor.h"
#include "agent/gpio/guarded.h"
#include "agent/gpio/input.h"
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

        struct gpio_input *input; /* NULL: not listened to */

        struct list busy; /* jobs that wait for whoever holds the line */
        struct loop_timer busy_timer;
        bool busy_watched, busy_retries;

        bool told, told_value; /* what the last event said */
        const char *cause;     /* of that */
        unsigned warnings;     /* enum gpio_warning, told */
        uint64_t edges_lost;
        bool untold; /* `edges_lost` is another than was told */
};

struct chip_events;

struct gpio_executor {
        struct gpio_executor_setup setup;
        struct gpio_lines *lines;
        struct gpio_guarded *guarded;
        struct gpio_pwm_group *pwm_group;
        struct chip_events *chip_events;
        struct loop_timer look;
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

/* The pin is an output, or listened to, and has this level now. */
void pin_tell(struct gpio_pin *pin, bool value, const char *cause);
/* How it stands has changed in something else. */
void pin_tell_anew(struct gpio_pin *pin);
/* At the end of a list of jobs that wait. */
void pin_park(struct gpio_pin *pin, const struct gpio_job *job, struct list *where);
/* Back to the front of those that wait for the pin. */
void pin_park_first(struct gpio_pin *pin, const struct gpio_job *job);
/* Until pin_decided(). */
void pin_wait(struct gpio_pin *pin);
/* `result` is the first job's; those behind it run. */
void pin_decided(struct gpio_pin *pin, int result);
/* Its line or channel was closed: the supervisor lets go of it too. */
void pin_let_go(struct gpio_pin *pin);
/* PWM and input of the pin end, since it is to do something else. False: not yet, or they cannot;
 * the job waits, or was answered. */
bool pin_take_over(struct gpio_pin *pin, const struct gpio_job *job);
/* The line becomes free. False: the supervisor has to let go of it first, and the job
 * waits for that. */
bool pin_give_line_up(struct gpio_pin *pin, const struct gpio_job *job);

/* executor-busy.c */

int busy_init(struct gpio_executor *executor);
void busy_done(struct gpio_executor *executor);
/* The line is somebody else's. True: the job waits for it. */
bool busy_park(struct gpio_pin *pin, const struct gpio_job *job);
/* Somebody asks for the pin: who waited longer comes first, if it is free again. */
void busy_retry_if_free(struct gpio_pin *pin);
/* Jobs were taken out of the list. */
void busy_parked_less(struct gpio_pin *pin);

/* executor-effect.c */

void effect_start(struct gpio_pin *pin, const struct gpio_job *job);
/* `leave`: the pin stays as it is; else as the effect would have left it. Fine when
 * there is none. */
void effect_end(struct gpio_pin *pin, bool leave);

/* executor-input.c */

void input_start(struct gpio_pin *pin, const struct gpio_job *job);
/* The line stays held. Fine when there is none. */
void input_end(struct gpio_pin *pin);

/* executor-look.c */

void look_init(struct gpio_executor *executor);
void look_done(struct gpio_executor *executor);
/* There is an output, or something to be told later. */
void look_soon(struct gpio_executor *executor);
/* Now. */
void look_at(struct gpio_pin *pin);
void pin_warn(struct gpio_pin *pin, enum gpio_warning warning, bool holds);

/* executor-pwm.c */

void pwm_set(struct gpio_pin *pin, const struct gpio_job *job);
/* A channel that came back goes on. False: it is not one that is kept, or cannot be
 * opened. */
bool pwm_adopt(struct gpio_executor *executor, const struct guard_hold *hold);
/* Hands the hardware channel of the pin over: gpio_guarded_take_pwm(). */
int pwm_guard(struct gpio_pin *pin);
/* The signal ends, low; a software channel's line stays held. Fine when there is none. */
int pwm_end(struct gpio_pin *pin);
void pwm_init(struct gpio_pin *pin);
/* The signal goes on where it can: what ends it is a safe state, or our death. */
void pwm_done(struct gpio_pin *pin);
