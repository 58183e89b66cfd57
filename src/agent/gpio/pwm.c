#include "agent/gpio/pwm.h"

#include <errno.h>

int gpio_pwm_set(struct gpio_pwm *pwm, double duty, double frequency_hz)
{
        double period_ns;
        uint64_t high_ns;
        int r;

        if (frequency_hz == 0)
                frequency_hz =
                        pwm->frequency_hz > 0 ? pwm->frequency_hz : GPIO_PWM_FREQUENCY_DEFAULT_HZ;
        /* Written so that NaN fails too. */
        if (!(duty >= 0 && duty <= 1) || !(frequency_hz > 0))
                return -EINVAL;
        period_ns = 1e9 / frequency_hz + 0.5;
        if (!(period_ns >= 1 && period_ns < 1e15))
                return -ERANGE;
        high_ns = (uint64_t)(duty * (double)(uint64_t)period_ns + 0.5);
        r = pwm->operations->set(pwm, (uint64_t)period_ns, high_ns);
        if (r < 0)
                return r;
        pwm->duty = duty;
        pwm->frequency_hz = frequency_hz;
        return 0;
}

int gpio_pwm_stop(struct gpio_pwm *pwm)
{
        return pwm->operations->stop(pwm);
}

struct gpio_pwm *gpio_pwm_free(struct gpio_pwm *pwm)
{
        if (!pwm)
                return NULL;
        (void)gpio_pwm_stop(pwm);
        return gpio_pwm_abandon(pwm);
}

struct gpio_pwm *gpio_pwm_abandon(struct gpio_pwm *pwm)
{
        if (pwm)
                pwm->operations->free(pwm);
        return NULL;
}
