#include "bench/clocks.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static int read_ns(clockid_t id, uint64_t *ret)
{
        struct timespec now;

        if (clock_gettime(id, &now) < 0)
                return -errno;
        *ret = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
        return 0;
}

/* The second figure of its schedstat (proc(5)). */
static uint64_t wait_ns(int process)
{
        char path[64];
        uint64_t wait = 0;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/schedstat", process);
        file = fopen(path, "re");
        if (!file)
                return 0;
        if (fscanf(file, "%*u %" SCNu64, &wait) != 1)
                wait = 0;
        fclose(file);
        return wait;
}

int clocks_read(int server, struct clocks *ret)
{
        clockid_t server_clock;
        int r;

        *ret = (struct clocks){.own_wait_ns = wait_ns(getpid())};
        if (server != 0) {
                ret->server_wait_ns = wait_ns(server);
                /* In nanoseconds, and with the threads that have ended: what
                 * /proc/PID/stat rounds to ticks. */
                r = clock_getcpuclockid(server, &server_clock);
                if (r != 0)
                        return -r;
                r = read_ns(server_clock, &ret->server_ns);
                if (r < 0)
                        return r;
        }
        r = read_ns(CLOCK_PROCESS_CPUTIME_ID, &ret->own_ns);
        if (r < 0)
                return r;
        return read_ns(CLOCK_MONOTONIC, &ret->monotonic_ns);
}

struct clocks clocks_between(const struct clocks *before, const struct clocks *after)
{
        return (struct clocks){
                .monotonic_ns = after->monotonic_ns - before->monotonic_ns,
                .server_ns = after->server_ns - before->server_ns,
                .own_ns = after->own_ns - before->own_ns,
                .server_wait_ns = after->server_wait_ns - before->server_wait_ns,
                .own_wait_ns = after->own_wait_ns - before->own_wait_ns,
        };
}

void clocks_print(const struct clocks *between)
{
        printf(",\"window_ns\":%" PRIu64 ",\"server_cpu_ns\":%" PRIu64
               ",\"generator_cpu_ns\":%" PRIu64 ",\"server_wait_ns\":%" PRIu64
               ",\"generator_wait_ns\":%" PRIu64,
               between->monotonic_ns, between->server_ns, between->own_ns, between->server_wait_ns,
               between->own_wait_ns);
}

int clocks_pin(int cpu)
{
        cpu_set_t set;

        CPU_ZERO(&set);
        CPU_SET(cpu, &set);
        return sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : -errno;
}
