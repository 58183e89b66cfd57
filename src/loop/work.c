#include "loop/work.h"

#include "loop/loop-internal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct loop_work {
        uv_work_t request;
        struct loop *loop;
        struct list waiting;
        size_t waiting_count, capacity;
        struct loop_job *job; /* handed to the pool, not done yet */
        bool closed;

        pthread_mutex_t lock; /* protects `finished` */
        pthread_cond_t signal;
        bool finished; /* the pool's thread will not touch `job` any more */
};

static void work_start_next(struct loop_work *work);

static void work_destroy(struct loop_work *work)
{
        pthread_cond_destroy(&work->signal);
        pthread_mutex_destroy(&work->lock);
        free(work);
}

/* Beside a loop on the only core there is, a computation of its weight would take half of the
 * time and hold the loop up by the kernel's slices. A thread cannot rise again: this is the
 * pool's. */
static void give_way(void)
{
        id_t self = (id_t)gettid();

        if (getpriority(PRIO_PROCESS, self) < LOOP_WORK_NICE)
                setpriority(PRIO_PROCESS, self, LOOP_WORK_NICE); /* or goes on as it is */
}

static void on_pool_thread(uv_work_t *request)
{
        struct loop_work *work = request->data;

        give_way();
        work->job->run(work->job);
        pthread_mutex_lock(&work->lock);
        work->finished = true;
        pthread_cond_signal(&work->signal);
        pthread_mutex_unlock(&work->lock);
}

static void on_back(uv_work_t *request, int status)
{
        struct loop_work *work = request->data;
        struct loop_job *job = work->job;

        if (work->closed) {
                work_destroy(work);
                return;
        }
        work->job = NULL;
        work_start_next(work);
        /* The last thing: `done` may free us. */
        job->done(job);
}

static void work_start_next(struct loop_work *work)
{
        struct list *link = list_take_first(&work->waiting);
        int r;

        if (!link)
                return;
        work->waiting_count--;
        work->job = container_of(link, struct loop_job, link);
        work->finished = false;
        r = uv_queue_work(&work->loop->uv, &work->request, on_pool_thread, on_back);
        /* Refused only for want of a function. */
        assert(r == 0);
        (void)r;
}

int loop_work_new(struct loop *loop, size_t capacity, struct loop_work **ret)
{
        AUTO_FREE struct loop_work *work = calloc(1, sizeof(*work));
        int r;

        if (!work)
                return -ENOMEM;
        work->loop = loop;
        work->capacity = capacity;
        work->request.data = work;
        list_init(&work->waiting);
        r = pthread_mutex_init(&work->lock, NULL);
        if (r != 0)
                return -r;
        r = pthread_cond_init(&work->signal, NULL);
        if (r != 0) {
                pthread_mutex_destroy(&work->lock);
                return -r;
        }
        *ret = TAKE(work);
        return 0;
}

struct loop_work *loop_work_free(struct loop_work *work)
{
        struct list *link;

        if (!work || work->closed)
                return NULL;
        work->closed = true;
        if (work->job) {
                pthread_mutex_lock(&work->lock);
                while (!work->finished)
                        pthread_cond_wait(&work->signal, &work->lock);
                pthread_mutex_unlock(&work->lock);
                work->job->done(work->job);
        }
        while ((link = list_take_first(&work->waiting)) != NULL) {
                struct loop_job *job = container_of(link, struct loop_job, link);

                job->done(job);
        }
        /* libuv's request still has to come back to the loop: on_back() then
         * frees the memory. */
        if (!work->job)
                work_destroy(work);
        return NULL;
}

int loop_work_submit(struct loop_work *work, struct loop_job *job)
{
        if (work->closed || (work->job && work->waiting_count == work->capacity))
                return -EAGAIN;
        list_append(&work->waiting, &job->link);
        work->waiting_count++;
        if (!work->job)
                work_start_next(work);
        return 0;
}
