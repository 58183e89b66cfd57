#include "agent/web/events.h"

#include "agent/web/answer.h"
#include "agent/web/visit.h"
#include "agent/web/web-internal.h"
#include "data/json-writer.h"
#include "http/event-reader.h"
#include "proto/http/event-stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024, TEXT_KEEP = 4096, ID_SIZE = 48 };

static const struct http_event_terms terms = {.pending = WEB_EVENTS_PENDING,
                                              .life_ms = WEB_EVENTS_LIFE_MS,
                                              .stall_ms = WEB_EVENTS_STALL_MS};

struct stream {
        struct list link;
        struct web_events *events;
        struct http_event_reader reader;
        enum command_role role;
        uint64_t next; /* the sequence of the event it is to get; 0: any */
};

static struct web *web_of(struct web_events *events)
{
        return container_of(events, struct web, events);
}

/* Who attacks from where is for those who can do something about it. */
static bool may_see(const struct stream *stream, const struct command_event_type *type)
{
        return stream->role >= COMMAND_ROLE_ADMIN || strncmp(type->name, "access.", 7) != 0;
}

static void stream_free(struct stream *stream)
{
        struct web_events *events = stream->events;

        list_remove(&stream->link);
        free(stream);
        if (--events->count > 0)
                return;
        events->subscription = command_subscription_free(events->subscription);
        loop_timer_stop(&events->keep_alive);
}

static void on_gone(void *owner)
{
        stream_free(owner);
}

/* An event into events->text; its data is the object that `write` fills. */
static int write_event(struct web_events *events, const struct command_event *event)
{
        struct web *web = web_of(events);
        struct buffer data;
        struct json_writer writer;
        char id[ID_SIZE];
        int r;

        snprintf(id, sizeof(id), "%" PRIx64 "-%" PRIu64, events->run, event->sequence);
        buffer_init(&data, TEXT_MAX);
        json_writer_init(&writer, &data);
        json_write_object(&writer, NULL);
        json_write_string(&writer, "type", event->type->name);
        json_write_double(&writer, "timestamp", (double)(event->wall_ns / 1000000) / 1000);
        event->type->write(event->payload, &writer);
        json_write_end(&writer);
        r = json_writer_error(&writer);
        if (r == 0)
                r = http_event_write(&events->text, event->type->name, id,
                                     (struct http_text){buffer_data(&data), buffer_length(&data)});
        buffer_done(&data);
        if (r < 0)
                log_warning(web->options.log, web->counts.name, "cannot write event type=%s: %s",
                            event->type->name, strerror(-r));
        return r;
}

static void stream_take(struct stream *stream, const struct command_event *event)
{
        const struct buffer *text = &stream->events->text;

        if (stream->next > 0 && event->sequence > stream->next)
                stream->reader.missed += event->sequence - stream->next;
        stream->next = event->sequence + 1;
        if (may_see(stream, event->type))
                http_event_reader_send(&stream->reader, buffer_data(text), buffer_length(text));
}

/* What the ring has lost shows in the sequence, as what a stream has missed does. */
static void on_event(void *owner, const struct command_event *event, uint64_t lost)
{
        struct web_events *events = owner;

        (void)lost;
        if (write_event(events, event) == 0)
                list_for_each (&events->streams, position)
                        stream_take(container_of(position, struct stream, link), event);
        buffer_truncate(&events->text, 0);
        buffer_shrink(&events->text, TEXT_KEEP);
}

static void on_keep_alive(struct loop_timer *timer)
{
        struct web_events *events = container_of(timer, struct web_events, keep_alive);

        loop_timer_start(timer, HTTP_EVENTS_KEEP_ALIVE_MS);
        list_for_each (&events->streams, position) {
                struct stream *stream = container_of(position, struct stream, link);
                struct http_exchange *exchange = stream->reader.exchange;

                if (http_event_reader_keep_alive(&stream->reader)) {
                        stream_free(stream);
                        http_exchange_finish(exchange);
                }
        }
}

/* "RUN-SEQUENCE", as a reader had it last. */
static void read_last_id(struct stream *stream, const struct http_request *request)
{
        const struct http_text *field = http_request_field(request, HTTP_TEXT("Last-Event-ID"));
        uint64_t run, sequence;
        char text[ID_SIZE];

        if (!field || field->length == 0)
                return;
        stream->reader.missed_more = true;
        if (field->length >= sizeof(text))
                return;
        memcpy(text, field->bytes, field->length);
        text[field->length] = '\0';
        if (sscanf(text, "%16" SCNx64 "-%19" SCNu64, &run, &sequence) != 2 ||
            run != stream->events->run)
                return;
        stream->next = sequence + 1;
        stream->reader.missed_more = false;
}

static int listen_to_bus(struct web_events *events)
{
        struct web *web = web_of(events);
        int r;

        if (events->subscription)
                return 0;
        r = command_bus_subscribe(command_registry_bus(web->registry), NULL, WEB_EVENTS_RING,
                                  on_event, events, &events->subscription);
        if (r == 0)
                loop_timer_start(&events->keep_alive, HTTP_EVENTS_KEEP_ALIVE_MS);
        return r;
}

static void start(struct web_visit *visit)
{
        struct web *web = visit->web;
        struct web_events *events = &web->events;
        struct stream *stream;

        if (!web_visit_has_role(visit, COMMAND_ROLE_VIEWER))
                return;
        if (events->count >= (size_t)web->options.config->event_streams) {
                web_visit_refuse(visit, COMMAND_BUSY,
                                 "too many read events already; see http.event_streams");
                return;
        }
        stream = calloc(1, sizeof(*stream));
        if (!stream || listen_to_bus(events) < 0) {
                free(stream);
                web_visit_refuse(visit, COMMAND_BUSY, "not enough memory; try again later");
                return;
        }
        stream->events = events;
        stream->role = visit->session.principal.role;
        read_last_id(stream, http_exchange_request(visit->exchange));
        list_append(&events->streams, &stream->link);
        events->count++;
        http_event_reader_begin(&stream->reader, web_visit_leave(visit), web_loop(web), &terms,
                                on_gone, stream);
}

void web_events_handle(void *owner, struct http_exchange *exchange)
{
        struct web_visit *visit = web_visit_new(owner, exchange);

        if (visit)
                web_visit_go_on(visit, start);
}

void web_events_init(struct web_events *events, struct web *web)
{
        list_init(&events->streams);
        events->run = (uint64_t)loop_wall_ns(web_loop(web)) / 1000;
        loop_timer_init(&events->keep_alive, web_loop(web), on_keep_alive);
        buffer_init(&events->text, TEXT_MAX);
}

void web_events_done(struct web_events *events)
{
        command_subscription_free(events->subscription);
        loop_timer_stop(&events->keep_alive);
        buffer_done(&events->text);
}
