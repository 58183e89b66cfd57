/* mqtt/queue.h - messages that wait until a session may be sent them, in order.
 *
 * A ring that grows with its content and is given back when it is empty. What it may hold
 * is bounded in messages and in bytes of topics and payloads, and so are the bytes of all
 * queues together; its owner decides who goes when it is full. Embedded in its owner, of whom
 * there are many: one holds less than 4 GiB, whatever its bound says. */
#pragma once

#include "mqtt/delivery.h"

struct mqtt_queue {
        struct mqtt_delivery *places;
        uint32_t capacity; /* 0 or a power of two */
        uint32_t first, count;
        uint32_t bytes;
};

/* In all queues together. */
struct mqtt_queued {
        size_t messages, bytes;
};

struct mqtt_queue_bounds {
        uint32_t messages;
        size_t bytes, all_bytes;
};

void mqtt_queue_init(struct mqtt_queue *queue);
/* `all`, here and below: what is in all queues. */
void mqtt_queue_done(struct mqtt_queue *queue, struct mqtt_queued *all);

/* Takes the delivery over on success only. -ENOSPC: beyond the bounds of this queue, though
 * one message fits into an empty one, however long; -EDQUOT: beyond that of all; -ENOMEM. */
int mqtt_queue_add(struct mqtt_queue *queue, struct mqtt_queued *all,
                   const struct mqtt_delivery *delivery, const struct mqtt_queue_bounds *bounds);
/* The one behind so many others, of those that are there; valid until the next change. */
static inline struct mqtt_delivery *mqtt_queue_at(const struct mqtt_queue *queue, uint32_t behind)
{
        return &queue->places[(queue->first + behind) & (queue->capacity - 1)];
}
/* The oldest, now the caller's. False: empty. */
bool mqtt_queue_take(struct mqtt_queue *queue, struct mqtt_queued *all, struct mqtt_delivery *ret);
