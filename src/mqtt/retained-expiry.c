#include "mqtt/retained-internal.h"

#include <errno.h>

enum { CAPACITY_FIRST = 16 };

int mqtt_retained_heap_reserve(struct mqtt_retained *retained)
{
        struct mqtt_retained_heap *heap = &retained->heap;
        uint32_t capacity = heap->capacity > 0 ? heap->capacity * 2 : CAPACITY_FIRST;
        struct mqtt_retained_due *places;

        if (heap->count < heap->capacity)
                return 0;
        places = reallocarray(heap->places, capacity, sizeof(*places));
        if (!places)
                return -ENOMEM;
        heap->places = places;
        heap->capacity = capacity;
        return 0;
}

/* Nodes count places from 1. */
static void put(struct mqtt_retained *retained, uint32_t at, struct mqtt_retained_due due)
{
        retained->heap.places[at] = due;
        mqtt_retained_at(retained, due.node)->due_at = at + 1;
}

static uint32_t move_up(struct mqtt_retained *retained, uint32_t at, struct mqtt_retained_due due)
{
        while (at > 0 && retained->heap.places[(at - 1) / 2].due_ms > due.due_ms) {
                put(retained, at, retained->heap.places[(at - 1) / 2]);
                at = (at - 1) / 2;
        }
        return at;
}

static uint32_t move_down(struct mqtt_retained *retained, uint32_t at, struct mqtt_retained_due due)
{
        const struct mqtt_retained_heap *heap = &retained->heap;

        for (;;) {
                uint32_t child = 2 * at + 1;

                if (child + 1 < heap->count &&
                    heap->places[child + 1].due_ms < heap->places[child].due_ms)
                        child++;
                if (child >= heap->count || heap->places[child].due_ms >= due.due_ms)
                        return at;
                put(retained, at, heap->places[child]);
                at = child;
        }
}

/* Into a place whose content does not count. */
static void settle(struct mqtt_retained *retained, uint32_t at, struct mqtt_retained_due due)
{
        at = move_up(retained, at, due);
        put(retained, move_down(retained, at, due), due);
}

static void take_out(struct mqtt_retained *retained, uint32_t at)
{
        struct mqtt_retained_heap *heap = &retained->heap;
        struct mqtt_retained_due last = heap->places[--heap->count];

        if (at < heap->count)
                settle(retained, at, last);
        if (heap->count == 0) {
                free(heap->places);
                *heap = (struct mqtt_retained_heap){0};
        }
}

void mqtt_retained_heap_set(struct mqtt_retained *retained, uint32_t node, uint64_t due_ms)
{
        uint32_t place = mqtt_retained_at(retained, node)->due_at;

        if (due_ms != MQTT_NEVER_EXPIRES) {
                settle(retained, place > 0 ? place - 1 : retained->heap.count++,
                       (struct mqtt_retained_due){due_ms, node});
        } else if (place > 0) {
                mqtt_retained_at(retained, node)->due_at = 0;
                take_out(retained, place - 1);
        }
}

uint64_t mqtt_retained_expire(struct mqtt_retained *retained, uint64_t now_ms, uint32_t most)
{
        const struct mqtt_retained_heap *heap = &retained->heap;

        while (heap->count > 0 && heap->places[0].due_ms <= now_ms && most-- > 0) {
                const struct mqtt_retained_node *node =
                        mqtt_retained_at(retained, heap->places[0].node);

                mqtt_retained_clear(retained, mqtt_message_topic(node->message));
        }
        return heap->count > 0 ? heap->places[0].due_ms : MQTT_NEVER_EXPIRES;
}
