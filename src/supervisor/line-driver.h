/* supervisor/line-driver.h - what the kernel does with lines and PWM channels.
 *
 * linux/gpio.h (uAPI v2) and Documentation/ABI/testing/sysfs-class-pwm, as
 * functions, so that tests can stand in for the kernel. All return 0, -errno, or
 * a descriptor where they open something. None waits. */
#pragma once

#include <linux/gpio.h>
#include <stdint.h>

struct line_driver {
        /* Of a line request; bit n is its n-th line. */
        int (*get_values)(int fd, uint64_t mask, uint64_t *ret_values);
        int (*set_values)(int fd, uint64_t mask, uint64_t values);
        int (*configure)(int fd, const struct gpio_v2_line_config *config);
        /* A new request: -EBUSY: somebody holds one of the lines. */
        int (*request)(const char *chip, struct gpio_v2_line_request *request);

        /* Of a PWM channel's `enable` file. -EBADF: not one that can be written. */
        int (*check_pwm)(int fd);
        int (*disable_pwm)(int fd);
        int (*open_pwm)(const char *folder);
};

extern const struct line_driver line_driver_kernel;
