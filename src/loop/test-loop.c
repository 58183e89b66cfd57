#include "loop/loop.h"

#include "base/attributes.h"
#include "base/clock.h"
#include "loop/inbox.h"
#include "loop/io.h"
#include "loop/signal.h"
#include "loop/task.h"
#include "loop/timer.h"
#include "loop/work.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

struct stopper {
        struct loop *loop;
        struct loop_timer timer;
        struct loop_task task;
        bool task_ran;
};

static void stop_by_task(struct loop_task *task)
{
        struct stopper *s = container_of(task, struct stopper, task);

        s->task_ran = true;
}

static void stop_by_timer(struct loop_timer *timer)
{
        struct stopper *s = container_of(timer, struct stopper, timer);

        loop_task_post(&s->task);
        loop_stop(s->loop, 7);
}

/* A loop that is stopped by a timer after so long. */
static struct loop *stopper_open(struct stopper *s, uint64_t delay_ms)
{
        CHECK_EQ(loop_new(&s->loop), 0);
        loop_task_init(&s->task, s->loop, stop_by_task);
        loop_timer_init(&s->timer, s->loop, stop_by_timer);
        loop_timer_start(&s->timer, delay_ms);
        return s->loop;
}

TEST(run_returns_the_code_given_to_stop_after_the_tasks_of_the_round)
{
        struct stopper s = {0};
        AUTO(loop) struct loop *loop = stopper_open(&s, 1);

        CHECK_EQ(loop_run(loop), 7);
        CHECK(s.task_ran);
}

TEST(stop_before_run_means_no_waiting)
{
        AUTO(loop) struct loop *loop = NULL;

        CHECK_EQ(loop_new(&loop), 0);
        loop_stop(loop, 3);
        CHECK_EQ(loop_run(loop), 3);
}

/* The linker sends timers of libuv through here (--wrap): who starts one may lose the processor
 * until it is due. */
static uint64_t lost_ms;

int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb run, uint64_t ms, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb run, uint64_t ms, uint64_t repeat);

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb run, uint64_t ms, uint64_t repeat)
{
        const struct timespec lost = {.tv_nsec = (long)lost_ms * 1000000};
        int r = __real_uv_timer_start(timer, run, ms, repeat);

        nanosleep(&lost, NULL);
        return r;
}

TEST(a_round_ends_though_its_time_was_over_before_it_began)
{
        struct stopper s = {0};
        AUTO(loop) struct loop *loop = stopper_open(&s, 20000);

        loop_run_once(loop, 0);
        lost_ms = 20;
        loop_run_once(loop, 2);
        lost_ms = 0;
        /* It did not wait for what comes next. */
        CHECK(s.timer.armed);
}

TEST(a_virtual_clock_stands_until_it_is_advanced)
{
        AUTO(loop) struct loop *loop = NULL;

        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        loop_run_once(loop, 2);
        CHECK_EQ(loop_now_ms(loop), 1000);
        loop_advance_ms(loop, 234);
        CHECK_EQ(loop_now_ms(loop), 1234);
        CHECK_EQ(loop_wall_ns(loop), INT64_C(1234000000));
        CHECK_TEXT(loop_wall_text(loop), "1.234");
}

TEST(wall_clock_text_has_three_decimals_whatever_the_time)
{
        static const struct {
                uint64_t ms;
                const char *text;
        } cases[] = {
                {0, "0.000"},
                {7, "0.007"},
                {1000, "1.000"},
                {59999, "59.999"},
                {UINT64_C(1701234567890), "1701234567.890"},
                {UINT64_C(4102444800001), "4102444800.001"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO(loop) struct loop *loop = NULL;

                CHECK_EQ(loop_new_virtual(cases[i].ms, &loop), 0);
                CHECK_TEXT(loop_wall_text(loop), cases[i].text);
        }
}

TEST(wall_clock_is_the_same_within_a_round_and_goes_on_with_the_next)
{
        const int64_t before = clock_realtime_ns();
        AUTO(loop) struct loop *loop = NULL;
        int64_t first;
        char text[32];

        CHECK_EQ(loop_new(&loop), 0);
        first = loop_wall_ns(loop);
        CHECK(before <= first && first <= clock_realtime_ns());
        strcpy(text, loop_wall_text(loop));
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        CHECK(loop_wall_ns(loop) == first);
        CHECK_TEXT(loop_wall_text(loop), text);
        loop_run_once(loop, 0);
        CHECK(loop_wall_ns(loop) > first);
        CHECK(strcmp(loop_wall_text(loop), text) != 0);
}

static uint64_t ms_between(const struct timespec *before, const struct timespec *after)
{
        return (uint64_t)((after->tv_sec - before->tv_sec) * 1000 +
                          (after->tv_nsec - before->tv_nsec) / 1000000);
}

TEST(an_idle_loop_uses_no_processor_time)
{
        AUTO(loop) struct loop *loop = NULL;
        struct timespec before, after;
        struct rusage usage_before, usage_after;
        unsigned rounds = 0;

        CHECK_EQ(loop_new(&loop), 0);
        getrusage(RUSAGE_THREAD, &usage_before);
        clock_gettime(CLOCK_MONOTONIC, &before);
        /* One round, but a few where the kernel interrupts the wait (libuv 1.50 counts the time
         * before an interruption twice). */
        do {
                loop_run_once(loop, 60);
                clock_gettime(CLOCK_MONOTONIC, &after);
        } while (ms_between(&before, &after) < 50 && ++rounds < 8);
        getrusage(RUSAGE_THREAD, &usage_after);
        CHECK(ms_between(&before, &after) >= 50);
        /* It slept a few times; a loop that spins does so without sleeping. */
        CHECK(usage_after.ru_nvcsw - usage_before.ru_nvcsw <= 16);
        CHECK(usage_after.ru_utime.tv_sec == usage_before.ru_utime.tv_sec);
        CHECK(usage_after.ru_utime.tv_usec - usage_before.ru_utime.tv_usec < 30000);
}

static void ignore_ready(struct loop_io *io, unsigned events)
{
}

static void ignore_due(struct loop_timer *timer)
{
}

static void ignore_task(struct loop_task *task)
{
}

static void ignore_signal(struct loop_signal *signal)
{
}

TEST(free_closes_what_is_still_open)
{
        struct loop *loop = NULL;
        struct loop_io io;
        struct loop_timer timer;
        struct loop_task task;
        struct loop_signal watch;
        int fds[2];

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        CHECK_EQ(loop_io_open(&io, loop, fds[0], ignore_ready), 0);
        loop_io_watch(&io, LOOP_READABLE);
        CHECK_EQ(loop_signal_open(&watch, loop, SIGUSR2, ignore_signal), 0);
        loop_timer_init(&timer, loop, ignore_due);
        loop_timer_start(&timer, 1000);
        loop_task_init(&task, loop, ignore_task);
        loop_task_post(&task);
        CHECK_NULL(loop_free(loop));
        close(fds[0]);
        close(fds[1]);
        CHECK_NULL(loop_free(NULL));
}

static void count_signal(struct loop_signal *signal)
{
        loop_stop(((struct loop *)signal->watch.loop->data), signal->number);
}

TEST(a_signal_is_an_event)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_signal watch;

        CHECK_EQ(loop_new(&loop), 0);
        loop_uv(loop)->data = loop;
        CHECK_EQ(loop_signal_open(&watch, loop, SIGUSR1, count_signal), 0);
        raise(SIGUSR1);
        CHECK_EQ(loop_run(loop), SIGUSR1);
        loop_signal_close(&watch);
}

TEST(a_signal_that_cannot_be_caught_is_refused)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_signal watch;

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_signal_open(&watch, loop, SIGKILL, count_signal), -EINVAL);
}

static void ignore_item(void *owner, const void *item)
{
}

TEST(a_lack_of_memory_is_told_and_leaks_nothing)
{
        bool failed;
        size_t n = 0;

        do {
                struct loop *loop = NULL;
                struct loop_inbox *inbox = NULL;
                struct loop_work *work = NULL;
                int r;

                allocation_fail_at(++n);
                r = loop_new(&loop);
                if (r == 0)
                        r = loop_inbox_new(loop, 8, 8, ignore_item, NULL, &inbox);
                if (r == 0)
                        r = loop_work_new(loop, 8, &work);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                loop_work_free(work);
                loop_inbox_free(inbox);
                loop_free(loop);
        } while (failed);
        CHECK_EQ(n, 4);
}
