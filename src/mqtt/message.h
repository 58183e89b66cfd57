/* mqtt/message.h - one application message on its way: immutable, counted, shared by all
 * who still have to send it.
 *
 * It is kept as the bytes of a PUBLISH, in the form that its publisher used, since most
 * receivers want the same one; another form is made when it was asked for some times. So a
 * delivery is a copy of bytes and a few of them patched. The publisher's
 * topic alias is not part of it ([MQTT-3.3.2-7]), nor is a subscription identifier.
 *
 * One thread. The fields are for reading. */
#pragma once

#include "base/buffer.h"
#include "base/cleanup.h"
#include "mqtt/author.h"
#include "mqtt/ledger.h"
#include "proto/mqtt/decode.h"

#define MQTT_NEVER_EXPIRES UINT64_MAX

enum mqtt_origin {
        MQTT_ORIGIN_CLIENT,
        MQTT_ORIGIN_WILL,
        MQTT_ORIGIN_INSIDE, /* the program that the broker is part of */
};

struct mqtt_forms; /* of message.c */

struct mqtt_message {
        uint32_t references;
        uint32_t payload_length;
        uint32_t properties_length; /* encoded, without their length */
        uint16_t topic_length;
        uint8_t qos;
        uint8_t origin; /* enum mqtt_origin */
        bool retain : 1;
        bool has_payload_format : 1;
        bool has_author : 1;
        uint8_t form;               /* of `bytes`, see message.c */
        uint8_t header_length;      /* of `bytes` */
        uint8_t asked[4];           /* how often for each form that is not there */
        uint64_t publisher;         /* of what is retained, see client-id.h; 0: nobody's */
        uint64_t expires_ms;        /* by the loop's clock; MQTT_NEVER_EXPIRES */
        struct mqtt_forms *more;    /* the others; NULL: none yet */
        struct mqtt_ledger *ledger; /* where its bytes count; NULL: nowhere */
        uint64_t kept;              /* its number in the journal, which counts these: */
        uint32_t kept_references;
        uint32_t imaged; /* the journal's last image that it is in */
        uint8_t bytes[];
};

/* Where it comes from. */
struct mqtt_source {
        enum mqtt_version version; /* decides which form is kept */
        enum mqtt_origin origin;
        uint64_t publisher;
        uint64_t now_ms;                  /* when a message expiry begins to run */
        const struct mqtt_author *author; /* copied; NULL: nobody asks */
};

/* Copies all of `publish`, whose topic is not empty (an alias was looked up); packet id and
 * duplicate do not count. One reference. -ENOMEM; -EMSGSIZE: longer than a packet can be. */
int mqtt_message_new(const struct mqtt_publish *publish, const struct mqtt_source *source,
                     struct mqtt_message **ret);

/* From now on it counts there, once, however many refer to it. */
void mqtt_message_charge(struct mqtt_message *message, struct mqtt_ledger *ledger);

static inline struct mqtt_message *mqtt_message_ref(struct mqtt_message *message)
{
        message->references++;
        return message;
}
struct mqtt_message *mqtt_message_unref(struct mqtt_message *message); /* returns NULL */
static inline void mqtt_message_cleanup(struct mqtt_message **message)
{
        mqtt_message_unref(*message);
}

/* Bytes of topic, payload and properties: what limits count. */
static inline size_t mqtt_message_size(const struct mqtt_message *message)
{
        return (size_t)message->topic_length + message->payload_length + message->properties_length;
}
static inline struct mqtt_text mqtt_message_topic(const struct mqtt_message *message)
{
        return (struct mqtt_text){(const char *)message->bytes + message->header_length + 2,
                                  message->topic_length};
}
/* Only of one that has_author: views. */
void mqtt_message_author(const struct mqtt_message *message, struct mqtt_author *ret);
struct mqtt_bytes mqtt_message_payload(const struct mqtt_message *message);
/* All of it as a PUBLISH of that version, whose packet identifier, RETAIN and DUP mean nothing. */
struct mqtt_bytes mqtt_message_packet(const struct mqtt_message *message);
enum mqtt_version mqtt_message_version(const struct mqtt_message *message);

static inline bool mqtt_message_has_expired(const struct mqtt_message *message, uint64_t now_ms)
{
        return now_ms >= message->expires_ms;
}
/* What is left of its expiry, for a receiver ([MQTT-3.3.2-6]): rounded up, so that a
 * message that has not expired never says 0. Only of one that can expire. */
uint32_t mqtt_message_expiry_s(const struct mqtt_message *message, uint64_t now_ms);

/* All of it decoded, as it was published: views into the message. */
void mqtt_message_view(const struct mqtt_message *message, struct mqtt_publish *ret);

/* How one receiver's PUBLISH differs from others. */
struct mqtt_copy {
        enum mqtt_version version;
        uint8_t qos;
        bool retain, duplicate;
        uint16_t packet_id;  /* with QoS 1 and 2 */
        uint16_t topic_from; /* so much of the topic's begin is left out; less than all of it */
        /* 5.0 only, and then the copy is encoded by itself: */
        uint16_t alias;     /* 0: none */
        bool without_topic; /* the alias stands for it */
        uint32_t ids_count;
        const uint32_t *ids; /* subscription identifiers, from 1 to 268435455 */
        uint64_t now_ms;
};
/* Length of the packet; 0: longer than a packet can be. */
uint32_t mqtt_message_copy_length(const struct mqtt_message *message, const struct mqtt_copy *copy);
/* Writes it to memory of that many bytes. */
void mqtt_message_put(struct mqtt_message *message, const struct mqtt_copy *copy, uint8_t *to);
/* Appends it. -EMSGSIZE: longer than a packet or the buffer can be; -ENOMEM. */
int mqtt_message_write(struct mqtt_message *message, const struct mqtt_copy *copy,
                       struct buffer *out);
