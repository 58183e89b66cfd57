/* Each subscription owns a ring of fixed slots; one task per bus delivers them
 * all at the end of the round. Nothing is allocated when publishing. */
#include "command/bus.h"

#include "base/list.h"
#include "loop/task.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct slot {
        struct command_event event;
        _Alignas(max_align_t) char payload[];
};

struct command_subscription {
        struct list link;
        struct command_bus *bus;
        const struct command_event_type *type;
        command_on_event_fn *on_event;
        void *owner;
        uint64_t lost;
        size_t slot_size;
        size_t capacity, first, count;
        bool delivering, freed;
        char *slots;
};

struct command_bus {
        struct loop *loop;
        struct loop_task deliver;
        struct list subscriptions;
        size_t subscriptions_count;
        uint64_t sequence;
};

static struct slot *slot_at(const struct command_subscription *subscription, size_t index)
{
        return (struct slot *)(subscription->slots + (subscription->first + index) %
                                                             subscription->capacity *
                                                             subscription->slot_size);
}

static void subscription_release(struct command_subscription *subscription)
{
        list_remove(&subscription->link);
        subscription->bus->subscriptions_count--;
        free(subscription->slots);
        free(subscription);
}

/* Delivers what waited when the round's delivery began; an event published by a
 * subscriber comes in the next round, so two that answer each other do not keep
 * the loop from its descriptors. */
static void subscription_deliver(struct command_subscription *subscription)
{
        size_t waiting = subscription->count;

        subscription->delivering = true;
        while (waiting-- > 0 && subscription->count > 0 && !subscription->freed) {
                char copy[COMMAND_EVENT_PAYLOAD_MAX] __attribute__((aligned(16)));
                const struct slot *slot = slot_at(subscription, 0);
                struct command_event event = slot->event;
                uint64_t lost = subscription->lost;

                /* The slot may be taken by what the callback publishes. */
                memcpy(copy, slot->payload, event.type->size);
                event.payload = copy;
                subscription->count--;
                /* An empty ring begins anew, where the memory is still in the caches. */
                subscription->first = subscription->count > 0
                                              ? (subscription->first + 1) % subscription->capacity
                                              : 0;
                subscription->lost = 0;
                subscription->on_event(subscription->owner, &event, lost);
        }
        subscription->delivering = false;
}

static void bus_deliver(struct loop_task *task)
{
        struct command_bus *bus = container_of(task, struct command_bus, deliver);
        struct list *position = bus->subscriptions.next;
        bool more = false;

        /* The current subscription stays linked while it delivers, so its
         * neighbours may come and go. */
        while (position != &bus->subscriptions) {
                struct command_subscription *subscription =
                        container_of(position, struct command_subscription, link);

                subscription_deliver(subscription);
                position = position->next;
                if (subscription->freed)
                        subscription_release(subscription);
                else if (subscription->count > 0)
                        more = true;
        }
        if (more)
                loop_task_post_last(&bus->deliver);
}

int command_bus_new(struct loop *loop, struct command_bus **ret)
{
        struct command_bus *bus = calloc(1, sizeof(*bus));

        if (!bus)
                return -ENOMEM;
        bus->loop = loop;
        list_init(&bus->subscriptions);
        loop_task_init(&bus->deliver, loop, bus_deliver);
        *ret = bus;
        return 0;
}

struct command_bus *command_bus_free(struct command_bus *bus)
{
        if (!bus)
                return NULL;
        assert(list_is_empty(&bus->subscriptions));
        loop_task_cancel(&bus->deliver);
        free(bus);
        return NULL;
}

static void subscription_push(struct command_subscription *subscription,
                              const struct command_event *event)
{
        struct slot *slot;

        if (subscription->count == subscription->capacity) {
                subscription->first = (subscription->first + 1) % subscription->capacity;
                subscription->count--;
                subscription->lost++;
        }
        slot = slot_at(subscription, subscription->count++);
        slot->event = *event;
        memcpy(slot->payload, event->payload, event->type->size);
}

void command_bus_publish(struct command_bus *bus, const struct command_event_type *type,
                         const void *payload)
{
        struct command_event event = {
                .type = type,
                .sequence = ++bus->sequence,
                .wall_ns = loop_wall_ns(bus->loop),
                .payload = payload,
        };

        assert(type->size <= COMMAND_EVENT_PAYLOAD_MAX);
        list_for_each (&bus->subscriptions, position) {
                struct command_subscription *subscription =
                        container_of(position, struct command_subscription, link);

                if (subscription->freed || (subscription->type && subscription->type != type))
                        continue;
                subscription_push(subscription, &event);
                loop_task_post_last(&bus->deliver);
        }
}

int command_bus_subscribe(struct command_bus *bus, const struct command_event_type *type,
                          size_t capacity, command_on_event_fn *on_event, void *owner,
                          struct command_subscription **ret)
{
        size_t payload = type ? type->size : COMMAND_EVENT_PAYLOAD_MAX;
        struct command_subscription *subscription;

        if (capacity == 0)
                return -EINVAL;
        if (bus->subscriptions_count == COMMAND_BUS_SUBSCRIBERS_MAX)
                return -ENOSPC;

        subscription = calloc(1, sizeof(*subscription));
        if (!subscription)
                return -ENOMEM;
        subscription->slot_size = (sizeof(struct slot) + payload + 15) & ~(size_t)15;
        subscription->slots = calloc(capacity, subscription->slot_size);
        if (!subscription->slots) {
                free(subscription);
                return -ENOMEM;
        }
        subscription->bus = bus;
        subscription->type = type;
        subscription->capacity = capacity;
        subscription->on_event = on_event;
        subscription->owner = owner;
        list_append(&bus->subscriptions, &subscription->link);
        bus->subscriptions_count++;
        *ret = subscription;
        return 0;
}

struct command_subscription *command_subscription_free(struct command_subscription *subscription)
{
        if (!subscription)
                return NULL;
        if (subscription->delivering)
                subscription->freed = true; /* its delivery releases it */
        else
                subscription_release(subscription);
        return NULL;
}
