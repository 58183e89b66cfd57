#include "agent/gpio/executor.h"

#include "agent/gpio/guarded.h"
#include "base/attributes.h"
#include "base/list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PURGED_AT_ONCE = 16 };

struct parked {
        struct list link;
        struct gpio_job job;
};

struct pin {
        struct gpio_executor *executor;
        unsigned number;
        bool waits;         /* for `guarded` to decide */
        struct list parked; /* the job that waits first, then those behind it */
        struct loop_timer patience;

        struct gpio_blink blink;
        bool blinks;
        struct gpio_job effect; /* the job that made it blink */
        bool fresh;             /* taken for this job: the pin was free before */

        bool told, told_value; /* what the last event said */
};

struct gpio_executor {
        struct gpio_executor_setup setup;
        struct gpio_lines *lines;
        struct gpio_guarded *guarded;
        bool stopping;
        struct gpio_result unseen; /* where results go that nobody waits for */
        struct pin pins[GPIO_LINES_MAX];
        struct parked parked[]; /* by slot */
};

/* --- results ----------------------------------------------------------------------------- */

static struct gpio_result *result_of(struct gpio_executor *executor, const struct gpio_job *job)
{
        struct gpio_result *result = &executor->unseen;

        if (job->slot == GPIO_NO_SLOT)
                memset(result, 0, sizeof(*result));
        else
                result = executor->setup.result(executor->setup.owner, job->slot);
        result->pin = job->pin;
        result->value = job->value;
        return result;
}

static void result_done(struct gpio_executor *executor, const struct gpio_job *job)
{
        if (job->slot != GPIO_NO_SLOT)
                executor->setup.done(executor->setup.owner, job->slot);
}

static void answer(struct gpio_executor *executor, const struct gpio_job *job, int error)
{
        struct gpio_result *result = result_of(executor, job);

        result->error = error;
        if (error == -EBUSY)
                (void)gpio_chip_line_holder(executor->setup.chip, job->pin, &result->holder);
        result_done(executor, job);
}

/* What becomes of a job that a safe state overtakes. */
static int cancelled(const struct gpio_executor *executor)
{
        return executor->stopping ? -ESHUTDOWN : -ECANCELED;
}

static void tell(struct pin *pin, bool value, const char *cause)
{
        const struct gpio_pin_change change = {.pin = pin->number, .value = value, .cause = cause};

        if (pin->told && pin->told_value == value)
                return;
        pin->told = true;
        pin->told_value = value;
        pin->executor->setup.changed(pin->executor->setup.owner, &change);
}

/* --- waiting ----------------------------------------------------------------------------- */

static void park(struct pin *pin, const struct gpio_job *job, bool first)
{
        struct parked *parked = &pin->executor->parked[job->slot];

        parked->job = *job;
        if (first)
                list_append(pin->parked.next, &parked->link);
        else
                list_append(&pin->parked, &parked->link);
}

static bool unpark(struct pin *pin, struct gpio_job *ret)
{
        struct list *link = list_take_first(&pin->parked);

        if (!link)
                return false;
        *ret = container_of(link, struct parked, link)->job;
        return true;
}

static void wait_for_decision(struct pin *pin)
{
        pin->waits = true;
        loop_timer_start(&pin->patience, GPIO_ANSWER_MS);
}

/* The pin goes on waiting, whoever wanted it does not. */
static void on_out_of_patience(struct loop_timer *timer)
{
        struct pin *pin = container_of(timer, struct pin, patience);
        struct gpio_job job;

        while (unpark(pin, &job))
                answer(pin->executor, &job, -ETIMEDOUT);
}

static void on_decided(void *owner, unsigned number, int result)
{
        struct gpio_executor *executor = owner;
        struct pin *pin = &executor->pins[number];
        struct gpio_job job;

        pin->waits = false;
        loop_timer_stop(&pin->patience);
        if (result < 0 && unpark(pin, &job))
                answer(executor, &job, result);
        while (!pin->waits && unpark(pin, &job))
                gpio_executor_run(executor, &job);
}

/* --- effects ----------------------------------------------------------------------------- */

static void let_go(struct pin *pin)
{
        pin->told = false;
        if (gpio_guarded_let_go(pin->executor->guarded, pin->number) == GPIO_GUARDED_PENDING)
                wait_for_decision(pin);
}

static void on_blink_changed(struct gpio_blink *blink, bool value)
{
        struct pin *pin = container_of(blink, struct pin, blink);

        tell(pin, value, pin->effect.cause);
}

static void answer_test(struct pin *pin)
{
        const struct gpio_blink *blink = &pin->blink;
        struct gpio_result *result = result_of(pin->executor, &pin->effect);

        memcpy(result->readings, blink->readings, sizeof(result->readings));
        result->readings_count = blink->readings_count;
        result->times = pin->effect.times;
        result->interval_ms = pin->effect.on_ms;
        result->passed = gpio_blink_passed(blink);
        result_done(pin->executor, &pin->effect);
}

static void on_blink_done(struct gpio_blink *blink, int error)
{
        struct pin *pin = container_of(blink, struct pin, blink);

        pin->blinks = false;
        if (!gpio_lines_held(pin->executor->lines, pin->number))
                let_go(pin);
        if (!pin->effect.waits)
                return;
        if (error == 0 && pin->effect.kind == GPIO_JOB_TEST)
                answer_test(pin);
        else
                answer(pin->executor, &pin->effect,
                       error == -ECANCELED ? cancelled(pin->executor) : error);
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

static void start_effect(struct pin *pin, const struct gpio_job *job)
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
                let_go(pin);
        pin->blinks = r == 0;
        if (r < 0 || !job->waits)
                answer(executor, job, r);
}

static void end_effect(struct pin *pin, bool leave)
{
        if (!pin->blinks)
                return;
        if (leave)
                gpio_blink_leave(&pin->blink);
        else
                gpio_blink_cancel(&pin->blink);
}

/* --- jobs for one pin -------------------------------------------------------------------- */

static void set(struct pin *pin, const struct gpio_job *job)
{
        int r = gpio_lines_set(pin->executor->lines, pin->number, job->value);

        if (r == 0)
                tell(pin, job->value, job->cause);
        answer(pin->executor, job, r);
}

static void drive(struct pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;
        int r;

        if (!gpio_lines_held(executor->lines, pin->number))
                pin->fresh = true;
        r = gpio_guarded_take(executor->guarded, pin->number);
        if (r == GPIO_GUARDED_PENDING) {
                park(pin, job, true);
                wait_for_decision(pin);
                return;
        }
        end_effect(pin, true);
        if (r < 0)
                answer(executor, job, r);
        else if (job->kind == GPIO_JOB_SET && job->on_ms == 0)
                set(pin, job);
        else
                start_effect(pin, job);
        pin->fresh = false;
}

static void read_level(struct pin *pin, const struct gpio_job *job)
{
        struct gpio_result *result = result_of(pin->executor, job);

        result->error = gpio_lines_get(pin->executor->lines, pin->number, &result->value);
        result_done(pin->executor, job);
}

static void free_pin(struct pin *pin, const struct gpio_job *job)
{
        int r;

        end_effect(pin, true);
        r = gpio_lines_release(pin->executor->lines, pin->number);
        let_go(pin);
        answer(pin->executor, job, r);
}

static void run_on_pin(struct pin *pin, const struct gpio_job *job)
{
        struct gpio_executor *executor = pin->executor;

        if (pin->waits)
                park(pin, job, false);
        else if (job->kind == GPIO_JOB_READ)
                read_level(pin, job);
        else if (executor->stopping)
                answer(executor, job, -ESHUTDOWN);
        else if (pin->blinks && pin->effect.kind == GPIO_JOB_TEST)
                answer(executor, job, -EINPROGRESS);
        else if (job->kind == GPIO_JOB_FREE)
                free_pin(pin, job);
        else
                drive(pin, job);
}

/* --- jobs for all of them ---------------------------------------------------------------- */

static void describe_pin(struct gpio_executor *executor, unsigned number,
                         struct gpio_pin_status *ret)
{
        struct gpio_line_info info;

        if (gpio_chip_line_info(executor->setup.chip, number, &info) < 0)
                return;
        ret->exists = true;
        ret->output = info.config.direction == GPIO_DIRECTION_OUTPUT;
        ret->held = gpio_lines_get(executor->lines, number, &ret->value) == 0;
        ret->used = info.used;
        memcpy(ret->consumer, info.consumer, sizeof(ret->consumer));
}

static void tell_status(struct gpio_executor *executor, const struct gpio_job *job)
{
        bool all = job->pin == GPIO_STATUS_ALL;
        unsigned first = all ? 0 : job->pin, last = all ? GPIO_PINS - 1 : job->pin;
        struct gpio_result *result;

        if (last >= GPIO_PINS) {
                answer(executor, job, -EINVAL);
                return;
        }
        /* Behind the jobs that came before it. */
        for (unsigned number = first; number <= last; number++) {
                if (executor->pins[number].waits) {
                        park(&executor->pins[number], job, false);
                        return;
                }
        }
        result = result_of(executor, job);
        result->first = first;
        result->last = last;
        for (unsigned number = first; number <= last; number++)
                describe_pin(executor, number, &result->pins[number]);
        result_done(executor, job);
}

static void cancel_parked(struct pin *pin, uint64_t tag)
{
        list_for_each (&pin->parked, link) {
                const struct gpio_job *job = &container_of(link, struct parked, link)->job;

                if (job->kind == GPIO_JOB_STATUS || (tag != GPIO_TAG_ALL && tag != job->tag))
                        continue;
                list_remove(link);
                answer(pin->executor, job, cancelled(pin->executor));
        }
}

/* A pin that waits for the supervisor is not driven yet: it is at its safe state. */
static int make_safe(struct pin *pin, const char *cause)
{
        struct gpio_executor *executor = pin->executor;
        bool restores = pin->blink.lets_go && pin->blink.end == GPIO_BLINK_ENDS_RESTORED;
        bool value;
        int r;

        /* What the effect would end with may be less safe than what it is now. */
        end_effect(pin, !restores);
        if (!gpio_lines_driven(executor->lines, pin->number))
                return 0;
        r = gpio_lines_safe(executor->lines, pin->number, executor->setup.safe);
        if (r < 0)
                return r;
        if (!gpio_lines_driven(executor->lines, pin->number))
                pin->told = false;
        else if (gpio_lines_get(executor->lines, pin->number, &value) == 0)
                tell(pin, value, cause);
        return 0;
}

static void purge(struct gpio_executor *executor, uint64_t tag)
{
        struct gpio_job jobs[PURGED_AT_ONCE];
        size_t count;

        do {
                count = executor->setup.purge(executor->setup.owner, tag, jobs, PURGED_AT_ONCE);
                for (size_t i = 0; i < count; i++)
                        answer(executor, &jobs[i], cancelled(executor));
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
        answer(executor, job, first);
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
                answer(executor, job, -EINVAL);
        else
                run_on_pin(&executor->pins[job->pin], job);
}

/* --- the supervisor ---------------------------------------------------------------------- */

void gpio_executor_return(struct gpio_executor *executor, const struct guard_hold *hold,
                          int descriptor)
{
        gpio_guarded_return(executor->guarded, hold, descriptor);
}

void gpio_executor_link(struct gpio_executor *executor, struct guard_link *link)
{
        gpio_guarded_link(executor->guarded, link);
}

/* --- from beginning to end --------------------------------------------------------------- */

static int executor_open(struct gpio_executor *executor)
{
        struct gpio_chip_info info;
        int r;

        for (unsigned number = 0; number < GPIO_LINES_MAX; number++) {
                struct pin *pin = &executor->pins[number];

                pin->executor = executor;
                pin->number = number;
                list_init(&pin->parked);
                loop_timer_init(&pin->patience, executor->setup.loop, on_out_of_patience);
        }
        gpio_chip_info(executor->setup.chip, &info);
        r = gpio_lines_new(executor->setup.chip, &executor->lines);
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
                if (executor->pins[number].blinks)
                        loop_timer_stop(&executor->pins[number].blink.timer);
        }
        gpio_guarded_free(executor->guarded);
        gpio_lines_free(executor->lines);
        free(executor);
        return NULL;
}
