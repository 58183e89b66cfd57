/* agent/gpio/job-queue.h - jobs on their way to the hardware worker: bounded, the
 * urgent first.
 *
 * Values are copied in and out under a lock that is held for no longer than a
 * copy. A descriptor becomes readable when jobs wait. Within a class of urgency
 * the order is that of arrival. */
#pragma once

#include "agent/gpio/job.h"
#include "base/cleanup.h"

#include <stddef.h>

struct gpio_job_queue;

/* Bounds of the classes, at least 1 each. -EINVAL, -ENOMEM, -errno. */
int gpio_job_queue_new(const size_t bounds[GPIO_URGENCIES], struct gpio_job_queue **ret);
/* When no thread uses it any more; jobs that wait are forgotten. */
struct gpio_job_queue *gpio_job_queue_free(struct gpio_job_queue *queue);
DEFINE_CLEANUP(gpio_job_queue)

/* Any thread. -EAGAIN: the class is full, nothing was put. That never happens to
 * GPIO_URGENCY_SAFE: when the class is full, the last that waits there is made
 * to cover all pins and to purge everybody's jobs, and GPIO_JOB_MERGED says that
 * the new one has become part of it, without a result of its own. */
int gpio_job_queue_put(struct gpio_job_queue *queue, const struct gpio_job *job);

/* The worker's thread from here on. Becomes readable when jobs wait. Not to be read, but
 * by gpio_job_queue_begin(). */
int gpio_job_queue_fd(const struct gpio_job_queue *queue);
/* It was readable: no more, until a job is put after one was looked for in vain. So jobs
 * have to be taken until there is none, or gpio_job_queue_interrupt() be called. */
void gpio_job_queue_begin(struct gpio_job_queue *queue);
/* Jobs may be left: readable again. */
void gpio_job_queue_interrupt(struct gpio_job_queue *queue);
/* The most urgent; false: none waits. */
bool gpio_job_queue_take(struct gpio_job_queue *queue, struct gpio_job *ret);
/* Takes normal jobs of `tag` (GPIO_TAG_ALL: of everybody) out of their places, at
 * most `max`, in their order. Returns how many. */
size_t gpio_job_queue_purge(struct gpio_job_queue *queue, uint64_t tag, struct gpio_job ret[],
                            size_t max);
