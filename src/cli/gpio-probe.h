/* cli/gpio-probe.h - what the kernel says of its GPIO chips and who uses them.
 *
 * Looks only: takes no line, so it disturbs nobody. Source: linux/gpio.h, version 2
 * of the interface; /proc/PID/fdinfo since Linux 6.2. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GPIO_PROBE_NAME_MAX = 32, GPIO_PROBE_PATH_MAX = 256 };

/* The system calls, so that tests can stand in for the kernel. Both return -errno. */
struct gpio_probe_system {
        int (*open)(const char *path);
        int (*ioctl)(int fd, unsigned long request, void *argument);
};
extern const struct gpio_probe_system gpio_probe_kernel;

struct gpio_probe_chip {
        char path[GPIO_PROBE_PATH_MAX];
        char name[GPIO_PROBE_NAME_MAX];  /* "gpiochip0" */
        char label[GPIO_PROBE_NAME_MAX]; /* "pinctrl-bcm2711" */
        unsigned lines;
        int error; /* 0, or the -errno that left the three above empty */
};

struct gpio_probe_line {
        char name[GPIO_PROBE_NAME_MAX];
        char consumer[GPIO_PROBE_NAME_MAX];
        bool used;
};

void gpio_probe_chip(const struct gpio_probe_system *system, const char *path,
                     struct gpio_probe_chip *ret);
/* The chip of the 40-pin header, by its label. */
bool gpio_probe_is_header(const struct gpio_probe_chip *chip);
/* The first `count` lines of a chip. -errno: none of them. */
int gpio_probe_lines(const struct gpio_probe_system *system, const struct gpio_probe_chip *chip,
                     struct gpio_probe_line lines[], size_t count);
/* The processes that hold the first `count` lines, 0 where that cannot be told: to others
 * than root, for lines of drivers, with kernels before 6.2. `processes` is "/proc". */
void gpio_probe_holders(const char *processes, const struct gpio_probe_chip *chip, int64_t pids[],
                        size_t count);
