/* command/bus.h - every change of state, told to whoever listens.
 *
 * An event has a type, which its room defines, and a payload, which is a plain
 * value of that type's size. Publishing copies it into each subscriber's ring;
 * delivery is at the end of the round, so no publisher is ever entered again, and after
 * all else that the round has put off, so that no reply waits for a line of the log. A
 * ring that is full drops its oldest event and counts it: a slow subscriber
 * learns that it missed something and nobody waits for it. Loop thread only. */
#pragma once

#include "base/cleanup.h"
#include "data/json-writer.h"
#include "loop/loop.h"

#include <stddef.h>
#include <stdint.h>

enum { COMMAND_EVENT_PAYLOAD_MAX = 512, COMMAND_BUS_SUBSCRIBERS_MAX = 64 };

struct command_event_type {
        const char *name; /* "gpio.line", "command.audit" */
        size_t size;      /* of the payload, at most COMMAND_EVENT_PAYLOAD_MAX */
        /* The payload's members, into an open object. */
        void (*write)(const void *payload, struct json_writer *writer);
};

struct command_event {
        const struct command_event_type *type;
        uint64_t sequence; /* of the bus, from 1 */
        int64_t wall_ns;
        const void *payload;
};

struct command_bus;
struct command_subscription;

int command_bus_new(struct loop *loop, struct command_bus **ret);
struct command_bus *command_bus_free(struct command_bus *bus); /* after its subscriptions */
DEFINE_CLEANUP(command_bus)

/* `payload` points to `type->size` bytes, which are copied. */
void command_bus_publish(struct command_bus *bus, const struct command_event_type *type,
                         const void *payload);

/* `lost`: events dropped since the last delivery, before this one. May publish
 * and unsubscribe. */
typedef void command_on_event_fn(void *owner, const struct command_event *event, uint64_t lost);
/* `type` NULL: all of them. The ring holds `capacity` events. -ENOSPC, -ENOMEM. */
int command_bus_subscribe(struct command_bus *bus, const struct command_event_type *type,
                          size_t capacity, command_on_event_fn *on_event, void *owner,
                          struct command_subscription **ret);
struct command_subscription *command_subscription_free(struct command_subscription *subscription);
DEFINE_CLEANUP(command_subscription)
