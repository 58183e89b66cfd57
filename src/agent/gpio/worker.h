/* agent/gpio/worker.h - the hardware worker: one thread that owns all of it.
 *
 * Chip, lines, effects and the link to the supervisor live on a thread with a loop
 * of its own. Jobs reach it through a queue (job-queue.h), what comes of them
 * returns through an inbox of the caller's loop, where all functions and
 * callbacks below belong. Nothing on either side waits for the other, but for
 * gpio_worker_stop().
 *
 * No result is lost: each job has a slot for it from the beginning, and without a
 * free slot it is not taken. Changes of a pin that nobody fetches fast enough
 * become one: the last. */
#pragma once

#include "agent/gpio/guard-link.h"
#include "agent/gpio/job.h"
#include "agent/gpio/lines.h"
#include "agent/gpio/result.h"

enum {
        GPIO_JOBS_MAX = 1024,     /* normal ones under way; of them each has its slot */
        GPIO_STOP_JOBS_MAX = 16,  /* emergency stops, beside those */
        GPIO_SAFE_JOBS_MAX = 64,  /* safe states with a result of their own, beside those */
        GPIO_CHANGES_MAX = 256,   /* on their way */
        GPIO_STOP_WAIT_MS = 1000, /* for a worker that may hang */
};

struct gpio_worker;

/* `result` is valid during the call. */
typedef void gpio_worker_done_fn(void *owner, void *context, const struct gpio_result *result);
typedef void gpio_worker_changed_fn(void *owner, const struct gpio_pin_change *change);

struct gpio_worker_setup {
        struct loop *home;        /* the caller's loop */
        struct gpio_chip *chip;   /* taken over on success */
        struct guard_link *guard; /* opened; taken over on success; NULL: none */
        enum gpio_safe safe;      /* of all pins */
        /* For tests: no thread, all of it runs on this loop, which is `home`. */
        struct loop *inline_loop;
};

/* -ENOMEM, -EAGAIN (no thread), -errno. */
int gpio_worker_new(const struct gpio_worker_setup *setup, struct gpio_worker **ret);
/* Stops it as gpio_worker_stop() does, joins the thread and answers what is still
 * under way with -ESHUTDOWN. A thread that hangs is left behind with all it owns
 * after GPIO_STOP_WAIT_MS: the process is about to end, and the supervisor knows
 * what to do. */
struct gpio_worker *gpio_worker_free(struct gpio_worker *worker);
DEFINE_CLEANUP(gpio_worker)

/* `slot` of the job is the worker's to fill in. `done` is called once, later.
 * -EAGAIN: too many are under way; never for GPIO_URGENCY_SAFE, whose surplus is
 * GPIO_JOB_MERGED (job-queue.h) and has no result. */
int gpio_worker_submit(struct gpio_worker *worker, const struct gpio_job *job,
                       gpio_worker_done_fn *done, void *owner, void *context);
/* At most one; NULL: nobody. */
void gpio_worker_on_changed(struct gpio_worker *worker, gpio_worker_changed_fn *changed,
                            void *owner);

/* Tells the supervisor that the end is wanted, brings every pin to its safe state
 * and waits for that, at most GPIO_STOP_WAIT_MS. Everything but READ and STATUS is
 * answered with -ESHUTDOWN from here on. -ETIMEDOUT; -errno: a pin could not be
 * driven, the others were. */
int gpio_worker_stop(struct gpio_worker *worker);

/* The supervisor can make the lines safe when this process is gone. */
bool gpio_worker_is_guarded(const struct gpio_worker *worker);
/* Changes that became part of a later one of the same pin. */
uint64_t gpio_worker_coalesced(const struct gpio_worker *worker);
