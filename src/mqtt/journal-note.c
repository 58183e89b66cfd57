/* What changes, as records; and things as they are. */
#include "base/attributes.h"
#include "mqtt/client.h"
#include "mqtt/journal-deferred.h"
#include "mqtt/journal-internal.h"
#include "mqtt/sys.h"
#include "proto/mqtt/encode.h"

static struct mqtt_journal *journal_of(const struct mqtt_session *session)
{
        return session->broker->journal;
}

/* --- things --- */

/* When its client went; MQTT_TIME_NEVER: it is here. */
static uint64_t away_time(const struct mqtt_session *session)
{
        return session->client ? MQTT_TIME_NEVER
                               : mqtt_journal_clock_to(&journal_of(session)->clock,
                                                       (uint64_t)session->away_ms);
}

void mqtt_record_session(const struct mqtt_session *session, struct mqtt_record *ret)
{
        *ret = (struct mqtt_record){
                .change = MQTT_CHANGE_SESSION,
                .session = session->number,
                .owner = session->owner,
                .expiry_s = session->expiry_s,
                .time_ms = away_time(session),
                .packet_id = session->inflight.next_id,
                .text = mqtt_session_id(session),
        };
}

int mqtt_record_will(const struct mqtt_session *session, struct buffer *scratch,
                     struct mqtt_record *ret)
{
        struct mqtt_will_view will;
        int r;

        mqtt_last_will_view(session->will, &will);
        *ret = (struct mqtt_record){
                .change = MQTT_CHANGE_WILL,
                .session = session->number,
                .delay_s = will.delay_s,
                .version = (uint8_t)will.version,
                .qos = will.publish.qos,
                .retain = will.publish.retain,
                .user = will.user,
        };
        /* As one of QoS 0: it has no packet identifier. */
        will.publish.qos = 0;
        r = mqtt_encode_publish(scratch, MQTT_VERSION_5, &will.publish);
        if (r < 0)
                return r;
        ret->packet = (struct mqtt_bytes){(const uint8_t *)buffer_data(scratch),
                                          (uint32_t)buffer_length(scratch)};
        return 0;
}

void mqtt_record_delivery(const struct mqtt_session *session, const struct mqtt_delivery *delivery,
                          struct mqtt_record *ret)
{
        const struct mqtt_more_ids *more = delivery->more_ids;

        *ret = (struct mqtt_record){
                .change = MQTT_CHANGE_QUEUED,
                .session = session->number,
                .message = delivery->message ? delivery->message->kept : 0,
                .qos = delivery->qos,
                .retain = delivery->retain,
                .ids = more ? more->ids : &delivery->subscription_id,
                .ids_count = more                            ? more->count
                             : delivery->subscription_id > 0 ? 1
                                                             : 0,
        };
}

void mqtt_record_in_flight(const struct mqtt_session *session, const struct mqtt_delivery *delivery,
                           uint16_t packet_id, struct mqtt_record *ret)
{
        mqtt_record_delivery(session, delivery, ret);
        ret->change = MQTT_CHANGE_SENT;
        ret->packet_id = packet_id;
        ret->released = delivery->state == MQTT_DELIVERY_RELEASED;
}

/* --- changes --- */

static void note_number(struct mqtt_session *session, enum mqtt_change change, uint16_t packet_id,
                        enum mqtt_urgency urgency)
{
        struct mqtt_record record = {
                .change = (uint8_t)change, .session = session->number, .packet_id = packet_id};

        mqtt_journal_note(journal_of(session), &record, urgency);
}

static void note_presence(struct mqtt_session *session, enum mqtt_urgency urgency)
{
        struct mqtt_record record = {.change = MQTT_CHANGE_PRESENCE,
                                     .session = session->number,
                                     .expiry_s = session->expiry_s,
                                     .time_ms = away_time(session)};

        mqtt_journal_note(journal_of(session), &record, urgency);
}

static void drop_all(struct mqtt_session *session)
{
        struct mqtt_delivery *delivery;
        uint32_t at = 0;
        uint16_t packet_id;

        while ((delivery = mqtt_inflight_next(&session->inflight, &at, &packet_id)) != NULL)
                if (delivery->message)
                        mqtt_journal_drop(journal_of(session), delivery->message);
        for (at = 0; at < session->queue.count; at++) {
                delivery = mqtt_queue_at(&session->queue, at);
                if (delivery->qos > 0)
                        mqtt_journal_drop(journal_of(session), delivery->message);
        }
}

static void note_ended(struct mqtt_session *session)
{
        drop_all(session);
        mqtt_journal_forget_deferred(journal_of(session), session);
        note_number(session, MQTT_CHANGE_ENDED, 0, MQTT_NOTE_SESSION);
        session->kept = false;
}

void mqtt_journal_note_freed(struct mqtt_session *session)
{
        mqtt_journal_image_forget(&journal_of(session)->image, session);
        if (session->kept)
                note_ended(session);
}

void mqtt_journal_connected(struct mqtt_session *session)
{
        struct mqtt_journal *journal = journal_of(session);
        struct mqtt_record record;

        if (session->kept && session->expiry_s == 0) {
                note_ended(session);
        } else if (session->kept) {
                /* Or it could end as if its client had stayed away. One that is there goes on
                 * all the same when the disk takes nothing. */
                note_presence(session, mqtt_journal_trouble(journal) == 0 ? MQTT_NOTE_SESSION
                                                                          : MQTT_NOTE_LAZY);
        } else if (journal && session->expiry_s > 0 &&
                   journal->options.sessions != MQTT_DURABILITY_MEMORY) {
                session->kept = true;
                mqtt_record_session(session, &record);
                mqtt_journal_note(journal, &record, MQTT_NOTE_SESSION);
        }
}

static void note_will(struct mqtt_session *session)
{
        struct mqtt_journal *journal = journal_of(session);
        struct buffer *scratch = &session->broker->scratch;
        struct mqtt_record record;

        if (mqtt_record_will(session, scratch, &record) == 0)
                mqtt_journal_note(journal, &record, MQTT_NOTE_LAZY);
        else
                mqtt_journal_batch_spoil(&journal->batch);
        buffer_truncate(scratch, 0);
}

void mqtt_journal_note_left(struct mqtt_session *session)
{
        note_presence(session, MQTT_NOTE_LAZY);
        if (session->will)
                note_will(session);
}

void mqtt_journal_note_will_gone(struct mqtt_session *session)
{
        note_number(session, MQTT_CHANGE_WILL_GONE, 0, MQTT_NOTE_LAZY);
}

void mqtt_journal_note_subscribed(struct mqtt_session *session, struct mqtt_text filter,
                                  const struct mqtt_subscription_options *options)
{
        struct mqtt_record record = {.change = MQTT_CHANGE_SUBSCRIBED,
                                     .session = session->number,
                                     .options = *options,
                                     .text = filter};

        mqtt_journal_note(journal_of(session), &record, MQTT_NOTE_SESSION);
}

void mqtt_journal_note_unsubscribed(struct mqtt_session *session, struct mqtt_text filter)
{
        struct mqtt_record record = {
                .change = MQTT_CHANGE_UNSUBSCRIBED, .session = session->number, .text = filter};

        mqtt_journal_note(journal_of(session), &record, MQTT_NOTE_SESSION);
}

void mqtt_journal_note_received(struct mqtt_session *session, uint16_t packet_id)
{
        note_number(session, MQTT_CHANGE_RECEIVED, packet_id, MQTT_NOTE_SESSION);
}

void mqtt_journal_note_forgotten(struct mqtt_session *session, uint16_t packet_id)
{
        note_number(session, MQTT_CHANGE_FORGOTTEN, packet_id, MQTT_NOTE_SESSION);
}

void mqtt_journal_note_queued(struct mqtt_session *session, const struct mqtt_delivery *delivery)
{
        struct mqtt_journal *journal = journal_of(session);
        struct mqtt_record record;

        mqtt_journal_hold(journal, delivery->message);
        mqtt_record_delivery(session, delivery, &record);
        mqtt_journal_note(journal, &record, MQTT_NOTE_SESSION);
}

void mqtt_journal_note_sent(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                            uint16_t packet_id)
{
        struct mqtt_journal *journal = journal_of(session);
        struct mqtt_record record;

        mqtt_journal_hold(journal, delivery->message);
        if (mqtt_journal_note_later(journal, session))
                return;
        mqtt_record_in_flight(session, delivery, packet_id, &record);
        mqtt_journal_note(journal, &record, MQTT_NOTE_SESSION);
}

void mqtt_journal_note_taken(struct mqtt_session *session, const struct mqtt_delivery *delivery)
{
        note_number(session, MQTT_CHANGE_TAKEN, 0, MQTT_NOTE_LAZY);
        mqtt_journal_drop(journal_of(session), delivery->message);
}

/* Of QoS 2 the client is told once it is durable. */
void mqtt_journal_note_moved(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                             uint16_t packet_id)
{
        /* It is in flight already, and behind those before it. */
        mqtt_journal_settle(journal_of(session), session, 1);
        note_number(session, MQTT_CHANGE_MOVED, packet_id,
                    delivery->qos == 2 ? MQTT_NOTE_SESSION : MQTT_NOTE_LAZY);
}

void mqtt_journal_note_released(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                                uint16_t packet_id)
{
        if (!mqtt_journal_is_deferred(session, packet_id))
                note_number(session, MQTT_CHANGE_RELEASED, packet_id, MQTT_NOTE_SESSION);
        mqtt_journal_drop(journal_of(session), delivery->message);
}

void mqtt_journal_note_done(struct mqtt_session *session, const struct mqtt_delivery *delivery,
                            uint16_t packet_id)
{
        struct mqtt_journal *journal = journal_of(session);

        if (mqtt_journal_is_deferred(session, packet_id))
                mqtt_journal_end_deferred(journal);
        else
                note_number(session, MQTT_CHANGE_DONE, packet_id, MQTT_NOTE_LAZY);
        if (delivery->message)
                mqtt_journal_drop(journal, delivery->message);
}

/* --- retained messages --- */

static void note_retained(struct mqtt_journal *journal, struct mqtt_message *message)
{
        struct mqtt_record record = {.change = MQTT_CHANGE_RETAINED};

        mqtt_journal_hold(journal, message);
        record.message = message->kept;
        mqtt_journal_note(journal, &record, MQTT_NOTE_RETAINED);
}

void mqtt_journal_on_retained(void *owner, struct mqtt_message *before,
                              struct mqtt_message *message)
{
        struct mqtt_journal *journal = owner;
        struct mqtt_record record = {.change = MQTT_CHANGE_CLEARED};

        /* Figures are of this run. */
        if (mqtt_sys_is(mqtt_message_topic(message ? message : before)))
                return;
        if (message) {
                note_retained(journal, message);
        } else {
                record.text = mqtt_message_topic(before);
                /* Nobody waits for what expires. */
                mqtt_journal_note(
                        journal, &record,
                        mqtt_message_has_expired(before, loop_now_ms(journal->broker->loop))
                                ? MQTT_NOTE_LAZY
                                : MQTT_NOTE_RETAINED);
        }
        if (before)
                mqtt_journal_drop(journal, before);
}
