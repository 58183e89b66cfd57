#include "bench/histogram.h"
#include "support/test.h"

TEST(an_empty_histogram_has_no_quantile)
{
        static struct histogram h;

        histogram_reset(&h);
        CHECK_EQ(histogram_quantile_ns(&h, 500), 0);
        CHECK_EQ(histogram_quantile_ns(&h, 1000), 0);
}

TEST(small_values_are_exact)
{
        static struct histogram h;

        histogram_reset(&h);
        for (uint64_t value = 1; value <= 100; value++)
                histogram_add(&h, value, 1);
        CHECK_EQ(h.count, 100);
        CHECK_EQ(histogram_quantile_ns(&h, 500), 50);
        CHECK_EQ(histogram_quantile_ns(&h, 990), 99);
        CHECK_EQ(histogram_quantile_ns(&h, 999), 100);
        CHECK_EQ(histogram_quantile_ns(&h, 1000), 100);
}

TEST(each_value_comes_back_within_one_step)
{
        static struct histogram h;

        for (uint64_t value = 1; value < (uint64_t)1 << HISTOGRAM_VALUE_BITS;
             value += value / 5 + 1) {
                uint64_t back;

                histogram_reset(&h);
                histogram_add(&h, value, 1);
                histogram_add(&h, ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1, 1);
                back = histogram_quantile_ns(&h, 500);
                CHECK(back >= value);
                CHECK(back <= value + value / HISTOGRAM_STEPS);
        }
}

TEST(a_rare_slow_value_moves_only_the_tail)
{
        static struct histogram h;

        histogram_reset(&h);
        histogram_add(&h, 20000, 9985);
        histogram_add(&h, 5000000, 15);
        CHECK(histogram_quantile_ns(&h, 990) < 20200);
        CHECK(histogram_quantile_ns(&h, 999) > 4900000);
        CHECK_EQ(histogram_quantile_ns(&h, 1000), 5000000);
}

TEST(a_value_beyond_the_range_counts_as_the_largest)
{
        static struct histogram h;

        histogram_reset(&h);
        histogram_add(&h, UINT64_MAX, 3);
        CHECK_EQ(h.count, 3);
        CHECK_EQ(histogram_quantile_ns(&h, 500), ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1);
}
