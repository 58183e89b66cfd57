/* mqtt/inflight.h - messages of QoS 1 and 2 that were sent to a client and are not
 * acknowledged to the end, in the order they were sent.
 *
 * Packet identifiers are given out in turn, so that a message's place in the ring follows
 * from its identifier. What is acknowledged out of turn leaves a gap until those before it
 * are; with too many gaps no identifier is given until then. Embedded in its owner. */
#pragma once

#include "mqtt/delivery.h"

struct mqtt_inflight {
        struct mqtt_delivery *places; /* state 0: a gap */
        /* Identifiers have 16 bits, and so have these: there are many sessions. */
        uint16_t capacity;    /* 0 or a power of two */
        uint16_t first;       /* place of the oldest */
        uint16_t span;        /* from the oldest to the newest, gaps included */
        uint16_t count;       /* without gaps */
        uint16_t resumed;     /* how many of the span were sent in this connection, */
        uint16_t outstanding; /* and are still to be acknowledged: without gaps */
        uint16_t next_id;     /* 1 to 65535 */
};

void mqtt_inflight_init(struct mqtt_inflight *inflight);
void mqtt_inflight_done(struct mqtt_inflight *inflight);

/* Takes the delivery over on success only; it counts as sent in this connection, and all
 * before it must be. -ENOSPC: too many gaps; -ENOMEM. */
int mqtt_inflight_add(struct mqtt_inflight *inflight, const struct mqtt_delivery *delivery,
                      uint16_t *ret_id);
/* Uses up an identifier, if nothing is in flight: for a message that nobody gets, so that those
 * behind it have the numbers that they would have had. */
void mqtt_inflight_skip(struct mqtt_inflight *inflight);
/* Were all sent in this connection, and is there an identifier for one more? */
bool mqtt_inflight_has_room(const struct mqtt_inflight *inflight);
/* Bytes of the payloads of what is outstanding: all, or at least `enough`. */
size_t mqtt_inflight_bytes(const struct mqtt_inflight *inflight, size_t enough);
/* NULL: no such message. Valid until the next change. */
struct mqtt_delivery *mqtt_inflight_find(const struct mqtt_inflight *inflight, uint16_t id);
/* How many are newer, gaps included; of one that is there. */
uint32_t mqtt_inflight_newer(const struct mqtt_inflight *inflight, uint16_t id);
/* Lets go of one that mqtt_inflight_find() found. */
void mqtt_inflight_remove(struct mqtt_inflight *inflight, uint16_t id);

/* A new connection: all of them want to be sent again. */
void mqtt_inflight_suspend(struct mqtt_inflight *inflight);
/* The next to be sent again, which counts as sent. NULL: none is left. */
struct mqtt_delivery *mqtt_inflight_resume(struct mqtt_inflight *inflight, uint16_t *ret_id);
/* Goes through all, the oldest first; *at is 0 at first. NULL: there are no more. */
struct mqtt_delivery *mqtt_inflight_next(const struct mqtt_inflight *inflight, uint32_t *at,
                                         uint16_t *ret_id);

/* Adds one that had this identifier in an earlier life, and that comes behind those that are there.
 * -ERANGE: it cannot have been like that; -ENOMEM. */
int mqtt_inflight_restore(struct mqtt_inflight *inflight, const struct mqtt_delivery *delivery,
                          uint16_t id);
