#include "store/thread.h"

#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

/* What a job did, and when. */
struct deed {
        struct store_job job;
        struct store_thread *thread;
        sem_t *begun, *hold; /* NULL: does not tell, does not wait */
        struct deed *next;   /* submitted by `done` */
        pthread_t ran_on, done_on;
        bool signals_blocked;
        unsigned runs, dones;
        int submitted;
        unsigned *clock, done_at;
};

static void run(struct store_job *job)
{
        struct deed *deed = container_of(job, struct deed, job);
        sigset_t mask;

        deed->runs++;
        deed->ran_on = pthread_self();
        deed->signals_blocked =
                pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGTERM) == 1;
        if (deed->begun)
                sem_post(deed->begun);
        while (deed->hold && sem_wait(deed->hold) < 0)
                continue;
}

static void done(struct store_job *job)
{
        struct deed *deed = container_of(job, struct deed, job);

        deed->dones++;
        deed->done_on = pthread_self();
        if (deed->clock)
                deed->done_at = ++*deed->clock;
        if (deed->next)
                deed->submitted = store_thread_submit(deed->thread, &deed->next->job);
}

static struct deed deed_of(struct store_thread *thread)
{
        return (struct deed){.job = {.run = run, .done = done}, .thread = thread};
}

static void run_until(struct loop *loop, const unsigned *counter)
{
        for (unsigned i = 0; i < 1000 && *counter == 0; i++)
                loop_run_once(loop, 1000);
        CHECK_EQ(*counter, 1);
}

TEST(jobs_run_in_order_on_one_other_thread_and_are_done_on_the_loops)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(store_thread) struct store_thread *thread = NULL;
        struct deed deeds[16];
        unsigned clock = 0;

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(store_thread_new(loop, 16, &thread), 0);
        for (size_t i = 0; i < 16; i++) {
                deeds[i] = deed_of(thread);
                deeds[i].clock = &clock;
                CHECK_EQ(store_thread_submit(thread, &deeds[i].job), 0);
        }
        for (size_t i = 0; i < 16; i++) {
                run_until(loop, &deeds[i].dones);
                CHECK_EQ(deeds[i].runs, 1);
                CHECK(deeds[i].job.ran);
                CHECK_EQ(deeds[i].done_at, i + 1);
                CHECK(!pthread_equal(deeds[i].ran_on, pthread_self()));
                CHECK(pthread_equal(deeds[i].ran_on, deeds[0].ran_on));
                CHECK(pthread_equal(deeds[i].done_on, pthread_self()));
                CHECK(deeds[i].signals_blocked);
        }
}

TEST(a_full_queue_refuses_until_a_job_is_done)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(store_thread) struct store_thread *thread = NULL;
        struct deed deeds[4];
        sem_t hold;

        sem_init(&hold, 0, 0);
        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(store_thread_new(loop, 3, &thread), 0);
        for (size_t i = 0; i < 4; i++) {
                deeds[i] = deed_of(thread);
                deeds[i].hold = &hold;
        }
        for (size_t i = 0; i < 3; i++)
                CHECK_EQ(store_thread_submit(thread, &deeds[i].job), 0);
        CHECK_EQ(store_thread_submit(thread, &deeds[3].job), -EAGAIN);
        sem_post(&hold);
        run_until(loop, &deeds[0].dones);
        CHECK_EQ(store_thread_submit(thread, &deeds[3].job), 0);
        for (size_t i = 0; i < 3; i++)
                sem_post(&hold);
        run_until(loop, &deeds[3].dones);
        for (size_t i = 0; i < 4; i++)
                CHECK_EQ(deeds[i].runs, 1);
        sem_destroy(&hold);
}

TEST(the_end_of_a_job_may_submit_the_next)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(store_thread) struct store_thread *thread = NULL;
        struct deed first, second;

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(store_thread_new(loop, 1, &thread), 0);
        first = deed_of(thread);
        second = deed_of(thread);
        first.next = &second;
        CHECK_EQ(store_thread_submit(thread, &first.job), 0);
        run_until(loop, &second.dones);
        CHECK_EQ(first.submitted, 0);
        CHECK_EQ(second.runs, 1);
}

static void *post_when_begun(void *argument)
{
        struct deed *deed = argument;

        while (sem_wait(deed->begun) < 0)
                continue;
        sem_post(deed->hold);
        return NULL;
}

TEST(freeing_waits_for_the_job_that_runs_and_returns_the_others_undone)
{
        AUTO(loop) struct loop *loop = NULL;
        struct store_thread *thread = NULL;
        struct deed deeds[3];
        unsigned clock = 0;
        pthread_t waker;
        sem_t begun, hold;

        sem_init(&begun, 0, 0);
        sem_init(&hold, 0, 0);
        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(store_thread_new(loop, 3, &thread), 0);
        for (size_t i = 0; i < 3; i++) {
                deeds[i] = deed_of(thread);
                deeds[i].clock = &clock;
        }
        deeds[0].hold = &hold;
        deeds[0].begun = &begun;
        deeds[1].next = &deeds[0]; /* refused: the thread is being freed */
        for (size_t i = 0; i < 3; i++)
                CHECK_EQ(store_thread_submit(thread, &deeds[i].job), 0);
        while (sem_wait(&begun) < 0)
                continue;
        sem_post(&begun);
        CHECK_EQ(pthread_create(&waker, NULL, post_when_begun, &deeds[0]), 0);
        CHECK_NULL(store_thread_free(thread));
        pthread_join(waker, NULL);
        for (size_t i = 0; i < 3; i++) {
                CHECK_EQ(deeds[i].dones, 1);
                CHECK_EQ(deeds[i].done_at, i + 1);
        }
        CHECK(deeds[0].job.ran);
        CHECK_EQ(deeds[1].submitted, -EAGAIN);
        CHECK_EQ(deeds[2].job.ran, deeds[2].runs == 1);
        sem_destroy(&begun);
        sem_destroy(&hold);
        CHECK_NULL(store_thread_free(NULL));
}

TEST(a_job_that_ran_but_was_not_yet_told_is_done_by_the_end)
{
        AUTO(loop) struct loop *loop = NULL;
        struct store_thread *thread = NULL;
        struct deed deed;
        sem_t begun;

        sem_init(&begun, 0, 0);
        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(store_thread_new(loop, 1, &thread), 0);
        deed = deed_of(thread);
        deed.begun = &begun;
        CHECK_EQ(store_thread_submit(thread, &deed.job), 0);
        while (sem_wait(&begun) < 0)
                continue;
        CHECK_NULL(store_thread_free(thread));
        CHECK_EQ(deed.dones, 1);
        CHECK(deed.job.ran);
        loop_run_once(loop, 0);
        CHECK_EQ(deed.dones, 1);
        sem_destroy(&begun);
}

TEST(a_thread_without_memory_or_with_a_senseless_size_is_none)
{
        AUTO(loop) struct loop *loop = NULL;
        struct store_thread *thread = NULL;
        size_t n = 0;
        bool failed;
        int r;

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(store_thread_new(loop, 0, &thread), -EINVAL);
        CHECK_EQ(store_thread_new(loop, 65537, &thread), -EINVAL);
        do {
                allocation_fail_at(++n);
                r = store_thread_new(loop, 4, &thread);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                thread = store_thread_free(thread);
        } while (failed);
        CHECK(n > 2);
}
