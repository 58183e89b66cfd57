#include "access/slowdown.h"
#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdbool.h>

enum { HERE = 1, ELSEWHERE = 2 };

static const uint64_t start_ms = 1000000;

static void fail_times(struct slowdown *slowdown, uint64_t origin, unsigned times, uint64_t now_ms)
{
        for (unsigned i = 0; i < times; i++)
                slowdown_failed(slowdown, origin, now_ms);
}

TEST(three_failures_are_free_and_each_further_one_doubles_the_wait_up_to_a_minute)
{
        static const uint64_t waits_ms[] = {0,    0,     0,     500,   1000,  2000, 4000,
                                            8000, 16000, 32000, 60000, 60000, 60000};
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        for (size_t i = 0; i < ARRAY_SIZE(waits_ms); i++) {
                CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms), waits_ms[i]);
                CHECK_EQ(slowdown_wait_ms(slowdown, HERE, start_ms), waits_ms[i]);
        }
}

TEST(a_wait_ends_to_the_millisecond)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 5, start_ms);
        CHECK_EQ(slowdown_wait_ms(slowdown, HERE, start_ms + 1), 999);
        CHECK_EQ(slowdown_wait_ms(slowdown, HERE, start_ms + 999), 1);
        CHECK_EQ(slowdown_wait_ms(slowdown, HERE, start_ms + 1000), 0);
}

TEST(asking_does_not_make_the_wait_longer)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 4, start_ms);
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(slowdown_wait_ms(slowdown, HERE, start_ms + 100), 400);
}

TEST(nobody_waits_for_what_others_did)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 20, start_ms);
        CHECK_EQ(slowdown_wait_ms(slowdown, ELSEWHERE, start_ms), 0);
        CHECK_EQ(slowdown_failed(slowdown, ELSEWHERE, start_ms), 0);
        CHECK_EQ(slowdown_count(slowdown), 2);
}

TEST(one_failure_is_forgiven_each_minute)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 6, start_ms);
        /* Two of six are forgiven: the next is the fifth. */
        CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms + 2 * 60000), 1000);
}

TEST(what_is_forgiven_entirely_is_forgotten)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 4, start_ms);
        slowdown_wait_ms(slowdown, HERE, start_ms + 4 * 60000 - 1);
        CHECK_EQ(slowdown_count(slowdown), 1);
        slowdown_wait_ms(slowdown, HERE, start_ms + 4 * 60000);
        CHECK_EQ(slowdown_count(slowdown), 0);
}

TEST(however_many_failures_a_quarter_of_an_hour_forgives_them)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 100000, start_ms);
        CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms + 15 * 60000), 0);
}

/* Tries as soon as it may, for an hour. */
TEST(a_patient_guesser_gets_one_guess_a_minute)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;
        unsigned guesses = 0;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        for (uint64_t now_ms = start_ms; now_ms < start_ms + 3600000; now_ms += 100) {
                if (slowdown_wait_ms(slowdown, HERE, now_ms) > 0)
                        continue;
                slowdown_failed(slowdown, HERE, now_ms);
                guesses++;
        }
        CHECK(guesses >= 60);
        CHECK(guesses <= 75);
}

TEST(a_success_forgives_all)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 8, start_ms);
        slowdown_succeeded(slowdown, HERE, start_ms + 60000);
        CHECK_EQ(slowdown_wait_ms(slowdown, HERE, start_ms + 60000), 0);
        CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms + 60000), 0);
}

TEST(a_success_of_an_unknown_origin_is_not_remembered)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        slowdown_succeeded(slowdown, HERE, start_ms);
        CHECK_EQ(slowdown_count(slowdown), 0);
}

/* Holds one secret and guesses at another's: succeeds after each failure. */
TEST(successes_in_between_do_not_buy_endless_guesses)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;
        unsigned guesses = 0;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        for (uint64_t now_ms = start_ms; now_ms < start_ms + 3600000; now_ms += 100) {
                if (slowdown_wait_ms(slowdown, HERE, now_ms) > 0)
                        continue;
                slowdown_failed(slowdown, HERE, now_ms);
                guesses++;
                if (slowdown_wait_ms(slowdown, HERE, now_ms) == 0)
                        slowdown_succeeded(slowdown, HERE, now_ms);
        }
        CHECK(guesses <= 60 * 11);
}

TEST(a_success_forgives_again_after_a_minute)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 3, start_ms);
        slowdown_succeeded(slowdown, HERE, start_ms);
        fail_times(slowdown, HERE, 3, start_ms);
        slowdown_succeeded(slowdown, HERE, start_ms + 59999);
        CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms + 59999), 500);
        slowdown_succeeded(slowdown, HERE, start_ms + 60500);
        CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms + 60500), 0);
}

TEST(the_minute_of_forgiving_starts_with_the_first_failure_after_a_success)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 3, start_ms);
        slowdown_succeeded(slowdown, HERE, start_ms + 50000);
        fail_times(slowdown, HERE, 4, start_ms + 55000);
        CHECK_EQ(slowdown_failed(slowdown, HERE, start_ms + 60000), 1000);
}

TEST(a_full_table_forgets_who_failed_least_recently)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        for (uint64_t origin = 0; origin < SLOWDOWN_ORIGINS_MAX; origin++)
                fail_times(slowdown, origin, 5, start_ms + origin);
        CHECK_EQ(slowdown_count(slowdown), SLOWDOWN_ORIGINS_MAX);
        /* 0 fails again, so 1 is now the one that did not for longest. */
        slowdown_failed(slowdown, 0, start_ms + 1100);
        fail_times(slowdown, 5000, 5, start_ms + 1100);
        CHECK_EQ(slowdown_count(slowdown), SLOWDOWN_ORIGINS_MAX);
        CHECK(slowdown_wait_ms(slowdown, 0, start_ms + 1100) > 0);
        CHECK_EQ(slowdown_failed(slowdown, 1, start_ms + 1100), 0);
        CHECK(slowdown_wait_ms(slowdown, 5000, start_ms + 1100) > 0);
        CHECK(slowdown_wait_ms(slowdown, SLOWDOWN_ORIGINS_MAX - 1, start_ms + 1100) > 0);
}

TEST(any_key_is_an_origin)
{
        static const uint64_t keys[] = {0, 1, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
        AUTO(slowdown) struct slowdown *slowdown = NULL;

        CHECK_EQ(slowdown_new(&slowdown), 0);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                fail_times(slowdown, keys[i], 4, start_ms);
                CHECK_EQ(slowdown_wait_ms(slowdown, keys[i], start_ms), 500);
                CHECK_EQ(slowdown_count(slowdown), i + 1);
        }
}

TEST(time_near_the_end_of_its_range_does_no_harm)
{
        AUTO(slowdown) struct slowdown *slowdown = NULL;
        uint64_t late_ms = UINT64_MAX / 1000000; /* what nanoseconds can count to */

        CHECK_EQ(slowdown_new(&slowdown), 0);
        fail_times(slowdown, HERE, 4, 0);
        CHECK_EQ(slowdown_wait_ms(slowdown, HERE, late_ms), 0);
        CHECK_EQ(slowdown_count(slowdown), 0);
}

TEST(without_memory_there_is_no_table)
{
        struct slowdown *slowdown = NULL;
        int r;

        allocation_fail_at(1);
        r = slowdown_new(&slowdown);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_NULL(slowdown);
}
