/* net/budget.h - the memory that peers can make us hold, all of them together.
 *
 * Streams take from it before their buffers grow and give back when they
 * shrink. One budget per daemon, on its loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_budget {
        size_t limit; /* bytes */
        size_t used;
        size_t peak;
        uint64_t refused; /* how often nothing was left */
};

void net_budget_init(struct net_budget *budget, size_t limit);
int net_budget_take(struct net_budget *budget, size_t bytes); /* -ENOBUFS: untouched */
void net_budget_give(struct net_budget *budget, size_t bytes);
/* Above three quarters: time to refuse what is not essential (new clients). */
bool net_budget_is_tight(const struct net_budget *budget);
