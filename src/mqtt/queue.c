#include "mqtt/queue.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 8 };

void mqtt_queue_init(struct mqtt_queue *queue)
{
        *queue = (struct mqtt_queue){0};
}

void mqtt_queue_done(struct mqtt_queue *queue, struct mqtt_queued *all)
{
        struct mqtt_delivery delivery;

        while (mqtt_queue_take(queue, all, &delivery))
                mqtt_delivery_done(&delivery);
}

static int grow(struct mqtt_queue *queue)
{
        uint32_t capacity = queue->capacity > 0 ? queue->capacity * 2 : CAPACITY_FIRST;
        struct mqtt_delivery *places;

        if (capacity < queue->capacity)
                return -ENOMEM;
        places = reallocarray(NULL, capacity, sizeof(*places));
        if (!places)
                return -ENOMEM;
        for (uint32_t i = 0; i < queue->count; i++)
                places[i] = queue->places[(queue->first + i) & (queue->capacity - 1)];
        free(queue->places);
        queue->places = places;
        queue->capacity = capacity;
        queue->first = 0;
        return 0;
}

static bool fits(size_t size, size_t used, size_t most)
{
        return used <= most && size <= most - used;
}

int mqtt_queue_add(struct mqtt_queue *queue, struct mqtt_queued *all,
                   const struct mqtt_delivery *delivery, const struct mqtt_queue_bounds *bounds)
{
        size_t size = mqtt_message_size(delivery->message);
        size_t most = bounds->bytes < UINT32_MAX ? bounds->bytes : UINT32_MAX;
        int r;

        if (queue->count > 0 &&
            (queue->count >= bounds->messages || !fits(size, queue->bytes, most)))
                return -ENOSPC;
        if (!fits(size, all->bytes, bounds->all_bytes))
                return -EDQUOT;
        if (queue->count == queue->capacity) {
                r = grow(queue);
                if (r < 0)
                        return r;
        }
        queue->places[(queue->first + queue->count) & (queue->capacity - 1)] = *delivery;
        queue->count++;
        queue->bytes += (uint32_t)size;
        all->messages++;
        all->bytes += size;
        return 0;
}

bool mqtt_queue_take(struct mqtt_queue *queue, struct mqtt_queued *all, struct mqtt_delivery *ret)
{
        if (queue->count == 0)
                return false;
        *ret = queue->places[queue->first];
        queue->first = (queue->first + 1) & (queue->capacity - 1);
        queue->count--;
        queue->bytes -= (uint32_t)mqtt_message_size(ret->message);
        all->messages--;
        all->bytes -= mqtt_message_size(ret->message);
        if (queue->count == 0) {
                free(queue->places);
                mqtt_queue_init(queue);
        }
        return true;
}
