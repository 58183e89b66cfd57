#include "mqtt/journal-deferred.h"

#include "base/attributes.h"
#include "mqtt/broker-internal.h"
#include "mqtt/journal-internal.h"

enum { RECORD_BYTES = 16 }; /* about what one takes */

static struct mqtt_session_more *more_of(const struct list *link)
{
        return container_of(link, struct mqtt_session_more, deferred);
}

/* Where the oldest of them is, with so many `newer` than all of them. At the front the ring may
 * have been acknowledged beyond it. */
static uint32_t oldest(const struct mqtt_session *session, uint32_t newer)
{
        uint32_t others = session->inflight.span - newer;
        uint32_t count = session->more ? session->more->deferred_count : 0;

        return count < others ? others - count : 0;
}

bool mqtt_journal_defer(struct mqtt_journal *journal, struct mqtt_session *session)
{
        struct mqtt_session_more *more = mqtt_session_more(session);

        if (!more)
                return false;
        if (more->deferred_count == 0)
                list_append(&journal->deferred, &more->deferred);
        more->deferred_count = (uint16_t)(session->inflight.span - oldest(session, 1));
        journal->deferred_count++;
        return true;
}

bool mqtt_journal_is_deferred(const struct mqtt_session *session, uint16_t packet_id)
{
        return session->more &&
               mqtt_inflight_newer(&session->inflight, packet_id) < session->more->deferred_count;
}

void mqtt_journal_end_deferred(struct mqtt_journal *journal)
{
        journal->deferred_count--;
}

size_t mqtt_journal_deferred_bytes(const struct mqtt_journal *journal)
{
        return journal->deferred_count * (size_t)RECORD_BYTES;
}

static void forget(struct mqtt_session_more *more)
{
        list_remove(&more->deferred);
        more->deferred_count = 0;
}

void mqtt_journal_settle(struct mqtt_journal *journal, struct mqtt_session *session, uint32_t newer)
{
        uint32_t end = session->inflight.span - newer;
        const struct mqtt_delivery *delivery;
        struct mqtt_record record;
        uint32_t at = oldest(session, newer);
        uint16_t packet_id;

        if (!session->more || session->more->deferred_count == 0)
                return;
        while ((delivery = mqtt_inflight_next(&session->inflight, &at, &packet_id)) != NULL &&
               at <= end) {
                mqtt_record_in_flight(session, delivery, packet_id, &record);
                mqtt_journal_batch_add(&journal->batch, &record);
                journal->deferred_count--;
        }
        forget(session->more);
}

void mqtt_journal_settle_all(struct mqtt_journal *journal)
{
        while (!list_is_empty(&journal->deferred))
                mqtt_journal_settle(journal, more_of(journal->deferred.next)->session, 0);
}

void mqtt_journal_forget_deferred(struct mqtt_journal *journal, struct mqtt_session *session)
{
        uint32_t at = oldest(session, 0);
        uint16_t packet_id;

        if (!session->more || session->more->deferred_count == 0)
                return;
        while (mqtt_inflight_next(&session->inflight, &at, &packet_id))
                journal->deferred_count--;
        forget(session->more);
}
