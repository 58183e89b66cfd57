#include "supervisor/death-watch.h"

#include "base/clock.h"
#include "base/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

enum { WATCH_STACK = 64 << 10, END_WAIT_SECONDS = 1 };

struct death_watch {
        struct guard_page *page;
        death_watch_fn *on_death;
        void *owner;
        pthread_t thread;
        sem_t done;                       /* the thread has nothing more to do */
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

static void watch_page(struct death_watch *watch)
{
        int r = wait_for_owner(watch->page);

        /* Anything else is no death but a kernel, or a page, that cannot tell. */
        if (r < 0 && r != -ESRCH)
                return;
        watch->report.called_ns = clock_monotonic_ns();
        watch->on_death(watch->owner);
        watch->report.returned_ns = clock_monotonic_ns();
        atomic_store(&watch->acted, true);
}

static void *watch_run(void *argument)
{
        struct death_watch *watch = argument;

        watch_page(watch);
        sem_post(&watch->done);
        return NULL;
}

int death_watch_start(struct guard_page *page, int priority, death_watch_fn *on_death, void *owner,
                      struct death_watch **ret)
{
        AUTO_FREE struct death_watch *watch = calloc(1, sizeof(*watch));
        const struct sched_param wanted = {.sched_priority = priority};
        int r;

        if (!watch)
                return -ENOMEM;
        /* Free, it would be ours at once; nobody's death would be seen. */
        if (atomic_load(&page->alive) == 0)
                return -EPROTO;
        watch->page = page;
        watch->on_death = on_death;
        watch->owner = owner;
        if (sem_init(&watch->done, 0, 0) < 0)
                return -errno;
        r = thread_new("death-watch", WATCH_STACK, watch_run, watch, &watch->thread);
        if (r < 0) {
                sem_destroy(&watch->done);
                return r;
        }
        /* By us: a thread that had to make itself real-time would first wait for its turn
         * among the busy, and all that time nobody would see a death. Where that is not
         * allowed, it waits as others do. */
        if (priority > 0)
                (void)pthread_setschedparam(watch->thread, SCHED_FIFO | SCHED_RESET_ON_FORK,
                                            &wanted);
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
        /* pthread_clockjoin_np() would do, but ThreadSanitizer does not know it. */
        do
                r = sem_clockwait(&watch->done, CLOCK_MONOTONIC, &until) < 0 ? -errno : 0;
        while (r == -EINTR);
        if (r < 0) {
                pthread_detach(watch->thread);
                return r;
        }
        pthread_join(watch->thread, NULL);
        *ret = watch->report;
        sem_destroy(&watch->done);
        free(watch);
        return 0;
}
