#include "net/budget.h"

#include <errno.h>

void net_budget_init(struct net_budget *budget, size_t limit)
{
        *budget = (struct net_budget){.limit = limit};
}

int net_budget_take(struct net_budget *budget, size_t bytes)
{
        if (budget->used > budget->limit || bytes > budget->limit - budget->used) {
                budget->refused++;
                return -ENOBUFS;
        }
        budget->used += bytes;
        if (budget->used > budget->peak)
                budget->peak = budget->used;
        return 0;
}

void net_budget_give(struct net_budget *budget, size_t bytes)
{
        budget->used -= bytes;
}

bool net_budget_is_tight(const struct net_budget *budget)
{
        return budget->used > budget->limit - budget->limit / 4;
}
