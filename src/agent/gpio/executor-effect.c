#include "agent/gpio/executor-internal.h"
#include "base/attributes.h"

#include <errno.h>
#include <string.h>

static void on_blink_changed(struct gpio_blink *blink, bool value)
{
        struct gpio_pin *pin = container_of(blink, struct gpio_pin, blink);

        pin_tell(pin, value, pin->effect.cause);
}

static void effect_answer_test(struct gpio_pin *pin)
{
        const struct gpio_blink *blink = &pin->blink;
        struct gpio_result *result = executor_result(pin->executor, &pin->effect);

        memcpy(result->readings, blink->readings, sizeof(result->readings));
        result->readings_count = blink->readings_count;
        result->times = pin->effect.times;
        result->interval_ms = pin->effect.on_ms;
        result->passed = gpio_blink_passed(blink);
        executor_done(pin->executor, &pin->effect);
}

static void on_blink_done(struct gpio_blink *blink, int error)
{
        struct gpio_pin *pin = container_of(blink, struct gpio_pin, blink);

        pin->blinks = false;
        if (!gpio_lines_held(pin->executor->lines, pin->number))
                pin_let_go(pin);
        if (!pin->effect.waits)
                return;
        if (error == 0 && pin->effect.kind == GPIO_JOB_TEST)
                effect_answer_test(pin);
        else
                executor_answer(pin->executor, &pin->effect,
                                error == -ECANCELED ? executor_cancelled(pin->executor) : error);
}

static void blink_describe(struct gpio_blink *blink, const struct gpio_job *job)
{
        bool repeats = job->kind == GPIO_JOB_BLINK || job->kind == GPIO_JOB_TEST;

        blink->first = repeats || job->value;
        blink->halves = repeats ? 2 * job->times : 1;
        blink->half_ms[0] = job->on_ms;
        blink->half_ms[1] = job->off_ms;
        blink->reads = job->kind == GPIO_JOB_TEST;
        blink->end = job->kind == GPIO_JOB_TEST || job->kind == GPIO_JOB_PULSE
                             ? GPIO_BLINK_ENDS_RESTORED
                             : GPIO_BLINK_ENDS_OPPOSITE;
}

void effect_start(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;
        struct gpio_blink *blink = &pin->blink;
        int r;

        *blink = (struct gpio_blink){.loop = executor->setup.loop,
                                     .lines = executor->lines,
                                     .pin = pin->number,
                                     .lets_go = pin->fresh,
                                     .on_changed = on_blink_changed,
                                     .on_done = on_blink_done};
        blink_describe(blink, job);
        pin->effect = *job;
        r = gpio_blink_start(blink);
        if (r < 0 && !gpio_lines_held(executor->lines, pin->number))
                pin_let_go(pin);
        pin->blinks = r == 0;
        if (r < 0 || !job->waits)
                executor_answer(executor, job, r);
}

void effect_end(struct gpio_pin *pin, bool leave)
{
        if (!pin->blinks)
                return;
        if (leave)
                gpio_blink_leave(&pin->blink);
        else
                gpio_blink_cancel(&pin->blink);
}
