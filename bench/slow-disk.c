/* bench-slow-disk - a disk that takes as long as an SD card to say that something is safe.
 *
 * To be preloaded (ld.so(8), LD_PRELOAD) into whatever writes: fsync(2) and fdatasync(2) take
 * $PIFLEET_BENCH_SYNC_MS longer (1 to 1000) than the disk that is there. All else is that
 * disk's, and the processor is free meanwhile, as it is while a card is busy. */
#define _GNU_SOURCE

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { DELAY_MAX_MS = 1000, NS_PER_MS = 1000000, MS_PER_S = 1000 };

static void wait_as_a_card_does(void)
{
        const char *text = getenv("PIFLEET_BENCH_SYNC_MS");
        long ms = text ? strtol(text, NULL, 10) : 0;
        struct timespec left = {ms / MS_PER_S, ms % MS_PER_S * NS_PER_MS};

        if (ms < 1 || ms > DELAY_MAX_MS)
                errx(EXIT_FAILURE, "PIFLEET_BENCH_SYNC_MS is 1 to %d", DELAY_MAX_MS);
        while (nanosleep(&left, &left) < 0 && errno == EINTR)
                ;
}

/* Other symbols of the project are hidden. */
__attribute__((visibility("default"))) int fsync(int fd)
{
        wait_as_a_card_does();
        return (int)syscall(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
        wait_as_a_card_does();
        return (int)syscall(SYS_fdatasync, fd);
}
