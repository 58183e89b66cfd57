/* base/clock.h - the three clocks, in integers with their unit in the name. */
#pragma once

#include <stdint.h>

uint64_t clock_monotonic_ns(void); /* for intervals; stands still in suspend */
uint64_t clock_boottime_ns(void);  /* for leases and uptimes; counts suspend */
int64_t clock_realtime_ns(void);   /* for people; jumps when NTP says so */
