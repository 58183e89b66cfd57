#include "supervisor/realtime.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

/* Above nothing but other threads of the lowest priority; the kernel's threads for
 * interrupts have 50. */
enum { PRIORITY = 10 };

int realtime_enter(struct log *log)
{
        const struct sched_param wanted = {.sched_priority = PRIORITY};
        int priority = PRIORITY;

        if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &wanted) < 0) {
                log_warning(log, "supervisor",
                            "no real-time priority: %s; on a busy machine safe states come later",
                            strerror(errno));
                priority = 0;
        }
        /* Not what is mapped later: with a limit on locked memory that would make
         * allocations fail. */
        if (mlockall(MCL_CURRENT) < 0)
                log_warning(log, "supervisor",
                            "memory is not locked: %s; a machine that swaps delays safe states",
                            strerror(errno));
        return priority;
}
