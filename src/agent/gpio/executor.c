#include "agent/gpio/executor-internal.h"
#include "base/attributes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PURGED_AT_ONCE = 16 };

/* --- results ----------------------------------------------------------------------------- */

struct gpio_result *executor_result(struct gpio_executor *executor, const struct gpio_job *job)
{
        struct gpio_result *result = &executor->unseen;

        if (job->slot == GPIO_NO_SLOT)
                gpio_result_clear(result);
        else
                result = executor->setup.result(executor->setup.owner, job->slot);
        result->pin = job->pin;
        result->value = job->value;
        return result;
}

void executor_done(struct gpio_executor *executor, const struct gpio_job *job)
{
        if (job->slot != GPIO_NO_SLOT)
                executor->setup.done(executor->setup.owner, job->slot);
}

void executor_answer(struct gpio_executor *executor, const struct gpio_job *job, int error)
{
        struct gpio_result *result;
        struct gpio_line_info info;

        if (error == -EBUSY && job->pin < GPIO_LINES_MAX &&
            busy_park(&executor->pins[job->pin], job))
                return;
        result = executor_result(executor, job);
        result->error = error;
        if (error == -EBUSY && gpio_chip_line_info(executor->setup.chip, job->pin, &info) == 0)
                memcpy(result->consumer, info.consumer, sizeof(result->consumer));
        executor_done(executor, job);
}

/* What becomes of a job that a safe state overtakes. */
int executor_cancelled(const struct gpio_executor *executor)
{
        return executor->stopping ? -ESHUTDOWN : -ECANCELED;
}

static void tell(struct gpio_pin *pin, bool moved)
{
        const struct gpio_pin_change change = {.pin = pin->number,
                                               .moved = moved,
                                               .value = pin->told_value,
                                               .cause = pin->cause,
                                               .warnings = pin->warnings,
                                               .edges_lost = pin->edges_lost};

        pin->untold = false;
        pin->executor->setup.changed(pin->executor->setup.owner, &change);
}

void pin_tell(struct gpio_pin *pin, bool value, const char *cause)
{
        look_soon(pin->executor);
        if (pin->told && pin->told_value == value)
                return;
        pin->told = true;
        pin->told_value = value;
        pin->cause = cause;
        tell(pin, true);
}

void pin_tell_anew(struct gpio_pin *pin)
{
        tell(pin, false);
}

/* --- waiting ----------------------------------------------------------------------------- */

void pin_park(struct gpio_pin *pin, const struct gpio_job *job, struct list *where)
{
        struct parked *parked = &pin->executor->parked[job->slot];

        parked->job = *job;
        list_append(where, &parked->link);
}

void pin_park_first(struct gpio_pin *pin, const struct gpio_job *job)
{
        pin_park(pin, job, pin->parked.next);
}

static void park_last(struct gpio_pin *pin, const struct gpio_job *job)
{
        pin_park(pin, job, &pin->parked);
}

static bool unpark(struct gpio_pin *pin, struct gpio_job *ret)
{
        struct list *link = list_take_first(&pin->parked);

        if (!link)
                return false;
        *ret = container_of(link, struct parked, link)->job;
        return true;
}

void pin_wait(struct gpio_pin *pin)
{
        pin->waits = true;
        loop_timer_start(&pin->patience, GPIO_ANSWER_MS);
}

/* The pin goes on waiting, whoever wanted it does not. */
static void on_out_of_patience(struct loop_timer *timer)
{
        struct gpio_pin *pin = container_of(timer, struct gpio_pin, patience);
        struct gpio_job job;

        while (unpark(pin, &job))
                executor_answer(pin->executor, &job, -ETIMEDOUT);
}

void pin_decided(struct gpio_pin *pin, int result)
{
        struct gpio_job job;

        pin->waits = false;
        loop_timer_stop(&pin->patience);
        if (result < 0 && unpark(pin, &job))
                executor_answer(pin->executor, &job, result);
        while (!pin->waits && unpark(pin, &job))
                gpio_executor_run(pin->executor, &job);
}

/* Nobody holds it beside us, or not for the safe state that is configured: what ran on it before
 * it was handed over ends with it. */
static void give_up_refused(struct gpio_pin *pin)
{
        effect_end(pin, true);
        (void)pwm_end(pin);
        (void)gpio_lines_release(pin->executor->lines, pin->number);
}

static void on_decided(void *owner, unsigned number, int result)
{
        struct gpio_executor *executor = owner;
        struct gpio_pin *pin = &executor->pins[number];

        if (result < 0)
                give_up_refused(pin);
        pin_decided(pin, result);
}

void pin_let_go(struct gpio_pin *pin)
{
        pin->told = false;
        pin_warn(pin, GPIO_WARNING_FOREIGN_WRITE, false);
        if (gpio_guarded_let_go(pin->executor->guarded, pin->number) == GPIO_GUARDED_PENDING)
                pin_wait(pin);
}

bool pin_give_line_up(struct gpio_pin *pin, const struct gpio_job *job)
{
        if (!gpio_lines_held(pin->executor->lines, pin->number))
                return true;
        (void)gpio_lines_release(pin->executor->lines, pin->number);
        pin_let_go(pin);
        if (pin->waits)
                pin_park_first(pin, job);
        return !pin->waits;
}

/* --- jobs for one pin -------------------------------------------------------------------- */

static void set(struct gpio_pin *pin, const struct gpio_job *job)
{
        int r = gpio_lines_set(pin->executor->lines, pin->number, job->value);

        if (r == 0)
                pin_tell(pin, job->value, job->cause);
        executor_answer(pin->executor, job, r);
}

bool pin_take_over(struct gpio_pin *pin, const struct gpio_job *job)
{
        int r = pwm_end(pin);

        if (r < 0) {
                executor_answer(pin->executor, job, r);
                return false;
        }
        if (pin->waits) {
                pin_park_first(pin, job);
                return false;
        }
        input_end(pin);
        return true;
}

static void drive(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;
        int r;

        if (!pin_take_over(pin, job))
                return;
        if (!gpio_lines_held(executor->lines, pin->number))
                pin->fresh = true;
        r = gpio_guarded_take(executor->guarded, pin->number);
        if (r == GPIO_GUARDED_PENDING) {
                pin_park_first(pin, job);
                pin_wait(pin);
                return;
        }
        effect_end(pin, true);
        if (r < 0)
                executor_answer(executor, job, r);
        else if (job->kind == GPIO_JOB_SET && job->on_ms == 0)
                set(pin, job);
        else
                effect_start(pin, job);
        pin->fresh = false;
}

static void read_level(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_result *result = executor_result(pin->executor, job);

        result->error = gpio_lines_get(pin->executor->lines, pin->number, &result->value);
        executor_done(pin->executor, job);
}

static void free_pin(struct gpio_pin *pin, const struct gpio_job *job)
{
        int ended, r;

        effect_end(pin, true);
        input_end(pin);
        ended = pwm_end(pin);
        r = gpio_lines_release(pin->executor->lines, pin->number);
        if (r == 0)
                r = ended;
        /* A channel that is on still must stay somebody's to switch off. */
        if (!pin->waits && !pin->pwm)
                pin_let_go(pin);
        executor_answer(pin->executor, job, r);
}

static void run_on_pin(struct gpio_pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;

        busy_retry_if_free(pin);
        if (pin->waits)
                park_last(pin, job);
        else if (job->kind == GPIO_JOB_READ && !pin->pwm)
                read_level(pin, job);
        else if (executor->stopping)
                executor_answer(executor, job, -ESHUTDOWN);
        else if (pin->blinks && pin->effect.kind == GPIO_JOB_TEST)
                executor_answer(executor, job, -EINPROGRESS);
        else if (job->kind == GPIO_JOB_PWM_OFF && !pin->pwm)
                executor_answer(executor, job, 0);
        else if (job->kind == GPIO_JOB_FREE || job->kind == GPIO_JOB_PWM_OFF)
                free_pin(pin, job);
        else if (job->kind == GPIO_JOB_PWM_SET)
                pwm_set(pin, job);
        else if (job->kind == GPIO_JOB_LISTEN)
                input_start(pin, job);
        else
                drive(pin, job);
}

/* --- jobs for all of them ---------------------------------------------------------------- */

static void describe_pin(struct gpio_executor *executor, unsigned number,
                         struct gpio_pin_status *ret)
{
        struct gpio_pin *pin = &executor->pins[number];
        struct gpio_line_info info;

        *ret = (struct gpio_pin_status){.exists = false};
        if (gpio_chip_line_info(executor->setup.chip, number, &info) < 0)
                return;
        ret->exists = true;
        ret->output = info.config.direction == GPIO_DIRECTION_OUTPUT;
        /* Under a signal there is no level to speak of, and the line is another
         * thread's. */
        if (pin->pwm)
                ret->output = true;
        else
                ret->held = gpio_lines_get(executor->lines, number, &ret->value) == 0;
        ret->used = info.used;
        memcpy(ret->consumer, info.consumer, sizeof(ret->consumer));
        look_at(pin);
        ret->warnings = pin->warnings;
        ret->edges_lost = pin->edges_lost;
}

static void tell_status(struct gpio_executor *executor, const struct gpio_job *job)
{
        bool all = job->pin == GPIO_STATUS_ALL;
        unsigned first = all ? 0 : job->pin, last = all ? GPIO_PINS - 1 : job->pin;
        struct gpio_result *result;

        if (last >= GPIO_PINS) {
                executor_answer(executor, job, -EINVAL);
                return;
        }
        /* Behind the jobs that came before it. */
        for (unsigned number = first; number <= last; number++) {
                if (executor->pins[number].waits) {
                        park_last(&executor->pins[number], job);
                        return;
                }
        }
        result = executor_result(executor, job);
        result->first = first;
        result->last = last;
        for (unsigned number = first; number <= last; number++)
                describe_pin(executor, number, &result->pins[number]);
        executor_done(executor, job);
}

static void cancel(struct gpio_pin *pin, struct list *waiting, uint64_t tag)
{
        list_for_each (waiting, link) {
                const struct gpio_job *job = &container_of(link, struct parked, link)->job;

                if (job->kind == GPIO_JOB_STATUS || (tag != GPIO_TAG_ALL && tag != job->tag))
                        continue;
                list_remove(link);
                executor_answer(pin->executor, job, executor_cancelled(pin->executor));
        }
}

static void cancel_parked(struct gpio_pin *pin, uint64_t tag)
{
        cancel(pin, &pin->parked, tag);
        cancel(pin, &pin->busy, tag);
        busy_parked_less(pin);
}

/* A pin that waits for the supervisor is not driven yet: it is at its safe state. */
static int make_safe(struct gpio_pin *pin, const char *cause)
{
        struct gpio_executor *executor = pin->executor;
        bool restores = pin->blink.lets_go && pin->blink.end == GPIO_BLINK_ENDS_RESTORED;
        bool value;
        int r;

        if (executor->setup.safe != GPIO_SAFE_HOLD) {
                r = pwm_end(pin);
                if (r < 0 && pin->pwm)
                        return r;
        }
        /* What the effect would end with may be less safe than what it is now. */
        effect_end(pin, !restores);
        if (pin->pwm || !gpio_lines_driven(executor->lines, pin->number))
                return 0;
        r = gpio_lines_safe(executor->lines, pin->number, executor->setup.safe);
        if (r < 0)
                return r;
        if (!gpio_lines_driven(executor->lines, pin->number))
                pin->told = false;
        else if (gpio_lines_get(executor->lines, pin->number, &value) == 0)
                pin_tell(pin, value, cause);
        return 0;
}

static void purge(struct gpio_executor *executor, uint64_t tag)
{
        struct gpio_job jobs[PURGED_AT_ONCE];
        size_t count;

        do {
                count = executor->setup.purge(executor->setup.owner, tag, jobs, PURGED_AT_ONCE);
                for (size_t i = 0; i < count; i++)
                        executor_answer(executor, &jobs[i], executor_cancelled(executor));
        } while (count == PURGED_AT_ONCE);
        for (unsigned number = 0; number < GPIO_LINES_MAX; number++)
                cancel_parked(&executor->pins[number], tag);
}

static void run_safe(struct gpio_executor *executor, const struct gpio_job *job)
{
        int first = 0;

        executor->stopping |= job->stopping;
        for (unsigned number = 0; number < GPIO_LINES_MAX; number++) {
                int r = 0;

                if (job->pins >> number & 1)
                        r = make_safe(&executor->pins[number], job->cause);
                if (first == 0)
                        first = r;
        }
        if (job->purges)
                purge(executor, job->purge_tag);
        executor_answer(executor, job, first);
}

void gpio_executor_run(struct gpio_executor *executor, const struct gpio_job *job)
{
        if (job->kind == GPIO_JOB_SAFE)
                run_safe(executor, job);
        else if (job->slot >= executor->setup.slots)
                return;
        else if (job->kind == GPIO_JOB_STATUS)
                tell_status(executor, job);
        else if (job->pin >= GPIO_LINES_MAX)
                executor_answer(executor, job, -EINVAL);
        else
                run_on_pin(&executor->pins[job->pin], job);
}

/* --- the supervisor ---------------------------------------------------------------------- */

void gpio_executor_return(struct gpio_executor *executor, const struct guard_hold *hold,
                          int descriptor)
{
        AUTO_CLOSE int fd = descriptor;

        if (hold->kind != GUARD_KIND_PWM || !pwm_adopt(executor, hold))
                gpio_guarded_return(executor->guarded, hold, TAKE_FD(fd));
        look_soon(executor);
}

/* What is driven already is held as it would be held now: the configuration may be
 * another than that of the agent who died. */
static void guard_again(struct gpio_pin *pin)
{
        struct gpio_executor *executor = pin->executor;
        int r = 0;

        if (pin->waits)
                return;
        if (pin->pwm && pin->pwm->operations->hardware)
                r = pwm_guard(pin);
        else if (gpio_lines_driven(executor->lines, pin->number))
                r = gpio_guarded_take(executor->guarded, pin->number);
        if (r == GPIO_GUARDED_PENDING)
                pin_wait(pin);
}

void gpio_executor_link(struct gpio_executor *executor, struct guard_link *link)
{
        gpio_guarded_link(executor->guarded, link);
        for (unsigned number = 0; link && number < GPIO_LINES_MAX; number++)
                guard_again(&executor->pins[number]);
}

/* --- from beginning to end --------------------------------------------------------------- */

static int executor_open(struct gpio_executor *executor)
{
        struct gpio_chip_info info;
        int r;

        for (unsigned number = 0; number < GPIO_LINES_MAX; number++) {
                struct gpio_pin *pin = &executor->pins[number];

                pin->executor = executor;
                pin->number = number;
                list_init(&pin->parked);
                loop_timer_init(&pin->patience, executor->setup.loop, on_out_of_patience);
                pwm_init(pin);
        }
        look_init(executor);
        gpio_chip_info(executor->setup.chip, &info);
        r = busy_init(executor);
        if (r == 0)
                r = gpio_lines_new(executor->setup.chip, &executor->lines);
        if (r == 0)
                r = gpio_pwm_group_new(&executor->pwm_group);
        if (r == 0)
                r = gpio_guarded_new(executor->lines, &info, executor->setup.safe, on_decided,
                                     executor, &executor->guarded);
        return r;
}

int gpio_executor_new(const struct gpio_executor_setup *setup, struct gpio_executor **ret)
{
        AUTO(gpio_executor)
        struct gpio_executor *executor =
                calloc(1, sizeof(*executor) + setup->slots * sizeof(struct parked));
        int r;

        if (!executor)
                return -ENOMEM;
        executor->setup = *setup;
        r = executor_open(executor);
        if (r < 0)
                return r;
        *ret = TAKE(executor);
        return 0;
}

struct gpio_executor *gpio_executor_free(struct gpio_executor *executor)
{
        if (!executor)
                return NULL;
        for (unsigned number = 0; number < GPIO_LINES_MAX; number++) {
                loop_timer_stop(&executor->pins[number].patience);
                pwm_done(&executor->pins[number]);
                executor->pins[number].input = gpio_input_free(executor->pins[number].input);
                if (executor->pins[number].blinks)
                        loop_timer_stop(&executor->pins[number].blink.timer);
        }
        look_done(executor);
        busy_done(executor);
        gpio_pwm_group_free(executor->pwm_group);
        gpio_guarded_free(executor->guarded);
        gpio_lines_free(executor->lines);
        free(executor);
        return NULL;
}
