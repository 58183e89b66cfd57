/* Jobs that wait for a line of somebody else. */
#include "agent/gpio/executor-fixture.h"

enum { PIN = 17, PATIENCE_MS = 5000 };

static void run_patient(struct fixture *f, uint32_t slot, bool value)
{
        struct gpio_job job = job_of(GPIO_JOB_SET, slot, PIN);

        job.value = value;
        job.on_ms = 0;
        job.patience_ms = PATIENCE_MS;
        gpio_executor_run(f->executor, &job);
}

static void hold(struct fixture *f)
{
        fake_kernel_hold(f->kernel, f->board, PIN, "lg", GPIO_V2_LINE_FLAG_OUTPUT);
}

static void fixture_begin(struct fixture *f)
{
        fixture_init_kernel(f, GPIO_SAFE_OFF);
        hold(f);
}

static bool watched(const struct fixture *f)
{
        for (size_t i = 0; i < FAKE_FILES_MAX; i++)
                if (f->kernel->files[i].fd >= 0 && f->kernel->files[i].watched[PIN])
                        return true;
        return false;
}

TEST(a_job_without_patience_is_refused_at_once)
{
        struct fixture f;

        fixture_begin(&f);
        run_set(&f, 0, PIN, true);
        CHECK_EQ(f.results[0].error, -EBUSY);
        CHECK_TEXT(f.results[0].consumer, "lg");
        CHECK(!watched(&f));
        fixture_done(&f);
}

TEST(jobs_that_wait_for_a_line_run_in_their_order_as_soon_as_its_holder_lets_go)
{
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        run_patient(&f, 1, false);
        run_patient(&f, 2, true);
        CHECK_TEXT(f.order, "");
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.order, "");
        fake_kernel_release(f.kernel, f.board, PIN);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.order, "0 1 2 ");
        CHECK_EQ(f.results[0].error, 0);
        CHECK_EQ(f.results[2].error, 0);
        CHECK(level_of(&f, PIN));
        CHECK_TEXT(f.changes, "17+job 17-job 17+job ");
        CHECK(!watched(&f));
        fixture_done(&f);
}

TEST(who_waits_for_a_line_holds_up_nobody_else)
{
        struct gpio_job status = job_of(GPIO_JOB_STATUS, 1, GPIO_STATUS_ALL);
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        gpio_executor_run(f.executor, &status);
        CHECK_TEXT(f.order, "1 ");
        CHECK_TEXT(f.results[1].pins[PIN].consumer, "lg");
        run_set(&f, 2, PIN, true);
        CHECK_EQ(f.results[2].error, -EBUSY);
        run_set(&f, 3, 27, true);
        CHECK_EQ(f.results[3].error, 0);
        CHECK_EQ(f.done[0], 0);
        fixture_done(&f);
}

TEST(patience_ends_and_the_holder_is_named)
{
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        loop_advance_ms(f.loop, 3000);
        run_patient(&f, 1, true);
        loop_advance_ms(f.loop, PATIENCE_MS - 3001);
        CHECK_TEXT(f.order, "");
        loop_advance_ms(f.loop, 1);
        CHECK_TEXT(f.order, "0 ");
        CHECK_EQ(f.results[0].error, -EBUSY);
        CHECK_TEXT(f.results[0].consumer, "lg");
        CHECK(watched(&f));
        loop_advance_ms(f.loop, 3000);
        CHECK_TEXT(f.order, "0 1 ");
        CHECK(!watched(&f));
        fixture_done(&f);
}

TEST(a_line_that_goes_from_hand_to_hand_is_waited_for_no_longer_than_asked)
{
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        for (unsigned second = 1; second < PATIENCE_MS / 1000; second++) {
                loop_advance_ms(f.loop, 1000);
                fake_kernel_release(f.kernel, f.board, PIN);
                hold(&f);
                loop_run_once(f.loop, 0);
                CHECK_EQ(f.done[0], 0);
        }
        loop_advance_ms(f.loop, 1000);
        CHECK_EQ(f.results[0].error, -EBUSY);
        CHECK(!watched(&f));
        fixture_done(&f);
}

TEST(a_newcomer_does_not_overtake_those_that_wait_for_the_line)
{
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        fake_kernel_release(f.kernel, f.board, PIN);
        /* Before the loop has heard of it. */
        run_set(&f, 1, PIN, false);
        CHECK_TEXT(f.order, "0 1 ");
        CHECK_EQ(f.results[1].error, 0);
        CHECK(!level_of(&f, PIN));
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.order, "0 1 ");
        fixture_done(&f);
}

TEST(a_line_that_was_let_go_of_before_it_was_watched_is_tried_again_at_once)
{
        struct gpio_job job = job_of(GPIO_JOB_SET, 0, PIN);
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        job.on_ms = 0;
        job.patience_ms = PATIENCE_MS;
        fake_kernel_fail(f.kernel, GPIO_V2_GET_LINE_IOCTL, -EBUSY);
        gpio_executor_run(f.executor, &job);
        CHECK_EQ(f.done[0], 1);
        CHECK_EQ(f.results[0].error, 0);
        CHECK(!watched(&f));
        fixture_done(&f);
}

TEST(a_safe_state_cancels_what_waits_for_a_line)
{
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(f.results[0].error, -ECANCELED);
        CHECK(!watched(&f));
        fake_kernel_release(f.kernel, f.board, PIN);
        loop_run_once(f.loop, 0);
        loop_advance_ms(f.loop, 2 * PATIENCE_MS);
        CHECK_EQ(f.done[0], 1);
        CHECK(!info_of(&f, PIN).used);
        fixture_done(&f);
}

TEST(a_line_that_cannot_be_watched_is_refused_at_once)
{
        struct fixture f;

        fixture_begin(&f);
        fake_kernel_fail(f.kernel, GPIO_V2_GET_LINEINFO_WATCH_IOCTL, -ENOMEM);
        run_patient(&f, 0, true);
        CHECK_EQ(f.results[0].error, -EBUSY);
        fixture_done(&f);
}

TEST(what_still_waits_at_the_end_is_forgotten_and_the_line_not_watched)
{
        struct fixture f;

        fixture_begin(&f);
        run_patient(&f, 0, true);
        fixture_done(&f);
        CHECK_EQ(f.done[0], 0);
}
