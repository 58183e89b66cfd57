#include "agent/gpio/edge-budget.h"

#include "support/test.h"

static const uint64_t SECOND = 1000000000, MS = 1000000;

/* The line toggles at each poll until it stands still; says when the storm ended. */
static uint64_t sit_out(struct gpio_edge_budget *budget, uint64_t now_ns)
{
        uint64_t begin_ns = now_ns;

        while (gpio_edge_budget_poll(budget, budget->level, now_ns) != GPIO_STORM_ENDS) {
                now_ns += GPIO_STORM_POLL_MS * MS;
                CHECK(now_ns - begin_ns < 200 * SECOND);
        }
        return now_ns;
}

TEST(a_line_within_its_budget_is_left_alone)
{
        struct gpio_edge_budget budget;
        uint64_t now_ns = 5 * SECOND;

        gpio_edge_budget_init(&budget, 100, now_ns);
        for (int i = 0; i < 1000; i++) {
                now_ns += 10 * MS;
                CHECK_EQ(gpio_edge_budget_count(&budget, 1, now_ns), GPIO_STORM_SAME);
        }
        CHECK_EQ(budget.storms, 0);
}

TEST(a_burst_of_a_second_is_fine_and_one_more_is_a_storm)
{
        struct gpio_edge_budget budget;

        gpio_edge_budget_init(&budget, 0, 0);
        CHECK_EQ(gpio_edge_budget_count(&budget, GPIO_EDGES_PER_SECOND, 0), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_count(&budget, 1, 0), GPIO_STORM_BEGINS);
        CHECK(budget.storming);
        CHECK_EQ(budget.storms, 1);
        /* What the kernel had still queued. */
        CHECK_EQ(gpio_edge_budget_count(&budget, 100000, 1), GPIO_STORM_SAME);
}

TEST(ten_kilohertz_is_a_storm_within_a_second)
{
        struct gpio_edge_budget budget;
        uint64_t now_ns = 0;

        gpio_edge_budget_init(&budget, 0, 0);
        while (gpio_edge_budget_count(&budget, 20, now_ns) == GPIO_STORM_SAME)
                now_ns += MS;
        CHECK(now_ns > 50 * MS);
        CHECK(now_ns < 60 * MS);
}

TEST(any_number_of_lost_edges_can_be_counted)
{
        struct gpio_edge_budget budget;

        gpio_edge_budget_init(&budget, UINT32_MAX, 0);
        CHECK_EQ(gpio_edge_budget_count(&budget, UINT32_MAX, UINT64_MAX / 2), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_count(&budget, UINT64_MAX, UINT64_MAX), GPIO_STORM_BEGINS);
}

TEST(a_storm_ends_when_the_level_stood_still)
{
        struct gpio_edge_budget budget;

        gpio_edge_budget_init(&budget, 10, 0);
        CHECK_EQ(gpio_edge_budget_poll(&budget, true, 0), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_count(&budget, 11, 0), GPIO_STORM_BEGINS);
        CHECK_EQ(gpio_edge_budget_poll(&budget, true, 900 * MS), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_poll(&budget, false, 1800 * MS), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_poll(&budget, false, 2799 * MS), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_poll(&budget, false, 2800 * MS), GPIO_STORM_ENDS);
        CHECK(!budget.storming);
        /* With a whole budget. */
        CHECK_EQ(gpio_edge_budget_count(&budget, 10, 2800 * MS), GPIO_STORM_SAME);
        CHECK_EQ(gpio_edge_budget_poll(&budget, true, 9000 * MS), GPIO_STORM_SAME);
}

TEST(a_line_that_storms_again_at_once_has_to_be_calm_for_longer_up_to_a_minute)
{
        static const uint32_t calm_ms[] = {1000,  2000,  4000,  8000, 16000,
                                           32000, 60000, 60000, 60000};
        struct gpio_edge_budget budget;
        uint64_t now_ns = 0;

        gpio_edge_budget_init(&budget, 10, 0);
        for (size_t i = 0; i < sizeof(calm_ms) / sizeof(*calm_ms); i++) {
                uint64_t begin_ns = now_ns;

                CHECK_EQ(gpio_edge_budget_count(&budget, 11, now_ns), GPIO_STORM_BEGINS);
                now_ns = sit_out(&budget, now_ns);
                CHECK_EQ((now_ns - begin_ns) / MS, calm_ms[i]);
        }
        /* After a good time all is forgotten. */
        now_ns += 121 * SECOND;
        CHECK_EQ(gpio_edge_budget_count(&budget, 11, now_ns), GPIO_STORM_BEGINS);
        CHECK_EQ(budget.calm_ms, GPIO_STORM_CALM_MS);
        CHECK_EQ(budget.storms, 10);
}
