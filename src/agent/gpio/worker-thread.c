/* The worker's side of the worker: jobs come in, results and changes go out. */
#include "agent/gpio/worker-internal.h"
#include "base/attributes.h"
#include "loop/io.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
        JOBS_PER_ROUND = 64, /* then timers have their turn */
        RETRY_MS = 10,       /* for changes that found no room */
        GREETING_MS = 2000,  /* for a supervisor that does not say WELCOME */
};

/* Outlives the worker by the end of a round. */
struct wake {
        struct loop_io io;
        struct gpio_worker *worker;
};

/* --- what goes out -------------------------------------------------- */

static struct gpio_result *worker_result(void *owner, uint32_t slot)
{
        struct gpio_worker *worker = owner;

        gpio_result_clear(&worker->slots[slot].result);
        return &worker->slots[slot].result;
}

static void worker_done(void *owner, uint32_t slot)
{
        const struct message message = {.kind = MESSAGE_RESULT, .slot = slot};
        struct gpio_worker *worker = owner;

        worker->last_error = worker->slots[slot].result.error;
        if (atomic_load(&worker->left_behind))
                return;
        /* Fits: the inbox has room for all slots beside all changes. */
        (void)loop_inbox_put(worker->messages, &message);
        worker->left_items = false;
}

static bool send_change(struct gpio_worker *worker, const struct gpio_pin_change *change)
{
        const struct message message = {.kind = MESSAGE_CHANGE, .change = *change};

        if (atomic_load(&worker->changes_under_way) >= GPIO_CHANGES_MAX ||
            atomic_load(&worker->left_behind))
                return false;
        atomic_fetch_add(&worker->changes_under_way, 1);
        /* A job's result follows at once. On one core the loop would take the processor away
         * in between, for half of what it is going to get. */
        if (worker->at_job)
                (void)loop_inbox_leave(worker->messages, &message);
        else
                (void)loop_inbox_put(worker->messages, &message);
        worker->left_items |= worker->at_job;
        return true;
}

static void worker_changed(void *owner, const struct gpio_pin_change *change)
{
        struct gpio_worker *worker = owner;
        struct unsent *unsent = &worker->unsent[change->pin];
        bool moved = change->moved || (unsent->waits && unsent->change.moved);

        /* Behind one that waits, or the order would be lost. */
        if (!unsent->waits && send_change(worker, change))
                return;
        if (unsent->waits)
                atomic_fetch_add(&worker->coalesced, 1);
        *unsent = (struct unsent){.waits = true, .change = *change};
        unsent->change.moved = moved;
        if (!worker->unsent_any)
                loop_timer_start(&worker->retry, RETRY_MS);
        worker->unsent_any = true;
}

static void on_retry(struct loop_timer *timer)
{
        struct gpio_worker *worker = container_of(timer, struct gpio_worker, retry);

        worker->unsent_any = false;
        for (unsigned pin = 0; pin < GPIO_LINES_MAX; pin++) {
                struct unsent *unsent = &worker->unsent[pin];

                if (unsent->waits)
                        unsent->waits = !send_change(worker, &unsent->change);
                worker->unsent_any |= unsent->waits;
        }
        if (worker->unsent_any)
                loop_timer_start(&worker->retry, RETRY_MS);
}

static size_t worker_purge(void *owner, uint64_t tag, struct gpio_job ret[], size_t max)
{
        struct gpio_worker *worker = owner;

        return gpio_job_queue_purge(worker->jobs, tag, ret, max);
}

/* --- what comes in -------------------------------------------------- */

static void run_job(struct gpio_worker *worker, const struct gpio_job *job)
{
        if (job->stopping && worker->guard)
                (void)guard_link_stopping(worker->guard);
        worker->last_error = 0;
        worker->at_job = true;
        gpio_executor_run(worker->executor, job);
        worker->at_job = false;
        /* It is answered later, or by nobody. */
        if (worker->left_items)
                loop_inbox_wake(worker->messages);
        worker->left_items = false;
        if (!job->stopping)
                return;
        atomic_store(&worker->stop_error, worker->last_error);
        (void)eventfd_write(worker->stopped_fd, 1);
        if (worker->has_thread && job->ends)
                loop_stop(worker->loop, 0);
}

void worker_take_jobs(struct gpio_worker *worker)
{
        struct gpio_job job;

        for (size_t i = 0; i < JOBS_PER_ROUND; i++) {
                if (!gpio_job_queue_take(worker->jobs, &job))
                        return;
                run_job(worker, &job);
        }
        gpio_job_queue_interrupt(worker->jobs);
}

static void on_wake(struct loop_io *io, unsigned events)
{
        struct gpio_worker *worker = container_of(io, struct wake, io)->worker;

        gpio_job_queue_begin(worker->jobs);
        worker_take_jobs(worker);
}

static void begin_work(struct gpio_worker *worker)
{
        worker->ready = true;
        loop_timer_stop(&worker->greeting);
        loop_io_watch(&worker->wake->io, LOOP_READABLE);
}

/* --- the supervisor ------------------------------------------------- */

static void on_beat(struct loop_timer *timer)
{
        struct gpio_worker *worker = container_of(timer, struct gpio_worker, beat);

        guard_link_beat(worker->guard);
        loop_timer_start(&worker->beat, GUARD_BEAT_MS);
}

static void on_guard_returned(void *owner, const struct guard_hold *hold, int descriptor)
{
        struct gpio_worker *worker = owner;

        gpio_executor_return(worker->executor, hold, descriptor);
}

static void on_guard_ready(void *owner)
{
        struct gpio_worker *worker = owner;

        gpio_executor_link(worker->executor, worker->guard);
        atomic_store(&worker->guarded, true);
        on_beat(&worker->beat);
        begin_work(worker);
}

static void on_guard_lost(void *owner, int reason)
{
        struct gpio_worker *worker = owner;

        gpio_executor_link(worker->executor, NULL);
        atomic_store(&worker->guarded, false);
        loop_timer_stop(&worker->beat);
        if (!worker->ready)
                begin_work(worker);
}

/* Better unguarded than deaf. */
static void on_no_greeting(struct loop_timer *timer)
{
        begin_work(container_of(timer, struct gpio_worker, greeting));
}

void worker_begin(struct gpio_worker *worker)
{
        const struct guard_link_owner owner = {.owner = worker,
                                               .on_returned = on_guard_returned,
                                               .on_ready = on_guard_ready,
                                               .on_lost = on_guard_lost};

        loop_timer_start(&worker->greeting, GREETING_MS);
        if (!worker->guard || guard_link_start(worker->guard, worker->loop, &owner) < 0)
                begin_work(worker);
}

/* --- from beginning to end ------------------------------------------ */

static int open_wake(struct gpio_worker *worker)
{
        AUTO_FREE struct wake *wake = calloc(1, sizeof(*wake));
        int r;

        if (!wake)
                return -ENOMEM;
        wake->worker = worker;
        r = loop_io_open(&wake->io, worker->loop, gpio_job_queue_fd(worker->jobs), on_wake);
        if (r < 0)
                return r;
        worker->wake = TAKE(wake);
        return 0;
}

static void on_wake_closed(struct loop_io *io)
{
        free(container_of(io, struct wake, io));
}

int worker_open_inside(struct gpio_worker *worker, enum gpio_safe safe)
{
        struct gpio_executor_setup setup = {
                .loop = worker->loop,
                .chip = worker->chip,
                .safe = safe,
                .slots = WORKER_SLOTS,
                .owner = worker,
                .result = worker_result,
                .done = worker_done,
                .changed = worker_changed,
                .purge = worker_purge,
        };
        struct gpio_chip_info info;
        int r;

        gpio_chip_info(worker->chip, &info);
        if (!info.simulated)
                setup.pwm_root = "";
        loop_timer_init(&worker->beat, worker->loop, on_beat);
        loop_timer_init(&worker->greeting, worker->loop, on_no_greeting);
        loop_timer_init(&worker->retry, worker->loop, on_retry);
        r = gpio_executor_new(&setup, &worker->executor);
        return r < 0 ? r : open_wake(worker);
}

/* Lines are let go of before the supervisor hears that we are gone: what it then
 * does is the last word. */
void worker_close_inside(struct gpio_worker *worker)
{
        if (worker->guard && atomic_load(&worker->guarded))
                guard_link_rest(worker->guard);
        loop_timer_stop(&worker->beat);
        loop_timer_stop(&worker->greeting);
        loop_timer_stop(&worker->retry);
        if (worker->wake)
                loop_io_close(&worker->wake->io, on_wake_closed);
        worker->executor = gpio_executor_free(worker->executor);
        worker->guard = guard_link_free(worker->guard);
}

void *worker_thread_main(void *argument)
{
        struct gpio_worker *worker = argument;

        worker_begin(worker);
        (void)loop_run(worker->loop);
        worker_close_inside(worker);
        (void)eventfd_write(worker->ended_fd, 1);
        return NULL;
}
