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
        GPIO_NAME_MAX = 32,          /* with its NUL, as in the uAPI */
        GPIO_REQUEST_LINES = 64,     /* most lines in one request */
        GPIO_CONFIG_ATTRIBUTES = 10, /* what makes lines of one request differ */
        GPIO_EVENTS_PER_LINE = 16,
        GPIO_EVENTS_MAX = 1024, /* most edge events a request can hold back */
        GPIO_WATCHES_MAX = 64,  /* most lines of a chip that are watched */
        GPIO_PATH_MAX = 64,
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
        char path[GPIO_PATH_MAX];  /* "/dev/gpiochip0"; empty when simulated */
        unsigned lines;
        bool simulated;
};

struct gpio_edge_event {
        uint64_t timestamp_ns; /* CLOCK_MONOTONIC */
        unsigned offset;
        enum gpio_edge edge;    /* RISING or FALLING, logical */
        uint32_t sequence;      /* of the request, from 1: a gap means lost events */
        uint32_t line_sequence; /* of the line, from 1 */
        uint32_t lost;          /* events of the request that are missing right before this one */
};

enum gpio_change {
        GPIO_CHANGE_REQUESTED,  /* somebody else took the line */
        GPIO_CHANGE_RELEASED,   /* it is free */
        GPIO_CHANGE_CONFIGURED, /* who holds it set it up anew */
};

struct gpio_info_change {
        unsigned offset;
        enum gpio_change change;
        struct gpio_line_info info; /* the line now */
};

struct gpio_chip;
struct gpio_request; /* lines held under one consumer name */

struct gpio_chip *gpio_chip_free(struct gpio_chip *chip); /* after its requests */
DEFINE_CLEANUP(gpio_chip)

void gpio_chip_info(const struct gpio_chip *chip, struct gpio_chip_info *ret);
/* -EINVAL: no such line. */
int gpio_chip_line_info(struct gpio_chip *chip, unsigned offset, struct gpio_line_info *ret);

/* From here on gpio_chip_read_changes() tells what others do with the line: when a
 * busy one is free again, and when another is taken. Fine when watched already.
 * -ENOSPC: GPIO_WATCHES_MAX; -EINVAL: no such line; -errno. */
int gpio_chip_watch(struct gpio_chip *chip, unsigned offset);
/* Fine when not watched. */
int gpio_chip_unwatch(struct gpio_chip *chip, unsigned offset);
/* Becomes readable when a watched line may have changed. The chip's own. */
int gpio_chip_fd(const struct gpio_chip *chip);
/* Takes up to `max` changes and returns how many: to be called until it returns
 * less than `max`. A change is the difference to what was told before, so that
 * changes nobody took in time become one, and none is lost when the kernel's
 * buffer of 32 runs over. What the chip's own requests do is not told. -errno. */
int gpio_chip_read_changes(struct gpio_chip *chip, struct gpio_info_change changes[], size_t max);

/* Takes `count` lines, all or none, each with its own configuration. `consumer`
 * (NULL: none) is cut to 31 bytes. -EBUSY: one is held by somebody
 * (gpio_chip_line_info tells whom); -EINVAL: no such line, a line twice, flags
 * that contradict each other, count 0 or over 64; -E2BIG: more kinds of lines than
 * GPIO_CONFIG_ATTRIBUTES can tell apart (of directions with their flags, of
 * debounce periods; initial levels count one); -ENXIO: no edges on this
 * line; -EMFILE; -ENOMEM. */
int gpio_chip_request(struct gpio_chip *chip, const char *consumer, const unsigned offsets[],
                      const struct gpio_line_config configs[], size_t count,
                      struct gpio_request **ret);
/* Makes a request of a descriptor that was one before, in a process that is gone:
 * nothing on the lines moves. `configs` says how they stand; an output's `value` is
 * read from it. `fd` is the request's on success, else still the caller's.
 * -EBADF: not a request for just these lines under this name; -EOPNOTSUPP: the
 * backend's requests are not bound to descriptors; -EBUSY: held by another request
 * of this chip; others as above. */
int gpio_chip_adopt(struct gpio_chip *chip, int fd, const char *consumer, const unsigned offsets[],
                    const struct gpio_line_config configs[], size_t count,
                    struct gpio_request **ret);
/* The descriptor whose duplicate keeps the lines held and can drive them when this
 * process is gone; the request's own. A line is free again once all duplicates are
 * closed. -EOPNOTSUPP: this backend has no such thing (a simulated chip ends with
 * its process). */
int gpio_request_guardable_fd(const struct gpio_request *request);
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

/* Which outputs read another level than the one they were given, as bits: somebody
 * writes past us, through the chip's registers or its pin controller. A line that is
 * let go of (open drain, open source) may have any level. -errno of the reading. */
int gpio_request_verify(struct gpio_request *request, uint64_t *ret_mismatches);

/* Becomes readable when events wait. The request's own; not to be closed. */
int gpio_request_fd(const struct gpio_request *request);
/* Takes up to `max` events. Returns how many, 0 when none wait. When nobody
 * takes them, some 16 for each line of the request are kept and the oldest
 * are dropped: the last event that is left agrees with its line's level, and
 * gpio_request_recover() tells the others'. -ENODEV: the chip is gone; -errno. */
int gpio_request_read_events(struct gpio_request *request, struct gpio_edge_event events[],
                             size_t max);
/* How many events were dropped since the request was made. */
uint64_t gpio_request_lost(const struct gpio_request *request);
/* After events were dropped, levels may have moved unseen. 1: that happened since
 * the last call, and *ret_values are the levels of all lines now; 0: all is known;
 * -errno of the reading, which the next call tries again. */
int gpio_request_recover(struct gpio_request *request, uint64_t *ret_values);
