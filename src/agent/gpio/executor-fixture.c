#include "agent/gpio/executor-fixture.h"

#include "agent/gpio/chardev.h"

#include <inttypes.h>

/* --- the supervisor ---------------------------------------------------------------------- */

uint64_t guard_link_new_id(struct guard_link *link)
{
        return ++link->last_id;
}

static int ask(struct guard_link *link, bool let_go, uint64_t id, guard_answered_fn *answered,
               void *context)
{
        CHECK(link->questions_count < LATER);
        link->questions[link->questions_count++] = (struct question){
                .let_go = let_go, .id = id, .answered = answered, .context = context};
        return 0;
}

int guard_link_hold(struct guard_link *link, const struct guard_hold *hold, int descriptor,
                    guard_answered_fn *answered, void *context)
{
        CHECK(descriptor >= 0);
        link->driven_when_held = !link->looks_away && level_of(link->fixture, hold->offsets[0]);
        link->hold = *hold;
        if (link->hold_result < 0)
                return link->hold_result;
        return ask(link, false, hold->id, answered, context);
}

int guard_link_let_go(struct guard_link *link, uint64_t id, guard_answered_fn *answered,
                      void *context)
{
        return ask(link, true, id, answered, context);
}

void guard_link_forget(struct guard_link *link)
{
        for (size_t i = 0; i < link->questions_count; i++)
                link->questions[i].answered = NULL;
}

struct guard_link *guard_link_free(struct guard_link *link)
{
        return NULL;
}

/* Answers the oldest question. */
void answer(struct guard_link *link, bool let_go, int error)
{
        struct question question = link->questions[0];

        CHECK(link->questions_count > 0);
        CHECK_EQ(question.let_go, let_go);
        link->questions_count--;
        memmove(link->questions, link->questions + 1,
                link->questions_count * sizeof(link->questions[0]));
        question.answered(question.context, error);
}

/* A simulated line whose descriptor a supervisor could use, unlike a real one. */
static int guardable = 0;

int __wrap_gpio_request_guardable_fd(const struct gpio_request *request);
int __wrap_gpio_request_guardable_fd(const struct gpio_request *request)
{
        return guardable;
}

void fixture_guardable(int descriptor)
{
        guardable = descriptor;
}

/* --- the rest ---------------------------------------------------------------------------- */

static struct gpio_result *fixture_result(void *owner, uint32_t slot)
{
        struct fixture *f = owner;

        CHECK(slot < SLOTS);
        /* What it does not clear is not to be relied on. */
        memset(&f->results[slot], 0xA5, sizeof(f->results[slot]));
        gpio_result_clear(&f->results[slot]);
        return &f->results[slot];
}

static void fixture_done_job(void *owner, uint32_t slot)
{
        struct fixture *f = owner;
        size_t length = strlen(f->order);

        f->done[slot]++;
        snprintf(f->order + length, sizeof(f->order) - length, "%u ", slot);
}

static void fixture_changed(void *owner, const struct gpio_pin_change *change)
{
        struct fixture *f = owner;
        size_t length = strlen(f->changes);

        if (change->moved)
                snprintf(f->changes + length, sizeof(f->changes) - length, "%u%c%s ", change->pin,
                         change->value ? '+' : '-', change->cause);
        else
                snprintf(f->changes + length, sizeof(f->changes) - length, "%u!%x/%" PRIu64 " ",
                         change->pin, change->warnings, change->edges_lost);
}

static size_t fixture_purge(void *owner, uint64_t tag, struct gpio_job ret[], size_t max)
{
        struct fixture *f = owner;
        size_t count = 0, kept = 0;

        for (size_t i = 0; i < f->waiting_count; i++) {
                if (count < max && (tag == GPIO_TAG_ALL || f->waiting[i].tag == tag))
                        ret[count++] = f->waiting[i];
                else
                        f->waiting[kept++] = f->waiting[i];
        }
        f->waiting_count = kept;
        return count;
}

static void open_kernel(struct fixture *f)
{
        struct error error;
        char path[128];

        f->kernel = fake_kernel_new();
        f->board = fake_kernel_add(f->kernel, "pinctrl-bcm2711", 32, true);
        snprintf(path, sizeof(path), "%s/gpiochip0", f->kernel->folder);
        CHECK_EQ(gpio_chardev_open(&f->kernel->system, path, &f->chip, &error), 0);
}

static void fixture_open(struct fixture *f, enum gpio_safe safe, bool guarded, const char *pwm_root,
                         bool kernel)
{
        struct gpio_executor_setup setup = {.safe = safe,
                                            .pwm_root = pwm_root,
                                            .slots = SLOTS,
                                            .owner = f,
                                            .result = fixture_result,
                                            .done = fixture_done_job,
                                            .changed = fixture_changed,
                                            .purge = fixture_purge};

        memset(f, 0, sizeof(*f));
        guardable = 0;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        if (kernel)
                open_kernel(f);
        else
                CHECK_EQ(gpio_sim_new(NULL, &f->chip), 0);
        f->link.fixture = f;
        setup.loop = f->loop;
        setup.chip = f->chip;
        CHECK_EQ(gpio_executor_new(&setup, &f->executor), 0);
        if (guarded)
                gpio_executor_link(f->executor, &f->link);
}

void fixture_init_pwm(struct fixture *f, enum gpio_safe safe, bool guarded, const char *pwm_root)
{
        fixture_open(f, safe, guarded, pwm_root, false);
}

void fixture_init(struct fixture *f, enum gpio_safe safe, bool guarded)
{
        fixture_open(f, safe, guarded, NULL, false);
}

void fixture_init_kernel(struct fixture *f, enum gpio_safe safe)
{
        fixture_open(f, safe, false, NULL, true);
}

/* As guard-link.c does when the link is freed, which is after the executor. */
static void link_done(struct guard_link *link)
{
        for (size_t i = 0; i < link->questions_count; i++)
                if (link->questions[i].answered)
                        link->questions[i].answered(link->questions[i].context, -ECANCELED);
}

void fixture_done(struct fixture *f)
{
        gpio_executor_free(f->executor);
        link_done(&f->link);
        gpio_chip_free(f->chip);
        loop_free(f->loop);
        if (f->kernel)
                CHECK_EQ(fake_kernel_free(f->kernel), 0);
}

bool level_of(struct fixture *f, unsigned pin)
{
        bool level;

        if (f->board)
                return f->board->lines[pin].level;
        CHECK_EQ(gpio_sim_level(f->chip, pin, &level), 0);
        return level;
}

struct gpio_line_info info_of(struct fixture *f, unsigned pin)
{
        struct gpio_line_info info;

        CHECK_EQ(gpio_chip_line_info(f->chip, pin, &info), 0);
        return info;
}

struct gpio_job job_of(enum gpio_job_kind kind, uint32_t slot, uint32_t pin)
{
        return (struct gpio_job){.kind = kind,
                                 .urgency = GPIO_URGENCY_NORMAL,
                                 .slot = slot,
                                 .pin = pin,
                                 .tag = 1,
                                 .cause = "job",
                                 .value = true,
                                 .times = 2,
                                 .on_ms = 100,
                                 .off_ms = 100};
}

void run_set(struct fixture *f, uint32_t slot, uint32_t pin, bool value)
{
        struct gpio_job job = job_of(GPIO_JOB_SET, slot, pin);

        job.value = value;
        job.on_ms = 0;
        gpio_executor_run(f->executor, &job);
}

void run(struct fixture *f, enum gpio_job_kind kind, uint32_t slot, uint32_t pin)
{
        struct gpio_job job = job_of(kind, slot, pin);

        job.waits = kind == GPIO_JOB_TEST;
        gpio_executor_run(f->executor, &job);
}

void run_safe(struct fixture *f, uint32_t slot, uint64_t pins, uint64_t purge_tag)
{
        struct gpio_job job = job_of(GPIO_JOB_SAFE, slot, 0);

        job.urgency = GPIO_URGENCY_SAFE;
        job.cause = "safe";
        job.pins = pins;
        job.purges = true;
        job.purge_tag = purge_tag;
        gpio_executor_run(f->executor, &job);
}
