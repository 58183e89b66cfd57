/* mqtt/journal.h - what of a broker's state is to survive, noted in a log as it changes.
 *
 * The functions below are called where the state changes, in the same callback. They cannot fail:
 * when a change could not be noted, the whole state is written anew (store_log_renew()), and
 * what waits for the change waits for that. All changes of a round are in one record of the log: a
 * PUBLISH of QoS 2 with its identifier, and all whom it was for, are there together or
 * not at all.
 *
 * What is not kept costs a look at a bit of the session: `kept` is set only by
 * mqtt_journal_connected(). A message is noted with the first that refers to it.
 *
 * Which answer waits for what, is in docs/decisions/mqtt-journal.md. Inside of mqtt/ only. */
#pragma once

#include "base/error.h"
#include "mqtt/broker-internal.h"
#include "mqtt/session.h"

/* mqtt_broker_keep(). NULL in *ret: nothing is to be kept. */
int mqtt_journal_open(struct mqtt_broker *broker, struct store_thread *thread,
                      const struct mqtt_keep_options *options, struct mqtt_journal **ret,
                      struct error *error);
/* Writes what is left; turns the loop while the store thread is at it. From here on nothing is
 * noted. NULL is fine. */
void mqtt_journal_end(struct mqtt_journal *journal);
struct mqtt_journal *mqtt_journal_free(struct mqtt_journal *journal); /* after it; NULL is fine */

/* --- answers that wait; sequences of the log, 0: nothing to wait for --- */

/* The next packet is handled: what its answer is to wait for begins anew. */
void mqtt_journal_begin_packet(struct mqtt_journal *journal);
/* What was noted since then that has to be durable first. */
uint64_t mqtt_journal_owed(const struct mqtt_journal *journal);
/* All that was noted of sessions and that is waited for, ever: for QoS 2, whose steps build on each
 * other. */
uint64_t mqtt_journal_all(const struct mqtt_journal *journal);
bool mqtt_journal_is_durable(const struct mqtt_journal *journal, uint64_t sequence);
/* Can what arrives be kept now? 0; or what is wrong with the disk, -errno. */
int mqtt_journal_trouble(const struct mqtt_journal *journal);
bool mqtt_journal_keeps_sessions(const struct mqtt_journal *journal);
bool mqtt_journal_keeps_retained(const struct mqtt_journal *journal);

/* --- changes --- */

/* CONNECT has chosen its expiry: is it to be kept from here on, or any more? */
void mqtt_journal_connected(struct mqtt_session *session);

/* It is going to be freed, and is in its list as yet. */
void mqtt_journal_note_freed(struct mqtt_session *session);

/* Each for sessions that are kept. */
void mqtt_journal_note_left(struct mqtt_session *session);
void mqtt_journal_note_will_gone(struct mqtt_session *session);
void mqtt_journal_note_subscribed(struct mqtt_session *session, struct mqtt_text filter,
                                  const struct mqtt_subscription_options *options);
void mqtt_journal_note_unsubscribed(struct mqtt_session *session, struct mqtt_text filter);
void mqtt_journal_note_received(struct mqtt_session *session, uint16_t packet_id);
void mqtt_journal_note_forgotten(struct mqtt_session *session, uint16_t packet_id);
/* Of deliveries of QoS 1 and 2; in the order in which they are made. */
void mqtt_journal_note_queued(struct mqtt_session *session, const struct mqtt_delivery *delivery);
void mqtt_journal_note_taken(struct mqtt_session *session, const struct mqtt_delivery *delivery);
void mqtt_journal_note_moved(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                             uint16_t packet_id);
void mqtt_journal_note_sent(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                            uint16_t packet_id);
/* Before its message goes. */
void mqtt_journal_note_released(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                                uint16_t packet_id);
void mqtt_journal_note_done(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                            uint16_t packet_id);

static inline void mqtt_journal_left(struct mqtt_session *session)
{
        if (session->kept)
                mqtt_journal_note_left(session);
}
static inline void mqtt_journal_freed(struct mqtt_session *session)
{
        if (session->broker->journal)
                mqtt_journal_note_freed(session);
}
static inline void mqtt_journal_will_gone(struct mqtt_session *session)
{
        if (session->kept)
                mqtt_journal_note_will_gone(session);
}
static inline void mqtt_journal_subscribed(struct mqtt_session *session, struct mqtt_text filter,
                                           const struct mqtt_subscription_options *options)
{
        if (session->kept)
                mqtt_journal_note_subscribed(session, filter, options);
}
static inline void mqtt_journal_unsubscribed(struct mqtt_session *session, struct mqtt_text filter)
{
        if (session->kept)
                mqtt_journal_note_unsubscribed(session, filter);
}
static inline void mqtt_journal_received(struct mqtt_session *session, uint16_t packet_id)
{
        if (session->kept)
                mqtt_journal_note_received(session, packet_id);
}
static inline void mqtt_journal_forgotten(struct mqtt_session *session, uint16_t packet_id)
{
        if (session->kept)
                mqtt_journal_note_forgotten(session, packet_id);
}
static inline void mqtt_journal_queued(struct mqtt_session *session,
                                       const struct mqtt_delivery *delivery)
{
        if (session->kept && delivery->qos > 0)
                mqtt_journal_note_queued(session, delivery);
}
static inline void mqtt_journal_taken(struct mqtt_session *session,
                                      const struct mqtt_delivery *delivery)
{
        if (session->kept && delivery->qos > 0)
                mqtt_journal_note_taken(session, delivery);
}
static inline void mqtt_journal_moved(struct mqtt_session *session,
                                      const struct mqtt_delivery *delivery, uint16_t packet_id)
{
        if (session->kept)
                mqtt_journal_note_moved(session, delivery, packet_id);
}
static inline void mqtt_journal_sent(struct mqtt_session *session,
                                     const struct mqtt_delivery *delivery, uint16_t packet_id)
{
        if (session->kept)
                mqtt_journal_note_sent(session, delivery, packet_id);
}
static inline void mqtt_journal_released(struct mqtt_session *session,
                                         const struct mqtt_delivery *delivery, uint16_t packet_id)
{
        if (session->kept)
                mqtt_journal_note_released(session, delivery, packet_id);
}
static inline void mqtt_journal_done(struct mqtt_session *session,
                                     const struct mqtt_delivery *delivery, uint16_t packet_id)
{
        if (session->kept)
                mqtt_journal_note_done(session, delivery, packet_id);
}
