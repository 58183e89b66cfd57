/* The calendar of a program under test, moved by somebody else while it runs: to be preloaded.
 *
 * PIFLEET_FAKED_CLOCK names a file of eight bytes, the seconds (of the machine's byte order) that
 * are added to CLOCK_REALTIME. Clocks that do not jump on a real machine do not here. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Everything here is built with hidden symbols; these are there to be found first. */
#pragma GCC visibility push(default)

static const volatile int64_t *offset_s;

__attribute__((constructor)) static void find_offset(void)
{
        const char *path = getenv("PIFLEET_FAKED_CLOCK");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);

        /* A test of a clock that is not faked would prove nothing. */
        if (map == MAP_FAILED) {
                fprintf(stderr, "faked-clock: PIFLEET_FAKED_CLOCK cannot be read\n");
                abort();
        }
        close(fd);
        offset_s = map;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
#ifdef SYS_clock_gettime64
        int64_t now[2] = {0};
        long r = syscall(SYS_clock_gettime64, clock, now);

        ret->tv_sec = (time_t)now[0];
        ret->tv_nsec = (long)now[1];
#else
        long r = syscall(SYS_clock_gettime, clock, ret);
#endif
        if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
                ret->tv_sec += (time_t)*offset_s;
        return (int)r;
}

time_t time(time_t *ret)
{
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_REALTIME, &now);
        if (ret)
                *ret = now.tv_sec;
        return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
        struct timespec now = {0};

        (void)zone;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        ret->tv_sec = now.tv_sec;
        ret->tv_usec = now.tv_nsec / 1000;
        return 0;
}
