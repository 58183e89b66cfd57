/* agent/gpio/fake-kernel.h - GPIO chips behind the system calls, for tests.
 *
 * Answers the ioctls of uAPI v2 as drivers/gpio/gpiolib-cdev.c does: it checks
 * reserved bytes, limits and contradictory flags, keeps events in a buffer that
 * drops its oldest, tells watchers of requests, releases and reconfigurations, and
 * fails as the kernel fails. No time passes in it: debouncing is only remembered.
 * Descriptors are real (an eventfd each), so that they can be polled. */
#pragma once

#include "agent/gpio/gpio-system.h"

#include <linux/gpio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        FAKE_CHIPS_MAX = 4,
        FAKE_LINES_MAX = 80,
        FAKE_FILES_MAX = 80,
        FAKE_EVENTS_MAX = 1024,
        FAKE_CHANGES_MAX = 32,
        FAKE_DEVICE_FIRST = 0xfe00, /* numbers of devices */
};

struct fake_request;

struct fake_line {
        char name[GPIO_MAX_NAME_SIZE];
        char consumer[GPIO_MAX_NAME_SIZE];
        bool used;
        bool without_interrupt; /* edges are -ENXIO */
        struct fake_request *request;
        uint64_t flags; /* GPIO_V2_LINE_FLAG_*, without USED */
        uint32_t debounce_us;
        bool value;   /* what an output was given, electrical */
        bool outside; /* what others put on the line */
        bool level;   /* what it is at, electrical */
        uint32_t sequence;
};

struct fake_chip {
        char name[GPIO_MAX_NAME_SIZE];
        char label[GPIO_MAX_NAME_SIZE];
        unsigned lines_count;
        int open_result; /* -errno: opening it fails like this */
        gid_t group;     /* of its device */
        bool gone;       /* unplugged: -ENODEV to everything */
        struct fake_line lines[FAKE_LINES_MAX];
};

struct fake_request {
        struct fake_chip *chip;
        unsigned files; /* open descriptors; 0: the slot is free */
        uint32_t count;
        uint32_t offsets[GPIO_V2_LINES_MAX];
        uint32_t sequence;
        size_t capacity, first, waiting;
        struct gpio_v2_line_event events[FAKE_EVENTS_MAX];
};

struct fake_file {
        int fd; /* -1: the slot is free */
        bool nonblocking;
        struct fake_chip *chip;
        struct fake_request *request; /* NULL: the chip's device */
        bool watched[FAKE_LINES_MAX];
        size_t first, waiting;
        struct gpio_v2_line_info_changed changes[FAKE_CHANGES_MAX];
};

struct fake_kernel {
        struct gpio_system system; /* to be handed to the code under test */
        char folder[64];           /* the system's `devices`: empty files and links */
        uint64_t now_ns;
        bool first_version;         /* before 5.10 */
        int first_version_says;     /* -errno for what it does not know */
        bool short_reads;           /* reads end within a record */
        unsigned long fail_request; /* the next ioctl like this ... */
        int fail_result;            /* ... returns this instead */
        unsigned set_configs;       /* SET_CONFIG calls that were accepted */
        struct fake_chip chips[FAKE_CHIPS_MAX];
        size_t chips_count;
        struct fake_request requests[FAKE_FILES_MAX];
        struct fake_file files[FAKE_FILES_MAX];
};

struct fake_kernel *fake_kernel_new(void);
/* How many descriptors were left open. */
unsigned fake_kernel_free(struct fake_kernel *kernel);

/* Its lines are inputs that read low, named "GPIO0" and so on when `named`. */
struct fake_chip *fake_kernel_add(struct fake_kernel *kernel, const char *label, unsigned lines,
                                  bool named);
/* Another name of the chip's device. */
void fake_kernel_link(struct fake_kernel *kernel, const struct fake_chip *chip, const char *name);
/* What others do: put a level on a line; write a level past us; hold it. */
void fake_kernel_drive(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                       bool level);
void fake_kernel_write(struct fake_chip *chip, unsigned offset, bool level);
void fake_kernel_hold(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                      const char *consumer, uint64_t flags);
void fake_kernel_release(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset);
void fake_kernel_configure(struct fake_kernel *kernel, struct fake_chip *chip, unsigned offset,
                           uint64_t flags);
/* Of a request's or chip's descriptor, as by dup(2). */
int fake_kernel_duplicate(struct fake_kernel *kernel, int fd);
void fake_kernel_fail(struct fake_kernel *kernel, unsigned long request, int result);
bool fake_kernel_nonblocking(struct fake_kernel *kernel, int fd);
