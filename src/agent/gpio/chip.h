/* agent/gpio/chip.h - the port to a GPIO chip: lines, as the kernel knows them.
 *
 * Follows the kernel's character device, uAPI v2 (linux/gpio.h), in what can be
 * asked and in how it fails, so that a backend is a thin layer over its ioctls
 * and the simulated one is a fair stand-in. Values are logical (after
 * active_low). Offsets are the chip's: BCM numbers on a Raspberry Pi's header
 * chip. One thread at a time owns a chip and its requests; nothing blocks. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        GPIO_NAME_MAX = 32,      /* with its NUL, as in the uAPI */
        GPIO_REQUEST_LINES = 64, /* most lines in one request */
        GPIO_EVENTS_PER_LINE = 16,
        GPIO_EVENTS_MAX = 1024, /* most edge events a request can hold back */
};

enum gpio_direction { GPIO_DIRECTION_AS_IS, GPIO_DIRECTION_INPUT, GPIO_DIRECTION_OUTPUT };
enum gpio_bias { GPIO_BIAS_AS_IS, GPIO_BIAS_DISABLED, GPIO_BIAS_PULL_UP, GPIO_BIAS_PULL_DOWN };
enum gpio_drive { GPIO_DRIVE_PUSH_PULL, GPIO_DRIVE_OPEN_DRAIN, GPIO_DRIVE_OPEN_SOURCE };
enum gpio_edge {
        GPIO_EDGE_NONE = 0,
        GPIO_EDGE_RISING = 1,
        GPIO_EDGE_FALLING = 2,
        GPIO_EDGE_BOTH = 3
};

/* Zeroes: the line as it stands, seen as it is. Contradictions are -EINVAL, as
 * in the kernel: edges or debouncing on anything but an input, a drive on
 * anything but an output, a bias without a direction. */
struct gpio_line_config {
        enum gpio_direction direction;
        enum gpio_bias bias;
        enum gpio_drive drive;
        enum gpio_edge edges;
        bool active_low;
        bool value;           /* outputs: the level they start with, in the same step */
        uint32_t debounce_us; /* inputs: a level counts once it was stable this long */
};

struct gpio_line_info {
        char name[GPIO_NAME_MAX];     /* "GPIO17"; may be empty */
        char consumer[GPIO_NAME_MAX]; /* who holds it ("?": did not say); empty when free */
        bool used;
        struct gpio_line_config config; /* direction is never AS_IS; `value` is not filled in */
};

struct gpio_chip_info {
        char name[GPIO_NAME_MAX];  /* "gpiochip0" */
        char label[GPIO_NAME_MAX]; /* "pinctrl-bcm2711" */
        unsigned lines;
        bool simulated;
};

struct gpio_edge_event {
        uint64_t timestamp_ns; /* CLOCK_MONOTONIC */
        unsigned offset;
        enum gpio_edge edge;    /* RISING or FALLING, logical */
        uint32_t sequence;      /* of the request, from 1: a gap means lost events */
        uint32_t line_sequence; /* of the line, from 1 */
};

struct gpio_chip;
struct gpio_request; /* lines held under one consumer name */

struct gpio_chip *gpio_chip_free(struct gpio_chip *chip); /* after its requests */
DEFINE_CLEANUP(gpio_chip)

void gpio_chip_info(const struct gpio_chip *chip, struct gpio_chip_info *ret);
/* -EINVAL: no such line. */
int gpio_chip_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret);

/* Takes `count` lines, all or none, each with its own configuration. `consumer`
 * (NULL: none) is cut to 31 bytes. -EBUSY: one is held by somebody
 * (gpio_chip_line_info tells whom); -EINVAL: no such line, a line twice, flags
 * that contradict each other, count 0 or over 64; -ENXIO: no edges on this
 * line; -EMFILE; -ENOMEM. */
int gpio_chip_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                      const struct gpio_line_config configs[], size_t count,
                      struct gpio_request **ret);
/* Lets go. What an output does then is the chip's affair (a Raspberry Pi's
 * kernel keeps its level). NULL is fine. */
struct gpio_request *gpio_request_free(struct gpio_request *request);
DEFINE_CLEANUP(gpio_request)

/* Bit n is the n-th line of the request. Levels are read from the line, debounced
 * where that was asked for: an open drain that lets go shows what others do.
 * -EINVAL: empty mask or bits beyond the request. */
int gpio_request_get(struct gpio_request *request, uint64_t mask, uint64_t *ret_values);
/* All or none. -EPERM: one of them is an input; -EINVAL as above. */
int gpio_request_set(struct gpio_request *request, uint64_t mask, uint64_t values);
/* Anew for all lines of the request, without letting go of them. Lines whose
 * direction is AS_IS stay as they are in everything. Errors as for a request;
 * nothing is changed by -EINVAL and -ENOMEM. */
int gpio_request_reconfigure(struct gpio_request *request, const struct gpio_line_config configs[]);

/* Becomes readable when events wait. The request's own; not to be closed. */
int gpio_request_fd(const struct gpio_request *request);
/* Takes up to `max` events. Returns how many, 0 when none wait. When nobody
 * takes them, at most 16 for each line of the request are kept and the oldest
 * are dropped: of a line with both edges, the last event always agrees with the
 * level. */
int gpio_request_read_events(struct gpio_request *request, struct gpio_edge_event events[],
                             size_t max);
