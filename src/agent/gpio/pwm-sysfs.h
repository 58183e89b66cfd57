/* agent/gpio/pwm-sysfs.h - hardware PWM through /sys/class/pwm.
 *
 * Numbers of PWM chips change between kernels, so a chip is known by the device it
 * is: the PWM of the header of a Pi 0 to 4 (`...20c000.pwm`) or of a Pi 5
 * (`1f00098000.pwm`). Which of its pins a channel reaches is told by the device
 * tree, where an overlay (dtoverlay=pwm-2chan) writes it; a pin that is not
 * multiplexed to PWM has no hardware channel. The line itself must not be
 * requested: that would switch the pin away from PWM.
 *
 * Nothing in sysfs is bound to this process: a channel that is enabled goes on
 * when it dies, which is why the supervisor gets the `enable` file. */
#pragma once

#include "agent/gpio/pwm.h"

enum { GPIO_PWM_FOLDER_MAX = 128 };

struct gpio_pwm_place {
        char chip[GPIO_PWM_FOLDER_MAX - 16]; /* "/sys/class/pwm/pwmchip0" */
        unsigned channel;
};

/* Where the pin's channel is. `root`: in front of /sys, "" but for tests. -ENOENT:
 * it has none; -errno. */
int gpio_pwm_sysfs_find(const char *root, unsigned pin, struct gpio_pwm_place *ret);
/* Exports the channel where needed, and opens its files. A channel that is enabled
 * goes on as it is, and its duty and frequency are those. -EAGAIN: exported, but udev has not
 * handed its files over yet: again in a while; -errno. */
int gpio_pwm_sysfs_open(const struct gpio_pwm_place *place, struct gpio_pwm **ret);

/* The `enable` file, for the supervisor; the channel's own. */
int gpio_pwm_sysfs_enable_fd(const struct gpio_pwm *pwm);
/* "/sys/class/pwm/pwmchip0/pwm1" */
const char *gpio_pwm_sysfs_folder(const struct gpio_pwm *pwm);
