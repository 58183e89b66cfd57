#include "loop/timer.h"

#include "loop/loop-internal.h"

/* A pairing heap: each timer is due no later than its children. The children of
 * one are a list through `sibling`; `parent_or_previous` leads back to the left
 * neighbour, or from the first child to the parent. */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
        return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

/* Two roots become one. */
static struct loop_timer *heap_meld(struct loop_timer *a, struct loop_timer *b)
{
        if (!a)
                return b;
        if (!b)
                return a;
        if (is_before(b, a)) {
                struct loop_timer *later = a;

                a = b;
                b = later;
        }
        b->sibling = a->child;
        if (b->sibling)
                b->sibling->parent_or_previous = b;
        b->parent_or_previous = a;
        a->child = b;
        return a;
}

/* Cuts the first two off a list of siblings and melds them. */
static struct loop_timer *heap_take_pair(struct loop_timer **siblings)
{
        struct loop_timer *first = *siblings;
        struct loop_timer *second = first->sibling;

        *siblings = second ? second->sibling : NULL;
        first->sibling = first->parent_or_previous = NULL;
        if (second)
                second->sibling = second->parent_or_previous = NULL;
        return heap_meld(first, second);
}

/* A list of siblings becomes one heap: in pairs from the left, then the pairs
 * from the right. That order is what makes it O(log n) in the long run. */
static struct loop_timer *heap_meld_siblings(struct loop_timer *siblings)
{
        struct loop_timer *pairs = NULL, *root = NULL;

        while (siblings) {
                struct loop_timer *pair = heap_take_pair(&siblings);

                pair->sibling = pairs;
                pairs = pair;
        }
        while (pairs) {
                struct loop_timer *pair = pairs;

                pairs = pair->sibling;
                pair->sibling = NULL;
                root = heap_meld(root, pair);
        }
        return root;
}

static void heap_remove(struct loop_timer **root, struct loop_timer *timer)
{
        struct loop_timer *left = timer->parent_or_previous;
        struct loop_timer *orphans = heap_meld_siblings(timer->child);

        if (timer == *root) {
                *root = orphans;
        } else {
                if (left->child == timer)
                        left->child = timer->sibling;
                else
                        left->sibling = timer->sibling;
                if (timer->sibling)
                        timer->sibling->parent_or_previous = left;
                *root = heap_meld(*root, orphans);
        }
        timer->child = timer->sibling = timer->parent_or_previous = NULL;
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due)
{
        *timer = (struct loop_timer){.loop = loop, .on_due = on_due};
}

void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms)
{
        struct loop *loop = timer->loop;
        uint64_t now = loop_now_ms(loop);

        loop_timer_stop(timer);
        timer->due_ms = delay_ms < LOOP_NEVER - now ? now + delay_ms : LOOP_NEVER - 1;
        timer->order = loop->timer_order++;
        timer->armed = true;
        loop->timers = heap_meld(loop->timers, timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
        if (!timer->armed)
                return;
        heap_remove(&timer->loop->timers, timer);
        timer->armed = false;
}

void loop_timers_run(struct loop *loop)
{
        uint64_t now = loop_now_ms(loop);
        /* What the callbacks start waits for the next round, even with no delay. */
        uint64_t end = loop->timer_order;

        while (loop->timers && loop->timers->due_ms <= now && loop->timers->order < end) {
                struct loop_timer *timer = loop->timers;

                loop_timer_stop(timer);
                timer->on_due(timer);
        }
}

uint64_t loop_timers_next_ms(const struct loop *loop)
{
        return loop->timers ? loop->timers->due_ms : LOOP_NEVER;
}

void loop_timers_forget(struct loop *loop)
{
        while (loop->timers)
                loop_timer_stop(loop->timers);
}
