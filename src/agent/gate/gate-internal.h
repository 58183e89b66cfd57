/* agent/gate/gate-internal.h - a gate, as the files of this room know it. */
#pragma once

#include "access/acl-cache.h"
#include "agent/gate/gate.h"
#include "agent/gate/keep.h"
#include "agent/gate/topics.h"
#include "base/list.h"
#include "loop/timer.h"
#include "mqtt/broker.h"
#include "mqtt/websocket.h"
#include "net/entrance.h"
#include "net/listener.h"

struct gate {
        struct command_registry *registry;
        struct gate_options options;
        struct gate_topics topics;
        struct command_transport counts;
        struct mqtt_broker *broker;
        struct gate_keep keep;
        struct mqtt_websocket websocket; /* where those who come over HTTP go */
        struct net_listener *listeners[GATE_ENTRANCES];
        /* Through the header of a proxy, or a handshake; NULL: straight to the broker. */
        struct net_entrance *ways[GATE_ENTRANCES];
        struct access_rules rules; /* users, and rules for topics */
        bool has_guests;
        struct login login;
        struct acl_cache_hash *topic_hash;
        struct list admissions;       /* struct gate_admission, under way */
        size_t requests_count;        /* of all clients under way */
        struct gate_repeats *repeats; /* NULL: no request that could come again yet */
        size_t request_charge;        /* what the broker counts for one (mqtt_broker_charge) */
        struct buffer envelope;       /* of a reply that is being written */
        bool watched;                 /* an administrator wants to see requests */
        bool stopping, said_farewell;
        struct loop_timer farewell;
        gate_stopped_fn *stopped;
        void *stopped_owner;
};

/* What anybody is who comes by TCP and shows no password. */
void gate_admit_anybody(const struct gate *gate, struct command_principal *ret);
/* Who a client is that shows no password. Inside of on_connect only. */
void gate_admit_without_password(struct gate *gate, const struct mqtt_who *who,
                                 struct command_principal *ret);
/* When it is stopping and this was the last request, it goes on with that. */
void gate_request_done(struct gate *gate);
