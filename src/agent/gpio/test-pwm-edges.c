#include "agent/gpio/pwm-edges.h"

#include "support/test.h"

enum { PERIOD = 1000, HIGH = 250, START = 5000 };

static struct gpio_pwm_edges started(void)
{
        struct gpio_pwm_edges edges = {.period_ns = PERIOD, .high_ns = HIGH};

        gpio_pwm_edges_start(&edges, START);
        return edges;
}

TEST(a_signal_starts_high_and_alternates)
{
        struct gpio_pwm_edges edges = started();

        CHECK(edges.level);
        for (uint64_t period = START; period < START + 50 * PERIOD; period += PERIOD) {
                CHECK_EQ(edges.due_ns, period + HIGH);
                CHECK(!gpio_pwm_edges_step(&edges, edges.due_ns));
                CHECK_EQ(edges.due_ns, period + PERIOD);
                CHECK(gpio_pwm_edges_step(&edges, edges.due_ns));
        }
}

TEST(lateness_does_not_add_up)
{
        struct gpio_pwm_edges edges = started();
        uint64_t late = 0;

        for (unsigned i = 1; i <= 10000; i++) {
                uint64_t grid = START + i / 2 * PERIOD + i % 2 * HIGH;

                CHECK_EQ(edges.due_ns, grid);
                late = (late * 75 + 74) % 65537;
                CHECK_EQ(gpio_pwm_edges_step(&edges, grid + late % PERIOD), i % 2 == 0);
        }
}

TEST(up_to_two_periods_late_no_edge_is_left_out)
{
        struct gpio_pwm_edges edges = started();
        const uint64_t now = START + 2 * PERIOD;
        unsigned count = 0;

        while (edges.due_ns <= now) {
                gpio_pwm_edges_step(&edges, now);
                count++;
        }
        CHECK_EQ(count, 4);
        CHECK(edges.level);
        CHECK_EQ(edges.due_ns, now + HIGH);
}

TEST(whole_periods_overslept_are_skipped_and_it_goes_on_in_the_one_that_runs)
{
        struct gpio_pwm_edges edges = started();

        CHECK(!gpio_pwm_edges_step(&edges, START + 10 * PERIOD + 500));
        CHECK_EQ(edges.due_ns, START + 11 * PERIOD);
        CHECK(gpio_pwm_edges_step(&edges, START + 20 * PERIOD + 100));
        CHECK_EQ(edges.due_ns, START + 20 * PERIOD + HIGH);
        CHECK(!gpio_pwm_edges_step(&edges, edges.due_ns));
        /* Where the high part is over already, it is over at once. */
        CHECK(gpio_pwm_edges_step(&edges, START + 30 * PERIOD + 600));
        CHECK_EQ(edges.due_ns, START + 30 * PERIOD + HIGH);
        CHECK(!gpio_pwm_edges_step(&edges, START + 30 * PERIOD + 600));
        CHECK_EQ(edges.due_ns, START + 31 * PERIOD);
}

TEST(new_times_count_from_the_next_edge_on)
{
        struct gpio_pwm_edges edges = started();

        edges.period_ns = 200;
        edges.high_ns = 150;
        CHECK_EQ(edges.due_ns, START + HIGH);
        CHECK(!gpio_pwm_edges_step(&edges, edges.due_ns));
        CHECK_EQ(edges.due_ns, START + 200);
        CHECK(gpio_pwm_edges_step(&edges, START + HIGH));
        CHECK_EQ(edges.due_ns, START + 200 + 150);
}

TEST(the_longest_period_does_not_wrap)
{
        struct gpio_pwm_edges edges = {.period_ns = UINT64_C(1000000000000000), .high_ns = 1};
        const uint64_t now = UINT64_C(1) << 62;

        gpio_pwm_edges_start(&edges, now);
        CHECK(!gpio_pwm_edges_step(&edges, now + 1));
        CHECK_EQ(edges.due_ns, now + edges.period_ns);
}
