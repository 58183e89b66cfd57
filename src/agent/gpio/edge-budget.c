#include "agent/gpio/edge-budget.h"

static const uint64_t NS_PER_SECOND = 1000000000;
static const uint64_t NS_PER_MS = 1000000;

void gpio_edge_budget_init(struct gpio_edge_budget *budget, uint32_t per_second, uint64_t now_ns)
{
        if (per_second == 0)
                per_second = GPIO_EDGES_PER_SECOND;
        *budget = (struct gpio_edge_budget){
                .per_second = per_second,
                .calm_ms = GPIO_STORM_CALM_MS,
                .left = per_second * NS_PER_SECOND,
                .left_ns = now_ns,
                .calm_ns = now_ns,
        };
}

/* An edge costs a billion, and each nanosecond brings `per_second` of them. */
static void refill(struct gpio_edge_budget *budget, uint64_t now_ns)
{
        uint64_t full = budget->per_second * NS_PER_SECOND;
        uint64_t passed_ns = now_ns > budget->left_ns ? now_ns - budget->left_ns : 0;

        if (passed_ns >= NS_PER_SECOND || full - budget->left <= passed_ns * budget->per_second)
                budget->left = full;
        else
                budget->left += passed_ns * budget->per_second;
        budget->left_ns = now_ns;
}

static void begin(struct gpio_edge_budget *budget, uint64_t now_ns)
{
        uint64_t well_for_ns = now_ns - budget->calm_ns;

        /* As long without a storm as the last one took to end: it is forgotten. */
        if (budget->storms == 0 || well_for_ns > 2 * budget->calm_ms * NS_PER_MS)
                budget->calm_ms = GPIO_STORM_CALM_MS;
        else if (budget->calm_ms > GPIO_STORM_CALM_MAX_MS / 2)
                budget->calm_ms = GPIO_STORM_CALM_MAX_MS;
        else
                budget->calm_ms *= 2;
        budget->storming = true;
        budget->storms++;
        budget->calm_ns = now_ns;
}

enum gpio_storm gpio_edge_budget_count(struct gpio_edge_budget *budget, uint64_t edges,
                                       uint64_t now_ns)
{
        if (budget->storming)
                return GPIO_STORM_SAME;
        refill(budget, now_ns);
        if (edges <= budget->left / NS_PER_SECOND) {
                budget->left -= edges * NS_PER_SECOND;
                return GPIO_STORM_SAME;
        }
        begin(budget, now_ns);
        return GPIO_STORM_BEGINS;
}

enum gpio_storm gpio_edge_budget_poll(struct gpio_edge_budget *budget, bool level, uint64_t now_ns)
{
        if (!budget->storming)
                return GPIO_STORM_SAME;
        if (level != budget->level) {
                budget->level = level;
                budget->calm_ns = now_ns;
                return GPIO_STORM_SAME;
        }
        if (now_ns - budget->calm_ns < budget->calm_ms * NS_PER_MS)
                return GPIO_STORM_SAME;
        budget->storming = false;
        budget->left = budget->per_second * NS_PER_SECOND;
        budget->left_ns = now_ns;
        budget->calm_ns = now_ns;
        return GPIO_STORM_ENDS;
}
