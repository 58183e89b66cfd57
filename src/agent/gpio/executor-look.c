/* What is wrong with a pin that works all the same: found by looking now and then,
 * told when it begins and when it ends. */
#include "agent/gpio/executor-internal.h"
#include "base/attributes.h"

static bool is_ours_to_read(const struct gpio_pin *pin)
{
        /* Under a signal the line is another thread's. */
        return !pin->pwm && gpio_lines_driven(pin->executor->lines, pin->number);
}

void pin_warn(struct gpio_pin *pin, enum gpio_warning warning, bool holds)
{
        unsigned before = pin->warnings;

        pin->warnings = holds ? before | warning : before & ~warning;
        if (pin->warnings != before)
                pin_tell_anew(pin);
}

/* Since it was last asked. */
static bool software_failed(const struct gpio_pin *pin)
{
        return pin->pwm && !pin->pwm->operations->hardware && gpio_pwm_software_error(pin->pwm) < 0;
}

void look_at(struct gpio_pin *pin)
{
        uint64_t mismatches = 0;

        if (is_ours_to_read(pin) &&
            gpio_request_verify(gpio_lines_request(pin->executor->lines, pin->number),
                                &mismatches) < 0)
                return;
        pin_warn(pin, GPIO_WARNING_FOREIGN_WRITE, mismatches != 0);
        pin_warn(pin, GPIO_WARNING_PWM_FAILED, software_failed(pin));
}

static void on_look(struct loop_timer *timer)
{
        struct gpio_executor *executor = container_of(timer, struct gpio_executor, look);
        bool again = false;

        for (unsigned number = 0; number < GPIO_LINES_MAX; number++) {
                struct gpio_pin *pin = &executor->pins[number];

                look_at(pin);
                if (pin->untold)
                        pin_tell_anew(pin);
                again |= gpio_lines_driven(executor->lines, number);
        }
        if (again)
                look_soon(executor);
}

void look_soon(struct gpio_executor *executor)
{
        if (!executor->look.armed)
                loop_timer_start(&executor->look, GPIO_LOOK_MS);
}

void look_init(struct gpio_executor *executor)
{
        loop_timer_init(&executor->look, executor->setup.loop, on_look);
}

void look_done(struct gpio_executor *executor)
{
        loop_timer_stop(&executor->look);
}
