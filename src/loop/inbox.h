/* loop/inbox.h - values from other threads into a loop: bounded, in order.
 *
 * The one place where threads meet. Items are copied in and out; putting wakes
 * the loop once for many items. */
#pragma once

#include "loop/loop.h"

#include <stddef.h>

struct loop_inbox;
/* On the loop's thread; `item` is valid during the call. */
typedef void loop_inbox_fn(void *owner, const void *item);

/* -ENOMEM, -errno. */
int loop_inbox_new(struct loop *loop, size_t item_size, size_t capacity, loop_inbox_fn *on_item,
                   void *owner, struct loop_inbox **ret);
/* Loop thread. No other thread may put any more; items that wait are dropped. */
struct loop_inbox *loop_inbox_free(struct loop_inbox *inbox);
DEFINE_CLEANUP(loop_inbox)

/* Any thread, never blocks for longer than a copy. -EAGAIN: full, nothing put. */
int loop_inbox_put(struct loop_inbox *inbox, const void *item);
/* The same, for one that more will follow at once: the loop need not wake before that. Whoever
 * leaves an item puts another, or calls loop_inbox_wake(). */
int loop_inbox_leave(struct loop_inbox *inbox, const void *item);
void loop_inbox_wake(struct loop_inbox *inbox); /* any thread; fine when nothing waits */
