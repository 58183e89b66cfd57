/* mqtt/terms.h - what a broker grants those who come through one listener.
 *
 * A program fills in a struct mqtt_terms and makes terms of it, which are immutable, counted,
 * and shared by all who came with them: each keeps what it was told at CONNECT. New terms of
 * the same listener succeed the old ones, and what is counted per listener goes on. One
 * thread, the broker's.
 *
 *     mqtt_terms_init(&wanted, &limits);
 *     wanted.name = "garden";
 *     wanted.keep_alive_s = 60;
 *     r = mqtt_terms_new(&wanted, NULL, &terms);
 *     …
 *     r = mqtt_broker_attach(broker, fd, NULL, peer, terms); */
#pragma once

#include "base/cleanup.h"
#include "mqtt/bucket.h"
#include "mqtt/limits.h"
#include "proto/mqtt/packet.h"

#include <stdbool.h>

struct mqtt_terms {
        const char *name; /* for people and hooks; "": none */
        void *owner;      /* the program's, for its hooks (mqtt_who.terms) */

        uint32_t clients; /* that are logged in at a time: CONNACK 0x89 */

        /* Where topics of these clients are: "" or, for instance, "garden/". They name and see
         * what is behind it: in PUBLISH, filters, shared ones too, wills and topic aliases; topics
         * that begin with '$' are not theirs to publish to. Hooks are told the whole. A Response
         * Topic stays as it is: who asks and who answers know it by the same name or by none.
         * A session of one mount point is another owner's at others (mqtt_admission.owner). */
        struct mqtt_text mount;

        /* Client ids: one that does not begin with any of these texts, of which the last is
         * followed by NULL: CONNACK 0x87, also one that we would give; none (NULL): all may be. */
        const char *const *client_id_prefixes;
        bool empty_client_ids;       /* we give those who have none one; else CONNACK 0x85 */
        const char *assigned_prefix; /* what such a one begins with */

        /* Announced in CONNACK. Whoever uses what there is not is told DISCONNECT, or CONNACK
         * when it is the will, with the reason named; 3.1.1 has SUBACK 0x80 for filters and
         * else the end of the connection. */
        uint8_t qos_max;               /* of what a client publishes: 0x9b; filters get no more */
        bool retain;                   /* messages are retained: 0x9a */
        bool wildcards;                /* filters with wildcards: 0xa2 */
        bool shared;                   /* shared subscriptions: 0x9e */
        bool subscription_ids;         /* 0xa1 */
        uint32_t packet_bytes;         /* a longer packet of a client: DISCONNECT 0x95 */
        uint16_t receive_maximum;      /* QoS 2 of a connection under way: DISCONNECT 0x93 */
        uint16_t aliases;              /* topic aliases of a client: DISCONNECT 0x94 */
        uint16_t keep_alive_s;         /* at most; 0: as the client wishes */
        bool keep_alive_strict;        /* 3.1.1 cannot be told of it: CONNACK 2 to longer ones;
                                        * else they are as those clients wish */
        uint32_t session_expiry_max_s; /* at most; UINT32_MAX: for ever */

        /* Of PUBLISH packets and of the bytes of all packets that clients send, each client for
         * itself and all of the listener together: their input is paused until they may go on. */
        struct mqtt_rate client_messages, client_bytes, messages, bytes;
        struct mqtt_rate connects; /* connections that come: the next is closed, over HTTP 503 */

        /* Bytes of the payload of a message: QoS 0 is dropped, PUBACK or PUBREC 0x97; a will:
         * CONNACK 0x95. 3.1.1: dropped, and acknowledged. */
        uint32_t payload_bytes;
        uint16_t inflight;        /* QoS 1 and 2 under way to a client: the rest is queued */
        size_t inflight_bytes;    /* of their payloads: the same when so many are under way */
        uint16_t aliases_granted; /* topic aliases that we use towards a client */
};

/* What a broker with these limits grants to those who came without terms. */
void mqtt_terms_init(struct mqtt_terms *wanted, const struct mqtt_limits *limits);

enum { MQTT_ASSIGNED_PREFIX_MAX = 64, MQTT_CLIENT_ID_PREFIXES_MAX = 256, MQTT_MOUNT_MAX = 1024 };

/* A copy, texts included, with one reference. `previous`, which may be NULL: terms of the same
 * listener before; who came with either counts for both. -EINVAL: a QoS above 2, more than
 * the above, or a mount that is no topic name with '/' at its end or begins with '$'; -ENOMEM. */
int mqtt_terms_new(const struct mqtt_terms *wanted, const struct mqtt_terms *previous,
                   const struct mqtt_terms **ret);
/* Only of terms that mqtt_terms_new() made. */
const struct mqtt_terms *mqtt_terms_ref(const struct mqtt_terms *terms);
const struct mqtt_terms *mqtt_terms_unref(const struct mqtt_terms *terms); /* returns NULL */
static inline void mqtt_terms_cleanup(const struct mqtt_terms **terms)
{
        mqtt_terms_unref(*terms);
}
