#include "agent/gpio/worker.h"

#include "agent/gpio/executor.h"
#include "agent/gpio/job-queue.h"
#include "base/attributes.h"
#include "loop/inbox.h"
#include "loop/io.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
        SLOTS = GPIO_JOBS_MAX + GPIO_STOP_JOBS_MAX + GPIO_SAFE_JOBS_MAX,
        JOBS_PER_ROUND = 64, /* then timers have their turn */
        RETRY_MS = 10,       /* for changes that found no room */
        GREETING_MS = 2000,  /* for a supervisor that does not say WELCOME */
        STACK_BYTES = 256 << 10,
};

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

        /* Last and large: memory that was never used costs nothing. */
        struct slot slots[SLOTS];
};

/* Outlives the worker by the end of a round. */
struct wake {
        struct loop_io io;
        struct gpio_worker *worker;
};

static const size_t bounds[GPIO_URGENCIES] = {
        [GPIO_URGENCY_SAFE] = GPIO_SAFE_JOBS_MAX,
        [GPIO_URGENCY_STOP] = GPIO_STOP_JOBS_MAX,
        [GPIO_URGENCY_NORMAL] = GPIO_JOBS_MAX,
};

/* --- the worker's thread: what goes out -------------------------------------------------- */

static struct gpio_result *worker_result(void *owner, uint32_t slot)
{
        struct gpio_worker *worker = owner;

        memset(&worker->slots[slot].result, 0, sizeof(worker->slots[slot].result));
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
}

static bool send_change(struct gpio_worker *worker, const struct gpio_pin_change *change)
{
        const struct message message = {.kind = MESSAGE_CHANGE, .change = *change};

        if (atomic_load(&worker->changes_under_way) >= GPIO_CHANGES_MAX ||
            atomic_load(&worker->left_behind))
                return false;
        atomic_fetch_add(&worker->changes_under_way, 1);
        (void)loop_inbox_put(worker->messages, &message);
        return true;
}

static void worker_changed(void *owner, const struct gpio_pin_change *change)
{
        struct gpio_worker *worker = owner;
        struct unsent *unsent = &worker->unsent[change->pin];

        /* Behind one that waits, or the order would be lost. */
        if (!unsent->waits && send_change(worker, change))
                return;
        if (unsent->waits)
                atomic_fetch_add(&worker->coalesced, 1);
        *unsent = (struct unsent){.waits = true, .change = *change};
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

/* --- the worker's thread: what comes in -------------------------------------------------- */

static void run_job(struct gpio_worker *worker, const struct gpio_job *job)
{
        if (job->stopping && worker->guard)
                (void)guard_link_stopping(worker->guard);
        worker->last_error = 0;
        gpio_executor_run(worker->executor, job);
        if (!job->stopping)
                return;
        atomic_store(&worker->stop_error, worker->last_error);
        (void)eventfd_write(worker->stopped_fd, 1);
        if (worker->has_thread && job->ends)
                loop_stop(worker->loop, 0);
}

static void take_jobs(struct gpio_worker *worker)
{
        struct gpio_job job;

        for (size_t i = 0; i < JOBS_PER_ROUND && gpio_job_queue_take(worker->jobs, &job); i++)
                run_job(worker, &job);
}

static void on_wake(struct loop_io *io, unsigned events)
{
        take_jobs(container_of(io, struct wake, io)->worker);
}

static void begin_work(struct gpio_worker *worker)
{
        worker->ready = true;
        loop_timer_stop(&worker->greeting);
        loop_io_watch(&worker->wake->io, LOOP_READABLE);
}

/* --- the worker's thread: the supervisor ------------------------------------------------- */

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

static void greet(struct gpio_worker *worker)
{
        const struct guard_link_owner owner = {.owner = worker,
                                               .on_returned = on_guard_returned,
                                               .on_ready = on_guard_ready,
                                               .on_lost = on_guard_lost};

        loop_timer_start(&worker->greeting, GREETING_MS);
        if (!worker->guard || guard_link_start(worker->guard, worker->loop, &owner) < 0)
                begin_work(worker);
}

/* --- the worker's thread: from beginning to end ------------------------------------------ */

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

/* Before the thread is there. */
static int open_inside(struct gpio_worker *worker, enum gpio_safe safe)
{
        struct gpio_executor_setup setup = {
                .loop = worker->loop,
                .chip = worker->chip,
                .safe = safe,
                .slots = SLOTS,
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
static void close_inside(struct gpio_worker *worker)
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

static void *worker_main(void *argument)
{
        struct gpio_worker *worker = argument;

        greet(worker);
        (void)loop_run(worker->loop);
        close_inside(worker);
        (void)eventfd_write(worker->ended_fd, 1);
        return NULL;
}

/* --- the caller's side: jobs and what comes of them -------------------------------------- */

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

/* --- the caller's side: from beginning to end -------------------------------------------- */

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
                take_jobs(worker);
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
        pthread_attr_t attributes;
        sigset_t all, before;
        int r;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return -r;
        (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
        /* Signals are the caller's loop's. */
        sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&worker->thread, &attributes, worker_main, worker);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        if (r != 0)
                return -r;
        worker->has_thread = true;
        (void)pthread_setname_np(worker->thread, "hardware");
        return 0;
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
                r = loop_inbox_new(worker->home, sizeof(struct message), SLOTS + GPIO_CHANGES_MAX,
                                   on_message, worker, &worker->messages);
        if (r < 0)
                return r;
        worker->stopped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        worker->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (worker->stopped_fd < 0 || worker->ended_fd < 0)
                return -errno;
        if (!worker->loop)
                r = loop_new(&worker->loop);
        return r < 0 ? r : open_inside(worker, safe);
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
                greet(worker);
        else if (r == 0)
                r = start_thread(worker);
        if (r < 0) {
                /* The caller's still. */
                worker->guard = NULL;
                close_inside(worker);
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
                close_inside(worker);
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
