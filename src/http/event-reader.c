#include "http/event-reader.h"

#include <inttypes.h>
#include <stdio.h>

enum { RETRY_MS = 3000 };

static void send_missed(struct http_event_reader *reader)
{
        char text[160], count[24] = "null";
        int length;

        if (!reader->missed_more)
                snprintf(count, sizeof(count), "%" PRIu64, reader->missed);
        length = snprintf(text, sizeof(text),
                          "event: missed\ndata: {\"type\":\"missed\",\"timestamp\":%s,"
                          "\"count\":%s}\n\n",
                          loop_wall_text(reader->loop), count);
        http_exchange_write(reader->exchange, text, (size_t)length);
        reader->missed = 0;
        reader->missed_more = false;
}

void http_event_reader_begin(struct http_event_reader *reader, struct http_exchange *exchange,
                             struct loop *loop, const struct http_event_terms *terms,
                             http_gone_fn *on_gone, void *owner)
{
        struct http_response *response = http_exchange_begin_stream(exchange, 200, on_gone, owner);
        char text[32];
        int length = snprintf(text, sizeof(text), "retry: %d\n\n", RETRY_MS);

        reader->exchange = exchange;
        reader->terms = terms;
        reader->loop = loop;
        reader->began_ms = loop_now_ms(loop);
        reader->stalled_ms = 0;
        http_response_field(response, "Content-Type", "text/event-stream");
        http_response_field(response, "Cache-Control", "no-store");
        http_response_field(response, "X-Content-Type-Options", "nosniff");
        /* A proxy is to pass on what it gets (nginx asks for that field). */
        http_response_field(response, "X-Accel-Buffering", "no");
        http_exchange_write(exchange, text, (size_t)length);
        if (reader->missed > 0 || reader->missed_more)
                send_missed(reader);
}

static bool has_room(const struct http_event_reader *reader)
{
        return http_exchange_pending(reader->exchange) <= reader->terms->pending;
}

void http_event_reader_send(struct http_event_reader *reader, const void *text, size_t count)
{
        if (!has_room(reader)) {
                if (reader->stalled_ms == 0)
                        reader->stalled_ms = loop_now_ms(reader->loop);
                reader->missed++;
                return;
        }
        reader->stalled_ms = 0;
        if (reader->missed > 0 || reader->missed_more)
                send_missed(reader);
        http_exchange_write(reader->exchange, text, count);
}

bool http_event_reader_keep_alive(struct http_event_reader *reader)
{
        const struct http_event_terms *terms = reader->terms;
        const uint64_t now_ms = loop_now_ms(reader->loop);
        const bool keeps_up = has_room(reader);

        if (keeps_up)
                reader->stalled_ms = 0;
        if (now_ms - reader->began_ms >= terms->life_ms ||
            (terms->stall_ms > 0 && reader->stalled_ms > 0 &&
             now_ms - reader->stalled_ms >= terms->stall_ms))
                return true;
        if (keeps_up && (reader->missed > 0 || reader->missed_more))
                send_missed(reader);
        else if (keeps_up)
                http_exchange_write(reader->exchange, ":\n\n", 3);
        return false;
}
