/* agent/gpio/job.h - what the hardware worker is asked to do, as a plain value.
 *
 * Copied from thread to thread; refers to nothing but names that live as long
 * as the program. */
#pragma once

#include "agent/gpio/chip.h"

#include <stdbool.h>
#include <stdint.h>

enum gpio_job_kind {
        GPIO_JOB_SET,     /* `value`, now; with `on_ms` for that long, then the opposite */
        GPIO_JOB_READ,    /* the level of a line that is held */
        GPIO_JOB_FREE,    /* the pin becomes again what it was, and free */
        GPIO_JOB_BLINK,   /* `times` (0: without end) on for `on_ms`, off for `off_ms`; ends off */
        GPIO_JOB_PULSE,   /* `value` for `on_ms`, then again what it was before */
        GPIO_JOB_TEST,    /* as BLINK, read back at the end of each half; then what it was before */
        GPIO_JOB_LISTEN,  /* the pin becomes an input with `bias`, whose levels are told */
        GPIO_JOB_STATUS,  /* what the chip says of all pins, or of `pin` alone */
        GPIO_JOB_PWM_SET, /* `duty` and `frequency_hz` of a signal, which begins if need be */
        GPIO_JOB_PWM_OFF, /* the signal ends and the pin is free; fine when there is none */
        GPIO_JOB_SAFE,    /* the pins of `pins` to their safe states, effects on them end */
};

/* In the order they are taken in. */
enum gpio_urgency {
        GPIO_URGENCY_SAFE, /* safe state: always fits */
        GPIO_URGENCY_STOP, /* emergency stop */
        GPIO_URGENCY_NORMAL,
        GPIO_URGENCIES,
};

#define GPIO_ALL_PINS UINT64_MAX

enum { GPIO_TAG_ALL = 0 };

/* Became part of another that waits, see job-queue.h. */
enum { GPIO_JOB_MERGED = 1 };

struct gpio_job {
        enum gpio_job_kind kind;
        enum gpio_urgency urgency;
        uint32_t slot;     /* the worker's own: where its result goes */
        uint32_t pin;      /* BCM; STATUS: or GPIO_STATUS_ALL */
        uint64_t tag;      /* on whose behalf, for SAFE jobs that purge; never GPIO_TAG_ALL */
        const char *cause; /* static: the command's name, for the events that follow */
        bool value;
        bool waits; /* effects: the result comes at their end, not at their start */
        uint32_t times;
        uint64_t on_ms, off_ms;
        double duty, frequency_hz; /* PWM; a frequency of 0: as it is, or the default */
        enum gpio_bias bias;       /* LISTEN */
        uint64_t patience_ms;      /* for a line that somebody else holds; 0: refused at once */
        uint64_t busy_until_ms;    /* the executor's own */

        /* SAFE */
        uint64_t pins;      /* bit n: pin n */
        bool purges;        /* jobs of `purge_tag` that wait are cancelled */
        bool stopping;      /* the agent's end: everything but STATUS is refused from here on */
        bool ends;          /* with `stopping`: so does the worker's thread */
        uint64_t purge_tag; /* GPIO_TAG_ALL: of everybody */
};

enum { GPIO_STATUS_ALL = UINT32_MAX - 1 };
