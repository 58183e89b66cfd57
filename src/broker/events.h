/* broker/events.h - who comes, who goes, and why messages are dropped, as server-sent events.
 *
 *     event: connected
 *     data: {"type":"connected","timestamp":1795221582.388,"client_id":"a","user":"ann",
 *            "version":"5.0","peer":"192.0.2.7:51432","listener":"*:1883"}
 *
 *     event: disconnected
 *     data: {…,"client_id":"a","reason":0,"why":"Success"}
 *
 *     event: dropped
 *     data: {…,"client_id":"a","cause":"dropped_queue","count":17,"topic":"t"}
 *
 * Dropped messages are gathered for a second, by client and cause, with the last topic. Whoever
 * reads too slowly is told how many events it missed. Nothing is gathered while nobody reads. */
#pragma once

#include "base/buffer.h"
#include "base/list.h"
#include "loop/timer.h"
#include "mqtt/hooks.h"

enum {
        BROKER_EVENTS_READERS_MAX = 64,
        BROKER_EVENTS_PENDING = 256 * 1024, /* bytes that wait for a reader; beyond: missed */
        BROKER_EVENTS_CAUSES_MAX = 256,     /* clients and causes in a second; beyond: together */
        BROKER_EVENTS_TOPIC_MAX = 128,      /* bytes that are told of a topic */
        BROKER_EVENTS_GATHER_MS = 1000,
        BROKER_EVENTS_LIFE_MS = 3600000, /* then a reader has to log in again */
};

struct http_exchange;

struct broker_drop {
        char client_id[BROKER_EVENTS_TOPIC_MAX], topic[BROKER_EVENTS_TOPIC_MAX];
        size_t client_id_length, topic_length;
        enum mqtt_counter cause;
        uint64_t count;
};

struct broker_events {
        struct list readers;
        size_t readers_count;
        struct buffer data, text; /* of the event that is being sent */
        struct loop_timer gather, keep_alive;
        struct broker_drop *drops; /* of this second */
        size_t drops_count;
        uint64_t drops_beyond;
};

void broker_events_init(struct broker_events *events, struct loop *loop);
void broker_events_done(struct broker_events *events); /* without readers */

/* Answers with a stream of events; or 503: BROKER_EVENTS_READERS_MAX are there. */
void broker_events_add_reader(struct broker_events *events, struct http_exchange *exchange);

void broker_events_connected(struct broker_events *events, const struct mqtt_who *who,
                             struct mqtt_text user);
void broker_events_disconnected(struct broker_events *events, const struct mqtt_who *who,
                                enum mqtt_reason reason, int failure);
void broker_events_dropped(struct broker_events *events, struct mqtt_text client_id,
                           struct mqtt_text topic, enum mqtt_counter cause);
