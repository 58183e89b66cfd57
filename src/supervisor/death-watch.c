#include "supervisor/death-watch.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

enum { WATCH_STACK = 64 << 10, END_WAIT_SECONDS = 1 };

struct death_watch {
        struct guard_page *page;
        int priority;
        death_watch_fn *on_death;
        void *owner;
        pthread_t thread;
        struct death_watch_report report; /* the thread's until it has acted */
        _Atomic bool acted;
};

/* 0: it is ours, so its owner is gone; -ESRCH: gone before we came. */
static int wait_for_owner(struct guard_page *page)
{
        long r;

        /* EAGAIN: the owner is about to die and has not got there yet. */
        do
                r = syscall(SYS_futex, &page->alive, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
        while (r < 0 && (errno == EAGAIN || errno == EINTR));
        return r < 0 ? -errno : 0;
}

static void *watch_run(void *argument)
{
        struct death_watch *watch = argument;
        const struct sched_param wanted = {.sched_priority = watch->priority};
        int r;

        if (watch->priority > 0)
                (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &wanted);
        r = wait_for_owner(watch->page);
        /* Anything else is no death but a kernel, or a page, that cannot tell. */
        if (r < 0 && r != -ESRCH)
                return NULL;
        watch->report.called_ns = clock_monotonic_ns();
        watch->on_death(watch->owner);
        watch->report.returned_ns = clock_monotonic_ns();
        atomic_store(&watch->acted, true);
        return NULL;
}

int death_watch_start(struct guard_page *page, int priority, death_watch_fn *on_death, void *owner,
                      struct death_watch **ret)
{
        AUTO_FREE struct death_watch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        /* Free, it would be ours at once; nobody's death would be seen. */
        if (atomic_load(&page->alive) == 0)
                return -EPROTO;
        watch->page = page;
        watch->priority = priority;
        watch->on_death = on_death;
        watch->owner = owner;
        r = thread_new("death-watch", WATCH_STACK, watch_run, watch, &watch->thread);
        if (r < 0)
                return r;
        *ret = TAKE(watch);
        return 0;
}

bool death_watch_has_acted(const struct death_watch *watch)
{
        return atomic_load(&watch->acted);
}

int death_watch_end(struct death_watch *watch, struct death_watch_report *ret)
{
        struct timespec until;
        int r;

        if (clock_gettime(CLOCK_MONOTONIC, &until) < 0)
                return -errno;
        until.tv_sec += END_WAIT_SECONDS;
        r = pthread_clockjoin_np(watch->thread, NULL, CLOCK_MONOTONIC, &until);
        if (r != 0) {
                pthread_detach(watch->thread);
                return -r;
        }
        *ret = watch->report;
        free(watch);
        return 0;
}
