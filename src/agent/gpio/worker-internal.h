/* agent/gpio/worker-internal.h - what the two sides of the worker know of each other:
 * worker.c (the caller's) and worker-thread.c (the hardware's). */
#pragma once

#include "agent/gpio/executor.h"
#include "agent/gpio/job-queue.h"
#include "agent/gpio/worker.h"
#include "loop/inbox.h"
#include "loop/timer.h"

#include <pthread.h>
#include <stdatomic.h>

enum { WORKER_SLOTS = GPIO_JOBS_MAX + GPIO_STOP_JOBS_MAX + GPIO_SAFE_JOBS_MAX };

/* A job that is under way. `result` belongs to the worker's thread from the
 * submission to the message that names the slot, all else to the caller's. */
struct slot {
        gpio_worker_done_fn *done;
        void *owner, *context;
        enum gpio_urgency urgency;
        bool used;
        uint32_t next_free;
        struct gpio_result result;
};

enum message_kind { MESSAGE_RESULT, MESSAGE_CHANGE };

struct message {
        enum message_kind kind;
        uint32_t slot;
        struct gpio_pin_change change;
};

/* Changes that found no room, the last of each pin. */
struct unsent {
        bool waits;
        struct gpio_pin_change change;
};

struct wake;

struct gpio_worker {
        /* Of both, each safe by itself. */
        struct gpio_job_queue *jobs;
        struct loop_inbox *messages;
        _Atomic uint32_t changes_under_way;
        _Atomic uint64_t coalesced;
        _Atomic bool guarded;
        _Atomic bool left_behind; /* nobody takes messages any more */
        _Atomic int stop_error;
        int stopped_fd; /* eventfd, readable: all is safe, as far as `stop_error` says */
        int ended_fd;   /* eventfd, readable: the thread returns */

        /* The caller's side. */
        struct loop *home;
        pthread_t thread;
        bool has_thread;
        gpio_worker_changed_fn *changed;
        void *changed_owner;
        uint32_t first_free, slots_touched;
        size_t under_way[GPIO_URGENCIES];
        bool stopped;

        /* The worker's. */
        struct loop *loop;
        struct gpio_chip *chip;
        struct gpio_executor *executor;
        struct guard_link *guard;
        struct wake *wake;
        struct loop_timer beat, greeting, retry;
        struct unsent unsent[GPIO_LINES_MAX];
        bool unsent_any, ready;
        int last_error;
        bool at_job;     /* its result is about to come */
        bool left_items; /* in `messages`, of which the loop does not know yet */

        /* Last and large: memory that was never used costs nothing. */
        struct slot slots[WORKER_SLOTS];
};

/* worker-thread.c. All but worker_thread_main() before there is a thread, or without
 * one. */

int worker_open_inside(struct gpio_worker *worker, enum gpio_safe safe);
/* Says HELLO to the supervisor, then takes jobs. */
void worker_begin(struct gpio_worker *worker);
void worker_take_jobs(struct gpio_worker *worker);
void worker_close_inside(struct gpio_worker *worker);
void *worker_thread_main(void *worker);
