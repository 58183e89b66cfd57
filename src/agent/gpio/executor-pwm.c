/* PWM on a pin: by its hardware channel where it has one, else by software. */
#include "agent/gpio/executor-internal.h"
#include "agent/gpio/pwm-sysfs.h"
#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
        RETRY_MS = 20, /* while udev hands the channel's files over */
        RETRIES_MAX = 50,
};

static int drive_line(void *request, bool value)
{
        return gpio_request_set(request, 1, value);
}

/* A signal that never began leaves nothing behind, but a channel that may be on: that
 * stays held. */
static void undo(struct gpio_pin *pin)
{
        (void)pwm_end(pin);
        (void)gpio_lines_release(pin->executor->lines, pin->number);
        if (!pin->waits && !pin->pwm)
                pin_let_go(pin);
}

static void answer_set(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_result *result = executor_result(pin->executor, job);

        result->error = gpio_pwm_set(pin->pwm, job->duty, job->frequency_hz);
        result->duty = pin->pwm->duty;
        result->frequency_hz = pin->pwm->frequency_hz;
        result->hardware = pin->pwm->operations->hardware;
        if (result->error < 0 && pin->pwm->frequency_hz == 0)
                undo(pin);
        executor_done(pin->executor, job);
}

/* --- hardware ---------------------------------------------------------------------------- */

static void on_retry(struct loop_timer *timer)
{
        struct gpio_pin *pin = container_of(timer, struct gpio_pin, retry);

        bool again = ++pin->retries < RETRIES_MAX;

        if (!again)
                pin->retries = 0;
        pin_decided(pin, again ? 0 : -EACCES);
}

static void wait_for_udev(struct gpio_pin *pin, const struct gpio_job *job)
{
        pin_park_first(pin, job);
        pin->waits = true;
        loop_timer_start(&pin->retry, RETRY_MS);
}

static int guard_channel(struct gpio_pin *pin, const struct gpio_pwm *channel)
{
        return gpio_guarded_take_pwm(pin->executor->guarded, pin->number,
                                     gpio_pwm_sysfs_folder(channel),
                                     gpio_pwm_sysfs_enable_fd(channel));
}

int pwm_guard(struct gpio_pin *pin)
{
        return guard_channel(pin, pin->pwm);
}

bool pwm_adopt(struct gpio_executor *executor, const struct guard_hold *hold)
{
        unsigned number = hold->offsets[0];
        struct gpio_pwm_place place;
        struct gpio_pwm *channel;

        if (number >= GPIO_LINES_MAX || executor->pins[number].pwm || !executor->setup.pwm_root ||
            gpio_pwm_sysfs_find(executor->setup.pwm_root, number, &place) < 0 ||
            gpio_pwm_sysfs_open(&place, &channel) < 0)
                return false;
        if (strcmp(gpio_pwm_sysfs_folder(channel), hold->chip) != 0 ||
            !gpio_guarded_adopt_pwm(executor->guarded, hold)) {
                gpio_pwm_abandon(channel);
                return false;
        }
        executor->pins[number].pwm = channel;
        return true;
}

static void set_hardware(struct gpio_pin *pin, const struct gpio_job *job,
                         const struct gpio_pwm_place *place)
{
        int r = 0;

        /* A request would switch the pin away from its channel. */
        if (!pin_give_line_up(pin, job))
                return;
        if (!pin->next_pwm)
                r = gpio_pwm_sysfs_open(place, &pin->next_pwm);
        if (r == -EAGAIN) {
                wait_for_udev(pin, job);
                return;
        }
        pin->retries = 0;
        if (r == 0)
                r = guard_channel(pin, pin->next_pwm);
        if (r == GPIO_GUARDED_PENDING) {
                pin_park_first(pin, job);
                pin_wait(pin);
                return;
        }
        if (r < 0) {
                executor_answer(pin->executor, job, r);
                return;
        }
        pin->pwm = TAKE(pin->next_pwm);
        answer_set(pin, job);
}

/* --- software ---------------------------------------------------------------------------- */

static void set_software(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;
        struct gpio_lines *lines = executor->lines;
        int r = gpio_guarded_take(executor->guarded, pin->number);

        if (r == GPIO_GUARDED_PENDING) {
                pin_park_first(pin, job);
                pin_wait(pin);
                return;
        }
        if (r == 0)
                r = gpio_lines_set(lines, pin->number, false);
        if (r == 0)
                r = gpio_pwm_software_new(executor->pwm_group, drive_line,
                                          gpio_lines_request(lines, pin->number), &pin->pwm);
        look_soon(executor);
        if (r < 0)
                executor_answer(executor, job, r);
        else
                answer_set(pin, job);
}

/* --- either ------------------------------------------------------------------------------ */

void pwm_set(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;
        struct gpio_pwm_place place;

        effect_end(pin, true);
        input_end(pin);
        pin->told = false;
        if (pin->pwm)
                answer_set(pin, job);
        else if (executor->setup.pwm_root &&
                 gpio_pwm_sysfs_find(executor->setup.pwm_root, pin->number, &place) == 0)
                set_hardware(pin, job, &place);
        else
                set_software(pin, job);
}

int pwm_end(struct gpio_pin *pin)
{
        bool hardware;
        int r;

        pin->next_pwm = gpio_pwm_free(pin->next_pwm);
        if (!pin->pwm)
                return 0;
        hardware = pin->pwm->operations->hardware;
        r = gpio_pwm_stop(pin->pwm);
        /* A channel goes on then. By software there are no edges any more, whatever the
         * line said, and no signal may outlive its line. */
        if (r < 0 && hardware)
                return r;
        pin->pwm = gpio_pwm_abandon(pin->pwm);
        pin_warn(pin, GPIO_WARNING_PWM_FAILED, false);
        if (hardware)
                pin_let_go(pin);
        return r;
}

void pwm_init(struct gpio_pin *pin)
{
        loop_timer_init(&pin->retry, pin->executor->setup.loop, on_retry);
}

void pwm_done(struct gpio_pin *pin)
{
        loop_timer_stop(&pin->retry);
        pin->next_pwm = gpio_pwm_abandon(pin->next_pwm);
        pin->pwm = gpio_pwm_abandon(pin->pwm);
}
