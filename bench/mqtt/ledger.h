/* bench/mqtt/ledger.h - what was published, what of it has arrived, what may follow.
 *
 * Every message bears its publisher, a lane and a number. A lane is one order of messages:
 * those of a publisher for one receiver, or for the same receivers. Within it numbers
 * begin with 0 and have no gap, so a receiver knows what was lost before what it got. A
 * message is under way until all its copies have arrived and, with QoS 1 and 2, the broker
 * has acknowledged it to its publisher. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ledger_plan {
        unsigned publishers, receivers; /* 0: none */
        unsigned lanes;                 /* of each publisher */
        unsigned copies;                /* of each message that arrive, one for each receiver */
        unsigned window;                /* messages of a publisher under way, at most */
        unsigned per_write;             /* that it publishes at once; divides `window` */
        bool acknowledged;              /* QoS 1 or 2 */
};

struct ledger;
/* -EINVAL: a window that is 0, over 32768 or not a multiple of per_write; -ENOMEM. */
int ledger_new(const struct ledger_plan *plan, struct ledger **ret);
struct ledger *ledger_free(struct ledger *ledger); /* NULL is fine; returns NULL */

/* So few are under way that as many as one write holds may follow. */
bool ledger_has_room(const struct ledger *ledger, unsigned publisher);
/* One message is published. Returns its number in its lane, and its packet identifier. */
uint64_t ledger_publish(struct ledger *ledger, unsigned publisher, unsigned lane, uint16_t *id);
/* The broker has acknowledged (with QoS 2: completed) it; in the order of publication
 * ([MQTT-4.6.0-2]), anything else: -EBADMSG. */
int ledger_acknowledge(struct ledger *ledger, unsigned publisher, uint16_t id);
/* A message has arrived; what its lane misses is lost. -EBADMSG: it has come before, comes
 * late, or nobody published it. */
int ledger_deliver(struct ledger *ledger, unsigned receiver, unsigned publisher, unsigned lane,
                   uint64_t number);

uint64_t ledger_delivered(const struct ledger *ledger); /* copies that have arrived */
uint64_t ledger_lost(const struct ledger *ledger);      /* copies, known so far */
/* Copies and acknowledgements that are still to come. When nothing comes any more, they
 * are lost as well. */
uint64_t ledger_under_way(const struct ledger *ledger);
