/* agent/gpio/result.h - what came of a job (job.h), as a plain value. */
#pragma once

#include "agent/gpio/blink.h"
#include "agent/gpio/chip.h"
#include "agent/gpio/pin-name.h"

#include <stddef.h>
#include <string.h>

/* What is wrong with a pin that works all the same; as bits. */
enum gpio_warning {
        /* An output reads another level than it was given: somebody writes past us. */
        GPIO_WARNING_FOREIGN_WRITE = 1,
        /* An input has more edges than its budget: it is polled until it is calm. */
        GPIO_WARNING_EDGE_STORM = 2,
        /* A signal by software could not be driven, and goes on trying. */
        GPIO_WARNING_PWM_FAILED = 4,
};

struct gpio_pin_status {
        bool exists;
        bool held; /* by us: `value` is its level */
        bool output, used, value;
        unsigned warnings;   /* enum gpio_warning */
        uint64_t edges_lost; /* since the input is listened to */
        char consumer[GPIO_NAME_MAX];
};

struct gpio_result {
        /* 0, or: -EBUSY: the pin is somebody else's, see `consumer`; -EINPROGRESS: a test
         * runs on it; -ECANCELED: overtaken by a safe state or another effect;
         * -ESHUTDOWN: the agent ends; -ETIMEDOUT: the supervisor does not answer;
         * -ENOENT: the line is not held; -errno of the chip. */
        int error;
        unsigned pin;
        bool value;
        char consumer[GPIO_NAME_MAX]; /* -EBUSY: as in struct gpio_line_info */

        /* PWM_SET */
        double duty, frequency_hz;
        bool hardware;

        /* TEST: and `readings`. */
        size_t readings_count;
        uint32_t times;
        uint64_t interval_ms;
        bool passed;

        /* STATUS: `pins` from `first` to `last`. */
        unsigned first, last;

        /* Large, and undefined but for what their counts say. */
        struct gpio_reading readings[2 * GPIO_BLINK_TIMES_MAX];
        struct gpio_pin_status pins[GPIO_PINS];
};

/* All but what is large: most results have none of it, and to write over it costs them more than
 * all the rest. */
static inline void gpio_result_clear(struct gpio_result *result)
{
        memset(result, 0, offsetof(struct gpio_result, readings));
}

/* How a pin stands, when that is another than before. */
struct gpio_pin_change {
        unsigned pin;
        bool moved; /* another level, or it became an output or an input that is listened to */
        bool value;
        const char *cause;   /* static: of the job that moved it last */
        unsigned warnings;   /* enum gpio_warning, those that hold now */
        uint64_t edges_lost; /* so far */
};
