#include "base/clock.h"

#include <time.h>

/* clock_gettime() fails for unknown clocks and bad pointers only, and these
 * three exist in every kernel we run on. */
static int64_t read_ns(clockid_t clock)
{
        struct timespec now = {0};

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
        return (uint64_t)read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_boottime_ns(void)
{
        return (uint64_t)read_ns(CLOCK_BOOTTIME);
}

int64_t clock_realtime_ns(void)
{
        return read_ns(CLOCK_REALTIME);
}
