/* agent/web/events.h - GET /api/events: what happens, as server-sent events.
 *
 *     id: 18c2a1f0-42
 *     event: gpio.line
 *     data: {"type":"gpio.line","timestamp":1795221582.388,"pin":17,"value":1}
 *
 * The bus is listened to while somebody reads. Who reads too slowly, or was away (Last-Event-ID),
 * is told how many it missed by an event "missed", and goes on with what comes next. */
#pragma once

#include "base/buffer.h"
#include "base/list.h"
#include "command/bus.h"
#include "loop/timer.h"

enum {
        WEB_EVENTS_PENDING = 64 * 1024, /* bytes that wait for a reader; beyond: missed */
        WEB_EVENTS_RING = 256,          /* events of a round */
        WEB_EVENTS_STALL_MS = 60000,    /* who reads nothing for that long is let go */
        WEB_EVENTS_LIFE_MS = 3600000,   /* then it has to come again, with a token that is good */
};

struct http_exchange;

struct web_events {
        struct list streams;
        size_t count;
        uint64_t run; /* what tells the ids of this process from those of another */
        struct command_subscription *subscription; /* NULL: nobody reads */
        struct loop_timer keep_alive;
        struct buffer text; /* of what is being sent */
};

struct web;
void web_events_init(struct web_events *events, struct web *web);
void web_events_done(struct web_events *events);
/* The handler of its route; `owner` is the web. */
void web_events_handle(void *owner, struct http_exchange *exchange);
