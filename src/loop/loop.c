#include "loop/loop.h"

#include "base/clock.h"
#include "loop/loop-internal.h"

#include <errno.h>

/* A round as libuv turns it: callbacks of descriptors, closings, timers, then
 * `before_wait`, where our tasks run, then the wait. */

static void on_hurry(uv_idle_t *hurry)
{
        /* Being active is all it is for. */
}

/* libuv before 1.45 runs timers ahead of the wait, too: when the time was over before the round
 * began, nothing else would end the wait. */
static void on_limit(uv_timer_t *limit)
{
        uv_stop(limit->loop);
}

static void on_alarm(uv_timer_t *alarm)
{
        struct loop *loop = alarm->data;

        loop->alarm_ms = LOOP_NEVER;
        loop_timers_run(loop);
}

/* libuv's timer is set once per round, whatever the timers did in it. */
static void set_alarm(struct loop *loop)
{
        uint64_t next = loop->is_virtual ? LOOP_NEVER : loop_timers_next_ms(loop);
        uint64_t now = uv_now(&loop->uv);

        if (next == loop->alarm_ms)
                return;
        loop->alarm_ms = next;
        if (next == LOOP_NEVER)
                uv_timer_stop(&loop->alarm);
        else
                uv_timer_start(&loop->alarm, on_alarm, next > now ? next - now : 0, 0);
}

static void end_round(struct loop *loop)
{
        loop_tasks_run(loop);
        set_alarm(loop);
        loop->round++;
        loop->wall_ns = 0;
        loop->wall_text[0] = '\0';
        if (!loop_tasks_wait(loop))
                uv_idle_stop(&loop->hurry);
        else
                uv_idle_start(&loop->hurry, on_hurry);
}

static void on_before_wait(uv_prepare_t *before_wait)
{
        end_round(before_wait->data);
}

/* None of these can fail on an initialised loop: libuv documents them so. */
static void init_handles(struct loop *loop)
{
        uv_prepare_init(&loop->uv, &loop->before_wait);
        uv_idle_init(&loop->uv, &loop->hurry);
        uv_timer_init(&loop->uv, &loop->alarm);
        uv_timer_init(&loop->uv, &loop->limit);
        loop->before_wait.data = loop;
        loop->alarm.data = loop;
        uv_prepare_start(&loop->before_wait, on_before_wait);
}

int loop_new(struct loop **ret)
{
        AUTO_FREE struct loop *loop = calloc(1, sizeof(*loop));
        int r;

        if (!loop)
                return -ENOMEM;
        r = uv_loop_init(&loop->uv);
        if (r < 0)
                return r;
        list_init(&loop->tasks);
        list_init(&loop->last_tasks);
        loop->alarm_ms = LOOP_NEVER;
        init_handles(loop);
        *ret = TAKE(loop);
        return 0;
}

int loop_new_virtual(uint64_t start_ms, struct loop **ret)
{
        struct loop *loop;
        int r = loop_new(&loop);

        if (r < 0)
                return r;
        loop->is_virtual = true;
        loop->virtual_ms = start_ms;
        *ret = loop;
        return 0;
}

static void close_handle(uv_handle_t *handle, void *unused)
{
        if (!uv_is_closing(handle))
                uv_close(handle, NULL);
}

struct loop *loop_free(struct loop *loop)
{
        if (!loop)
                return NULL;
        /* Closings may close more: until nothing is left. */
        do {
                uv_walk(&loop->uv, close_handle, NULL);
                uv_run(&loop->uv, UV_RUN_DEFAULT);
        } while (uv_loop_close(&loop->uv) == UV_EBUSY);
        loop_tasks_forget(loop);
        loop_timers_forget(loop);
        free(loop);
        return NULL;
}

int loop_run(struct loop *loop)
{
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        /* What the last callbacks put off (a farewell to a peer) is not lost. */
        end_round(loop);
        return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
        loop->code = code;
        uv_stop(&loop->uv);
}

void loop_run_once(struct loop *loop, uint64_t wait_ms)
{
        if (wait_ms == 0) {
                uv_run(&loop->uv, UV_RUN_NOWAIT);
        } else {
                uv_update_time(&loop->uv);
                uv_timer_start(&loop->limit, on_limit, wait_ms, 0);
                uv_run(&loop->uv, UV_RUN_ONCE);
                uv_timer_stop(&loop->limit);
        }
        end_round(loop);
}

void loop_advance_ms(struct loop *loop, uint64_t ms)
{
        uint64_t end = ms < LOOP_NEVER - loop->virtual_ms ? loop->virtual_ms + ms : LOOP_NEVER;

        while (loop->timers && loop->timers->due_ms <= end) {
                if (loop->timers->due_ms > loop->virtual_ms)
                        loop->virtual_ms = loop->timers->due_ms;
                loop_timers_run(loop);
                end_round(loop);
        }
        loop->virtual_ms = end;
        end_round(loop);
}

uint64_t loop_round(const struct loop *loop)
{
        return loop->round;
}

uint64_t loop_now_ms(const struct loop *loop)
{
        return loop->is_virtual ? loop->virtual_ms : uv_now(&loop->uv);
}

int64_t loop_wall_ns(struct loop *loop)
{
        if (loop->is_virtual)
                return (int64_t)(loop->virtual_ms * 1000000);
        if (loop->wall_ns == 0)
                loop->wall_ns = clock_realtime_ns();
        return loop->wall_ns;
}

/* By hand: this is on the way of every reply, and snprintf() costs more than
 * the rest of a small one. */
const char *loop_wall_text(struct loop *loop)
{
        enum { DIGITS = sizeof(loop->wall_text) - 2 };
        int64_t wall_ns;
        uint64_t ms;
        char text[DIGITS];
        size_t at = DIGITS, out = 0;

        if (loop->wall_text[0] != '\0' && !loop->is_virtual)
                return loop->wall_text;
        wall_ns = loop_wall_ns(loop);
        ms = wall_ns > 0 ? (uint64_t)wall_ns / 1000000 : 0;
        /* At least "0" before and three digits behind the point. */
        while (ms > 0 || DIGITS - at < 4) {
                text[--at] = (char)('0' + ms % 10);
                ms /= 10;
        }
        while (at < DIGITS) {
                if (DIGITS - at == 3)
                        loop->wall_text[out++] = '.';
                loop->wall_text[out++] = text[at++];
        }
        loop->wall_text[out] = '\0';
        return loop->wall_text;
}

uv_loop_t *loop_uv(struct loop *loop)
{
        return &loop->uv;
}
