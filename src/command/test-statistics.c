#include "command/statistics.h"

#include "base/attributes.h"
#include "support/test.h"

TEST(without_calls_every_percentile_is_zero)
{
        struct command_statistics s = {0};

        CHECK_EQ(command_statistics_percentile(&s, 50), 0);
        CHECK_EQ(command_statistics_percentile(&s, 100), 0);
}

TEST(a_percentile_is_never_below_nor_a_quarter_above_the_latency)
{
        static const uint64_t latencies[] = {0, 1,   2,    3,     4,      5,       7,        8,
                                             9, 100, 1000, 12345, 999999, 5000000, 100000000};

        for (size_t i = 0; i < ARRAY_SIZE(latencies); i++) {
                struct command_statistics s = {0};
                uint64_t p50;

                command_statistics_add(&s, latencies[i]);
                command_statistics_add(&s, UINT64_C(120000000)); /* keeps the maximum away */
                p50 = command_statistics_percentile(&s, 50);
                CHECK(p50 >= latencies[i]);
                CHECK(p50 <= latencies[i] + latencies[i] / 4);
        }
}

TEST(a_percentile_never_exceeds_the_maximum_seen)
{
        struct command_statistics s = {0};

        command_statistics_add(&s, 1025);
        CHECK_EQ(command_statistics_percentile(&s, 99), 1025);
        CHECK_EQ(s.latency_max_us, 1025);
}

TEST(ninety_nine_fast_calls_and_a_slow_one_give_a_fast_p99)
{
        struct command_statistics s = {0};

        for (unsigned i = 0; i < 99; i++)
                command_statistics_add(&s, 10);
        command_statistics_add(&s, 1000000);
        CHECK(command_statistics_percentile(&s, 99) <= 11);
        CHECK_EQ(command_statistics_percentile(&s, 100), 1000000);
        CHECK_EQ(s.calls, 100);
}

TEST(latencies_beyond_the_scale_count_in_the_last_bucket)
{
        struct command_statistics s = {0};

        command_statistics_add(&s, UINT64_MAX);
        CHECK_EQ(s.latency[COMMAND_LATENCY_BUCKETS - 1], 1);
        CHECK_EQ(command_statistics_percentile(&s, 50), UINT64_MAX);
}
