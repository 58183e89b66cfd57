/* agent/gpio/edge-budget.h - how many edges a second may one line cost us?
 *
 * A floating input or a 10 kHz signal makes tens of thousands of events a second,
 * at the expense of everybody else. A line that spends more than its budget is in
 * a storm: its owner switches edges off and reads the level now and then instead,
 * until it was calm for a while. A line that storms again soon after that has to
 * be calm for longer, up to a minute. Pure: the time comes from the caller.
 *
 *     count edges ── BEGINS ──> edges off, poll each GPIO_STORM_POLL_MS
 *         ^                                   │
 *         └──────── edges on <── ENDS ── the level stood still */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
        GPIO_EDGES_PER_SECOND = 1000, /* of one line; twice as fast as a hand-turned encoder */
        GPIO_STORM_POLL_MS = 50,
        GPIO_STORM_CALM_MS = 1000,      /* how long the level has to stand still, at first */
        GPIO_STORM_CALM_MAX_MS = 60000, /* and at most */
};

enum gpio_storm {
        GPIO_STORM_SAME,   /* go on as before */
        GPIO_STORM_BEGINS, /* switch the line's edges off, and poll it */
        GPIO_STORM_ENDS,   /* switch them on again */
};

struct gpio_edge_budget {
        uint32_t per_second;
        bool storming;
        bool level;       /* as last polled */
        uint32_t storms;  /* so far */
        uint32_t calm_ms; /* that the storm takes to end */
        uint64_t left;    /* edges, in billionths; at most those of a second */
        uint64_t left_ns; /* when `left` was right */
        uint64_t calm_ns; /* storming: since when the level stands still; else: when it ended */
};

/* `per_second` 0: GPIO_EDGES_PER_SECOND. As many may come at once. */
void gpio_edge_budget_init(struct gpio_edge_budget *budget, uint32_t per_second, uint64_t now_ns);
/* `edges` came in, those that were lost included. BEGINS or SAME; in a storm, what
 * still comes out of the kernel's buffer does not count. */
enum gpio_storm gpio_edge_budget_count(struct gpio_edge_budget *budget, uint64_t edges,
                                       uint64_t now_ns);
/* In a storm, each GPIO_STORM_POLL_MS: what the line reads. ENDS or SAME. */
enum gpio_storm gpio_edge_budget_poll(struct gpio_edge_budget *budget, bool level, uint64_t now_ns);
