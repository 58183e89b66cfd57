#include "agent/handler/healing.h"

#include "agent/handler/restart.h"
#include "support/test.h"

#include <errno.h>

TEST(a_version_is_good_after_twenty_calls_without_an_error)
{
        struct healing_errors errors = {0};
        struct healing healing;

        healing_begin(&healing, false, 0);
        for (unsigned i = 1; i < HEALING_GOOD_CALLS; i++)
                CHECK(!healing_on_success(&healing, i));
        CHECK(!healing_on_error(&healing, &errors, 50));
        for (unsigned i = 1; i < HEALING_GOOD_CALLS; i++)
                CHECK(!healing_on_success(&healing, i));
        CHECK(healing_on_success(&healing, 100));
        CHECK(!healing_on_success(&healing, 101));
}

TEST(a_version_is_good_after_a_minute_without_an_error)
{
        struct healing_errors errors = {0};
        struct healing healing;
        uint64_t wait_ms;

        healing_begin(&healing, false, 1000);
        CHECK(!healing_look(&healing, 1000, &wait_ms));
        CHECK_EQ(wait_ms, HEALING_GOOD_MS);
        healing_on_error(&healing, &errors, 31000);
        CHECK(!healing_look(&healing, 61000, &wait_ms));
        CHECK_EQ(wait_ms, 30000);
        CHECK(healing_look(&healing, 91000, &wait_ms));
        CHECK_EQ(wait_ms, 0);
        healing_begin(&healing, true, 0);
        CHECK(!healing_look(&healing, 1 << 20, &wait_ms));
        CHECK_EQ(wait_ms, 0);
}

TEST(the_sixth_error_within_ten_minutes_suggests_a_rollback_once)
{
        struct healing_errors errors = {0};
        struct healing healing;

        healing_begin(&healing, true, 0);
        for (uint64_t i = 0; i < HEALING_ERRORS_MAX; i++)
                CHECK(!healing_on_error(&healing, &errors, i * 1000));
        CHECK(healing_on_error(&healing, &errors, HEALING_WINDOW_MS - 1));
        CHECK(!healing_on_error(&healing, &errors, HEALING_WINDOW_MS - 1));
        CHECK(healing.suggested);
}

TEST(errors_that_are_long_ago_do_not_count)
{
        struct healing_errors errors = {0};
        struct healing healing;

        healing_begin(&healing, true, 0);
        for (uint64_t i = 0; i < 100; i++)
                CHECK(!healing_on_error(&healing, &errors, i * (HEALING_WINDOW_MS / 5)));
        CHECK_EQ(healing_errors_within(&errors, 99 * (HEALING_WINDOW_MS / 5)), 5);
        CHECK_EQ(healing_errors_within(&errors, 200 * (uint64_t)HEALING_WINDOW_MS), 0);
}

TEST(three_crashes_of_a_new_version_are_too_many)
{
        struct healing healing;

        healing_begin(&healing, false, 0);
        CHECK(!healing_on_crash(&healing, 1));
        CHECK(!healing_on_crash(&healing, 2));
        CHECK(healing_on_crash(&healing, 3));
        CHECK(!healing_on_crash(&healing, 4));
        healing_begin(&healing, true, 0);
        for (unsigned i = 0; i < 10; i++)
                CHECK(!healing_on_crash(&healing, i));
}

TEST(a_host_is_started_at_once_then_later_and_later_then_no_more)
{
        static const uint64_t delays[] = {0, 10000, 20000, 40000, 80000, 160000};
        struct restart restart;
        uint64_t now = 5, delay_ms;

        restart_forget(&restart);
        for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
                CHECK_EQ(restart_on_end(&restart, now, 0, &delay_ms), 0);
                CHECK_EQ(delay_ms, delays[i]);
                now += delay_ms + 100;
        }
        CHECK_EQ(restart_on_end(&restart, now, 0, &delay_ms), -ESTALE);
        restart_forget(&restart);
        CHECK_EQ(restart_on_end(&restart, now, 0, &delay_ms), 0);
        CHECK_EQ(delay_ms, 0);
}

TEST(good_service_ends_a_row_but_not_the_half_hour)
{
        struct restart restart;
        uint64_t now = 5, delay_ms;

        restart_forget(&restart);
        for (unsigned i = 0; i < RESTART_WINDOW_MAX; i++) {
                CHECK_EQ(restart_on_end(&restart, now, RESTART_STEADY_MS, &delay_ms), 0);
                CHECK_EQ(delay_ms, 0);
                now += RESTART_STEADY_MS;
        }
        CHECK_EQ(restart_on_end(&restart, now, RESTART_STEADY_MS, &delay_ms), -ESTALE);
        now += RESTART_WINDOW_MS;
        CHECK_EQ(restart_on_end(&restart, now, RESTART_STEADY_MS, &delay_ms), 0);
}
