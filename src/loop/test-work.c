#include "loop/work.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

static atomic_int running, most_running;

struct computation {
        struct loop_job job;
        struct loop_work *work;
        sem_t *hold; /* waited for while running; may be NULL */
        pthread_t thread;
        int nice;
        bool ran;
        unsigned done;
};

static void run(struct loop_job *job)
{
        struct computation *c = container_of(job, struct computation, job);
        int now = atomic_fetch_add(&running, 1) + 1;

        if (now > atomic_load(&most_running))
                atomic_store(&most_running, now);
        if (c->hold)
                while (sem_wait(c->hold) < 0)
                        continue;
        c->thread = pthread_self();
        c->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
        c->ran = true;
        atomic_fetch_sub(&running, 1);
}

static void done(struct loop_job *job)
{
        container_of(job, struct computation, job)->done++;
}

static void computation_init(struct computation *c, struct loop_work *work, sem_t *hold)
{
        *c = (struct computation){.work = work, .hold = hold};
        list_init(&c->job.link);
        c->job.run = run;
        c->job.done = done;
}

static void run_until(struct loop *loop, const unsigned *counter)
{
        for (unsigned i = 0; i < 1000 && *counter == 0; i++)
                loop_run_once(loop, 1000);
        CHECK_EQ(*counter, 1);
}

TEST(jobs_run_elsewhere_one_at_a_time_and_are_done_here)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(loop_work) struct loop_work *work = NULL;
        struct computation c[8];

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_work_new(loop, 8, &work), 0);
        atomic_store(&most_running, 0);
        for (size_t i = 0; i < 8; i++) {
                computation_init(&c[i], work, NULL);
                CHECK_EQ(loop_work_submit(work, &c[i].job), 0);
        }
        for (size_t i = 0; i < 8; i++) {
                run_until(loop, &c[i].done);
                CHECK(c[i].ran);
                CHECK(!pthread_equal(c[i].thread, pthread_self()));
        }
        CHECK_EQ(atomic_load(&most_running), 1);
}

/* Or a loop on the only core of a small machine had half of it while a password is verified. */
TEST(jobs_have_less_weight_than_the_loop)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(loop_work) struct loop_work *work = NULL;
        int before = getpriority(PRIO_PROCESS, 0);
        struct computation c;

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_work_new(loop, 1, &work), 0);
        computation_init(&c, work, NULL);
        CHECK_EQ(loop_work_submit(work, &c.job), 0);
        run_until(loop, &c.done);
        CHECK(c.nice >= LOOP_WORK_NICE);
        CHECK_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST(a_full_queue_refuses_and_takes_again_later)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(loop_work) struct loop_work *work = NULL;
        struct computation c[4];
        sem_t hold;

        sem_init(&hold, 0, 0);
        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_work_new(loop, 2, &work), 0);
        for (size_t i = 0; i < 4; i++)
                computation_init(&c[i], work, &hold);
        /* One runs, two wait. */
        for (size_t i = 0; i < 3; i++)
                CHECK_EQ(loop_work_submit(work, &c[i].job), 0);
        CHECK_EQ(loop_work_submit(work, &c[3].job), -EAGAIN);
        sem_post(&hold);
        run_until(loop, &c[0].done);
        CHECK_EQ(loop_work_submit(work, &c[3].job), 0);
        for (size_t i = 0; i < 3; i++)
                sem_post(&hold);
        run_until(loop, &c[3].done);
        CHECK_EQ(c[1].done, 1);
        CHECK_EQ(c[2].done, 1);
        sem_destroy(&hold);
}

static void *post_a_little_later(void *hold)
{
        struct timespec nap = {.tv_nsec = 20000000};

        nanosleep(&nap, NULL);
        sem_post(hold);
        return NULL;
}

TEST(freeing_waits_for_the_one_that_runs_and_drops_those_that_wait)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_work *work = NULL;
        struct computation c[2];
        pthread_t thread;
        sem_t hold;

        sem_init(&hold, 0, 0);
        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_work_new(loop, 2, &work), 0);
        for (size_t i = 0; i < 2; i++) {
                computation_init(&c[i], work, &hold);
                CHECK_EQ(loop_work_submit(work, &c[i].job), 0);
        }
        CHECK_EQ(pthread_create(&thread, NULL, post_a_little_later, &hold), 0);
        CHECK_NULL(loop_work_free(work));
        CHECK(c[0].ran);
        CHECK_EQ(c[0].done, 1);
        CHECK(!c[1].ran);
        CHECK_EQ(c[1].done, 1);
        pthread_join(thread, NULL);
        sem_destroy(&hold);
        CHECK_NULL(loop_work_free(NULL));
}

static void done_and_free(struct loop_job *job)
{
        struct computation *c = container_of(job, struct computation, job);

        c->done++;
        loop_work_free(c->work);
}

TEST(the_last_job_may_free_the_queue)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_work *work = NULL;
        struct computation c[2];

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_work_new(loop, 2, &work), 0);
        for (size_t i = 0; i < 2; i++)
                computation_init(&c[i], work, NULL);
        c[0].job.done = done_and_free;
        CHECK_EQ(loop_work_submit(work, &c[0].job), 0);
        CHECK_EQ(loop_work_submit(work, &c[1].job), 0);
        run_until(loop, &c[0].done);
        CHECK_EQ(c[1].done, 1);
}
