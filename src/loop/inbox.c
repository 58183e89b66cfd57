/* Not by libuv's uv_async_t: its sender marks the wake-up as sent after writing it, and
 * its receiver spins for that mark, up to a thousand pauses. On one core the receiver
 * regularly runs in between, and spins while the sender cannot go on. */
#include "loop/inbox.h"

#include "base/attributes.h"
#include "loop/io.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop_inbox {
        struct loop_io io;
        int wake; /* eventfd, above zero while items may wait */
        loop_inbox_fn *on_item;
        void *owner;
        bool closed; /* loop thread only */
        size_t item_size;
        size_t capacity;
        char *taken; /* the item that on_item sees */

        pthread_mutex_t lock; /* protects what follows */
        bool awake;           /* `wake` was written since nothing was found last */
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
                inbox->count--;
                /* An empty ring begins anew, where the memory is still in the caches. */
                inbox->first = inbox->count > 0 ? (inbox->first + 1) % inbox->capacity : 0;
        } else {
                inbox->awake = false;
        }
        pthread_mutex_unlock(&inbox->lock);
        return found;
}

static void on_wake(struct loop_io *io, unsigned events)
{
        struct loop_inbox *inbox = container_of(io, struct loop_inbox, io);
        eventfd_t count;

        /* Before the first look, and outside of the lock: whoever puts after the last
         * look writes anew. */
        (void)eventfd_read(inbox->wake, &count);
        /* One ringful a round, however fast others put: the rest of the loop has
         * its turn too. */
        for (size_t i = 0; i < inbox->capacity; i++) {
                if (inbox->closed || !inbox_take(inbox))
                        return;
                inbox->on_item(inbox->owner, inbox->taken);
        }
        if (!inbox->closed)
                (void)eventfd_write(inbox->wake, 1);
}

/* Once the ring is there. */
static int inbox_open(struct loop_inbox *inbox, struct loop *loop)
{
        int r;

        inbox->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (inbox->wake < 0)
                return -errno;
        r = -pthread_mutex_init(&inbox->lock, NULL);
        if (r == 0) {
                r = loop_io_open(&inbox->io, loop, inbox->wake, on_wake);
                if (r == 0) {
                        loop_io_watch(&inbox->io, LOOP_READABLE);
                        return 0;
                }
                pthread_mutex_destroy(&inbox->lock);
        }
        close(inbox->wake);
        return r;
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
        r = inbox_open(inbox, loop);
        if (r < 0)
                return r;
        *ret = TAKE(inbox);
        return 0;
}

static void on_inbox_closed(struct loop_io *io)
{
        struct loop_inbox *inbox = container_of(io, struct loop_inbox, io);

        pthread_mutex_destroy(&inbox->lock);
        free(inbox);
}

struct loop_inbox *loop_inbox_free(struct loop_inbox *inbox)
{
        if (!inbox)
                return NULL;
        inbox->closed = true;
        loop_io_close(&inbox->io, on_inbox_closed);
        close(inbox->wake);
        return NULL;
}

/* Under the lock. */
static bool inbox_add(struct loop_inbox *inbox, const void *item)
{
        if (inbox->count == inbox->capacity)
                return false;
        memcpy(inbox_slot(inbox, inbox->first + inbox->count), item, inbox->item_size);
        inbox->count++;
        return true;
}

/* Releases the lock, and wakes the loop if items wait that it does not know of. */
static void inbox_unlock_and_wake(struct loop_inbox *inbox)
{
        bool wakes = inbox->count > 0 && !inbox->awake;

        inbox->awake |= wakes;
        pthread_mutex_unlock(&inbox->lock);
        /* Cannot fail: the counter never comes near its end. */
        if (wakes)
                (void)eventfd_write(inbox->wake, 1);
}

int loop_inbox_put(struct loop_inbox *inbox, const void *item)
{
        bool added;

        pthread_mutex_lock(&inbox->lock);
        added = inbox_add(inbox, item);
        inbox_unlock_and_wake(inbox);
        return added ? 0 : -EAGAIN;
}

int loop_inbox_leave(struct loop_inbox *inbox, const void *item)
{
        bool added;

        pthread_mutex_lock(&inbox->lock);
        added = inbox_add(inbox, item);
        pthread_mutex_unlock(&inbox->lock);
        return added ? 0 : -EAGAIN;
}

void loop_inbox_wake(struct loop_inbox *inbox)
{
        pthread_mutex_lock(&inbox->lock);
        inbox_unlock_and_wake(inbox);
}
