#include "base/thread.h"

#include "support/test.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct seen {
        sigset_t blocked;
        size_t stack_bytes;
        char name[16];
        sem_t named;
};

static void *look(void *argument)
{
        struct seen *seen = argument;
        pthread_attr_t attributes;

        while (sem_wait(&seen->named) < 0)
                continue;
        if (pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked) != 0 ||
            pthread_getattr_np(pthread_self(), &attributes) != 0)
                return NULL;
        (void)pthread_attr_getstacksize(&attributes, &seen->stack_bytes);
        pthread_attr_destroy(&attributes);
        (void)pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
        return seen;
}

static void run(struct seen *seen, size_t stack_bytes)
{
        pthread_t thread;
        void *result = NULL;

        memset(seen, 0, sizeof(*seen));
        CHECK_EQ(sem_init(&seen->named, 0, 0), 0);
        CHECK_EQ(thread_new("looks", stack_bytes, look, seen, &thread), 0);
        CHECK_EQ(sem_post(&seen->named), 0);
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK(result == seen);
        CHECK_EQ(sem_destroy(&seen->named), 0);
}

static void check_same(const sigset_t *one, const sigset_t *other)
{
        for (int number = 1; number < NSIG; number++)
                CHECK_EQ(sigismember(one, number), sigismember(other, number));
}

TEST(a_thread_has_its_name_its_stack_and_no_signals)
{
        sigset_t before, after;
        struct seen seen;

        CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
        run(&seen, 256 << 10);
        CHECK_TEXT(seen.name, "looks");
        /* Exactly that, but for what a sanitizer adds for itself. */
        CHECK(seen.stack_bytes >= 256 << 10);
        CHECK(seen.stack_bytes < 2 << 20);
        CHECK_EQ(sigismember(&seen.blocked, SIGTERM), 1);
        CHECK_EQ(sigismember(&seen.blocked, SIGUSR1), 1);
        /* The caller's are what they were. */
        CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
        check_same(&before, &after);
}

TEST(a_stack_of_the_usual_size_is_larger_than_ours)
{
        struct seen seen;

        run(&seen, 0);
        CHECK(seen.stack_bytes > 256 << 10);
}

TEST(a_stack_is_never_smaller_than_the_machine_needs)
{
        struct seen seen;

        run(&seen, 1);
        CHECK(seen.stack_bytes >= (size_t)sysconf(_SC_THREAD_STACK_MIN));
}

TEST(a_stack_that_cannot_be_had_is_refused_and_signals_stay)
{
        struct seen seen;
        pthread_t thread;
        sigset_t before, after;
        int r;

        CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
        /* Half of it can be had: 2 GiB of a 32-bit process on a 64-bit kernel. */
        r = thread_new("none", SIZE_MAX / 8 * 7, look, &seen, &thread);
        CHECK(r == -EAGAIN || r == -EINVAL || r == -ENOMEM);
        CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
        check_same(&before, &after);
}
