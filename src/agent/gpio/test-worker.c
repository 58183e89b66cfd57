/* The worker with its thread: what crosses between the two, and the end of it. */
#include "agent/gpio/sim.h"
#include "agent/gpio/worker.h"

#include "support/test.h"

#include <errno.h>
#include <sched.h>

struct fixture {
        struct loop *loop;
        struct gpio_worker *worker;
        unsigned results, errors;
        int last_error;
        unsigned changes;
        bool last_value;
};

static void fixture_on_changed(void *owner, const struct gpio_pin_change *change)
{
        struct fixture *f = owner;

        f->changes++;
        f->last_value = change->value;
}

static void fixture_on_done(void *owner, void *context, const struct gpio_result *result)
{
        struct fixture *f = owner;

        f->results++;
        f->last_error = result->error;
        f->errors += result->error != 0;
        if (context)
                *(unsigned *)context = f->results;
}

static void fixture_init(struct fixture *f)
{
        struct gpio_worker_setup setup = {0};

        *f = (struct fixture){0};
        CHECK_EQ(loop_new(&f->loop), 0);
        setup.home = f->loop;
        CHECK_EQ(gpio_sim_new(NULL, &setup.chip), 0);
        CHECK_EQ(gpio_worker_new(&setup, &f->worker), 0);
        gpio_worker_on_changed(f->worker, fixture_on_changed, f);
}

static void fixture_done(struct fixture *f)
{
        gpio_worker_free(f->worker);
        loop_free(f->loop);
}

static void await(struct fixture *f, unsigned results)
{
        for (unsigned i = 0; i < 10000 && f->results < results; i++)
                loop_run_once(f->loop, 10);
        CHECK_EQ(f->results, results);
}

static struct gpio_job set_job(unsigned pin, bool value)
{
        return (struct gpio_job){.kind = GPIO_JOB_SET,
                                 .urgency = GPIO_URGENCY_NORMAL,
                                 .pin = pin,
                                 .tag = 1,
                                 .cause = "test",
                                 .value = value};
}

static int submit_set(struct fixture *f, unsigned pin, bool value)
{
        struct gpio_job job = set_job(pin, value);

        return gpio_worker_submit(f->worker, &job, fixture_on_done, f, NULL);
}

TEST(a_job_goes_to_the_thread_and_its_result_comes_back)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(submit_set(&f, 17, true), 0);
        CHECK_EQ(f.results, 0);
        await(&f, 1);
        CHECK_EQ(f.last_error, 0);
        CHECK_EQ(f.changes, 1);
        CHECK(f.last_value);
        CHECK(!gpio_worker_is_guarded(f.worker));
        fixture_done(&f);
}

TEST(a_change_is_told_although_the_result_of_its_job_comes_much_later)
{
        struct gpio_job blink = set_job(17, true);
        struct fixture f;

        blink.kind = GPIO_JOB_BLINK;
        blink.on_ms = blink.off_ms = 3600000;
        blink.times = 1;
        blink.waits = true;
        fixture_init(&f);
        CHECK_EQ(gpio_worker_submit(f.worker, &blink, fixture_on_done, &f, NULL), 0);
        for (unsigned i = 0; i < 1000 && f.changes == 0; i++)
                loop_run_once(f.loop, 10);
        CHECK_EQ(f.changes, 1);
        CHECK(f.last_value);
        CHECK_EQ(f.results, 0);
        fixture_done(&f);
}

TEST(every_job_of_a_flood_has_its_result_and_what_is_too_much_is_refused)
{
        unsigned accepted = 0, refused = 0;
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 10000; i++) {
                int r = submit_set(&f, i % 28, i / 28 % 2 == 0);

                if (r == -EAGAIN) {
                        refused++;
                        loop_run_once(f.loop, 0);
                } else {
                        CHECK_EQ(r, 0);
                        accepted++;
                }
        }
        await(&f, accepted);
        CHECK_EQ(f.errors, 0);
        CHECK_EQ(accepted + refused, 10000);
        /* Without a single round, the bound is the bound. */
        for (accepted = 0; submit_set(&f, 17, accepted % 2) == 0; accepted++)
                CHECK(accepted < GPIO_JOBS_MAX);
        CHECK_EQ(accepted, GPIO_JOBS_MAX);
        fixture_done(&f);
}

TEST(changes_that_nobody_fetches_become_the_last_one)
{
        struct fixture f;
        unsigned last = 0;

        fixture_init(&f);
        for (unsigned i = 0; i < GPIO_JOBS_MAX; i++)
                CHECK_EQ(submit_set(&f, 17, i % 2 == 0), 0);
        /* The thread is done with all of them before a change is fetched. */
        while (gpio_worker_coalesced(f.worker) + GPIO_CHANGES_MAX + 1 < GPIO_JOBS_MAX)
                (void)sched_yield();
        await(&f, GPIO_JOBS_MAX);
        while (f.changes + gpio_worker_coalesced(f.worker) < GPIO_JOBS_MAX && last++ < 1000)
                loop_run_once(f.loop, 10);
        CHECK_EQ(f.changes + gpio_worker_coalesced(f.worker), GPIO_JOBS_MAX);
        CHECK(!f.last_value);
        fixture_done(&f);
}

TEST(a_stop_waits_for_the_safe_state_and_refuses_the_rest)
{
        struct gpio_job read = set_job(17, false);
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(submit_set(&f, 17, true), 0);
        await(&f, 1);
        CHECK_EQ(gpio_worker_stop(f.worker), 0);
        CHECK_EQ(gpio_worker_stop(f.worker), 0);
        read.kind = GPIO_JOB_READ;
        CHECK_EQ(gpio_worker_submit(f.worker, &read, fixture_on_done, &f, NULL), 0);
        CHECK_EQ(submit_set(&f, 17, true), 0);
        await(&f, 3);
        CHECK_EQ(f.last_error, -ESHUTDOWN);
        CHECK_EQ(f.errors, 1);
        CHECK_EQ(f.changes, 2);
        CHECK(!f.last_value);
        fixture_done(&f);
}

TEST(what_is_under_way_at_the_end_is_answered)
{
        struct gpio_job blink = set_job(17, true);
        struct fixture f;

        fixture_init(&f);
        blink.kind = GPIO_JOB_BLINK;
        blink.on_ms = blink.off_ms = 10;
        blink.waits = true;
        CHECK_EQ(gpio_worker_submit(f.worker, &blink, fixture_on_done, &f, NULL), 0);
        CHECK_EQ(submit_set(&f, 27, true), 0);
        CHECK_NULL(gpio_worker_free(f.worker));
        CHECK_EQ(f.results, 2);
        CHECK_EQ(f.errors, 2);
        CHECK_EQ(f.last_error, -ESHUTDOWN);
        loop_free(f.loop);
        CHECK_NULL(gpio_worker_free(NULL));
}

TEST(safe_states_always_fit)
{
        struct gpio_job safe = set_job(0, false);
        unsigned put = 0, merged = 0;
        struct fixture f;

        fixture_init(&f);
        safe.kind = GPIO_JOB_SAFE;
        safe.urgency = GPIO_URGENCY_SAFE;
        safe.pins = GPIO_ALL_PINS;
        for (unsigned i = 0; i < 10 * GPIO_SAFE_JOBS_MAX; i++) {
                int r = gpio_worker_submit(f.worker, &safe, fixture_on_done, &f, NULL);

                CHECK(r == 0 || r == GPIO_JOB_MERGED);
                put += r == 0;
                merged += r == GPIO_JOB_MERGED;
        }
        CHECK(merged >= 9 * GPIO_SAFE_JOBS_MAX);
        await(&f, put);
        fixture_done(&f);
}
