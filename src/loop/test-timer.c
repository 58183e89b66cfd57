#include "loop/timer.h"

#include "base/attributes.h"
#include "loop/task.h"
#include "support/test.h"

#include <stdio.h>

struct ticket {
        struct loop_timer timer;
        unsigned number;
        uint64_t ran_at;
        unsigned runs;
        bool restart;
};

static char order[256];

static void on_due(struct loop_timer *timer)
{
        struct ticket *ticket = container_of(timer, struct ticket, timer);
        size_t length = strlen(order);

        ticket->ran_at = loop_now_ms(timer->loop);
        ticket->runs++;
        snprintf(order + length, sizeof(order) - length, "%u ", ticket->number);
        if (ticket->restart)
                loop_timer_start(timer, 10);
}

static void tickets_init(struct loop *loop, struct ticket *tickets, size_t count)
{
        order[0] = '\0';
        for (size_t i = 0; i < count; i++) {
                tickets[i] = (struct ticket){.number = (unsigned)i};
                loop_timer_init(&tickets[i].timer, loop, on_due);
        }
}

TEST(timers_run_when_due_in_order_of_time_then_of_start)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[5];

        CHECK_EQ(loop_new_virtual(100, &loop), 0);
        tickets_init(loop, t, 5);
        loop_timer_start(&t[0].timer, 30);
        loop_timer_start(&t[1].timer, 10);
        loop_timer_start(&t[2].timer, 20);
        loop_timer_start(&t[3].timer, 10);
        loop_timer_start(&t[4].timer, 0);
        loop_advance_ms(loop, 9);
        CHECK_TEXT(order, "4 ");
        loop_advance_ms(loop, 1);
        CHECK_TEXT(order, "4 1 3 ");
        loop_advance_ms(loop, 100);
        CHECK_TEXT(order, "4 1 3 2 0 ");
        CHECK_EQ(t[2].ran_at, 120);
        CHECK_EQ(t[0].ran_at, 130);
        CHECK_EQ(loop_now_ms(loop), 210);
}

TEST(a_stopped_timer_does_not_run_and_its_memory_is_free_at_once)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[2];
        struct ticket *gone = malloc(sizeof(*gone));

        CHECK(gone != NULL);
        CHECK_EQ(loop_new_virtual(0, &loop), 0);
        tickets_init(loop, t, 2);
        tickets_init(loop, gone, 1);
        loop_timer_start(&t[0].timer, 5);
        loop_timer_start(&gone->timer, 3);
        loop_timer_start(&t[1].timer, 4);
        loop_timer_stop(&gone->timer);
        loop_timer_stop(&gone->timer);
        free(gone);
        loop_advance_ms(loop, 10);
        CHECK_TEXT(order, "1 0 ");
}

TEST(starting_again_moves_a_timer)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[1];

        CHECK_EQ(loop_new_virtual(0, &loop), 0);
        tickets_init(loop, t, 1);
        loop_timer_start(&t[0].timer, 10);
        loop_advance_ms(loop, 9);
        loop_timer_start(&t[0].timer, 10);
        loop_advance_ms(loop, 9);
        CHECK_EQ(t[0].runs, 0);
        loop_advance_ms(loop, 1);
        CHECK_EQ(t[0].runs, 1);
        CHECK(!t[0].timer.armed);
}

TEST(advancing_far_runs_a_periodic_timer_each_time)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[1];

        CHECK_EQ(loop_new_virtual(0, &loop), 0);
        tickets_init(loop, t, 1);
        t[0].restart = true;
        loop_timer_start(&t[0].timer, 10);
        loop_advance_ms(loop, 105);
        CHECK_EQ(t[0].runs, 10);
        CHECK_EQ(t[0].ran_at, 100);
}

TEST(an_endless_delay_does_not_overflow)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[2];

        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        tickets_init(loop, t, 2);
        loop_timer_start(&t[0].timer, UINT64_MAX);
        loop_timer_start(&t[1].timer, 1);
        loop_advance_ms(loop, 1000000);
        CHECK_TEXT(order, "1 ");
        CHECK(t[0].timer.armed);
}

static void restart_without_delay(struct loop_timer *timer)
{
        struct ticket *ticket = container_of(timer, struct ticket, timer);

        if (ticket->runs++ < 100)
                loop_timer_start(timer, 0);
}

TEST(a_timer_that_restarts_itself_without_delay_runs_once_a_round)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[1];

        CHECK_EQ(loop_new(&loop), 0);
        tickets_init(loop, t, 1);
        loop_timer_init(&t[0].timer, loop, restart_without_delay);
        loop_timer_start(&t[0].timer, 0);
        for (unsigned i = 0; i < 10; i++)
                loop_run_once(loop, 0);
        CHECK(t[0].runs >= 5 && t[0].runs <= 20);
}

TEST(real_time_passes_for_a_real_loop)
{
        AUTO(loop) struct loop *loop = NULL;
        struct ticket t[2];
        uint64_t start;

        CHECK_EQ(loop_new(&loop), 0);
        tickets_init(loop, t, 2);
        start = loop_now_ms(loop);
        loop_timer_start(&t[0].timer, 15);
        loop_timer_start(&t[1].timer, 5);
        for (unsigned i = 0; i < 1000 && t[0].runs == 0; i++)
                loop_run_once(loop, 1000);
        CHECK_TEXT(order, "1 0 ");
        CHECK(t[0].ran_at >= start + 15);
        CHECK(t[1].ran_at >= start + 5);
}

/* Starts, restarts and stops at random against a plain array. */
TEST(the_heap_agrees_with_a_linear_search)
{
        enum { COUNT = 64, STEPS = 20000 };
        AUTO(loop) struct loop *loop = NULL;
        static struct ticket t[COUNT];
        uint64_t due[COUNT];
        uint32_t random = 12345;

        CHECK_EQ(loop_new_virtual(0, &loop), 0);
        tickets_init(loop, t, COUNT);
        memset(due, 0xff, sizeof(due));
        for (unsigned step = 0; step < STEPS; step++) {
                unsigned which, what;

                random = random * 1664525u + 1013904223u;
                which = random >> 8 & (COUNT - 1);
                what = random >> 20 & 7;
                order[0] = '\0';
                if (what < 4) {
                        loop_timer_start(&t[which].timer, random >> 24);
                        due[which] = loop_now_ms(loop) + (random >> 24);
                } else if (what < 6) {
                        loop_timer_stop(&t[which].timer);
                        due[which] = UINT64_MAX;
                } else {
                        loop_advance_ms(loop, random >> 25 & 31);
                }
                for (unsigned i = 0; i < COUNT; i++) {
                        bool past = due[i] != UINT64_MAX && due[i] <= loop_now_ms(loop) && what > 5;

                        CHECK_EQ(t[i].runs, past ? 1 : 0);
                        if (past) {
                                CHECK_EQ(t[i].ran_at, due[i]);
                                due[i] = UINT64_MAX;
                                t[i].runs = 0;
                        }
                        CHECK_EQ(t[i].timer.armed, due[i] != UINT64_MAX);
                }
        }
}
