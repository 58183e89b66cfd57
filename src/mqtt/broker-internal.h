/* mqtt/broker-internal.h - a broker, as the files of this room know it. */
#pragma once

#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "loop/task.h"
#include "loop/timer.h"
#include "loop/trim.h"
#include "mqtt/broker.h"
#include "mqtt/ledger.h"
#include "mqtt/queue.h"
#include "mqtt/retained.h"
#include "mqtt/topic-tree.h"

struct mqtt_journal;
struct mqtt_sys;

struct mqtt_broker {
        struct loop *loop;
        struct net_context *net;
        struct mqtt_limits limits;
        struct mqtt_hooks hooks;
        const struct mqtt_terms *terms; /* of those who came without */

        struct map *sessions; /* struct mqtt_session by client id */
        struct list all_sessions;
        struct mqtt_session *next_shown; /* where the last page of clients ended; NULL: none */
        struct list connecting;          /* struct mqtt_client, the one that waits longest first */
        struct list clients;             /* those with a session */
        struct list doomed;              /* those with a session, until the end of the round */
        struct list ended;               /* those that write out their last */
        struct list insiders;
        size_t connections; /* all of these clients */
        size_t connecting_count, clients_count;
        size_t clients_most;             /* ever, of the latter */
        struct loop_timer connect_timer; /* when the first of `connecting` has waited enough */
        struct loop_task doom_task;
        struct buffer mounted; /* a name or a filter with its mount, while a packet is handled */
        struct buffer scratch; /* what is being encoded; empty between packets */

        struct mqtt_journal *journal; /* NULL: nothing is kept */
        struct mqtt_sys *sys;         /* NULL: there is nothing below "$SYS" */
        struct mqtt_topic_tree *tree;
        struct mqtt_retained *retained;
        struct loop_timer expiry_timer; /* when the first retained message expires */
        uint64_t expiry_ms;             /* what that is set to; UINT64_MAX: not at all */
        struct list walking;            /* sessions that are owed retained messages now */
        struct loop_task walk_task;
        struct buffer reasons; /* of a SUBACK or UNSUBACK; empty between packets */
        uint64_t sessions_made;
        uint64_t questions_asked; /* of on_connect */
        struct mqtt_ledger ledger;
        size_t memory_most;             /* that was seen */
        size_t room;                    /* that was found, and is not taken yet, in this round */
        struct mqtt_session *next_shed; /* where memory.c goes on; NULL: at the first */
        struct mqtt_queued queued;      /* in the queues of all sessions */
        struct loop_trim trim;          /* of what messages, sessions and filters take */
        uint64_t round;                 /* of the loop, that these are of: */
        size_t routed, walked;
        bool stopping;

        uint64_t counters[MQTT_COUNTERS];
};

/* Sessions, filters or messages that are kept have changed: what many of them took is given
 * back. */
void mqtt_broker_note_memory(struct mqtt_broker *broker);
/* Tells the program, if the broker was stopped and its last connection is gone. */
void mqtt_broker_check_stopped(struct mqtt_broker *broker);
