/* Outputs that somebody else writes past us. */
#include "agent/gpio/executor-fixture.h"

enum { PIN = 17 };

TEST(a_foreign_write_is_told_once_when_it_is_seen_and_once_when_it_is_over)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        run_set(&f, 0, PIN, true);
        run_set(&f, 1, 27, false);
        loop_advance_ms(f.loop, 2 * GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17+job 27-job ");
        fake_kernel_write(f.board, PIN, false);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17+job 27-job 17!1/0 ");
        loop_advance_ms(f.loop, 4 * GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17+job 27-job 17!1/0 ");
        /* We have the last word. */
        run_set(&f, 2, PIN, true);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17+job 27-job 17!1/0 17!0/0 ");
        fixture_done(&f);
}

TEST(the_status_looks_by_itself)
{
        struct gpio_job status = job_of(GPIO_JOB_STATUS, 1, PIN);
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        run_set(&f, 0, PIN, true);
        gpio_executor_run(f.executor, &status);
        CHECK_EQ(f.results[1].pins[PIN].warnings, 0);
        fake_kernel_write(f.board, PIN, false);
        gpio_executor_run(f.executor, &status);
        CHECK_EQ(f.results[1].pins[PIN].warnings, GPIO_WARNING_FOREIGN_WRITE);
        CHECK(!f.results[1].pins[PIN].value);
        CHECK_TEXT(f.changes, "17+job 17!1/0 ");
        fixture_done(&f);
}

TEST(a_pin_that_is_let_go_of_has_nothing_wrong_with_it)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        run_set(&f, 0, PIN, true);
        fake_kernel_write(f.board, PIN, false);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        run(&f, GPIO_JOB_FREE, 1, PIN);
        CHECK_TEXT(f.changes, "17+job 17!1/0 17!0/0 ");
        fixture_done(&f);
}

TEST(a_reading_that_fails_tells_nothing)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        run_set(&f, 0, PIN, true);
        fake_kernel_write(f.board, PIN, false);
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_GET_VALUES_IOCTL, -EIO);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17+job ");
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17+job 17!1/0 ");
        fixture_done(&f);
}

TEST(a_signal_by_software_that_cannot_be_driven_is_told)
{
        struct gpio_job signal = job_of(GPIO_JOB_PWM_SET, 0, PIN);
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        /* Without edges, so that nothing happens on another thread. */
        signal.duty = 1;
        gpio_executor_run(f.executor, &signal);
        CHECK_EQ(f.results[0].error, 0);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "");
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_SET_VALUES_IOCTL, -EIO);
        gpio_executor_run(f.executor, &signal);
        CHECK_EQ(f.results[0].error, -EIO);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17!4/0 ");
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "17!4/0 17!0/0 ");
        fixture_done(&f);
}

TEST(nobody_looks_while_there_is_no_output)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_INPUT);
        run_set(&f, 0, PIN, true);
        run_safe(&f, 1, GPIO_ALL_PINS, GPIO_TAG_ALL);
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        /* A reading would take this failure away. */
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_GET_VALUES_IOCTL, -EIO);
        loop_advance_ms(f.loop, 10 * GPIO_LOOK_MS);
        CHECK_EQ(f.kernel->fail_result, -EIO);
        fixture_done(&f);
}
