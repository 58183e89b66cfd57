/* mqtt/hooks.h - what a broker asks the program it is in.
 *
 * Each hook may be NULL: everybody may do everything. Hooks run on the broker's
 * thread, in the middle of a packet; all but on_deliver may publish and subscribe
 * from inside (broker.h). What they are shown lives until they return. */
#pragma once

#include "mqtt/author.h"
#include "mqtt/terms.h"
#include "net/address.h"
#include "proto/mqtt/decode.h"

struct net_stream;

/* Who does it. */
struct mqtt_who {
        struct mqtt_text client_id;
        struct mqtt_text user; /* empty: none was given */
        enum mqtt_version version;
        const struct net_peer *peer;    /* NULL: a will of a client that is gone */
        struct net_stream *stream;      /* in on_connect only, for its certificate; else NULL */
        const struct mqtt_terms *terms; /* that the connection came with; never NULL */
        void *identity; /* what on_connect gave; NULL too for a will that has waited over a restart
                         */
};

/* The answer to CONNECT; prepared with MQTT_SUCCESS, a ticket and nothing else. */
struct mqtt_admission {
        enum mqtt_reason reason; /* 0x80 and above: refused with it */
        void *identity;          /* only when not refused; comes back in `who` */
        /* Whose sessions it may have (5.4.2): one of another owner is neither resumed nor ended,
         * and its client id not given away: 0x87. 0: nobody's; such a session ends when its client
         * is not connected and an owner comes. */
        uint32_t owner;
        /* By which it is known instead of the one it gave (which, if it gave none, is told of it);
         * empty: its own. Well-formed UTF-8 without U+0000; stays the hook's, and as long as the
         * identity. */
        struct mqtt_text client_id;
        /* Told to a client that asked for it (3.1.2.11.7); stays the hook's, and as long as
         * the identity. */
        struct mqtt_text response_information;
        /* Set by the hook: the answer comes by mqtt_broker_admit() with this ticket. Until
         * then nothing more of the connection is read. It still counts as connecting, and
         * when limits.connect_ms are over it is refused with 0x89. */
        bool later;
        uint64_t ticket; /* never used again */
};

enum { MQTT_HOOK_PASS = 0, MQTT_HOOK_HANDLED = 1 };

struct mqtt_hooks {
        void *owner;
        /* Who it is that connects, and whether it may. */
        void (*on_connect)(void *owner, const struct mqtt_who *who,
                           const struct mqtt_connect *connect, struct mqtt_admission *answer);
        /* What becomes of one that on_connect has let in, before it hears it: MQTT_SUCCESS, or why
         * the broker refuses it all the same. Only for identities, and not for one whose
         * connection is gone by then. Must not call the broker. */
        void (*on_answered)(void *owner, void *identity, enum mqtt_reason reason);
        /* It is connected, and was told so: from here to on_disconnect. Must not call the broker.
         */
        void (*on_connected)(void *owner, const struct mqtt_who *who);
        /* MQTT_HOOK_PASS: goes on to subscribers; MQTT_HOOK_HANDLED: the hook has done with
         * it what there is to do, the client gets a success, nobody else gets anything; a
         * reason, 0x80 and above: denied with it. Asked for each PUBLISH once (a QoS 2 that
         * comes again is known), for a will when it is published. The topic is there, also
         * when an alias came. */
        int (*on_publish)(void *owner, const struct mqtt_who *who,
                          const struct mqtt_publish *publish);
        /* MQTT_HOOK_PASS or a reason, 0x80 and above. The filter is as it came, "$share/"
         * included. */
        int (*on_subscribe)(void *owner, const struct mqtt_who *who,
                            const struct mqtt_subscription *subscription);
        /* False: this client does not get it. For each message and client: must be cheap,
         * and must not call the broker. */
        bool (*on_deliver)(void *owner, const struct mqtt_who *who, struct mqtt_text topic);
        /* Who retains a message that was let pass: is kept with it, as long as this broker runs,
         * and is what on_retained is asked. False: nobody. Texts are copied. */
        bool (*on_retain)(void *owner, const struct mqtt_who *who, struct mqtt_author *ret);
        /* False: its author may not publish it any more, so that it stays, and is not sent to who
         * subscribes now. For each retained message that matches: as on_deliver. */
        bool (*on_retained)(void *owner, const struct mqtt_author *author, struct mqtt_text topic);
        /* A message did not reach this client, or one of this client was denied or too large: why
         * is one of MQTT_COUNT_DROPPED_... In the middle of routing, as often as it happens: must
         * be cheap, must not call the broker, and bounds what it tells people. */
        void (*on_drop)(void *owner, struct mqtt_text client_id, struct mqtt_text topic,
                        enum mqtt_counter why);
        /* After the connection's end; `reason` is who's DISCONNECT it was, ours or the
         * client's. `failure`: 0, or -errno when there was none. */
        void (*on_disconnect)(void *owner, const struct mqtt_who *who, enum mqtt_reason reason,
                              int failure);
        /* The identity is needed no more. Once for each that on_connect gave. */
        void (*on_forget)(void *owner, void *identity);
        /* mqtt_broker_stop() was called and the last connection is gone, perhaps before that
         * call has returned. Must not free the broker. */
        void (*on_stopped)(void *owner);
};
