/* mqtt/journal-record.h - one change of what a broker keeps, as bytes in its log.
 *
 * A record of the log (store/log.h) is a batch: changes one behind the other, that were made
 * together and are there together or not at all. Each begins with its kind; what follows, is in
 * the table of journal-record.c: numbers as variable byte integers of up to 64 bits, lowest
 * bits first, texts with their length before them. An image is made of the same.
 *
 * Decoding believes nothing: views into the bytes, numbers within their range; texts, filters
 * and packets are their reader's to check. Pure. */
#pragma once

#include "base/buffer.h"
#include "mqtt/subscription.h"
#include "proto/mqtt/packet.h"

/* Version of all of this. Whoever changes it goes on reading the one before, and adds a
 * recorded journal to tests/fixtures. */
enum { MQTT_JOURNAL_SCHEMA = 3, MQTT_JOURNAL_BATCH = 1 /* type of a record of the log */ };

/* Never change what a number means. */
enum mqtt_change {
        MQTT_CHANGE_CLOCK = 1,    /* how the time scales of journal-clock.h stood */
        MQTT_CHANGE_MESSAGE,      /* `message` is the number of this packet */
        MQTT_CHANGE_RETAINED,     /* that one is its topic's */
        MQTT_CHANGE_CLEARED,      /* topic `text` has none */
        MQTT_CHANGE_SESSION,      /* begins, or, in an image, is there, as of `as_of` */
        MQTT_CHANGE_ENDED,        /* all that belongs to the session is gone */
        MQTT_CHANGE_PRESENCE,     /* its client came or went; a will that waited is gone */
        MQTT_CHANGE_WILL,         /* waits */
        MQTT_CHANGE_WILL_GONE,    /* was published */
        MQTT_CHANGE_SUBSCRIBED,   /* to filter `text`, anew or otherwise than before */
        MQTT_CHANGE_UNSUBSCRIBED, /* from it */
        MQTT_CHANGE_RECEIVED,     /* a QoS 2 `packet_id` of the client, until: */
        MQTT_CHANGE_FORGOTTEN,
        MQTT_CHANGE_QUEUED,   /* a message, behind the others that wait */
        MQTT_CHANGE_TAKEN,    /* the oldest of the queue is gone */
        MQTT_CHANGE_MOVED,    /* the oldest of the queue is under way as `packet_id` */
        MQTT_CHANGE_SENT,     /* a message is under way as `packet_id` */
        MQTT_CHANGE_RELEASED, /* PUBREC came for it: only its identifier is left */
        MQTT_CHANGE_DONE,     /* nothing is left */
        MQTT_CHANGE_AUTHORED, /* as MESSAGE, and its author: `place`, `user`, client `text` */
        MQTT_CHANGES,
};

#define MQTT_TIME_NEVER UINT64_MAX

struct mqtt_record {
        uint8_t change; /* enum mqtt_change */
        uint8_t qos;
        uint8_t version; /* of `packet`, or of a will's client: enum mqtt_version */
        uint8_t origin;  /* enum mqtt_origin */
        bool retain, released;
        uint16_t packet_id; /* SESSION: the next one */
        uint64_t session;   /* its number */
        uint64_t message;   /* the same */
        uint64_t publisher; /* see client-id.h; 0: nobody's. A session's number before schema 3 */
        uint64_t as_of;     /* sequence in the log */
        uint64_t time_ms;   /* of journal-clock.h: expiry, end of the connection;
                             * MQTT_TIME_NEVER: never, still connected */
        uint64_t wall_ms;   /* since 1970 */
        uint64_t boot_ms;   /* since the machine was started, that is `boot` */
        uint64_t boot;
        uint32_t owner, expiry_s, delay_s;
        struct mqtt_subscription_options options;
        uint32_t ids_count;            /* subscription identifiers of a delivery: */
        const uint32_t *ids;           /* to be encoded, */
        struct mqtt_bytes ids_encoded; /* that were decoded: mqtt_record_next_id() */
        struct mqtt_text text, user, place;
        struct mqtt_bytes packet;
};

/* Appends it. -EMSGSIZE: beyond what the buffer may hold; -ENOMEM; the content is as it was. */
int mqtt_record_encode(const struct mqtt_record *record, struct buffer *out);

enum { MQTT_RECORD_END = 0, MQTT_RECORD_FOUND = 1 };
/* The next of a batch; *at begins as 0. FOUND; END; -EBADMSG: what follows is none. */
int mqtt_record_decode(const uint8_t *bytes, size_t count, size_t *at, struct mqtt_record *ret);
/* Walks over the ids_count identifiers of one that was decoded; *at begins as 0. */
uint32_t mqtt_record_next_id(const struct mqtt_record *record, size_t *at);
