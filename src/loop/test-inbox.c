#include "loop/inbox.h"

#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

enum { THREADS = 4, ITEMS = 5000 };

struct item {
        unsigned thread, number;
};

struct receiver {
        struct loop *loop;
        struct loop_inbox *inbox;
        unsigned next[THREADS];
        unsigned count, stop_at;
        bool free_on_first;
        bool in_order;
};

static void on_item(void *owner, const void *value)
{
        struct receiver *r = owner;
        const struct item *item = value;

        r->in_order &= item->number == r->next[item->thread];
        r->next[item->thread] = item->number + 1;
        if (++r->count == r->stop_at)
                loop_stop(r->loop, 0);
        if (r->free_on_first)
                r->inbox = loop_inbox_free(r->inbox);
}

struct sender {
        pthread_t id;
        struct loop_inbox *inbox;
        unsigned thread;
};

static void *send_all(void *argument)
{
        struct sender *sender = argument;
        struct item item = {.thread = sender->thread};

        while (item.number < ITEMS) {
                if (loop_inbox_put(sender->inbox, &item) == 0)
                        item.number++;
                else
                        sched_yield();
        }
        return NULL;
}

TEST(all_items_of_all_threads_arrive_each_threads_in_order)
{
        AUTO(loop) struct loop *loop = NULL;
        struct receiver r = {.stop_at = THREADS * ITEMS, .in_order = true};
        struct sender senders[THREADS];

        CHECK_EQ(loop_new(&loop), 0);
        r.loop = loop;
        CHECK_EQ(loop_inbox_new(loop, sizeof(struct item), 16, on_item, &r, &r.inbox), 0);
        for (unsigned i = 0; i < THREADS; i++) {
                senders[i] = (struct sender){.inbox = r.inbox, .thread = i};
                CHECK_EQ(pthread_create(&senders[i].id, NULL, send_all, &senders[i]), 0);
        }
        loop_run(loop);
        for (unsigned i = 0; i < THREADS; i++)
                pthread_join(senders[i].id, NULL);
        CHECK_EQ(r.count, THREADS * ITEMS);
        CHECK(r.in_order);
        loop_inbox_free(r.inbox);
}

TEST(a_full_inbox_says_so_and_keeps_what_it_has)
{
        AUTO(loop) struct loop *loop = NULL;
        struct receiver r = {.in_order = true};

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_inbox_new(loop, sizeof(struct item), 3, on_item, &r, &r.inbox), 0);
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned i = 0; i < 3; i++)
                        CHECK_EQ(loop_inbox_put(r.inbox, &(struct item){0, round * 3 + i}), 0);
                CHECK_EQ(loop_inbox_put(r.inbox, &(struct item){0, 99}), -EAGAIN);
                loop_run_once(loop, 1000);
                CHECK_EQ(r.count, round * 3 + 3);
        }
        CHECK(r.in_order);
        loop_inbox_free(r.inbox);
}

TEST(what_is_left_waits_for_the_next_that_is_put)
{
        AUTO(loop) struct loop *loop = NULL;
        struct receiver r = {.in_order = true};

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_inbox_new(loop, sizeof(struct item), 3, on_item, &r, &r.inbox), 0);
        loop_inbox_wake(r.inbox);
        CHECK_EQ(loop_inbox_leave(r.inbox, &(struct item){0, 0}), 0);
        loop_run_once(loop, 0);
        CHECK_EQ(r.count, 0);
        CHECK_EQ(loop_inbox_put(r.inbox, &(struct item){0, 1}), 0);
        loop_run_once(loop, 1000);
        CHECK_EQ(r.count, 2);
        CHECK(r.in_order);
        loop_inbox_free(r.inbox);
}

TEST(what_is_left_can_be_told_of_once_there_is_no_more)
{
        AUTO(loop) struct loop *loop = NULL;
        struct receiver r = {.in_order = true};

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_inbox_new(loop, sizeof(struct item), 2, on_item, &r, &r.inbox), 0);
        for (unsigned i = 0; i < 2; i++)
                CHECK_EQ(loop_inbox_leave(r.inbox, &(struct item){0, i}), 0);
        CHECK_EQ(loop_inbox_leave(r.inbox, &(struct item){0, 99}), -EAGAIN);
        loop_inbox_wake(r.inbox);
        loop_run_once(loop, 1000);
        CHECK_EQ(r.count, 2);
        CHECK(r.in_order);
        loop_inbox_free(r.inbox);
}

TEST(freed_by_its_own_callback_it_drops_the_rest)
{
        AUTO(loop) struct loop *loop = NULL;
        struct receiver r = {.free_on_first = true};

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_inbox_new(loop, sizeof(struct item), 3, on_item, &r, &r.inbox), 0);
        for (unsigned i = 0; i < 3; i++)
                CHECK_EQ(loop_inbox_put(r.inbox, &(struct item){0, i}), 0);
        loop_run_once(loop, 1000);
        loop_run_once(loop, 0);
        CHECK_EQ(r.count, 1);
        CHECK_NULL(r.inbox);
}

TEST(sizes_that_cannot_be_are_refused)
{
        AUTO(loop) struct loop *loop = NULL;
        struct loop_inbox *inbox = NULL;

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(loop_inbox_new(loop, 0, 3, on_item, NULL, &inbox), -EINVAL);
        CHECK_EQ(loop_inbox_new(loop, 3, 0, on_item, NULL, &inbox), -EINVAL);
        CHECK_EQ(loop_inbox_new(loop, SIZE_MAX / 2, 3, on_item, NULL, &inbox), -ENOMEM);
        CHECK_EQ(loop_inbox_new(loop, 1, SIZE_MAX, on_item, NULL, &inbox), -ENOMEM);
        CHECK_NULL(inbox);
        CHECK_NULL(loop_inbox_free(NULL));
}
