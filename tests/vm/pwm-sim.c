// SPDX-License-Identifier: GPL-2.0
/* pwm-sim.c - a PWM chip of four channels that drives nothing, for Linux 6.1 to 6.12.
 *
 * Built into the test machine's kernel, and only there (hence its licence). The
 * PWM core remembers what was set, and /sys/class/pwm shows it. */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>
#include <linux/version.h>

enum { PWM_SIM_CHANNELS = 4 };

static int pwm_sim_apply(struct pwm_chip *chip, struct pwm_device *pwm,
                         const struct pwm_state *state)
{
        return 0;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
static const struct pwm_ops pwm_sim_ops = {.apply = pwm_sim_apply};

static int pwm_sim_add(struct device *parent)
{
        struct pwm_chip *chip = pwmchip_alloc(parent, PWM_SIM_CHANNELS, 0);

        if (IS_ERR(chip))
                return PTR_ERR(chip);
        chip->ops = &pwm_sim_ops;
        return pwmchip_add(chip);
}
#else
static const struct pwm_ops pwm_sim_ops = {.apply = pwm_sim_apply, .owner = THIS_MODULE};

static int pwm_sim_add(struct device *parent)
{
        static struct pwm_chip chip = {.ops = &pwm_sim_ops, .npwm = PWM_SIM_CHANNELS};

        chip.dev = parent;
        return pwmchip_add(&chip);
}
#endif

static int __init pwm_sim_init(void)
{
        struct platform_device *device;

        device = platform_device_register_simple("pwm-sim", -1, NULL, 0);
        return IS_ERR(device) ? PTR_ERR(device) : pwm_sim_add(&device->dev);
}
device_initcall(pwm_sim_init);
