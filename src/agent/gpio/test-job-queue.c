#include "agent/gpio/job-queue.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

static const size_t small[GPIO_URGENCIES] = {2, 1, 3};

static struct gpio_job job_of(enum gpio_urgency urgency, uint32_t pin, uint64_t tag)
{
        return (struct gpio_job){.urgency = urgency, .pin = pin, .tag = tag, .pins = 1};
}

static int put(struct gpio_job_queue *queue, enum gpio_urgency urgency, uint32_t pin, uint64_t tag)
{
        struct gpio_job job = job_of(urgency, pin, tag);

        return gpio_job_queue_put(queue, &job);
}

static bool readable(const struct gpio_job_queue *queue)
{
        struct pollfd poll_fd = {.fd = gpio_job_queue_fd(queue), .events = POLLIN};

        return poll(&poll_fd, 1, 0) == 1;
}

static void check_next(struct gpio_job_queue *queue, uint32_t pin)
{
        struct gpio_job job;

        CHECK(gpio_job_queue_take(queue, &job));
        CHECK_EQ(job.pin, pin);
}

TEST(the_urgent_come_first_and_equals_in_their_order)
{
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;
        struct gpio_job job;

        CHECK_EQ(gpio_job_queue_new(small, &queue), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 1, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_STOP, 2, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 3, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 4, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 5, 1), 0);
        check_next(queue, 3);
        check_next(queue, 5);
        check_next(queue, 2);
        check_next(queue, 1);
        check_next(queue, 4);
        CHECK(!gpio_job_queue_take(queue, &job));
}

TEST(a_full_class_refuses_and_the_others_do_not)
{
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;

        CHECK_EQ(gpio_job_queue_new(small, &queue), 0);
        for (uint32_t pin = 0; pin < 3; pin++)
                CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, pin, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 9, 1), -EAGAIN);
        CHECK_EQ(put(queue, GPIO_URGENCY_STOP, 4, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_STOP, 9, 1), -EAGAIN);
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 5, 1), 0);
        check_next(queue, 5);
        check_next(queue, 4);
        check_next(queue, 0);
        /* Round the end of the ring. */
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 6, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 9, 1), -EAGAIN);
        check_next(queue, 1);
        check_next(queue, 2);
        check_next(queue, 6);
}

TEST(safe_state_always_fits_and_then_covers_everything)
{
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;
        struct gpio_job job;

        CHECK_EQ(gpio_job_queue_new(small, &queue), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 1, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 2, 1), 0);
        job = job_of(GPIO_URGENCY_SAFE, 3, 1);
        job.stopping = job.ends = true;
        CHECK_EQ(gpio_job_queue_put(queue, &job), GPIO_JOB_MERGED);
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 4, 1), GPIO_JOB_MERGED);
        CHECK(gpio_job_queue_take(queue, &job));
        CHECK_EQ(job.pin, 1);
        CHECK(!job.purges && !job.stopping && !job.ends);
        CHECK(gpio_job_queue_take(queue, &job));
        CHECK_EQ(job.pin, 2);
        CHECK(job.purges && job.stopping && job.ends);
        CHECK(job.pins == GPIO_ALL_PINS && job.purge_tag == GPIO_TAG_ALL);
        CHECK(!gpio_job_queue_take(queue, &job));
}

TEST(the_jobs_of_one_tag_are_taken_out_and_the_others_keep_their_order)
{
        static const size_t bounds[GPIO_URGENCIES] = {2, 2, 6};
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;
        struct gpio_job purged[6];

        CHECK_EQ(gpio_job_queue_new(bounds, &queue), 0);
        /* Across the end of the ring. */
        for (uint32_t pin = 0; pin < 4; pin++)
                CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 90, 1), 0);
        for (uint32_t pin = 0; pin < 4; pin++)
                check_next(queue, 90);
        for (uint32_t pin = 0; pin < 6; pin++)
                CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, pin, 1 + pin % 2), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_STOP, 7, 1), 0);
        CHECK_EQ(gpio_job_queue_purge(queue, 1, purged, 2), 2);
        CHECK_EQ(purged[0].pin, 0);
        CHECK_EQ(purged[1].pin, 2);
        CHECK_EQ(gpio_job_queue_purge(queue, 1, purged, 6), 1);
        CHECK_EQ(purged[0].pin, 4);
        CHECK_EQ(gpio_job_queue_purge(queue, 1, purged, 6), 0);
        check_next(queue, 7);
        check_next(queue, 1);
        CHECK_EQ(gpio_job_queue_purge(queue, GPIO_TAG_ALL, purged, 6), 2);
        CHECK_EQ(purged[0].pin, 3);
        CHECK_EQ(purged[1].pin, 5);
        CHECK(!gpio_job_queue_take(queue, purged));
}

TEST(the_descriptor_says_whether_jobs_wait)
{
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;
        struct gpio_job job;

        CHECK_EQ(gpio_job_queue_new(small, &queue), 0);
        CHECK(!readable(queue));
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 1, 1), 0);
        CHECK_EQ(put(queue, GPIO_URGENCY_NORMAL, 2, 1), 0);
        CHECK(readable(queue));
        gpio_job_queue_begin(queue);
        CHECK(!readable(queue));
        CHECK(gpio_job_queue_take(queue, &job));
        gpio_job_queue_interrupt(queue);
        CHECK(readable(queue));
        gpio_job_queue_begin(queue);
        CHECK(gpio_job_queue_take(queue, &job));
        CHECK(!gpio_job_queue_take(queue, &job));
        CHECK(!readable(queue));
        CHECK_EQ(put(queue, GPIO_URGENCY_SAFE, 3, 1), 0);
        CHECK(readable(queue));
}

TEST(without_memory_there_is_no_queue)
{
        static const size_t none[GPIO_URGENCIES] = {1, 0, 1};
        struct gpio_job_queue *queue = NULL;
        bool failed;
        size_t n = 0;
        int r;

        do {
                allocation_fail_at(++n);
                r = gpio_job_queue_new(small, &queue);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > GPIO_URGENCIES);
        CHECK_NULL(gpio_job_queue_free(queue));
        CHECK_NULL(gpio_job_queue_free(NULL));
        CHECK_EQ(gpio_job_queue_new(none, &queue), -EINVAL);
}

/* --- threads ----------------------------------------------------------------------------- */

enum { PUTTERS = 3, PUTS = 20000 };

struct putter {
        pthread_t thread;
        struct gpio_job_queue *queue;
        uint64_t tag;
};

static void *put_many(void *argument)
{
        struct putter *putter = argument;

        for (uint32_t i = 0; i < PUTS; i++) {
                struct gpio_job job = job_of(GPIO_URGENCY_NORMAL, i, putter->tag);

                while (gpio_job_queue_put(putter->queue, &job) == -EAGAIN)
                        sched_yield();
        }
        return NULL;
}

TEST(threads_put_and_one_takes_each_job_once_and_in_order)
{
        static const size_t bounds[GPIO_URGENCIES] = {1, 1, 64};
        AUTO(gpio_job_queue) struct gpio_job_queue *queue = NULL;
        struct putter putters[PUTTERS];
        uint32_t next[PUTTERS] = {0};
        struct pollfd wait;
        size_t taken = 0;

        CHECK_EQ(gpio_job_queue_new(bounds, &queue), 0);
        wait = (struct pollfd){.fd = gpio_job_queue_fd(queue), .events = POLLIN};
        for (unsigned i = 0; i < PUTTERS; i++) {
                putters[i] = (struct putter){.queue = queue, .tag = i + 1};
                CHECK_EQ(pthread_create(&putters[i].thread, NULL, put_many, &putters[i]), 0);
        }
        while (taken < (size_t)PUTTERS * PUTS) {
                struct gpio_job job;

                /* A wake-up that is lost would end here, be it one of many jobs of
                 * which only some were taken. */
                bool found = true;

                CHECK_EQ(poll(&wait, 1, 10000), 1);
                gpio_job_queue_begin(queue);
                for (unsigned i = 0; i < 3 && found; i++) {
                        found = gpio_job_queue_take(queue, &job);
                        if (!found)
                                break;
                        CHECK_EQ(job.pin, next[job.tag - 1]++);
                        taken++;
                }
                if (found)
                        gpio_job_queue_interrupt(queue);
        }
        for (unsigned i = 0; i < PUTTERS; i++)
                CHECK_EQ(pthread_join(putters[i].thread, NULL), 0);
}
