#include "supervisor/death-watch.h"

#include "base/clock.h"
#include "support/test.h"

#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct guard_page *page;
static sem_t died;

static void on_death(void *owner)
{
        CHECK(owner == page);
        sem_post(&died);
}

/* Emulators of user space may not have these futexes. */
static void begin(void)
{
        page = mmap(NULL, GUARD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                    0);
        CHECK(page != MAP_FAILED);
        sem_init(&died, 0, 0);
        if (syscall(SYS_futex, &page->beat, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0) < 0)
                skip();
        atomic_store(&page->beat, 0);
}

static void end(void)
{
        sem_destroy(&died);
        munmap(page, GUARD_PAGE_BYTES);
}

static bool dies_within(unsigned seconds)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += seconds;
        return sem_timedwait(&died, &until) == 0;
}

/* A process that is in the page and sleeps. */
static pid_t start_sleeper(void)
{
        pid_t pid;

        fflush(stdout);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                atomic_store(&page->alive, (uint32_t)gettid());
                for (;;)
                        pause();
        }
        while (atomic_load(&page->alive) == 0) {
                struct timespec moment = {.tv_nsec = 1000000};

                nanosleep(&moment, NULL);
        }
        return pid;
}

/* Of the thread that is not ours. */
static int policy_of_other_thread(void)
{
        DIR *tasks = opendir("/proc/self/task");
        const struct dirent *entry;
        int policy = -1;

        CHECK(tasks != NULL);
        while ((entry = readdir(tasks)) != NULL) {
                pid_t thread = atoi(entry->d_name);

                if (thread > 0 && thread != gettid())
                        policy = sched_getscheduler(thread);
        }
        closedir(tasks);
        return policy;
}

/* On one processor, and before all ordinary threads: what has to run to become
 * real-time does not run. -errno: we may not. */
static int crowd_out_ordinary_threads(void)
{
        const struct sched_param wanted = {.sched_priority = 11};
        cpu_set_t one;

        CPU_ZERO(&one);
        CPU_SET((size_t)sched_getcpu(), &one);
        if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &wanted) < 0 ||
            sched_setaffinity(0, sizeof(one), &one) < 0)
                return -errno;
        return 0;
}

TEST(the_watch_has_its_priority_before_it_runs)
{
        const struct sched_param ordinary = {0};
        struct death_watch_report report;
        struct death_watch *watch = NULL;
        cpu_set_t before;
        int policy, may;
        pid_t pid;

        begin();
        pid = start_sleeper();
        CHECK_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
        may = crowd_out_ordinary_threads();
        CHECK_EQ(death_watch_start(page, 10, on_death, page, &watch), 0);
        policy = policy_of_other_thread();
        CHECK_EQ(sched_setscheduler(0, SCHED_OTHER, &ordinary), 0);
        CHECK_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK(dies_within(10));
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        CHECK_EQ(death_watch_end(watch, &report), 0);
        /* Who may not gets a watch all the same. */
        CHECK_EQ(policy, may == 0 ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER);
        end();
}

/* In a child, since there is no way back. 0: it saw the death. `watching` is told when the
 * watch stands: whoever dies before may end it before it was looked at. */
static int watch_without_rights(int watching)
{
        const struct rlimit none = {0};
        struct death_watch *watch = NULL;
        struct death_watch_report report;

        if (setrlimit(RLIMIT_RTPRIO, &none) < 0 || (geteuid() == 0 && setuid(65534) < 0))
                return 1;
        if (death_watch_start(page, 10, on_death, page, &watch) < 0)
                return 2;
        if (policy_of_other_thread() != SCHED_OTHER)
                return 3;
        if (close(watching) < 0)
                return 4;
        if (!dies_within(10))
                return 5;
        return death_watch_end(watch, &report) == 0 ? 0 : 6;
}

TEST(a_watch_without_the_right_to_a_priority_is_better_than_none)
{
        int status, watching[2];
        pid_t sleeper, watcher;
        char end_of_file;

        begin();
        sleeper = start_sleeper();
        CHECK_EQ(pipe(watching), 0);
        fflush(stdout);
        watcher = fork();
        CHECK(watcher >= 0);
        if (watcher == 0)
                _exit(watch_without_rights(watching[1]));
        CHECK_EQ(close(watching[1]), 0);
        CHECK_EQ(read(watching[0], &end_of_file, 1), 0);
        CHECK_EQ(close(watching[0]), 0);
        CHECK_EQ(kill(sleeper, SIGKILL), 0);
        CHECK_EQ(waitpid(sleeper, NULL, 0), sleeper);
        CHECK_EQ(waitpid(watcher, &status, 0), watcher);
        CHECK_EQ(status, 0);
        end();
}

TEST(a_death_is_seen_before_the_dead_is_reaped)
{
        struct death_watch_report report;
        struct death_watch *watch = NULL;
        uint64_t kill_ns;
        pid_t pid;

        begin();
        pid = start_sleeper();
        CHECK_EQ(death_watch_start(page, 0, on_death, page, &watch), 0);
        CHECK(!dies_within(1));
        CHECK(!death_watch_has_acted(watch));
        kill_ns = clock_monotonic_ns();
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK(dies_within(20));
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        CHECK_EQ(death_watch_end(watch, &report), 0);
        CHECK(report.called_ns > kill_ns);
        CHECK(report.returned_ns >= report.called_ns);
        end();
}

TEST(a_death_before_the_watch_is_seen_at_once)
{
        struct death_watch_report report;
        struct death_watch *watch = NULL;
        pid_t pid;

        begin();
        pid = start_sleeper();
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        CHECK_EQ(death_watch_start(page, 0, on_death, page, &watch), 0);
        CHECK(dies_within(20));
        CHECK_EQ(death_watch_end(watch, &report), 0);
        end();
}

TEST(a_page_in_which_nobody_sleeps_is_refused)
{
        struct death_watch *watch = NULL;

        begin();
        CHECK_EQ(death_watch_start(page, 0, on_death, page, &watch), -EPROTO);
        CHECK_NULL(watch);
        end();
}

TEST(a_watch_for_somebody_else_is_left_behind)
{
        static struct death_watch *watch; /* where the leak sanitizer finds it */
        struct death_watch_report report;
        pid_t pid;

        begin();
        pid = start_sleeper();
        CHECK_EQ(death_watch_start(page, 0, on_death, page, &watch), 0);
        CHECK_EQ(death_watch_end(watch, &report), -ETIMEDOUT);
        CHECK_EQ(kill(pid, SIGKILL), 0);
        CHECK(dies_within(20));
        CHECK_EQ(waitpid(pid, NULL, 0), pid);
        /* It may look at what we gave it still: nothing of that is freed. */
}
