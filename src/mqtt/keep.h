/* mqtt/keep.h - what a broker keeps over its end, and how safely.
 *
 * Kept are sessions that outlive their connection, with their subscriptions, what waits for
 * them, what is under way in both directions, and wills that wait for their delay; and
 * retained messages. Whatever could survive is acknowledged once it is as safe as
 * asked for, everything else at once. What is promised to users is in docs/broker.md, how in
 * docs/decisions/mqtt-journal.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_durability {
        MQTT_DURABILITY_MEMORY,   /* gone with the process */
        MQTT_DURABILITY_INTERVAL, /* a kill or a power cut takes at most the last interval */
        MQTT_DURABILITY_FSYNC,    /* what was acknowledged survives a power cut */
};

struct mqtt_keep_options {
        int directory_fd; /* borrowed; a folder for nothing else, ours alone while we run */
        enum mqtt_durability sessions, retained;
        uint32_t interval_ms; /* 1 to 3,600,000; 0: 1000 */

        void *owner; /* of these, which may be NULL: */
        /* At the start, a sentence about what could not be restored; `damage`: the disk lost it,
         * and somebody should know. */
        void (*on_report)(void *owner, bool damage, const char *sentence);
        /* What is wrong with the disk, -errno, and, 0, that it is over. Told when it changes. */
        void (*on_trouble)(void *owner, int error);
};

/* "memory", "interval", "fsync". */
const char *mqtt_durability_name(enum mqtt_durability durability);
