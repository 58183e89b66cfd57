#include "loop/inbox.h"

#include "loop/loop-internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct loop_inbox {
        uv_async_t wake;
        loop_inbox_fn *on_item;
        void *owner;
        bool closed; /* loop thread only */
        size_t item_size;
        size_t capacity;
        char *taken; /* the item that on_item sees */

        pthread_mutex_t lock; /* protects the ring below, and nothing else */
        size_t first;
        size_t count;
        char ring[];
};

static char *inbox_slot(struct loop_inbox *inbox, size_t position)
{
        return inbox->ring + position % inbox->capacity * inbox->item_size;
}

/* Copies the oldest item out; false when there is none. */
static bool inbox_take(struct loop_inbox *inbox)
{
        bool found;

        pthread_mutex_lock(&inbox->lock);
        found = inbox->count > 0;
        if (found) {
                memcpy(inbox->taken, inbox_slot(inbox, inbox->first), inbox->item_size);
                inbox->first = (inbox->first + 1) % inbox->capacity;
                inbox->count--;
        }
        pthread_mutex_unlock(&inbox->lock);
        return found;
}

static void on_wake(uv_async_t *wake)
{
        struct loop_inbox *inbox = wake->data;

        /* One ringful a round, however fast others put: the rest of the loop has
         * its turn too. */
        for (size_t i = 0; i < inbox->capacity; i++) {
                if (inbox->closed || !inbox_take(inbox))
                        return;
                inbox->on_item(inbox->owner, inbox->taken);
        }
        if (!inbox->closed)
                uv_async_send(&inbox->wake);
}

int loop_inbox_new(struct loop *loop, size_t item_size, size_t capacity, loop_inbox_fn *on_item,
                   void *owner, struct loop_inbox **ret)
{
        AUTO_FREE struct loop_inbox *inbox = NULL;
        size_t bytes;
        int r;

        if (item_size == 0 || capacity == 0)
                return -EINVAL;
        /* One more than the ring holds, for `taken`. */
        if (__builtin_add_overflow(capacity, 1, &bytes) ||
            __builtin_mul_overflow(bytes, item_size, &bytes) ||
            __builtin_add_overflow(bytes, sizeof(*inbox), &bytes))
                return -ENOMEM;
        inbox = calloc(1, bytes);
        if (!inbox)
                return -ENOMEM;
        inbox->on_item = on_item;
        inbox->owner = owner;
        inbox->item_size = item_size;
        inbox->capacity = capacity;
        inbox->taken = inbox->ring + capacity * item_size;
        r = pthread_mutex_init(&inbox->lock, NULL);
        if (r != 0)
                return -r;
        r = uv_async_init(&loop->uv, &inbox->wake, on_wake);
        if (r < 0) {
                pthread_mutex_destroy(&inbox->lock);
                return r;
        }
        inbox->wake.data = inbox;
        *ret = TAKE(inbox);
        return 0;
}

static void on_inbox_closed(uv_handle_t *handle)
{
        struct loop_inbox *inbox = handle->data;

        pthread_mutex_destroy(&inbox->lock);
        free(inbox);
}

struct loop_inbox *loop_inbox_free(struct loop_inbox *inbox)
{
        if (!inbox)
                return NULL;
        inbox->closed = true;
        uv_close((uv_handle_t *)&inbox->wake, on_inbox_closed);
        return NULL;
}

int loop_inbox_put(struct loop_inbox *inbox, const void *item)
{
        bool full;

        pthread_mutex_lock(&inbox->lock);
        full = inbox->count == inbox->capacity;
        if (!full) {
                memcpy(inbox_slot(inbox, inbox->first + inbox->count), item, inbox->item_size);
                inbox->count++;
        }
        pthread_mutex_unlock(&inbox->lock);
        if (full)
                return -EAGAIN;
        /* Collapses into one wake-up by itself while none was taken. */
        uv_async_send(&inbox->wake);
        return 0;
}
