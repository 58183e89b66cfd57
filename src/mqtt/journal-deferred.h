/* mqtt/journal-deferred.h - deliveries that are in flight and are noted only when their batch
 * becomes a record, where nobody waits for one (`interval`).
 *
 * Most are acknowledged by then, and nothing of them is noted at all. Those of a session are the
 * newest of its ring, so that how many they are says which. Each counts as a reference to its
 * message as if it were noted. What is noted of others in flight must find them in the ring: it
 * stands behind mqtt_journal_settle().
 *
 * Inside of mqtt/ only. */
#pragma once

#include "mqtt/session.h"

struct mqtt_journal;

/* It is the newest in flight. False: it has to be noted now. */
bool mqtt_journal_defer(struct mqtt_journal *journal, struct mqtt_session *session);
/* Is it one of them? */
bool mqtt_journal_is_deferred(const struct mqtt_session *session, uint16_t packet_id);
/* One that is, and is in flight no more: nothing is to be noted. */
void mqtt_journal_end_deferred(struct mqtt_journal *journal);

/* About what they are as records. */
size_t mqtt_journal_deferred_bytes(const struct mqtt_journal *journal);
/* They are noted now: those of a session, which has so many `newer` ones in flight, and all. */
void mqtt_journal_settle(struct mqtt_journal *journal, struct mqtt_session *session,
                         uint32_t newer);
void mqtt_journal_settle_all(struct mqtt_journal *journal);
/* The session ends, and nothing of it is noted any more. */
void mqtt_journal_forget_deferred(struct mqtt_journal *journal, struct mqtt_session *session);
