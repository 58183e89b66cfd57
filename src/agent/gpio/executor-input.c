/* A pin that is listened to: its levels are told as they change. */
#include "agent/gpio/executor-internal.h"

static void on_level(void *owner, bool value)
{
        struct gpio_pin *pin = owner;

        pin_tell(pin, value, "input");
}

/* Told with the next look: losses come in crowds. */
static void on_lost(void *owner, uint64_t edges)
{
        struct gpio_pin *pin = owner;

        pin->edges_lost = edges;
        pin->untold = true;
        look_soon(pin->executor);
}

static void on_storm(void *owner, bool storms)
{
        pin_warn(owner, GPIO_WARNING_EDGE_STORM, storms);
}

void input_start(struct gpio_pin *pin, const struct gpio_job *job)
{
        const struct gpio_input_owner owner = {
                .owner = pin, .on_level = on_level, .on_lost = on_lost, .on_storm = on_storm};
        struct gpio_executor *executor = pin->executor;
        bool value;
        int r;

        effect_end(pin, true);
        if (!pin_take_over(pin, job))
                return;
        /* The supervisor would drive what it holds as an output. */
        if (!pin_give_line_up(pin, job))
                return;
        pin->edges_lost = 0;
        r = gpio_input_new(executor->setup.loop, executor->lines, pin->number, job->bias, &owner,
                           &pin->input, &value);
        if (r == 0)
                pin_tell(pin, value, job->cause);
        executor_answer(executor, job, r);
}

void input_end(struct gpio_pin *pin)
{
        if (!pin->input)
                return;
        pin->input = gpio_input_free(pin->input);
        pin->told = false;
        pin_warn(pin, GPIO_WARNING_EDGE_STORM, false);
}
