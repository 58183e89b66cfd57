#include "store/thread.h"

#include "base/thread.h"

#include "base/attributes.h"
#include "loop/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { CAPACITY_MAX = 65536 };

struct store_thread {
        struct list under_way; /* loop's thread: submitted and not done, in order */
        size_t under_way_count;
        size_t capacity;
        struct loop_inbox *finished;
        pthread_t thread;
        bool stopping; /* loop's thread */

        pthread_mutex_t lock; /* protects what follows */
        pthread_cond_t wake;
        bool stop;
        size_t first, count;
        struct store_job *ring[]; /* not begun yet */
};

static struct store_job *next_job(struct store_thread *thread)
{
        struct store_job *job = NULL;

        pthread_mutex_lock(&thread->lock);
        while (!thread->stop && thread->count == 0)
                pthread_cond_wait(&thread->wake, &thread->lock);
        if (!thread->stop) {
                job = thread->ring[thread->first];
                thread->first = (thread->first + 1) % thread->capacity;
                thread->count--;
        }
        pthread_mutex_unlock(&thread->lock);
        return job;
}

static void *thread_main(void *argument)
{
        struct store_thread *thread = argument;
        struct store_job *job;

        while ((job = next_job(thread)) != NULL) {
                job->run(job);
                job->ran = true;
                /* Never full: it has a place for each job that is under way. */
                (void)loop_inbox_put(thread->finished, &job);
        }
        return NULL;
}

/* The job's memory is its owner's again. */
static void job_done(struct store_thread *thread, struct store_job *job)
{
        list_remove(&job->link);
        thread->under_way_count--;
        job->done(job);
}

static void on_finished(void *owner, const void *item)
{
        job_done(owner, *(struct store_job *const *)item);
}

static int thread_prepare(struct store_thread *thread, struct loop *loop)
{
        int r = pthread_mutex_init(&thread->lock, NULL);

        if (r != 0)
                return -r;
        r = pthread_cond_init(&thread->wake, NULL);
        if (r != 0) {
                pthread_mutex_destroy(&thread->lock);
                return -r;
        }
        r = loop_inbox_new(loop, sizeof(struct store_job *), thread->capacity, on_finished, thread,
                           &thread->finished);
        if (r == 0)
                r = thread_new("store", 0, thread_main, thread, &thread->thread);
        if (r < 0) {
                loop_inbox_free(thread->finished);
                pthread_cond_destroy(&thread->wake);
                pthread_mutex_destroy(&thread->lock);
        }
        return r;
}

int store_thread_new(struct loop *loop, size_t capacity, struct store_thread **ret)
{
        AUTO_FREE struct store_thread *thread = NULL;
        int r;

        if (capacity == 0 || capacity > CAPACITY_MAX)
                return -EINVAL;
        thread = calloc(1, sizeof(*thread) + capacity * sizeof(struct store_job *));
        if (!thread)
                return -ENOMEM;
        thread->capacity = capacity;
        list_init(&thread->under_way);
        r = thread_prepare(thread, loop);
        if (r < 0)
                return r;
        *ret = TAKE(thread);
        return 0;
}

struct store_thread *store_thread_free(struct store_thread *thread)
{
        if (!thread)
                return NULL;
        thread->stopping = true;
        pthread_mutex_lock(&thread->lock);
        thread->stop = true;
        pthread_cond_signal(&thread->wake);
        pthread_mutex_unlock(&thread->lock);
        pthread_join(thread->thread, NULL);
        loop_inbox_free(thread->finished);

        while (!list_is_empty(&thread->under_way))
                job_done(thread, container_of(thread->under_way.next, struct store_job, link));
        pthread_cond_destroy(&thread->wake);
        pthread_mutex_destroy(&thread->lock);
        free(thread);
        return NULL;
}

int store_thread_submit(struct store_thread *thread, struct store_job *job)
{
        if (thread->stopping || thread->under_way_count == thread->capacity)
                return -EAGAIN;
        job->ran = false;
        list_append(&thread->under_way, &job->link);
        thread->under_way_count++;
        pthread_mutex_lock(&thread->lock);
        thread->ring[(thread->first + thread->count) % thread->capacity] = job;
        thread->count++;
        pthread_cond_signal(&thread->wake);
        pthread_mutex_unlock(&thread->lock);
        return 0;
}
