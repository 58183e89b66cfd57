#include "mqtt/bucket.h"

#include "support/test.h"

TEST(without_a_rate_there_is_no_bound)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate rate = {0};

        for (unsigned i = 0; i < 1000; i++) {
                CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 0);
                mqtt_bucket_take(&bucket, rate, UINT32_MAX);
        }
}

TEST(a_burst_may_come_at_once_and_then_as_many_as_the_rate_says)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate rate = {.per_s = 10, .burst = 3};

        for (unsigned i = 0; i < 3; i++) {
                CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 0);
                mqtt_bucket_take(&bucket, rate, 1);
        }
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 100);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 99), 1);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 100), 0);
        mqtt_bucket_take(&bucket, rate, 1);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 100), 100);
        /* No more than a burst gathers, however long it is left alone. */
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, UINT64_MAX - 1), 0);
        mqtt_bucket_take(&bucket, rate, 3);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, UINT64_MAX - 1), 100);
}

TEST(without_a_burst_it_is_what_comes_in_a_second)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate rate = {.per_s = 4};

        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 7), 0);
        mqtt_bucket_take(&bucket, rate, 4);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 7), 250);
}

/* 1000 / 3 is no whole number of milliseconds: over a minute there are 180 all the same. */
TEST(what_is_less_than_one_is_kept)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate rate = {.per_s = 3, .burst = 1};
        unsigned count = 0;

        for (uint64_t now = 0; now < 60000;) {
                uint64_t wait = mqtt_bucket_wait_ms(&bucket, rate, now);

                if (wait == 0) {
                        mqtt_bucket_take(&bucket, rate, 1);
                        count++;
                }
                now += wait;
        }
        CHECK_EQ(count, 180);
}

TEST(what_is_larger_than_the_burst_passes_and_leaves_a_debt)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate rate = {.per_s = 1000, .burst = 100};

        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 0);
        mqtt_bucket_take(&bucket, rate, 5100);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 5001);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 5000), 1);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 5001), 0);
}

TEST(the_largest_numbers_do_not_overflow)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate rate = {.per_s = UINT32_MAX, .burst = UINT32_MAX};

        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 0);
        mqtt_bucket_take(&bucket, rate, UINT32_MAX);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, 0), 1);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, rate, UINT64_MAX), 0);
}

TEST(a_smaller_burst_from_now_on_is_all_there_is)
{
        struct mqtt_bucket bucket = {0};
        struct mqtt_rate before = {.per_s = 100}, now = {.per_s = 1, .burst = 2};

        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, before, 0), 0);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, now, 0), 0);
        mqtt_bucket_take(&bucket, now, 2);
        CHECK_EQ(mqtt_bucket_wait_ms(&bucket, now, 0), 1000);
}
