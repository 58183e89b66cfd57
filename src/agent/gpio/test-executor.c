/* What jobs do to lines. */
#include "agent/gpio/executor-fixture.h"

#include "support/allocation.h"

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

/* It could not write down that it lets go, so it goes on holding the line. */
TEST(a_pin_that_the_supervisor_could_not_let_go_of_is_asked_for_again)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        answer(&f.link, false, 0);
        run(&f, GPIO_JOB_FREE, 1, 17);
        run_set(&f, 2, 17, true);
        answer(&f.link, true, -ENOSPC);
        CHECK_EQ(f.results[2].error, -ENOSPC);
        CHECK_EQ(f.link.questions_count, 0);
        run_set(&f, 3, 17, true);
        CHECK_EQ(f.done[3], 0);
        CHECK_EQ(f.link.questions[0].id, 1);
        answer(&f.link, true, 0);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[3].error, 0);
        CHECK(level_of(&f, 17));
        /* What it does not know it does not hold. */
        run(&f, GPIO_JOB_FREE, 4, 17);
        run_set(&f, 5, 17, true);
        answer(&f.link, true, -ENOENT);
        answer(&f.link, false, 0);
        CHECK_EQ(f.results[5].error, 0);
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

/* Its end follows at once: a test of a pin that was free lets it go with the safe state. */
TEST(an_executor_that_ends_does_not_wait_for_the_supervisor)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run(&f, GPIO_JOB_TEST, 0, 17);
        answer(&f.link, false, 0);
        run_set(&f, 1, 27, true);
        run_safe(&f, 2, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(f.link.questions_count, 2);
        fixture_done(&f);
}

/* The agent ends too, and nobody would know that the line is driven. */
TEST(a_line_that_the_supervisor_did_not_hear_of_before_it_was_gone_is_not_driven)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        f.link.hold_result = -EPIPE;
        answer(&f.link, false, -EPIPE);
        CHECK_EQ(f.results[0].error, -EPIPE);
        gpio_executor_link(f.executor, NULL);
        CHECK(!level_of(&f, 17));
        run_set(&f, 1, 27, true);
        CHECK_EQ(f.done[1], 1);
        CHECK_EQ(f.results[1].error, -EPIPE);
        CHECK(!level_of(&f, 27));
        fixture_done(&f);
}

TEST(a_line_that_the_supervisor_wrote_down_goes_on_when_it_is_gone)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, 17, true);
        answer(&f.link, false, 0);
        CHECK(level_of(&f, 17));
        gpio_executor_link(f.executor, NULL);
        run_set(&f, 1, 17, false);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(!level_of(&f, 17));
        run_set(&f, 2, 17, true);
        CHECK_EQ(f.results[2].error, 0);
        CHECK(level_of(&f, 17));
        fixture_done(&f);
}

TEST(a_simulated_line_has_nothing_to_hand_over)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        fixture_guardable(-EOPNOTSUPP);
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

/* It was driven while nobody greeted us, and the greeting came late. */
TEST(what_runs_on_a_line_that_the_supervisor_refuses_ends)
{
        struct gpio_job pwm = job_of(GPIO_JOB_PWM_SET, 0, 17);
        struct gpio_job blink = job_of(GPIO_JOB_BLINK, 1, 27);
        struct fixture f;

        pwm.duty = 0.5;
        blink.times = 10;
        blink.on_ms = blink.off_ms = 100;
        fixture_init(&f, GPIO_SAFE_OFF, false);
        gpio_executor_run(f.executor, &pwm);
        gpio_executor_run(f.executor, &blink);
        CHECK_EQ(f.results[0].error, 0);
        CHECK_EQ(f.results[1].error, 0);
        f.link.looks_away = true;
        gpio_executor_link(f.executor, &f.link);
        answer(&f.link, false, -ENOSPC);
        answer(&f.link, false, -ENOSPC);
        loop_advance_ms(f.loop, 400);
        CHECK(!info_of(&f, 17).used);
        CHECK(!info_of(&f, 27).used);
        CHECK_EQ(f.link.questions_count, 0);
        run(&f, GPIO_JOB_PWM_OFF, 2, 17);
        CHECK_EQ(f.results[2].error, 0);
        fixture_done(&f);
}

/* GPIO17 as an agent left it who died while `safe` was another: on, and kept. */
static int make_kept_line(struct fixture *f, struct guard_hold *hold)
{
        const struct gpio_line_config config = {.direction = GPIO_DIRECTION_OUTPUT, .value = true};
        struct gpio_request *request = NULL;
        struct gpio_chip_info info;
        const unsigned pin = 17;
        int fd;

        CHECK_EQ(gpio_chip_request(f->chip, "pifleet:pin17", &pin, &config, 1, &request), 0);
        fd = fake_kernel_duplicate(f->kernel, gpio_request_fd(request));
        gpio_request_free(request);
        gpio_chip_info(f->chip, &info);
        *hold = (struct guard_hold){.id = 9, .kind = GUARD_KIND_LINES, .lines_count = 1};
        hold->offsets[0] = pin;
        hold->actions[0] = GUARD_KEEP;
        snprintf(hold->chip, sizeof(hold->chip), "%s", info.path);
        return fd;
}

TEST(a_line_that_was_kept_is_held_for_the_safe_state_that_is_configured_now)
{
        static const enum gpio_safe safes_now[] = {GPIO_SAFE_OFF, GPIO_SAFE_HOLD};

        for (size_t i = 0; i < ARRAY_SIZE(safes_now); i++) {
                bool anew = safes_now[i] != GPIO_SAFE_HOLD;
                struct guard_hold hold;
                struct fixture f;
                int fd;

                fixture_init_kernel(&f, safes_now[i]);
                fd = make_kept_line(&f, &hold);
                gpio_executor_return(f.executor, &hold, fd);
                gpio_executor_link(f.executor, &f.link);
                CHECK_EQ(f.link.questions_count, anew);
                run_set(&f, 0, 17, false);
                CHECK_EQ(f.done[0], !anew);
                if (anew) {
                        CHECK_EQ(f.link.hold.id, 9);
                        CHECK_EQ(f.link.hold.actions[0], GUARD_OFF);
                        CHECK(level_of(&f, 17));
                        answer(&f.link, false, 0);
                }
                CHECK_EQ(f.results[0].error, 0);
                CHECK(!level_of(&f, 17));
                fixture_done(&f);
        }
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
