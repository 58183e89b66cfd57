/* A log's records become sessions and retained messages again.
 *
 * They are the broker's own from the beginning, but nobody finds them before all is read. What is
 * said of sessions or messages that are not there is passed over: an image that was taken while
 * changes went on has such. A delivery whose message is missing keeps its place until the end,
 * since changes count places, and is then dropped.
 *
 * The bytes have the right sums, and may be of a program that was wrong: nothing in them is
 * believed. */
#include "mqtt/journal-replay.h"
#include "base/attributes.h"
#include "base/utf8.h"
#include "mqtt/client.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mqtt_replay_new(struct mqtt_journal *journal, struct mqtt_replay **ret)
{
        static const struct mqtt_publish nothing = {.topic = {"?", 1}};
        static const struct mqtt_source source = {.version = MQTT_VERSION_311};
        struct mqtt_replay *replay = calloc(1, sizeof(*replay));
        int r;

        if (!replay)
                return -ENOMEM;
        replay->journal = journal;
        replay->broker = journal->broker;
        mqtt_pool_init(&replay->messages, sizeof(struct mqtt_replay_message));
        mqtt_pool_init(&replay->sessions, sizeof(struct mqtt_replay_session));
        mqtt_index_init(&replay->messages_by_number);
        mqtt_index_init(&replay->sessions_by_number);
        r = mqtt_message_new(&nothing, &source, &replay->missing);
        if (r < 0) {
                mqtt_replay_free(replay);
                return r;
        }
        *ret = replay;
        return 0;
}

struct mqtt_replay *mqtt_replay_free(struct mqtt_replay *replay)
{
        const struct mqtt_replay_message *message;
        const struct mqtt_replay_session *session;
        uint32_t at = 0;

        if (!replay)
                return NULL;
        while ((session = mqtt_pool_next(&replay->sessions, &at)) != NULL) {
                if (session->session)
                        session->session->will = mqtt_last_will_free(session->session->will);
                mqtt_session_free(session->session);
        }
        for (at = 0; (message = mqtt_pool_next(&replay->messages, &at)) != NULL;)
                if (message->message)
                        mqtt_message_unref(message->message);
        mqtt_pool_done(&replay->messages);
        mqtt_pool_done(&replay->sessions);
        mqtt_index_done(&replay->messages_by_number);
        mqtt_index_done(&replay->sessions_by_number);
        mqtt_message_unref(replay->missing);
        free(replay);
        return NULL;
}

/* Numbers are ours, and given out in turn: no secret is needed. */
static uint32_t hash(uint64_t number)
{
        return (uint32_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static struct mqtt_replay_message *find_message(const struct mqtt_replay *replay, uint64_t number)
{
        uint32_t at = mqtt_index_begin(&replay->messages_by_number, hash(number)), place;

        while ((place = mqtt_index_next(&replay->messages_by_number, hash(number), &at)) > 0) {
                struct mqtt_replay_message *message = mqtt_pool_at(&replay->messages, place);

                if (message->number == number)
                        return message;
        }
        return NULL;
}

static struct mqtt_replay_session *find_session(const struct mqtt_replay *replay, uint64_t number)
{
        uint32_t at = mqtt_index_begin(&replay->sessions_by_number, hash(number)), place;

        while ((place = mqtt_index_next(&replay->sessions_by_number, hash(number), &at)) > 0) {
                struct mqtt_replay_session *session = mqtt_pool_at(&replay->sessions, place);

                if (session->number == number)
                        return session;
        }
        return NULL;
}

/* [MQTT-1.5.4-1], [MQTT-1.5.4-2]. */
static bool is_text(struct mqtt_text text)
{
        return text.length > 0 && utf8_valid_prefix(text.bytes, text.length) == text.length &&
               !memchr(text.bytes, '\0', text.length);
}

/* --- messages --- */

/* A PUBLISH, or nothing: -EBADMSG. */
static int read_packet(const struct mqtt_record *record, enum mqtt_version version,
                       struct mqtt_publish *ret)
{
        struct mqtt_frame frame;
        int r = mqtt_frame_next(record->packet.bytes, record->packet.length, record->packet.length,
                                &frame);

        if (r != MQTT_FRAME_FOUND || frame.length != record->packet.length ||
            frame.type != MQTT_PUBLISH || mqtt_decode_publish(&frame, version, ret) != 0 ||
            ret->topic.length == 0)
                return -EBADMSG;
        ret->qos = record->qos;
        ret->retain = record->retain;
        return 0;
}

static int make_message(const struct mqtt_record *record, struct mqtt_message **ret)
{
        const struct mqtt_author author = {record->place, record->user, record->text};
        struct mqtt_source source = {.version = (enum mqtt_version)record->version,
                                     .origin = (enum mqtt_origin)record->origin,
                                     .publisher = record->publisher,
                                     .author = record->change == MQTT_CHANGE_AUTHORED ? &author
                                                                                      : NULL};
        struct mqtt_publish publish;
        int r;

        if ((source.version != MQTT_VERSION_311 && source.version != MQTT_VERSION_5) ||
            record->origin > MQTT_ORIGIN_INSIDE)
                return -EBADMSG;
        r = read_packet(record, source.version, &publish);
        if (r == 0)
                r = mqtt_message_new(&publish, &source, ret);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        /* Not yet: which time it is, is known at the end. */
        (*ret)->expires_ms = MQTT_NEVER_EXPIRES;
        (*ret)->kept = record->message;
        return 0;
}

static int add_message(struct mqtt_replay *replay, const struct mqtt_record *record)
{
        AUTO(mqtt_message) struct mqtt_message *made = NULL;
        struct mqtt_replay_message *message;
        uint32_t place;
        int r;

        if (record->message == 0)
                return -EBADMSG;
        if (find_message(replay, record->message))
                return 0;
        r = make_message(record, &made);
        if (r == 0)
                r = mqtt_pool_take(&replay->messages, &place);
        if (r < 0)
                return r;
        message = mqtt_pool_at(&replay->messages, place);
        message->number = record->message;
        message->time_ms = record->time_ms;
        message->message = TAKE(made);
        mqtt_message_charge(message->message, &replay->broker->ledger);
        return mqtt_index_add(&replay->messages_by_number, hash(record->message), place);
}

static int set_retained(struct mqtt_replay *replay, const struct mqtt_record *record)
{
        const struct mqtt_replay_message *message = find_message(replay, record->message);
        int r;

        if (!mqtt_journal_keeps_retained(replay->journal)) {
                replay->unwanted++;
                return 0;
        }
        if (!message || message->message->payload_length == 0)
                return 0;
        r = mqtt_retained_set(replay->broker->retained, message->message);
        replay->crowded += r == -ENOSPC;
        return r == -ENOSPC ? 0 : r;
}

/* --- sessions --- */

static int add_session(struct mqtt_replay *replay, const struct mqtt_record *record)
{
        struct mqtt_replay_session *session;
        uint32_t place;
        int r;

        if (replay->journal->options.sessions == MQTT_DURABILITY_MEMORY) {
                replay->unwanted++;
                return 0;
        }
        if (record->session == 0 || record->session >> 63 || record->packet_id == 0 ||
            !is_text(record->text))
                return -EBADMSG;
        if (find_session(replay, record->session))
                return 0;
        r = mqtt_pool_take(&replay->sessions, &place);
        if (r < 0)
                return r;
        session = mqtt_pool_at(&replay->sessions, place);
        r = mqtt_session_restore(replay->broker, record->text, record->session, &session->session);
        if (r < 0)
                return r;
        session->number = record->session;
        session->as_of = replay->image ? record->as_of : 0;
        session->time_ms = record->time_ms;
        session->session->owner = record->owner;
        session->session->expiry_s = record->expiry_s;
        session->session->inflight.next_id = record->packet_id;
        if (record->session > replay->sessions_made)
                replay->sessions_made = record->session;
        return mqtt_index_add(&replay->sessions_by_number, hash(record->session), place);
}

static void end_session(struct mqtt_replay *replay, struct mqtt_replay_session *session)
{
        uint32_t at = mqtt_index_begin(&replay->sessions_by_number, hash(session->number)), place;

        while ((place = mqtt_index_next(&replay->sessions_by_number, hash(session->number), &at)) >
               0) {
                if (mqtt_pool_at(&replay->sessions, place) != session)
                        continue;
                mqtt_index_remove(&replay->sessions_by_number, hash(session->number), place);
                session->session->will = mqtt_last_will_free(session->session->will);
                mqtt_session_free(session->session);
                mqtt_pool_give(&replay->sessions, place);
                return;
        }
}

static void set_presence(struct mqtt_replay_session *session, const struct mqtt_record *record)
{
        session->time_ms = record->time_ms;
        session->session->expiry_s = record->expiry_s;
        session->session->will = mqtt_last_will_free(session->session->will);
}

static int set_will(struct mqtt_replay *replay, struct mqtt_replay_session *session,
                    const struct mqtt_record *record)
{
        struct mqtt_will_view view = {.user = record->user,
                                      .version = (enum mqtt_version)record->version,
                                      .delay_s = record->delay_s};
        int r = read_packet(record, MQTT_VERSION_5, &view.publish);

        if (r < 0)
                return r;
        session->session->will = mqtt_last_will_free(session->session->will);
        r = mqtt_last_will_restore(replay->broker, &view, &session->session->will);
        return r == -EINVAL ? -EBADMSG : r;
}

static int subscribe(struct mqtt_replay *replay, const struct mqtt_replay_session *session,
                     const struct mqtt_record *record)
{
        struct mqtt_text share, rest;
        int r;

        if (!is_text(record->text) || !mqtt_topic_filter_is_valid(record->text) ||
            (record->options.no_local &&
             mqtt_topic_filter_split_shared(record->text, &share, &rest)))
                return -EBADMSG;
        r = mqtt_topic_tree_subscribe(replay->broker->tree, &session->session->subscriber,
                                      record->text, &record->options);
        replay->crowded += r == -ENOSPC;
        return r == -ENOMEM ? r : 0;
}

static int add_received(const struct mqtt_replay_session *session, uint16_t packet_id)
{
        struct mqtt_id_set *received = &session->session->received;

        if (packet_id == 0)
                return -EBADMSG;
        return mqtt_id_set_has(received, packet_id) ? 0 : mqtt_id_set_add(received, packet_id);
}

/* --- deliveries --- */

static int make_delivery(struct mqtt_replay *replay, const struct mqtt_record *record,
                         struct mqtt_delivery *ret)
{
        const struct mqtt_replay_message *message = find_message(replay, record->message);
        struct mqtt_message *found = message ? message->message : replay->missing;
        AUTO_FREE uint32_t *ids = NULL;
        size_t at = 0;

        if (record->qos == 0)
                return -EBADMSG;
        /* At least a byte each was there. */
        ids = reallocarray(NULL, record->ids_count + (size_t)1, sizeof(*ids));
        if (!ids)
                return -ENOMEM;
        for (uint32_t i = 0; i < record->ids_count; i++)
                ids[i] = mqtt_record_next_id(record, &at);
        return mqtt_delivery_init(ret, found, record->qos, record->retain, ids, record->ids_count);
}

int mqtt_replay_queue(const struct mqtt_replay *replay, const struct mqtt_replay_session *session,
                      const struct mqtt_delivery *delivery)
{
        static const struct mqtt_queue_bounds none = {UINT32_MAX, SIZE_MAX, SIZE_MAX};

        return mqtt_queue_add(&session->session->queue, &replay->broker->queued, delivery, &none);
}

bool mqtt_replay_take(const struct mqtt_replay *replay, const struct mqtt_replay_session *session,
                      struct mqtt_delivery *ret)
{
        return mqtt_queue_take(&session->session->queue, &replay->broker->queued, ret);
}

static void release(const struct mqtt_replay_session *session, uint16_t packet_id)
{
        struct mqtt_delivery *delivery = mqtt_inflight_find(&session->session->inflight, packet_id);

        if (!delivery || delivery->qos != 2)
                return;
        mqtt_delivery_done(delivery);
        delivery->state = MQTT_DELIVERY_RELEASED;
}

/* Takes the delivery over. */
static int put_in_flight(const struct mqtt_replay_session *session, struct mqtt_delivery *delivery,
                         uint16_t packet_id)
{
        int r = mqtt_inflight_restore(&session->session->inflight, delivery, packet_id);

        if (r < 0)
                mqtt_delivery_done(delivery);
        return r == -ENOMEM ? r : r < 0 ? -EBADMSG : 0;
}

static int deliver(struct mqtt_replay *replay, const struct mqtt_replay_session *session,
                   const struct mqtt_record *record)
{
        struct mqtt_delivery delivery;
        int r = make_delivery(replay, record, &delivery);

        if (r < 0)
                return r;
        if (record->change == MQTT_CHANGE_QUEUED) {
                r = mqtt_replay_queue(replay, session, &delivery);
                if (r < 0)
                        mqtt_delivery_done(&delivery);
                return r == -ENOMEM ? r : 0;
        }
        r = put_in_flight(session, &delivery, record->packet_id);
        if (r == 0 && record->released)
                release(session, record->packet_id);
        return r;
}

static int change_session(struct mqtt_replay *replay, struct mqtt_replay_session *session,
                          const struct mqtt_record *record)
{
        struct mqtt_inflight *inflight = &session->session->inflight;
        struct mqtt_delivery delivery;

        switch ((enum mqtt_change)record->change) {
        case MQTT_CHANGE_ENDED:
                end_session(replay, session);
                return 0;
        case MQTT_CHANGE_PRESENCE:
                set_presence(session, record);
                return 0;
        case MQTT_CHANGE_WILL:
                return set_will(replay, session, record);
        case MQTT_CHANGE_WILL_GONE:
                session->session->will = mqtt_last_will_free(session->session->will);
                return 0;
        case MQTT_CHANGE_SUBSCRIBED:
                return subscribe(replay, session, record);
        case MQTT_CHANGE_UNSUBSCRIBED:
                (void)mqtt_topic_tree_unsubscribe(replay->broker->tree,
                                                  &session->session->subscriber, record->text);
                return 0;
        case MQTT_CHANGE_RECEIVED:
                return add_received(session, record->packet_id);
        case MQTT_CHANGE_FORGOTTEN:
                (void)mqtt_id_set_remove(&session->session->received, record->packet_id);
                return 0;
        case MQTT_CHANGE_QUEUED:
        case MQTT_CHANGE_SENT:
                return deliver(replay, session, record);
        case MQTT_CHANGE_TAKEN:
                if (mqtt_replay_take(replay, session, &delivery))
                        mqtt_delivery_done(&delivery);
                return 0;
        case MQTT_CHANGE_MOVED:
                return mqtt_replay_take(replay, session, &delivery)
                               ? put_in_flight(session, &delivery, record->packet_id)
                               : 0;
        case MQTT_CHANGE_RELEASED:
                release(session, record->packet_id);
                return 0;
        case MQTT_CHANGE_DONE:
                if (mqtt_inflight_find(inflight, record->packet_id))
                        mqtt_inflight_remove(inflight, record->packet_id);
                return 0;
        default:
                return -EBADMSG;
        }
}

/* --- one change after the other --- */

static int apply(struct mqtt_replay *replay, const struct mqtt_record *record)
{
        struct mqtt_replay_session *session;

        /* Also of one that was gone before it was written. */
        if (record->message > replay->messages_made)
                replay->messages_made = record->message;
        switch ((enum mqtt_change)record->change) {
        case MQTT_CHANGE_CLOCK:
                replay->clock = (struct mqtt_clock_reading){record->time_ms, record->wall_ms,
                                                            record->boot_ms, record->boot};
                return 0;
        case MQTT_CHANGE_MESSAGE:
        case MQTT_CHANGE_AUTHORED:
                return add_message(replay, record);
        case MQTT_CHANGE_RETAINED:
                return set_retained(replay, record);
        case MQTT_CHANGE_CLEARED:
                if (!is_text(record->text) || !mqtt_topic_name_is_valid(record->text))
                        return -EBADMSG;
                (void)mqtt_retained_clear(replay->broker->retained, record->text);
                return 0;
        case MQTT_CHANGE_SESSION:
                return add_session(replay, record);
        default:
                session = find_session(replay, record->session);
                /* What the image knew of it already. */
                if (!session || (!replay->image && replay->sequence <= session->as_of))
                        return 0;
                return change_session(replay, session, record);
        }
}

int mqtt_replay_add(struct mqtt_replay *replay, const struct store_record *record, bool image)
{
        struct mqtt_record change;
        size_t at = 0;
        int r = 0;

        if (record->type != MQTT_JOURNAL_BATCH) {
                replay->malformed++;
                return 0;
        }
        replay->sequence = record->sequence;
        replay->image = image;
        while (r == 0 && (r = mqtt_record_decode(record->bytes, record->count, &at, &change)) ==
                                 MQTT_RECORD_FOUND)
                r = apply(replay, &change);
        if (r == -EBADMSG) {
                replay->malformed++;
                r = 0;
        }
        return r;
}
