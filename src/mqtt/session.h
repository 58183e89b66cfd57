/* mqtt/session.h - what the broker remembers of a client, connected or not: subscriptions,
 * messages under way in both directions, messages that wait, the will that waits (4.1).
 *
 * A session lives from CONNECT until its expiry interval after the connection's end. One of
 * our own (insider.h) has no client ever, and a callback in its place. What a restart is to
 * survive is noted in the journal (journal.h) by whoever changes it.
 * Inside of mqtt/ only. */
#pragma once

#include "base/list.h"
#include "loop/timer.h"
#include "mqtt/id-set.h"
#include "mqtt/inflight.h"
#include "mqtt/limits.h"
#include "mqtt/queue.h"
#include "mqtt/topic-tree.h"

#define MQTT_EXPIRES_NEVER UINT32_MAX /* 3.1.2.11.2 */

struct mqtt_broker;
struct mqtt_client;
struct mqtt_insider;
struct mqtt_last_will;
struct mqtt_walks;

/* What those have who are not idle. */
struct mqtt_session_more {
        struct mqtt_session *session; /* whose it is */
        struct mqtt_walks *walks;     /* retained messages on their way, see walk.h; NULL: none */
        struct mqtt_account account;
        /* Of the newest in flight so many are not noted yet, see journal-deferred.h. */
        struct list deferred;
        uint16_t deferred_count;
        uint32_t tables_bytes; /* of `inflight` and `received`, as the ledger counts them */
};

struct mqtt_session {
        struct list link; /* of the broker's, but for those of our own */
        struct mqtt_broker *broker;
        struct mqtt_client *client;   /* NULL: away */
        struct mqtt_insider *insider; /* NULL: a client's */
        struct mqtt_subscriber subscriber;
        uint32_t expiry_s;              /* from the connection's end on */
        int64_t away_ms;                /* when that was; below 0: before the loop's clock began */
        struct mqtt_session_more *more; /* NULL: nothing of it */
        uint64_t number : 63;           /* of all sessions there ever were, from 1 */
        uint64_t kept : 1;              /* the journal knows it */

        struct mqtt_inflight inflight; /* to the client */
        struct mqtt_queue queue;       /* the same, not sent yet */
        struct mqtt_id_set received;   /* from the client: QoS 2 before PUBREL */

        struct mqtt_last_will *will; /* of the last connection, waiting for its delay */
        struct loop_timer timer;     /* connected: keep-alive; away: will and expiry */
        uint32_t owner;              /* as the hook said at CONNECT */
        uint16_t id_length;
        char id[]; /* terminated */
};

static inline struct mqtt_text mqtt_session_id(const struct mqtt_session *session)
{
        return (struct mqtt_text){session->id, session->id_length};
}

/* NULL: none are on their way. */
static inline struct mqtt_walks *mqtt_session_walks(const struct mqtt_session *session)
{
        return session->more ? session->more->walks : NULL;
}
/* Made at its first use, until the session's end. NULL: no memory. */
struct mqtt_session_more *mqtt_session_more(struct mqtt_session *session);

/* NULL: there is none. */
struct mqtt_session *mqtt_session_find(struct mqtt_broker *broker, struct mqtt_text id);
/* -ENOSPC: limits.sessions are there; -ENOMEM. */
int mqtt_session_new(struct mqtt_broker *broker, struct mqtt_text id, struct mqtt_session **ret);
/* One of an earlier life: not found by anybody before it is entered; its client is away, and what
 * it waits for begins with mqtt_session_wait(). -ENOMEM. */
int mqtt_session_restore(struct mqtt_broker *broker, struct mqtt_text id, uint64_t number,
                         struct mqtt_session **ret);
/* -ENOSPC, -ENOMEM, as above. */
int mqtt_session_enter(struct mqtt_session *session);
void mqtt_session_wait(struct mqtt_session *session);
/* One of our own: not found by anybody. -ENOMEM. */
int mqtt_session_new_inside(struct mqtt_broker *broker, struct mqtt_session **ret);
/* Forgets all of it, and publishes the will if one waits ([MQTT-3.1.2-8]). Its client is
 * gone by now. NULL is fine. */
struct mqtt_session *mqtt_session_free(struct mqtt_session *session);

/* The connection has ended; `will`, NULL or now the session's, is published at once, after
 * its delay, or when the session ends, whichever is first. The session may be gone
 * afterwards. */
void mqtt_session_leave(struct mqtt_session *session, struct mqtt_last_will *will);
/* A new connection goes on with it: a will that waits is not published ([MQTT-3.1.3-9]). */
void mqtt_session_resume(struct mqtt_session *session);

/* Within limits.queue_messages, queue_bytes and queued_bytes: when it is full, the oldest go
 * as long as the client is away. Takes the delivery over always. -ENOSPC: there is no room,
 * and it is lost, as with -ENOMEM; counted. */
int mqtt_session_queue(struct mqtt_session *session, struct mqtt_delivery *delivery);
/* Makes room for a message of one who is away, or who is inside, and counts `why`. False: there is
 * none. */
bool mqtt_session_drop_oldest(struct mqtt_session *session, enum mqtt_counter why);
