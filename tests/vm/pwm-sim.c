// SPDX-License-Identifier: GPL-2.0
/* pwm-sim.c - a PWM chip of four channels that drives nothing.
 *
 * Built into the test machine's kernel, and only there (hence its licence). The
 * PWM core remembers what was set, and /sys/class/pwm shows it. */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>

static int pwm_sim_apply(struct pwm_chip *chip, struct pwm_device *pwm,
                         const struct pwm_state *state)
{
        return 0;
}

static const struct pwm_ops pwm_sim_ops = {.apply = pwm_sim_apply, .owner = THIS_MODULE};

static struct pwm_chip pwm_sim_chip = {.ops = &pwm_sim_ops, .npwm = 4};

static int __init pwm_sim_init(void)
{
        struct platform_device *device;

        device = platform_device_register_simple("pwm-sim", -1, NULL, 0);
        if (IS_ERR(device))
                return PTR_ERR(device);
        pwm_sim_chip.dev = &device->dev;
        return pwmchip_add(&pwm_sim_chip);
}
device_initcall(pwm_sim_init);
