#include "broker/events.h"

#include "data/json-writer.h"
#include "http/event-reader.h"
#include "mqtt/clients-json.h"
#include "proto/http/event-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256 * 1024, TEXT_KEEP = 4096 };

static const struct http_event_terms terms = {.pending = BROKER_EVENTS_PENDING,
                                              .life_ms = BROKER_EVENTS_LIFE_MS};

struct reader {
        struct list link;
        struct broker_events *events;
        struct http_event_reader http;
};

static struct loop *loop_of(const struct broker_events *events)
{
        return events->gather.loop;
}

static void reader_free(struct reader *reader)
{
        struct broker_events *events = reader->events;

        list_remove(&reader->link);
        free(reader);
        if (--events->readers_count > 0)
                return;
        loop_timer_stop(&events->gather);
        loop_timer_stop(&events->keep_alive);
        events->drops_count = 0;
        events->drops_beyond = 0;
        free(events->drops);
        events->drops = NULL;
}

static void on_gone(void *owner)
{
        reader_free(owner);
}

static void begin(struct broker_events *events, struct json_writer *writer, const char *type)
{
        const char *timestamp = loop_wall_text(loop_of(events));

        buffer_truncate(&events->data, 0);
        json_writer_init(writer, &events->data);
        json_write_object(writer, NULL);
        json_write_string(writer, "type", type);
        json_write_raw(writer, "timestamp", timestamp, strlen(timestamp));
}

/* To all readers. One that cannot be written for want of memory is one that they missed. */
static void end(struct broker_events *events, struct json_writer *writer, const char *type)
{
        int r;

        json_write_end(writer);
        r = json_writer_error(writer);
        buffer_truncate(&events->text, 0);
        if (r == 0)
                r = http_event_write(&events->text, type, NULL,
                                     (struct http_text){buffer_data(&events->data),
                                                        buffer_length(&events->data)});
        list_for_each (&events->readers, position) {
                struct reader *reader = container_of(position, struct reader, link);

                if (r < 0)
                        reader->http.missed++;
                else
                        http_event_reader_send(&reader->http, buffer_data(&events->text),
                                               buffer_length(&events->text));
        }
        buffer_shrink(&events->data, TEXT_KEEP);
        buffer_truncate(&events->text, 0);
        buffer_shrink(&events->text, TEXT_KEEP);
}

void broker_events_connected(struct broker_events *events, const struct mqtt_who *who,
                             struct mqtt_text user)
{
        char peer[NET_ADDRESS_TEXT_MAX];
        struct net_address address;
        struct json_writer writer;

        if (events->readers_count == 0)
                return;
        net_peer_address(who->peer, &address);
        begin(events, &writer, "connected");
        json_write_text(&writer, "client_id", who->client_id.bytes, who->client_id.length);
        json_write_text(&writer, "user", user.bytes, user.length);
        json_write_string(&writer, "version", mqtt_version_text(who->version));
        json_write_string(&writer, "peer", net_address_text(&address, peer));
        json_write_string(&writer, "listener", who->terms->name);
        end(events, &writer, "connected");
}

void broker_events_disconnected(struct broker_events *events, const struct mqtt_who *who,
                                enum mqtt_reason reason, int failure)
{
        struct json_writer writer;

        if (events->readers_count == 0)
                return;
        begin(events, &writer, "disconnected");
        json_write_text(&writer, "client_id", who->client_id.bytes, who->client_id.length);
        json_write_integer(&writer, "reason", reason);
        json_write_string(&writer, "why",
                          failure < 0 ? strerror(-failure) : mqtt_reason_name(reason));
        end(events, &writer, "disconnected");
}

static size_t copy(char to[BROKER_EVENTS_TOPIC_MAX], struct mqtt_text text)
{
        size_t length =
                text.length < BROKER_EVENTS_TOPIC_MAX ? text.length : BROKER_EVENTS_TOPIC_MAX;

        memcpy(to, text.bytes, length);
        return length;
}

static struct broker_drop *find_drop(struct broker_events *events, struct mqtt_text client_id,
                                     enum mqtt_counter cause)
{
        const size_t length = client_id.length < BROKER_EVENTS_TOPIC_MAX ? client_id.length
                                                                         : BROKER_EVENTS_TOPIC_MAX;

        for (size_t i = 0; i < events->drops_count; i++) {
                struct broker_drop *drop = &events->drops[i];

                if (drop->cause == cause && drop->client_id_length == length &&
                    memcmp(drop->client_id, client_id.bytes, length) == 0)
                        return drop;
        }
        return NULL;
}

void broker_events_dropped(struct broker_events *events, struct mqtt_text client_id,
                           struct mqtt_text topic, enum mqtt_counter cause)
{
        struct broker_drop *drop;

        if (events->readers_count == 0 || !events->drops)
                return;
        if (!events->gather.armed)
                loop_timer_start(&events->gather, BROKER_EVENTS_GATHER_MS);
        drop = find_drop(events, client_id, cause);
        if (!drop && events->drops_count == BROKER_EVENTS_CAUSES_MAX) {
                events->drops_beyond++;
                return;
        }
        if (!drop) {
                drop = &events->drops[events->drops_count++];
                *drop = (struct broker_drop){.cause = cause};
                drop->client_id_length = copy(drop->client_id, client_id);
        }
        drop->topic_length = copy(drop->topic, topic);
        drop->count++;
}

static void send_drops(struct broker_events *events)
{
        struct json_writer writer;

        for (size_t i = 0; i < events->drops_count; i++) {
                const struct broker_drop *drop = &events->drops[i];

                begin(events, &writer, "dropped");
                json_write_text(&writer, "client_id", drop->client_id, drop->client_id_length);
                json_write_string(&writer, "cause", mqtt_counter_name(drop->cause));
                json_write_integer(&writer, "count", (int64_t)drop->count);
                json_write_text(&writer, "topic", drop->topic, drop->topic_length);
                end(events, &writer, "dropped");
        }
        if (events->drops_beyond > 0) {
                begin(events, &writer, "dropped");
                json_write_null(&writer, "client_id");
                json_write_integer(&writer, "count", (int64_t)events->drops_beyond);
                end(events, &writer, "dropped");
        }
        events->drops_count = 0;
        events->drops_beyond = 0;
}

static void on_gather(struct loop_timer *timer)
{
        send_drops(container_of(timer, struct broker_events, gather));
}

static void on_keep_alive(struct loop_timer *timer)
{
        struct broker_events *events = container_of(timer, struct broker_events, keep_alive);

        loop_timer_start(timer, HTTP_EVENTS_KEEP_ALIVE_MS);
        list_for_each (&events->readers, position) {
                struct reader *reader = container_of(position, struct reader, link);
                struct http_exchange *exchange = reader->http.exchange;

                if (http_event_reader_keep_alive(&reader->http)) {
                        reader_free(reader);
                        http_exchange_finish(exchange);
                }
        }
}

void broker_events_init(struct broker_events *events, struct loop *loop)
{
        *events = (struct broker_events){.drops = NULL};
        list_init(&events->readers);
        buffer_init(&events->data, TEXT_MAX);
        buffer_init(&events->text, TEXT_MAX);
        loop_timer_init(&events->gather, loop, on_gather);
        loop_timer_init(&events->keep_alive, loop, on_keep_alive);
}

void broker_events_done(struct broker_events *events)
{
        loop_timer_stop(&events->gather);
        loop_timer_stop(&events->keep_alive);
        buffer_done(&events->data);
        buffer_done(&events->text);
        free(events->drops);
}

void broker_events_add_reader(struct broker_events *events, struct http_exchange *exchange)
{
        struct reader *reader;

        if (!events->drops)
                events->drops = calloc(BROKER_EVENTS_CAUSES_MAX, sizeof(*events->drops));
        reader = events->drops && events->readers_count < BROKER_EVENTS_READERS_MAX
                         ? calloc(1, sizeof(*reader))
                         : NULL;
        if (!reader) {
                http_exchange_refuse(exchange, 503, "too many read events already");
                return;
        }
        reader->events = events;
        list_append(&events->readers, &reader->link);
        if (events->readers_count++ == 0)
                loop_timer_start(&events->keep_alive, HTTP_EVENTS_KEEP_ALIVE_MS);
        http_event_reader_begin(&reader->http, exchange, loop_of(events), &terms, on_gone, reader);
}
