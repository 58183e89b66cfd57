/* mqtt/audience.h - who gets the messages of one topic, and the cache of those that were
 * found.
 *
 * An audience is immutable, but that a subscriber or a share that goes is taken out of those
 * that are being worked off. Inside of mqtt/topic-tree. */
#pragma once

#include "mqtt/topic-nodes.h"

#include <stddef.h>

/* What one gets: of others' messages, and of its own, where no_local filters do not count. */
struct mqtt_seat {
        struct mqtt_subscriber *subscriber; /* NULL: gone */
        uint32_t ids_at;                    /* those of filters without no_local come first */
        uint32_t ids_count, own_ids_count;
        uint8_t qos, own_qos;
        bool takes_own;
        bool retain_as_published, own_retain_as_published;
};

struct mqtt_audience {
        uint32_t references;
        uint32_t seats_count, shares_count, ids_count;
        uint64_t hash; /* of the topic */
        uint64_t version;
        uint32_t *shares; /* nodes; 0: gone */
        uint32_t *ids;
        char *topic;
        uint16_t topic_length;
        struct mqtt_seat seats[];
};

/* The nodes that a topic reaches, gathered by a walk; its memory is used again. */
struct mqtt_reached {
        uint32_t *nodes;
        uint32_t count, capacity;
};

/* Of the topic's nodes. One reference. `*work` grows by the subscriptions it looked at.
 * -ENOMEM. */
int mqtt_audience_new(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached,
                      struct mqtt_text topic, uint32_t *work, struct mqtt_audience **ret);
struct mqtt_audience *mqtt_audience_unref(struct mqtt_audience *audience); /* returns NULL */
size_t mqtt_audience_bytes(const struct mqtt_audience *audience);

/* A table of sets of four: a topic has its place in one set. When the bytes are spent, a hand
 * goes round and lets go of those that were not asked for since it came by last. */
struct mqtt_audience_cache {
        struct mqtt_audience_place {
                struct mqtt_audience *audience; /* a reference; NULL: free */
                uint32_t tag;                   /* part of its hash */
                bool asked;
        } * places;
        uint32_t capacity; /* 0 or a power of two */
        uint32_t count;
        uint32_t hand;
        size_t bytes, bytes_max;
        uint64_t version; /* those of another one are out of date */
};

void mqtt_audience_cache_init(struct mqtt_audience_cache *cache, size_t bytes_max);
void mqtt_audience_cache_done(struct mqtt_audience_cache *cache);
/* NULL: there is none of that topic and hash. Not a reference. */
struct mqtt_audience *mqtt_audience_cache_find(struct mqtt_audience_cache *cache,
                                               struct mqtt_text topic, uint64_t hash);
/* Takes a reference, if it fits and there is memory. */
void mqtt_audience_cache_keep(struct mqtt_audience_cache *cache, struct mqtt_audience *audience,
                              uint64_t hash);
/* Subscriptions changed: those of one topic, or of any. */
void mqtt_audience_cache_forget(struct mqtt_audience_cache *cache, struct mqtt_text topic,
                                uint64_t hash);
static inline void mqtt_audience_cache_forget_all(struct mqtt_audience_cache *cache)
{
        cache->version++;
}
