/* Pins that are listened to. */
#include "agent/gpio/executor-fixture.h"

#include "agent/gpio/edge-budget.h"

enum { PIN = 27 };

static void listen_to(struct fixture *f, uint32_t slot)
{
        struct gpio_job job = job_of(GPIO_JOB_LISTEN, slot, PIN);

        job.bias = GPIO_BIAS_PULL_UP;
        gpio_executor_run(f->executor, &job);
}

static void drive(struct fixture *f, bool level)
{
        fake_kernel_drive(f->kernel, f->board, PIN, level);
}

static struct gpio_pin_status status_of(struct fixture *f)
{
        struct gpio_job status = job_of(GPIO_JOB_STATUS, SLOTS - 1, PIN);

        gpio_executor_run(f->executor, &status);
        return f->results[SLOTS - 1].pins[PIN];
}

TEST(a_pin_that_is_listened_to_tells_its_level_and_each_change)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        listen_to(&f, 0);
        CHECK_EQ(f.results[0].error, 0);
        CHECK_TEXT(f.changes, "27-job ");
        CHECK_EQ(info_of(&f, PIN).config.bias, GPIO_BIAS_PULL_UP);
        CHECK_EQ(info_of(&f, PIN).config.edges, GPIO_EDGE_BOTH);
        drive(&f, true);
        drive(&f, false);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.changes, "27-job 27+input 27-input ");
        CHECK(status_of(&f).held);
        CHECK(!status_of(&f).output);
        run(&f, GPIO_JOB_FREE, 1, PIN);
        CHECK(!info_of(&f, PIN).used);
        drive(&f, true);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.changes, "27-job 27+input 27-input ");
        fixture_done(&f);
}

TEST(events_that_were_dropped_are_told_and_the_last_level_is_right)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        listen_to(&f, 0);
        for (unsigned i = 0; i < GPIO_EVENTS_PER_LINE + 5; i++)
                drive(&f, i % 2 == 0);
        f.changes[0] = '\0';
        loop_run_once(f.loop, 0);
        CHECK(strlen(f.changes) > 0);
        CHECK_TEXT(f.changes + strlen(f.changes) - strlen("27+input "), "27+input ");
        f.changes[0] = '\0';
        loop_advance_ms(f.loop, GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "27!0/5 ");
        CHECK_EQ(status_of(&f).edges_lost, 5);
        loop_advance_ms(f.loop, 3 * GPIO_LOOK_MS);
        CHECK_TEXT(f.changes, "27!0/5 ");
        fixture_done(&f);
}

/* One edge over the budget of a second that does not pass. */
static void storm(struct fixture *f)
{
        for (unsigned i = 0; i <= GPIO_EDGES_PER_SECOND; i++) {
                f->changes[0] = '\0';
                drive(f, i % 2 == 0);
                loop_run_once(f->loop, 0);
        }
}

TEST(a_line_that_floods_us_is_muted_and_polled_until_it_is_calm)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        listen_to(&f, 0);
        storm(&f);
        CHECK_EQ(info_of(&f, PIN).config.edges, GPIO_EDGE_NONE);
        CHECK_EQ(status_of(&f).warnings, GPIO_WARNING_EDGE_STORM);
        CHECK(strstr(f.changes, "27!2/0 ") != NULL);
        f.changes[0] = '\0';
        drive(&f, false);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.changes, "");
        loop_advance_ms(f.loop, GPIO_STORM_POLL_MS);
        CHECK_TEXT(f.changes, "27-input ");
        loop_advance_ms(f.loop, GPIO_STORM_CALM_MS + GPIO_STORM_POLL_MS);
        CHECK_TEXT(f.changes, "27-input 27!0/0 ");
        CHECK_EQ(info_of(&f, PIN).config.edges, GPIO_EDGE_BOTH);
        drive(&f, true);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.changes, "27-input 27!0/0 27+input ");
        fixture_done(&f);
}

TEST(a_storm_whose_edges_cannot_be_heard_again_goes_on_by_polling)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        listen_to(&f, 0);
        storm(&f);
        loop_advance_ms(f.loop, GPIO_STORM_POLL_MS);
        f.changes[0] = '\0';
        fake_kernel_fail(f.kernel, GPIO_V2_LINE_SET_CONFIG_IOCTL, -ENOMEM);
        loop_advance_ms(f.loop, GPIO_STORM_CALM_MS + GPIO_STORM_POLL_MS);
        CHECK_TEXT(f.changes, "");
        drive(&f, false);
        loop_advance_ms(f.loop, GPIO_STORM_POLL_MS);
        CHECK_TEXT(f.changes, "27-input ");
        loop_advance_ms(f.loop, 3 * GPIO_STORM_CALM_MS);
        CHECK_TEXT(f.changes, "27-input 27!0/0 ");
        fixture_done(&f);
}

TEST(a_pin_becomes_an_output_and_an_input_again)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        listen_to(&f, 0);
        run_set(&f, 1, PIN, true);
        CHECK_EQ(f.results[1].error, 0);
        CHECK(level_of(&f, PIN));
        CHECK_EQ(info_of(&f, PIN).config.edges, GPIO_EDGE_NONE);
        listen_to(&f, 2);
        CHECK_EQ(f.results[2].error, 0);
        CHECK_EQ(info_of(&f, PIN).config.direction, GPIO_DIRECTION_INPUT);
        listen_to(&f, 3);
        CHECK_EQ(f.results[3].error, 0);
        /* A safe state is for outputs. */
        run_safe(&f, 4, GPIO_ALL_PINS, GPIO_TAG_ALL);
        CHECK_EQ(f.results[4].error, 0);
        CHECK_EQ(info_of(&f, PIN).config.edges, GPIO_EDGE_BOTH);
        fixture_done(&f);
}

TEST(the_supervisor_lets_go_of_an_output_before_it_is_listened_to)
{
        struct fixture f;

        fixture_init(&f, GPIO_SAFE_OFF, true);
        run_set(&f, 0, PIN, true);
        answer(&f.link, false, 0);
        listen_to(&f, 1);
        CHECK_EQ(f.done[1], 0);
        answer(&f.link, true, 0);
        CHECK_EQ(f.done[1], 1);
        CHECK_EQ(f.results[1].error, 0);
        CHECK_EQ(f.link.questions_count, 0);
        CHECK_EQ(info_of(&f, PIN).config.direction, GPIO_DIRECTION_INPUT);
        fixture_done(&f);
}

TEST(what_cannot_be_listened_to_is_as_it_was)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        f.board->lines[PIN].without_interrupt = true;
        listen_to(&f, 0);
        CHECK_EQ(f.results[0].error, -ENXIO);
        CHECK(!info_of(&f, PIN).used);
        f.board->lines[PIN].without_interrupt = false;
        fake_kernel_hold(f.kernel, f.board, PIN, "lg", GPIO_V2_LINE_FLAG_INPUT);
        listen_to(&f, 1);
        CHECK_EQ(f.results[1].error, -EBUSY);
        fixture_done(&f);
}

TEST(a_chip_that_is_gone_is_listened_to_no_more)
{
        struct fixture f;

        fixture_init_kernel(&f, GPIO_SAFE_OFF);
        listen_to(&f, 0);
        drive(&f, true);
        f.board->gone = true;
        loop_run_once(f.loop, 0);
        loop_run_once(f.loop, 0);
        CHECK_TEXT(f.changes, "27-job ");
        fixture_done(&f);
}
