#include "agent/gpio/pwm-edges.h"

void gpio_pwm_edges_start(struct gpio_pwm_edges *edges, uint64_t now_ns)
{
        edges->level = true;
        edges->start_ns = now_ns;
        edges->due_ns = now_ns + edges->high_ns;
}

bool gpio_pwm_edges_step(struct gpio_pwm_edges *edges, uint64_t now_ns)
{
        uint64_t behind_ns;

        edges->level = !edges->level;
        if (edges->level)
                edges->start_ns = edges->due_ns;
        behind_ns = now_ns - edges->start_ns;
        if (behind_ns > 2 * edges->period_ns)
                edges->start_ns += behind_ns / edges->period_ns * edges->period_ns;
        edges->due_ns = edges->start_ns + (edges->level ? edges->high_ns : edges->period_ns);
        return edges->level;
}
