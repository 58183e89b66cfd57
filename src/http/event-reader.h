/* http/event-reader.h - somebody who reads server-sent events (WHATWG HTML, 9.2) for as long as
 * they come, from the request to the end of its connection.
 *
 * Who reads too slowly gets what there is room for, and before the next event that fits, or in
 * place of the next comment,
 *
 *     event: missed
 *     data: {"type":"missed","timestamp":1795221582.388,"count":17}
 *
 * with a count of null when nobody can know it. Embedded in whatever its owner keeps of a reader;
 * nothing here is to be freed. Loop thread only. */
#pragma once

#include "http/exchange.h"
#include "loop/loop.h"

enum { HTTP_EVENTS_KEEP_ALIVE_MS = 15000 }; /* how often a comment comes; it costs three bytes */

struct http_event_terms {
        size_t pending;    /* bytes that wait for a reader; beyond: missed */
        uint64_t life_ms;  /* then it has to come again, and be let in again */
        uint64_t stall_ms; /* who misses events for that long is let go; 0: nobody is */
};

struct http_event_reader {
        struct http_exchange *exchange;
        const struct http_event_terms *terms;
        struct loop *loop;
        uint64_t began_ms, stalled_ms; /* `stalled_ms` 0: it keeps up */
        uint64_t missed;               /* since the last that it got */
        bool missed_more;              /* and nobody knows how many */
};

/* Answers with a stream of events, and says when to come again after its end. `terms` stay;
 * `on_gone` is as in http_exchange_begin_stream(). Of `missed` and `missed_more` something may be
 * there before, which is told at once; the rest is set here. */
void http_event_reader_begin(struct http_event_reader *reader, struct http_exchange *exchange,
                             struct loop *loop, const struct http_event_terms *terms,
                             http_gone_fn *on_gone, void *owner);
/* An event as http_event_write() makes it, or what it misses of that. */
void http_event_reader_send(struct http_event_reader *reader, const void *text, size_t count);
/* The comment that keeps a connection from looking dead, where it fits. True: its time is over,
 * and the exchange is to be finished. */
bool http_event_reader_keep_alive(struct http_event_reader *reader);
