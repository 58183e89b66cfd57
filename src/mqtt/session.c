#include "mqtt/session.h"

#include "base/attributes.h"
#include "mqtt/account.h"
#include "mqtt/client.h"
#include "mqtt/journal.h"
#include "mqtt/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mqtt_session *mqtt_session_find(struct mqtt_broker *broker, struct mqtt_text id)
{
        return map_get(broker->sessions, id.bytes, id.length);
}

static void publish_will(struct mqtt_session *session)
{
        if (session->will)
                mqtt_last_will_publish(TAKE(session->will), mqtt_session_id(session));
}

static int64_t will_due_ms(const struct mqtt_session *session)
{
        return session->away_ms + (int64_t)mqtt_last_will_delay_s(session->will) * 1000;
}

static int64_t end_due_ms(const struct mqtt_session *session)
{
        if (session->expiry_s == MQTT_EXPIRES_NEVER)
                return INT64_MAX;
        return session->away_ms + (int64_t)session->expiry_s * 1000;
}

/* Waits for what comes first. The loop's time is cut to milliseconds, and the client's
 * end was noticed in the course of one: one more, and nothing is early by a fraction. */
static void wait_for_due(struct mqtt_session *session)
{
        int64_t now = (int64_t)loop_now_ms(session->broker->loop), due = end_due_ms(session);

        if (session->will && will_due_ms(session) < due)
                due = will_due_ms(session);
        if (due != INT64_MAX)
                loop_timer_start(&session->timer, due > now ? (uint64_t)(due - now) + 1 : 1);
}

static void on_away(struct mqtt_session *session)
{
        int64_t now = (int64_t)loop_now_ms(session->broker->loop);

        if (now > end_due_ms(session)) {
                session->broker->counters[MQTT_COUNT_SESSIONS_EXPIRED]++;
                mqtt_session_free(session);
                return;
        }
        if (session->will && now > will_due_ms(session)) {
                mqtt_journal_will_gone(session);
                publish_will(session);
        }
        wait_for_due(session);
}

static void session_on_time(struct loop_timer *timer)
{
        struct mqtt_session *session = container_of(timer, struct mqtt_session, timer);

        if (session->client)
                mqtt_client_check(session->client);
        else
                on_away(session);
}

static struct mqtt_session *session_alloc(struct mqtt_broker *broker, struct mqtt_text id)
{
        struct mqtt_session *session = calloc(1, sizeof(*session) + id.length + 1U);

        if (!session)
                return NULL;
        session->broker = broker;
        list_init(&session->link);
        mqtt_subscriber_init(&session->subscriber);
        session->number = ++broker->sessions_made;
        mqtt_inflight_init(&session->inflight);
        mqtt_queue_init(&session->queue);
        mqtt_id_set_init(&session->received);
        loop_timer_init(&session->timer, broker->loop, session_on_time);
        memcpy(session->id, id.bytes, id.length);
        session->id_length = id.length;
        return session;
}

struct mqtt_session_more *mqtt_session_more(struct mqtt_session *session)
{
        if (session->more)
                return session->more;
        session->more = calloc(1, sizeof(*session->more));
        if (session->more) {
                session->more->session = session;
                list_init(&session->more->deferred);
        }
        return session->more;
}

/* Before which one it stands: they are in the order of their numbers, and what a restart brings
 * back comes in about that. */
static struct list *place_of(const struct mqtt_session *session)
{
        struct list *place = &session->broker->all_sessions;

        while (place->previous != &session->broker->all_sessions &&
               container_of(place->previous, struct mqtt_session, link)->number > session->number)
                place = place->previous;
        return place;
}

int mqtt_session_enter(struct mqtt_session *session)
{
        struct mqtt_broker *broker = session->broker;
        int r = map_put(broker->sessions, session->id, session, NULL);

        if (r < 0)
                return r;
        list_append(place_of(session), &session->link);
        mqtt_broker_note_memory(broker);
        return 0;
}

int mqtt_session_new(struct mqtt_broker *broker, struct mqtt_text id, struct mqtt_session **ret)
{
        struct mqtt_session *session = session_alloc(broker, id);
        int r;

        if (!session)
                return -ENOMEM;
        r = mqtt_session_enter(session);
        if (r < 0) {
                free(session);
                return r;
        }
        *ret = session;
        return 0;
}

int mqtt_session_restore(struct mqtt_broker *broker, struct mqtt_text id, uint64_t number,
                         struct mqtt_session **ret)
{
        struct mqtt_session *session = session_alloc(broker, id);

        if (!session)
                return -ENOMEM;
        session->number = number;
        *ret = session;
        return 0;
}

void mqtt_session_wait(struct mqtt_session *session)
{
        wait_for_due(session);
}

int mqtt_session_new_inside(struct mqtt_broker *broker, struct mqtt_session **ret)
{
        static const struct mqtt_text nobody = {"", 0};
        struct mqtt_session *session = session_alloc(broker, nobody);

        if (!session)
                return -ENOMEM;
        *ret = session;
        return 0;
}

struct mqtt_session *mqtt_session_free(struct mqtt_session *session)
{
        if (!session)
                return NULL;
        loop_timer_stop(&session->timer);
        mqtt_journal_freed(session);
        /* Its will looks for room among the others. */
        if (session->broker->next_shown == session)
                session->broker->next_shown = NULL;
        if (session->broker->next_shed == session)
                session->broker->next_shed = NULL;
        list_remove(&session->link);
        mqtt_walks_drop(session);
        mqtt_topic_tree_remove(session->broker->tree, &session->subscriber);
        if (mqtt_session_find(session->broker, mqtt_session_id(session)) == session)
                map_remove(session->broker->sessions, session->id);
        publish_will(session);
        mqtt_inflight_done(&session->inflight);
        mqtt_queue_done(&session->queue, &session->broker->queued);
        mqtt_id_set_done(&session->received);
        mqtt_account_tables(session);
        free(session->more);
        mqtt_broker_note_memory(session->broker);
        free(session);
        return NULL;
}

void mqtt_session_leave(struct mqtt_session *session, struct mqtt_last_will *will)
{
        session->client = NULL;
        session->away_ms = (int64_t)loop_now_ms(session->broker->loop);
        session->will = will;
        loop_timer_stop(&session->timer);
        mqtt_inflight_suspend(&session->inflight);
        /* A will never waits longer than the session (3.1.3.2.2). */
        if (session->expiry_s == 0) {
                mqtt_session_free(session);
                return;
        }
        if (will && mqtt_last_will_delay_s(will) == 0)
                publish_will(session);
        mqtt_journal_left(session);
        wait_for_due(session);
}

void mqtt_session_resume(struct mqtt_session *session)
{
        loop_timer_stop(&session->timer);
        session->will = mqtt_last_will_free(session->will);
}

bool mqtt_session_drop_oldest(struct mqtt_session *session, enum mqtt_counter why)
{
        struct mqtt_delivery oldest;

        if (session->client || !mqtt_queue_take(&session->queue, &session->broker->queued, &oldest))
                return false;
        mqtt_journal_taken(session, &oldest);
        mqtt_drop(session, mqtt_message_topic(oldest.message), why);
        mqtt_delivery_done(&oldest);
        return true;
}

int mqtt_session_queue(struct mqtt_session *session, struct mqtt_delivery *delivery)
{
        const struct mqtt_limits *limits = &session->broker->limits;
        struct mqtt_queue_bounds bounds = {.messages = limits->queue_messages,
                                           .bytes = limits->queue_bytes,
                                           .all_bytes = limits->queued_bytes};
        int r;

        do
                r = mqtt_queue_add(&session->queue, &session->broker->queued, delivery, &bounds);
        while ((r == -ENOSPC || r == -EDQUOT) &&
               mqtt_session_drop_oldest(session, MQTT_COUNT_DROPPED_QUEUE));
        if (r == 0)
                mqtt_journal_queued(session, delivery);
        if (r < 0) {
                mqtt_drop(session, mqtt_message_topic(delivery->message),
                          r == -ENOMEM ? MQTT_COUNT_DROPPED_MEMORY : MQTT_COUNT_DROPPED_QUEUE);
                mqtt_delivery_done(delivery);
        }
        mqtt_broker_note_memory(session->broker);
        return r == -EDQUOT ? -ENOSPC : r;
}
