/* mqtt/clients.h - who a broker's clients are, for operators: those that are connected and the
 * sessions of those that are away. On the broker's thread; what is shown lives until the callback
 * returns, which must not call the broker but to read. */
#pragma once

#include "mqtt/broker.h"
#include "mqtt/subscription.h"

struct mqtt_client_info {
        uint64_t number; /* of the session, of all there ever were; not its place */
        struct mqtt_text client_id;
        bool connected;
        uint64_t since_s; /* for how long it is connected or away */
        /* Of the connection; else empty, NULL, 0. */
        struct mqtt_text user;
        const struct net_peer *peer;
        const struct mqtt_terms *terms;
        void *identity; /* the hooks' */
        enum mqtt_version version;
        uint32_t keep_alive_s; /* as it holds; 0: none */
        size_t pending_bytes;  /* written to it, and not by the kernel yet */
        bool paused;           /* it is not listened to: it reads slowly, or sends too fast */
        bool has_will;         /* for its end, or waiting for its delay */
        /* Of the session. */
        uint32_t expiry_s; /* after the connection's end; UINT32_MAX: for ever */
        uint32_t subscriptions;
        uint32_t queued; /* messages */
        size_t queued_bytes;
        uint32_t inflight;     /* QoS 1 and 2 to it, not acknowledged to the end */
        uint32_t inflight_own; /* QoS 2 of its own, not released */
        struct mqtt_account account;
};

typedef void mqtt_client_info_fn(void *owner, const struct mqtt_client_info *info);

/* Up to `most` of them, in the order in which their sessions began. *cursor is 0 at first, and
 * good for the next call however many have come and gone meanwhile, each of those that stayed
 * coming once; 0 again: there are no more. */
void mqtt_broker_each_client(struct mqtt_broker *broker, uint64_t *cursor, uint32_t most,
                             mqtt_client_info_fn *on_client, void *owner);
/* One of them. -ENOENT. */
int mqtt_broker_client(struct mqtt_broker *broker, struct mqtt_text client_id,
                       mqtt_client_info_fn *on_client, void *owner);

/* The subscriptions of one, in no order, up to `most`. How many it has: -ENOENT, no such
 * client. */
typedef void mqtt_subscription_info_fn(void *owner, struct mqtt_text filter,
                                       const struct mqtt_subscription_options *options);
int mqtt_broker_subscriptions(struct mqtt_broker *broker, struct mqtt_text client_id, uint32_t most,
                              mqtt_subscription_info_fn *on_subscription, void *owner);

/* Ends a session, and its connection with 0x98 (administrative action). Its will is published.
 * -ENOENT. */
int mqtt_broker_forget(struct mqtt_broker *broker, struct mqtt_text client_id);
