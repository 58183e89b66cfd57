/* The caller's side of the worker: jobs go out, results and changes come in. */
#include "agent/gpio/worker-internal.h"
#include "base/attributes.h"
#include "base/thread.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

enum { STACK_BYTES = 256 << 10 };

static const size_t bounds[GPIO_URGENCIES] = {
        [GPIO_URGENCY_SAFE] = GPIO_SAFE_JOBS_MAX,
        [GPIO_URGENCY_STOP] = GPIO_STOP_JOBS_MAX,
        [GPIO_URGENCY_NORMAL] = GPIO_JOBS_MAX,
};

/* --- jobs and what comes of them -------------------------------------- */

static uint32_t slot_take(struct gpio_worker *worker, enum gpio_urgency urgency)
{
        uint32_t slot = worker->first_free;

        if (worker->under_way[urgency] == bounds[urgency])
                return GPIO_NO_SLOT;
        if (slot != GPIO_NO_SLOT)
                worker->first_free = worker->slots[slot].next_free;
        else
                slot = worker->slots_touched++;
        worker->under_way[urgency]++;
        worker->slots[slot].urgency = urgency;
        worker->slots[slot].used = true;
        return slot;
}

static void slot_release(struct gpio_worker *worker, uint32_t slot)
{
        worker->under_way[worker->slots[slot].urgency]--;
        worker->slots[slot].used = false;
        worker->slots[slot].next_free = worker->first_free;
        worker->first_free = slot;
}

static void deliver_result(struct gpio_worker *worker, uint32_t number)
{
        struct slot *slot = &worker->slots[number];

        slot->done(slot->owner, slot->context, &slot->result);
        slot_release(worker, number);
}

static void on_message(void *owner, const void *item)
{
        const struct message *message = item;
        struct gpio_worker *worker = owner;

        if (message->kind == MESSAGE_RESULT) {
                deliver_result(worker, message->slot);
                return;
        }
        atomic_fetch_sub(&worker->changes_under_way, 1);
        if (worker->changed)
                worker->changed(worker->changed_owner, &message->change);
}

int gpio_worker_submit(struct gpio_worker *worker, const struct gpio_job *job,
                       gpio_worker_done_fn *done, void *owner, void *context)
{
        struct gpio_job numbered = *job;
        int r;

        numbered.slot = slot_take(worker, job->urgency);
        if (numbered.slot == GPIO_NO_SLOT) {
                if (job->urgency != GPIO_URGENCY_SAFE)
                        return -EAGAIN;
                (void)gpio_job_queue_put(worker->jobs, &numbered);
                return GPIO_JOB_MERGED;
        }
        worker->slots[numbered.slot].done = done;
        worker->slots[numbered.slot].owner = owner;
        worker->slots[numbered.slot].context = context;
        r = gpio_job_queue_put(worker->jobs, &numbered);
        if (r != 0)
                slot_release(worker, numbered.slot);
        return r;
}

void gpio_worker_on_changed(struct gpio_worker *worker, gpio_worker_changed_fn *changed,
                            void *owner)
{
        worker->changed = changed;
        worker->changed_owner = owner;
}

bool gpio_worker_is_guarded(const struct gpio_worker *worker)
{
        return atomic_load(&worker->guarded);
}

uint64_t gpio_worker_coalesced(const struct gpio_worker *worker)
{
        return atomic_load(&worker->coalesced);
}

/* --- from beginning to end -------------------------------------------- */

static void on_stop_done(void *owner, void *context, const struct gpio_result *result)
{
        /* gpio_worker_stop() has waited for it. */
}

static void submit_stop(struct gpio_worker *worker, bool ends)
{
        const struct gpio_job stop = {.kind = GPIO_JOB_SAFE,
                                      .urgency = GPIO_URGENCY_SAFE,
                                      .cause = "stop",
                                      .pins = GPIO_ALL_PINS,
                                      .purges = true,
                                      .purge_tag = GPIO_TAG_ALL,
                                      .stopping = true,
                                      .ends = ends};

        (void)gpio_worker_submit(worker, &stop, on_stop_done, NULL, NULL);
        if (!worker->has_thread)
                worker_take_jobs(worker);
}

/* 0, -ETIMEDOUT. */
static int wait_for(int fd)
{
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int r;

        do
                r = poll(&wait, 1, GPIO_STOP_WAIT_MS);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        return r == 0 ? -ETIMEDOUT : 0;
}

int gpio_worker_stop(struct gpio_worker *worker)
{
        int r;

        if (!worker->stopped)
                submit_stop(worker, false);
        worker->stopped = true;
        r = wait_for(worker->stopped_fd);
        return r < 0 ? r : atomic_load(&worker->stop_error);
}

static int start_thread(struct gpio_worker *worker)
{
        int r = thread_new("hardware", STACK_BYTES, worker_thread_main, worker, &worker->thread);

        worker->has_thread = r == 0;
        return r;
}

/* False: it hangs. */
static bool join_thread(struct gpio_worker *worker)
{
        if (wait_for(worker->ended_fd) < 0)
                return false;
        pthread_join(worker->thread, NULL);
        return true;
}

/* What is left once nobody works on it any more. */
static void worker_release(struct gpio_worker *worker)
{
        if (worker->loop != worker->home)
                loop_free(worker->loop);
        gpio_chip_free(worker->chip);
        loop_inbox_free(worker->messages);
        gpio_job_queue_free(worker->jobs);
        if (worker->stopped_fd >= 0)
                close(worker->stopped_fd);
        if (worker->ended_fd >= 0)
                close(worker->ended_fd);
        free(worker);
}

static int worker_open(struct gpio_worker *worker, enum gpio_safe safe)
{
        int r;

        r = gpio_job_queue_new(bounds, &worker->jobs);
        if (r == 0)
                r = loop_inbox_new(worker->home, sizeof(struct message),
                                   WORKER_SLOTS + GPIO_CHANGES_MAX, on_message, worker,
                                   &worker->messages);
        if (r < 0)
                return r;
        worker->stopped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        worker->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (worker->stopped_fd < 0 || worker->ended_fd < 0)
                return -errno;
        if (!worker->loop)
                r = loop_new(&worker->loop);
        return r < 0 ? r : worker_open_inside(worker, safe);
}

int gpio_worker_new(const struct gpio_worker_setup *setup, struct gpio_worker **ret)
{
        struct gpio_worker *worker = calloc(1, sizeof(*worker));
        int r;

        if (!worker)
                return -ENOMEM;
        worker->stopped_fd = worker->ended_fd = -1;
        worker->first_free = GPIO_NO_SLOT;
        worker->home = setup->home;
        worker->loop = setup->inline_loop;
        worker->chip = setup->chip;
        worker->guard = setup->guard;
        r = worker_open(worker, setup->safe);
        if (r == 0 && setup->inline_loop)
                worker_begin(worker);
        else if (r == 0)
                r = start_thread(worker);
        if (r < 0) {
                /* The caller's still. */
                worker->guard = NULL;
                worker_close_inside(worker);
                worker->chip = NULL;
                worker_release(worker);
                return r;
        }
        *ret = worker;
        return 0;
}

struct gpio_worker *gpio_worker_free(struct gpio_worker *worker)
{
        if (!worker)
                return NULL;
        submit_stop(worker, true);
        if (worker->has_thread && !join_thread(worker)) {
                atomic_store(&worker->left_behind, true);
                return NULL;
        }
        if (!worker->has_thread)
                worker_close_inside(worker);
        for (uint32_t i = 0; i < worker->slots_touched; i++) {
                struct slot *slot = &worker->slots[i];

                if (!slot->used)
                        continue;
                slot->result.error = -ESHUTDOWN;
                slot->done(slot->owner, slot->context, &slot->result);
        }
        worker_release(worker);
        return NULL;
}
