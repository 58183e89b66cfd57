#include "agent/gpio/job-queue.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

struct job_ring {
        struct gpio_job *jobs;
        size_t bound, first, count;
};

struct gpio_job_queue {
        int wake;             /* eventfd, above zero while jobs may wait */
        pthread_mutex_t lock; /* protects what follows */
        bool awake;           /* `wake` was written since nothing was found last */
        struct job_ring rings[GPIO_URGENCIES];
};

static struct gpio_job *ring_at(struct job_ring *ring, size_t position)
{
        return &ring->jobs[(ring->first + position) % ring->bound];
}

static bool ring_take(struct job_ring *ring, struct gpio_job *ret)
{
        if (ring->count == 0)
                return false;
        *ret = *ring_at(ring, 0);
        ring->count--;
        /* An empty ring begins anew, where the memory is still in the caches. */
        ring->first = ring->count > 0 ? (ring->first + 1) % ring->bound : 0;
        return true;
}

static int ring_put(struct job_ring *ring, const struct gpio_job *job)
{
        if (ring->count == ring->bound)
                return -EAGAIN;
        *ring_at(ring, ring->count) = *job;
        ring->count++;
        return 0;
}

/* The strongest there is stands for all that have no room. */
static int merge_into_last(struct job_ring *ring, const struct gpio_job *job)
{
        struct gpio_job *last = ring_at(ring, ring->count - 1);

        last->pins = GPIO_ALL_PINS;
        last->purges = true;
        last->purge_tag = GPIO_TAG_ALL;
        last->stopping |= job->stopping;
        last->ends |= job->ends;
        return GPIO_JOB_MERGED;
}

int gpio_job_queue_new(const size_t bounds[GPIO_URGENCIES], struct gpio_job_queue **ret)
{
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;
        struct gpio_job_queue *made = calloc(1, sizeof(*made));
        int r;

        if (!made)
                return -ENOMEM;
        r = pthread_mutex_init(&made->lock, NULL);
        if (r != 0) {
                free(made);
                return -r;
        }
        made->wake = -1;
        queue = made;
        for (size_t i = 0; i < GPIO_URGENCIES; i++) {
                if (bounds[i] == 0)
                        return -EINVAL;
                queue->rings[i].bound = bounds[i];
                queue->rings[i].jobs = calloc(bounds[i], sizeof(struct gpio_job));
                if (!queue->rings[i].jobs)
                        return -ENOMEM;
        }
        queue->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (queue->wake < 0)
                return -errno;
        *ret = TAKE(queue);
        return 0;
}

struct gpio_job_queue *gpio_job_queue_free(struct gpio_job_queue *queue)
{
        if (!queue)
                return NULL;
        if (queue->wake >= 0)
                close(queue->wake);
        for (size_t i = 0; i < GPIO_URGENCIES; i++)
                free(queue->rings[i].jobs);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
        return NULL;
}

int gpio_job_queue_put(struct gpio_job_queue *queue, const struct gpio_job *job)
{
        struct job_ring *ring = &queue->rings[job->urgency];
        bool wakes = false;
        int r;

        pthread_mutex_lock(&queue->lock);
        r = ring_put(ring, job);
        if (r == -EAGAIN && job->urgency == GPIO_URGENCY_SAFE)
                r = merge_into_last(ring, job);
        if (r >= 0 && !queue->awake)
                wakes = queue->awake = true;
        pthread_mutex_unlock(&queue->lock);
        /* Cannot fail: the counter never comes near its end. */
        if (wakes)
                (void)eventfd_write(queue->wake, 1);
        return r;
}

int gpio_job_queue_fd(const struct gpio_job_queue *queue)
{
        return queue->wake;
}

void gpio_job_queue_begin(struct gpio_job_queue *queue)
{
        eventfd_t count;

        (void)eventfd_read(queue->wake, &count);
}

void gpio_job_queue_interrupt(struct gpio_job_queue *queue)
{
        (void)eventfd_write(queue->wake, 1);
}

bool gpio_job_queue_take(struct gpio_job_queue *queue, struct gpio_job *ret)
{
        bool found = false;

        pthread_mutex_lock(&queue->lock);
        for (size_t i = 0; i < GPIO_URGENCIES && !found; i++)
                found = ring_take(&queue->rings[i], ret);
        if (!found)
                queue->awake = false;
        pthread_mutex_unlock(&queue->lock);
        return found;
}

size_t gpio_job_queue_purge(struct gpio_job_queue *queue, uint64_t tag, struct gpio_job ret[],
                            size_t max)
{
        struct job_ring *ring = &queue->rings[GPIO_URGENCY_NORMAL];
        size_t taken = 0, kept = 0;

        pthread_mutex_lock(&queue->lock);
        for (size_t i = 0; i < ring->count; i++) {
                const struct gpio_job *job = ring_at(ring, i);

                if (taken < max && (tag == GPIO_TAG_ALL || job->tag == tag))
                        ret[taken++] = *job;
                else if (kept++ != i)
                        *ring_at(ring, kept - 1) = *job;
        }
        ring->count = kept;
        pthread_mutex_unlock(&queue->lock);
        return taken;
}
