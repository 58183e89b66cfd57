/* bench/clocks.h - what time it is, and how much of it server and generator used. */
#pragma once

#include <stdint.h>
#include <time.h>

struct clocks {
        uint64_t monotonic_ns;
        uint64_t server_ns, own_ns; /* CPU of all threads */
        /* Ready to run, while others had the core; of the main thread, and 0 where the
         * kernel does not count that. */
        uint64_t server_wait_ns, own_wait_ns;
};

static inline uint64_t clocks_now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* `server`: its process id; 0: none, and its figures are 0. -errno: it is gone. */
int clocks_read(int server, struct clocks *ret);
struct clocks clocks_between(const struct clocks *before, const struct clocks *after);
/* As members of a JSON object, with a comma before the first, to standard output. */
void clocks_print(const struct clocks *between);

/* This thread stays on one core. -errno. */
int clocks_pin(int cpu);
