/* What jobs do to lines, with a supervisor that the test plays. */
#include "agent/gpio/chip-backend.h"
#include "agent/gpio/executor.h"
#include "agent/gpio/sim.h"
#include "base/attributes.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

enum { SLOTS = 16, LATER = 4 };

/* --- the supervisor ---------------------------------------------------------------------- */

struct question {
        bool let_go;
        uint64_t id;
        guard_answered_fn *answered;
        void *context;
};

struct guard_link {
        struct gpio_chip *chip;
        struct question questions[LATER];
        size_t questions_count;
        uint64_t last_id;
        struct guard_hold hold; /* the last */
        int hold_result;
        bool driven_when_held; /* the pin stood against its safe state at that moment */
};

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
        bool level;

        CHECK(descriptor >= 0);
        CHECK_EQ(gpio_sim_level(link->chip, hold->offsets[0], &level), 0);
        link->driven_when_held = level;
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

struct guard_link *guard_link_free(struct guard_link *link)
{
        return NULL;
}

/* Answers the oldest question. */
static void answer(struct guard_link *link, bool let_go, int error)
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

/* --- the rest ---------------------------------------------------------------------------- */

struct fixture {
        struct loop *loop;
        struct gpio_chip *chip;
        struct gpio_executor *executor;
        struct guard_link link;
        struct gpio_result results[SLOTS];
        unsigned done[SLOTS];
        char order[SLOTS * 4]; /* slots in which results came */
        char changes[256];
        struct gpio_job waiting[SLOTS]; /* what the queue still has */
        size_t waiting_count;
};

static struct gpio_result *fixture_result(void *owner, uint32_t slot)
{
        struct fixture *f = owner;

        CHECK(slot < SLOTS);
        memset(&f->results[slot], 0, sizeof(f->results[slot]));
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

        snprintf(f->changes + length, sizeof(f->changes) - length, "%u%c%s ", change->pin,
                 change->value ? '+' : '-', change->cause);
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

static void fixture_init_pwm(struct fixture *f, enum gpio_safe safe, bool guarded,
                             const char *pwm_root)
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
        CHECK_EQ(gpio_sim_new(NULL, &f->chip), 0);
        f->link.chip = f->chip;
        setup.loop = f->loop;
        setup.chip = f->chip;
        CHECK_EQ(gpio_executor_new(&setup, &f->executor), 0);
        if (guarded)
                gpio_executor_link(f->executor, &f->link);
}

static void fixture_init(struct fixture *f, enum gpio_safe safe, bool guarded)
{
        fixture_init_pwm(f, safe, guarded, NULL);
}

static void fixture_done(struct fixture *f)
{
        gpio_executor_free(f->executor);
        gpio_chip_free(f->chip);
        loop_free(f->loop);
}

static bool level_of(struct fixture *f, unsigned pin)
{
        bool level;

        CHECK_EQ(gpio_sim_level(f->chip, pin, &level), 0);
        return level;
}

static struct gpio_line_info info_of(struct fixture *f, unsigned pin)
{
        struct gpio_line_info info;

        CHECK_EQ(gpio_chip_line_info(f->chip, pin, &info), 0);
        return info;
}

static struct gpio_job job_of(enum gpio_job_kind kind, uint32_t slot, uint32_t pin)
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

static void run_set(struct fixture *f, uint32_t slot, uint32_t pin, bool value)
{
        struct gpio_job job = job_of(GPIO_JOB_SET, slot, pin);

        job.value = value;
        job.on_ms = 0;
        gpio_executor_run(f->executor, &job);
}

static void run(struct fixture *f, enum gpio_job_kind kind, uint32_t slot, uint32_t pin)
{
        struct gpio_job job = job_of(kind, slot, pin);

        job.waits = kind == GPIO_JOB_TEST;
        gpio_executor_run(f->executor, &job);
}

static void run_safe(struct fixture *f, uint32_t slot, uint64_t pins, uint64_t purge_tag)
{
        struct gpio_job job = job_of(GPIO_JOB_SAFE, slot, 0);

        job.urgency = GPIO_URGENCY_SAFE;
        job.cause = "safe";
        job.pins = pins;
        job.purges = true;
        job.purge_tag = purge_tag;
        gpio_executor_run(f->executor, &job);
}

/* --- without a supervisor ---------------------------------------------------------------- */

TEST(a_pin_is_set_read_and_freed)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        run(&f, GPIO_JOB_READ, 0, 17);
        CHECK_EQ(f.results[0].error, -ENOENT);
        run_set(&f, 1, 17, true);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(level_of(&f, 17));
        run(&f, GPIO_JOB_READ, 2, 17);
        CHECK_EQ(f.results[2].error, 0);
        CHECK(f.results[2].value);
        run(&f, GPIO_JOB_FREE, 3, 17);
        CHECK_EQ(f.results[3].error, 0);
        CHECK(!info_of(&f, 17).used);
        CHECK_TEXT(f.order, "0 1 2 3 ");
        CHECK_TEXT(f.changes, "17+job ");
        fixture_done(&f);
}

TEST(a_set_with_a_time_ends_by_itself_and_a_new_set_ends_it_at_once)
{
        struct gpio_job job = job_of(GPIO_JOB_SET, 0, 17);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        gpio_executor_run(f.executor, &job);
        CHECK_EQ(f.done[0], 1);
        CHECK(level_of(&f, 17));
        loop_advance_ms(f.loop, 100);
        CHECK(!level_of(&f, 17));
        gpio_executor_run(f.executor, &job);
        loop_advance_ms(f.loop, 50);
        run_set(&f, 1, 17, true);
        loop_advance_ms(f.loop, 1000);
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

TEST(effects_answer_at_their_start_or_at_their_end)
{
        struct gpio_job blink = job_of(GPIO_JOB_BLINK, 0, 17),
                        pulse = job_of(GPIO_JOB_PULSE, 1, 27);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        pulse.waits = true;
        gpio_executor_run(f.executor, &blink);
        gpio_executor_run(f.executor, &pulse);
        CHECK_TEXT(f.order, "0 ");
        loop_advance_ms(f.loop, 100);
        CHECK_TEXT(f.order, "0 1 ");
        CHECK_EQ(f.results[1].error, 0);
        /* The pulse's pin was free before. */
        CHECK(!info_of(&f, 27).used);
        CHECK(info_of(&f, 17).used);
        loop_advance_ms(f.loop, 300);
        CHECK_TEXT(f.changes, "17+job 27+job 17-job 17+job 17-job ");
        CHECK_TEXT(f.order, "0 1 ");
        fixture_done(&f);
}

TEST(an_effect_that_another_takes_over_is_cancelled)
{
        struct gpio_job blink = job_of(GPIO_JOB_BLINK, 0, 17);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        blink.waits = true;
        blink.times = 0;
        gpio_executor_run(f.executor, &blink);
        loop_advance_ms(f.loop, 100000);
        CHECK_EQ(f.done[0], 0);
        run(&f, GPIO_JOB_PULSE, 1, 17);
        CHECK_EQ(f.done[0], 1);
        CHECK_EQ(f.results[0].error, -ECANCELED);
        CHECK_EQ(f.results[1].error, 0);
        loop_advance_ms(f.loop, 1000);
        fixture_done(&f);
}

TEST(jobs_for_pins_that_are_not_there_fail)
{
        struct gpio_job job = job_of(GPIO_JOB_SET, 0, GPIO_LINES_MAX);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        gpio_executor_run(f.executor, &job);
        CHECK_EQ(f.results[0].error, -EINVAL);
        run_set(&f, 1, 60, true);
        CHECK_EQ(f.results[1].error, -EINVAL);
        job = job_of(GPIO_JOB_STATUS, 2, GPIO_PINS);
        gpio_executor_run(f.executor, &job);
        CHECK_EQ(f.results[2].error, -EINVAL);
        fixture_done(&f);
}

static const struct {
        enum gpio_safe safe;
        bool level;
        const char *changes;
} safes[] = {
        {GPIO_SAFE_OFF, false, "17+job 17-safe "},
        {GPIO_SAFE_ON, true, "17+job "},
        {GPIO_SAFE_HOLD, true, "17+job "},
};

TEST(a_safe_state_ends_effects_and_is_what_the_configuration_says)
{
        for (size_t i = 0; i < ARRAY_SIZE(safes); i++) {
                struct gpio_job blink = job_of(GPIO_JOB_BLINK, 0, 17);
                struct fixture f;

                fixture_init(&f, safes[i].safe, false);
                blink.waits = true;
                gpio_executor_run(f.executor, &blink);
                run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
                CHECK_EQ(f.results[0].error, -ECANCELED);
                CHECK_EQ(f.results[1].error, 0);
                CHECK_EQ(level_of(&f, 17), safes[i].level);
                loop_advance_ms(f.loop, 1000);
                CHECK_EQ(level_of(&f, 17), safes[i].level);
                CHECK_TEXT(f.changes, safes[i].changes);
                fixture_done(&f);
        }
}

TEST(a_safe_state_has_its_pins_and_its_tag)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        run_set(&f, 0, 17, true);
        run_set(&f, 1, 27, true);
        f.waiting[0] = job_of(GPIO_JOB_SET, 2, 17);
        f.waiting[1] = job_of(GPIO_JOB_SET, 3, 17);
        f.waiting[1].tag = 2;
        f.waiting_count = 2;
        run_safe(&f, 4, UINT64_C(1) << 17, 2);
        CHECK(!level_of(&f, 17));
        CHECK(level_of(&f, 27));
        CHECK_EQ(f.waiting_count, 1);
        CHECK_EQ(f.done[2], 0);
        CHECK_EQ(f.results[3].error, -ECANCELED);
        fixture_done(&f);
}

/* --- with one ---------------------------------------------------------------------------- */

TEST(a_line_is_handed_over_in_its_safe_state_and_driven_when_that_is_acknowledged)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        CHECK_EQ(gpio_sim_drive(f.chip, 17, true), 0);
        run_set(&f, 0, 17, true);
        CHECK_EQ(f.done[0], 0);
        CHECK(!f.link.driven_when_held);
        CHECK_EQ(f.link.hold.kind, GUARD_KIND_LINES);
        CHECK_EQ(f.link.hold.lines_count, 1);
        CHECK_EQ(f.link.hold.offsets[0], 17);
        CHECK_EQ(f.link.hold.actions[0], GUARD_OFF);
        CHECK_TEXT(f.link.hold.consumer, "pifleet:pin17");
        CHECK(!level_of(&f, 17));
        answer(&f.link, false, 0);
        CHECK_EQ(f.done[0], 1);
        CHECK_EQ(f.results[0].error, 0);
        CHECK(level_of(&f, 17));
        /* Once is enough. */
        run_set(&f, 1, 17, false);
        CHECK_EQ(f.done[1], 1);
        CHECK_EQ(f.link.questions_count, 0);
        fixture_done(&f);
}

TEST(jobs_for_a_pin_that_waits_keep_their_order_and_others_pass)
{
        struct gpio_job status = job_of(GPIO_JOB_STATUS, 3, GPIO_STATUS_ALL);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        run_set(&f, 1, 17, false);
        run_set(&f, 2, 17, true);
        gpio_executor_run(f.executor, &status);
        run(&f, GPIO_JOB_READ, 4, 27);
        CHECK_TEXT(f.order, "4 ");
        answer(&f.link, false, 0);
        CHECK_TEXT(f.order, "4 0 1 2 3 ");
        CHECK_TEXT(f.changes, "17+job 17-job 17+job ");
        CHECK(f.results[3].pins[17].held && f.results[3].pins[17].value);
        fixture_done(&f);
}

TEST(what_the_supervisor_refuses_is_not_driven_and_free_again)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        run_set(&f, 1, 17, true);
        answer(&f.link, false, -ENOSPC);
        CHECK_EQ(f.results[0].error, -ENOSPC);
        /* The next has a try of its own. */
        CHECK_EQ(f.done[1], 0);
        answer(&f.link, false, -EBADF);
        CHECK_EQ(f.results[1].error, -EBADF);
        CHECK(!info_of(&f, 17).used);
        CHECK_TEXT(f.changes, "");
        f.link.hold_result = -EAGAIN;
        run_set(&f, 2, 17, true);
        CHECK_EQ(f.results[2].error, -EAGAIN);
        CHECK(!info_of(&f, 17).used);
        fixture_done(&f);
}

TEST(a_supervisor_that_does_not_answer_costs_the_job_and_not_the_rest)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        loop_advance_ms(f.loop, GPIO_ANSWER_MS - 1);
        CHECK_EQ(f.done[0], 0);
        loop_advance_ms(f.loop, 1);
        CHECK_EQ(f.results[0].error, -ETIMEDOUT);
        CHECK(!level_of(&f, 17));
        run_set(&f, 1, 17, true);
        answer(&f.link, false, 0);
        CHECK_EQ(f.done[0], 1);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

TEST(a_pin_is_taken_anew_only_when_the_supervisor_has_let_go)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        answer(&f.link, false, 0);
        run(&f, GPIO_JOB_FREE, 1, 17);
        CHECK_EQ(f.done[1], 1);
        run_set(&f, 2, 17, true);
        CHECK_EQ(f.done[2], 0);
        CHECK(!info_of(&f, 17).used);
        answer(&f.link, true, 0);
        CHECK(info_of(&f, 17).used);
        CHECK_EQ(f.link.hold.id, 2);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[2].error, 0);
        fixture_done(&f);
}

TEST(a_test_of_a_free_pin_hands_it_over_and_takes_it_back)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run(&f, GPIO_JOB_TEST, 0, 17);
        answer(&f.link, false, 0);
        CHECK(level_of(&f, 17));
        loop_advance_ms(f.loop, 400);
        CHECK_EQ(f.done[0], 1);
        CHECK(f.results[0].passed);
        CHECK_EQ(f.results[0].readings_count, 4);
        CHECK(!info_of(&f, 17).used);
        answer(&f.link, true, 0);
        CHECK_EQ(f.link.questions_count, 0);
        fixture_done(&f);
}

TEST(a_safe_state_cancels_what_waits_for_the_supervisor)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(f.results[0].error, -ECANCELED);
        CHECK_EQ(f.results[1].error, 0);
        answer(&f.link, false, 0);
        CHECK(!level_of(&f, 17));
        CHECK_EQ(f.done[0], 1);
        fixture_done(&f);
}

TEST(a_supervisor_that_is_gone_leaves_lines_unguarded_and_working)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        f.link.hold_result = -EPIPE;
        answer(&f.link, false, -EPIPE);
        CHECK_EQ(f.results[0].error, 0);
        gpio_executor_link(f.executor, NULL);
        CHECK(level_of(&f, 17));
        run_set(&f, 1, 27, true);
        CHECK_EQ(f.done[1], 1);
        CHECK_EQ(f.link.questions_count, 0);
        fixture_done(&f);
}

TEST(a_simulated_line_has_nothing_to_hand_over)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        guardable = -EOPNOTSUPP;
        run_set(&f, 0, 17, true);
        CHECK_EQ(f.done[0], 1);
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

TEST(what_comes_back_and_is_no_use_is_let_go_of)
{
        struct guard_hold hold = {.id = 9, .kind = GUARD_KIND_LINES, .lines_count = 2};
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        gpio_executor_return(f.executor, &hold, -1);
        hold = (struct guard_hold){.id = 10, .kind = GUARD_KIND_PWM, .lines_count = 1};
        gpio_executor_return(f.executor, &hold, -1);
        gpio_executor_link(f.executor, &f.link);
        CHECK_EQ(f.link.questions_count, 2);
        CHECK(f.link.questions[0].let_go && f.link.questions[1].let_go);
        CHECK_EQ(f.link.questions[0].id + f.link.questions[1].id, 19);
        fixture_done(&f);
}

/* --- PWM --------------------------------------------------------------------------------- */

static void run_pwm(struct fixture *f, uint32_t slot, double duty, double frequency_hz)
{
        struct gpio_job job = job_of(GPIO_JOB_PWM_SET, slot, 12);

        job.duty = duty;
        job.frequency_hz = frequency_hz;
        gpio_executor_run(f->executor, &job);
}

TEST(a_pin_without_a_channel_has_its_signal_by_software)
{
        struct gpio_job status = job_of(GPIO_JOB_STATUS, 2, 12);
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_pwm(&f, 0, 1, 0);
        CHECK(!f.link.driven_when_held);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[0].error, 0);
        CHECK(!f.results[0].hardware);
        CHECK(f.results[0].duty == 1 && f.results[0].frequency_hz == 100);
        CHECK(level_of(&f, 12));
        /* Its level is nobody's to read; a number that is no duty leaves it alone. */
        gpio_executor_run(f.executor, &status);
        CHECK(!f.results[2].pins[12].held);
        CHECK(f.results[2].pins[12].output);
        run_pwm(&f, 3, 0.5, 5000);
        CHECK_EQ(f.results[3].error, -ERANGE);
        CHECK(f.results[3].frequency_hz == 100);
        /* A level ends it. */
        run_set(&f, 4, 12, false);
        CHECK_EQ(f.results[4].error, 0);
        CHECK(!level_of(&f, 12));
        run_pwm(&f, 5, 1, 0);
        run(&f, GPIO_JOB_PWM_OFF, 6, 12);
        CHECK_EQ(f.results[6].error, 0);
        CHECK(!info_of(&f, 12).used);
        answer(&f.link, true, 0);
        run(&f, GPIO_JOB_PWM_OFF, 7, 12);
        CHECK_EQ(f.results[7].error, 0);
        fixture_done(&f);
}

TEST(a_signal_that_cannot_begin_leaves_the_pin_free)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, false);
        run_pwm(&f, 0, 0.5, 5000);
        CHECK_EQ(f.results[0].error, -ERANGE);
        CHECK(!info_of(&f, 12).used);
        fixture_done(&f);
}

TEST(a_safe_state_ends_a_signal_unless_pins_hold)
{
        for (size_t i = 0; i < ARRAY_SIZE(safes); i++) {
                struct fixture f;

                fixture_init(&f, safes[i].safe, false);
                run_pwm(&f, 0, 1, 0);
                run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
                CHECK_EQ(f.results[1].error, 0);
                CHECK_EQ(level_of(&f, 12), safes[i].level);
                fixture_done(&f);
        }
}

static void write_file(const char *root, const char *path, const void *bytes, size_t length)
{
        char whole[256];
        FILE *file;

        snprintf(whole, sizeof(whole), "%s/%s", root, path);
        for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                (void)mkdir(whole, 0700);
                *slash = '/';
        }
        file = fopen(whole, "w");
        CHECK(file != NULL);
        CHECK_EQ(fwrite(bytes, 1, length, file), length);
        CHECK_EQ(fclose(file), 0);
}

static char first_byte(const char *root, const char *path)
{
        char whole[256], byte = '\0';
        FILE *file;

        snprintf(whole, sizeof(whole), "%s/%s", root, path);
        file = fopen(whole, "r");
        CHECK(file != NULL);
        /* Nothing in it: '\0'. */
        CHECK(fread(&byte, 1, 1, file) == 1 || feof(file));
        fclose(file);
        return byte;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
        return remove(path);
}

#define CHIP "sys/class/pwm/pwmchip0/"
#define NODE "sys/bus/gpio/devices/gpiochip0/of_node/pwm_pins/"

/* A Pi 4 whose channel 0 is on GPIO12, not exported yet. */
static void make_pwm_tree(char *root)
{
        char link[128];

        CHECK(mkdtemp(root) != NULL);
        write_file(root, "sys/fe20c000.pwm/of_node/pinctrl-0", "\0\0\0\7", 4);
        write_file(root, NODE "phandle", "\0\0\0\7", 4);
        write_file(root, NODE "brcm,pins", "\0\0\0\14", 4);
        write_file(root, CHIP "export", "", 0);
        snprintf(link, sizeof(link), "%s/" CHIP "device", root);
        CHECK_EQ(symlink("../../../fe20c000.pwm", link), 0);
}

TEST(a_hardware_channel_is_handed_over_before_its_signal_begins)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        make_pwm_tree(root);
        fixture_init_pwm(&f, GPIO_SAFE_OFF, true, root);
        /* As a level first: the line must be let go of, or it would take the pin. */
        run_set(&f, 0, 12, true);
        answer(&f.link, false, 0);
        run_pwm(&f, 1, 0.5, 50);
        CHECK(!info_of(&f, 12).used);
        answer(&f.link, true, 0);
        CHECK_EQ(first_byte(root, CHIP "export"), '0');
        CHECK_EQ(f.link.questions_count, 0);
        /* udev takes its time. */
        loop_advance_ms(f.loop, 100);
        write_file(root, CHIP "pwm0/period", "", 0);
        write_file(root, CHIP "pwm0/duty_cycle", "", 0);
        write_file(root, CHIP "pwm0/enable", "", 0);
        loop_advance_ms(f.loop, 20);
        CHECK_EQ(f.link.questions_count, 1);
        CHECK_EQ(f.link.hold.kind, GUARD_KIND_PWM);
        CHECK_EQ(f.link.hold.actions[0], GUARD_OFF);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '\0');
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(f.results[1].hardware);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '1');
        run_safe(&f, 2, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(first_byte(root, CHIP "pwm0/enable"), '0');
        answer(&f.link, true, 0);
        fixture_done(&f);
        CHECK_EQ(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

TEST(a_channel_that_udev_never_hands_over_fails_after_a_second)
{
        char root[] = "/tmp/test-executor-XXXXXX";
        struct fixture f;

        make_pwm_tree(root);
        fixture_init_pwm(&f, GPIO_SAFE_OFF, false, root);
        run_pwm(&f, 0, 0.5, 50);
        run_pwm(&f, 1, 0.5, 50);
        loop_advance_ms(f.loop, 900);
        CHECK_EQ(f.done[0], 0);
        loop_advance_ms(f.loop, 200);
        CHECK_EQ(f.results[0].error, -EACCES);
        CHECK_EQ(f.done[1], 0);
        loop_advance_ms(f.loop, 1000);
        CHECK_EQ(f.results[1].error, -EACCES);
        fixture_done(&f);
        CHECK_EQ(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

TEST(without_memory_there_is_no_executor)
{
        struct gpio_executor_setup setup = {.slots = SLOTS};
        struct gpio_executor *executor = NULL;
        bool failed;
        size_t n = 0;

        CHECK_EQ(gpio_sim_new(NULL, &setup.chip), 0);
        CHECK_EQ(loop_new_virtual(0, &setup.loop), 0);
        do {
                int r;

                allocation_fail_at(++n);
                r = gpio_executor_new(&setup, &executor);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 3);
        CHECK_NULL(gpio_executor_free(executor));
        gpio_chip_free(setup.chip);
        loop_free(setup.loop);
}
