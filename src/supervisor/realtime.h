/* supervisor/realtime.h - as undisturbed as we are allowed to be.
 *
 * SCHED_FIFO at a low priority, and our memory kept from being paged out: a
 * machine that swaps or computes does not hold the safe state up. */
#pragma once

#include "base/log.h"

/* The priority this process got; 0: none. Children start as others do. What was not
 * allowed is logged, once. */
int realtime_enter(struct log *log);
