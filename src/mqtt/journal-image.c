/* The whole of what is kept, in slices while changes go on.
 *
 * Session by session, each as of one moment, that is written down with it: changes up to that are
 * not made again. Before it those messages that it refers to and that are not in the image, also
 * when they are in the log that goes on from it, which is read later. Then the retained messages,
 * as of any moment: what a topic has is said anew by each change. */
#include "base/attributes.h"
#include "mqtt/journal-internal.h"
#include "mqtt/sys.h"

#include <errno.h>
#include <string.h>

enum {
        SESSIONS_MOST = 1000,   /* looked at in a slice */
        RETAINED_MOST = 1000,   /* the same */
        CHUNK_BYTES = 32 << 10, /* of a session in one record, or one change that is longer */
        FILTER_MAX = UINT16_MAX,
};

void mqtt_journal_image_begin(void *owner)
{
        struct mqtt_journal *journal = owner;
        struct mqtt_journal_image *image = &journal->image;

        (void)mqtt_journal_commit(journal);
        image->number++;
        image->of_sessions = true;
        image->with_clock = false;
        image->session = journal->broker->all_sessions.next;
        image->retained = 0;
        buffer_truncate(&image->stage, 0);
}

void mqtt_journal_image_forget(struct mqtt_journal_image *image, const struct mqtt_session *session)
{
        if (image->session == &session->link)
                image->session = session->link.next;
}

/* --- one session --- */

/* A chunk on the stage: its length in four bytes, and changes. */
static int begin_chunk(struct buffer *stage, size_t *ret_at)
{
        static const uint32_t none;

        *ret_at = buffer_length(stage);
        return buffer_append(stage, &none, sizeof(none));
}

static void end_chunk(struct buffer *stage, size_t at)
{
        uint32_t length = (uint32_t)(buffer_length(stage) - at - sizeof(length));

        memcpy(buffer_data(stage) + at, &length, sizeof(length));
}

static int put(struct buffer *stage, const struct mqtt_record *record, size_t *at)
{
        int r = mqtt_record_encode(record, stage);

        if (r < 0 || buffer_length(stage) - *at < CHUNK_BYTES)
                return r;
        end_chunk(stage, *at);
        return begin_chunk(stage, at);
}

static int stage_subscriptions(const struct mqtt_session *session, struct buffer *stage, size_t *at)
{
        char filter[FILTER_MAX];
        struct mqtt_record record = {.change = MQTT_CHANGE_SUBSCRIBED, .session = session->number};
        uint32_t position = 0;
        int r = 0;

        record.text.bytes = filter;
        while (r == 0 && (record.text.length =
                                  mqtt_topic_tree_next(session->broker->tree, &session->subscriber,
                                                       &position, filter, &record.options)) > 0)
                r = put(stage, &record, at);
        return r;
}

static int stage_received(const struct mqtt_session *session, struct buffer *stage, size_t *at)
{
        struct mqtt_record record = {.change = MQTT_CHANGE_RECEIVED, .session = session->number};
        uint32_t position = 0;
        int r = 0;

        while (r == 0 && (record.packet_id = mqtt_id_set_next(&session->received, &position)) > 0)
                r = put(stage, &record, at);
        return r;
}

static int stage_inflight(const struct mqtt_session *session, struct buffer *stage, size_t *at)
{
        const struct mqtt_delivery *delivery;
        struct mqtt_record record;
        uint32_t position = 0;
        uint16_t packet_id;
        int r = 0;

        while (r == 0 &&
               (delivery = mqtt_inflight_next(&session->inflight, &position, &packet_id)) != NULL) {
                mqtt_record_in_flight(session, delivery, packet_id, &record);
                r = put(stage, &record, at);
        }
        return r;
}

static int stage_queue(const struct mqtt_session *session, struct buffer *stage, size_t *at)
{
        struct mqtt_record record;
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < session->queue.count; i++) {
                const struct mqtt_delivery *delivery = mqtt_queue_at(&session->queue, i);

                if (delivery->qos == 0)
                        continue;
                mqtt_record_delivery(session, delivery, &record);
                r = put(stage, &record, at);
        }
        return r;
}

static int stage_will(const struct mqtt_session *session, struct buffer *stage, size_t *at)
{
        struct buffer *scratch = &session->broker->scratch;
        struct mqtt_record record;
        int r;

        if (!session->will)
                return 0;
        r = mqtt_record_will(session, scratch, &record);
        if (r == 0)
                r = put(stage, &record, at);
        buffer_truncate(scratch, 0);
        return r;
}

static int stage_session(struct mqtt_journal *journal, const struct mqtt_session *session)
{
        struct buffer *stage = &journal->image.stage;
        struct mqtt_record record;
        size_t at;
        int r = begin_chunk(stage, &at);

        mqtt_record_session(session, &record);
        record.as_of = journal->appended;
        if (r == 0)
                r = put(stage, &record, &at);
        if (r == 0)
                r = stage_subscriptions(session, stage, &at);
        if (r == 0)
                r = stage_received(session, stage, &at);
        if (r == 0)
                r = stage_inflight(session, stage, &at);
        if (r == 0)
                r = stage_queue(session, stage, &at);
        if (r == 0)
                r = stage_will(session, stage, &at);
        if (r == 0)
                end_chunk(stage, at);
        return r;
}

/* --- what is on the stage, and messages, into the image --- */

static int add_bytes(struct store_log *log, const void *bytes, size_t count)
{
        const struct store_part part = {bytes, count};

        return store_log_add_image(log, MQTT_JOURNAL_BATCH, &part, 1);
}

static int add_staged(struct mqtt_journal *journal, struct store_log *log)
{
        struct buffer *stage = &journal->image.stage;
        uint32_t length;
        int r = 0;

        while (r == 0 && buffer_length(stage) > 0) {
                memcpy(&length, buffer_data(stage), sizeof(length));
                r = add_bytes(log, buffer_data(stage) + sizeof(length), length);
                if (r == 0)
                        buffer_consume(stage, sizeof(length) + length);
        }
        if (r == 0)
                buffer_shrink(stage, CHUNK_BYTES);
        return r;
}

/* Once in an image. */
static int add_message(struct mqtt_journal *journal, struct store_log *log,
                       struct mqtt_message *message)
{
        struct buffer *out = &journal->image.record;
        struct mqtt_record record;
        int r;

        if (!message || message->kept == 0 || message->imaged == journal->image.number)
                return 0;
        mqtt_record_message(&journal->clock, message, &record);
        r = mqtt_record_encode(&record, out);
        if (r == 0)
                r = add_bytes(log, buffer_data(out), buffer_length(out));
        if (r == 0)
                message->imaged = journal->image.number;
        buffer_truncate(out, 0);
        buffer_shrink(out, CHUNK_BYTES);
        return r;
}

static int add_messages(struct mqtt_journal *journal, struct store_log *log,
                        const struct mqtt_session *session)
{
        const struct mqtt_delivery *delivery;
        uint32_t at = 0;
        uint16_t packet_id;
        int r = 0;

        while (r == 0 &&
               (delivery = mqtt_inflight_next(&session->inflight, &at, &packet_id)) != NULL)
                r = add_message(journal, log, delivery->message);
        for (at = 0; r == 0 && at < session->queue.count; at++)
                r = add_message(journal, log, mqtt_queue_at(&session->queue, at)->message);
        return r;
}

/* 1: there are more, but this has been enough. */
static int add_sessions(struct mqtt_journal *journal, struct store_log *log)
{
        struct mqtt_journal_image *image = &journal->image;
        struct list *end = &journal->broker->all_sessions;
        unsigned looked_at = 0;
        int r = add_staged(journal, log);

        while (r == 0 && image->session != end) {
                const struct mqtt_session *session =
                        container_of(image->session, struct mqtt_session, link);

                if (looked_at++ >= SESSIONS_MOST)
                        return 1;
                if (session->kept) {
                        r = add_messages(journal, log, session);
                        if (r == 0)
                                r = stage_session(journal, session);
                        if (r < 0)
                                return r;
                }
                image->session = session->link.next;
                r = add_staged(journal, log);
        }
        return r;
}

static int add_retained(struct mqtt_journal *journal, struct store_log *log)
{
        struct mqtt_journal_image *image = &journal->image;
        uint32_t at = image->retained;
        struct mqtt_message *message;
        unsigned looked_at = 0;

        if (!mqtt_journal_keeps_retained(journal))
                return 0;
        while ((message = mqtt_retained_next(journal->broker->retained, &at)) != NULL) {
                struct mqtt_record record = {.change = MQTT_CHANGE_RETAINED,
                                             .message = message->kept};
                int r;

                if (mqtt_sys_is(mqtt_message_topic(message)))
                        continue;
                r = add_message(journal, log, message);
                if (r == 0)
                        r = mqtt_record_encode(&record, &image->record);
                if (r == 0)
                        r = add_bytes(log, buffer_data(&image->record),
                                      buffer_length(&image->record));
                buffer_truncate(&image->record, 0);
                if (r < 0)
                        return r;
                image->retained = at;
                if (++looked_at >= RETAINED_MOST)
                        return 1;
        }
        return 0;
}

static int add_clock(struct mqtt_journal *journal, struct store_log *log)
{
        struct mqtt_clock_reading now = mqtt_journal_clock_read(&journal->clock);
        struct buffer *out = &journal->image.record;
        int r = mqtt_journal_encode_clock(&now, out);

        if (r == 0)
                r = add_bytes(log, buffer_data(out), buffer_length(out));
        buffer_truncate(out, 0);
        return r;
}

static int add_next(struct mqtt_journal *journal, struct store_log *log)
{
        struct mqtt_journal_image *image = &journal->image;
        int r = 0;

        if (!image->with_clock) {
                r = add_clock(journal, log);
                image->with_clock = r == 0;
        }
        if (r == 0 && image->of_sessions) {
                r = add_sessions(journal, log);
                image->of_sessions = r != 0;
        }
        return r == 0 ? add_retained(journal, log) : r;
}

int mqtt_journal_image_next(void *owner, struct store_log *log)
{
        struct mqtt_journal *journal = owner;
        int r;

        /* What was changed must be in the log before the image says as of when it is true. */
        if (!mqtt_journal_commit(journal))
                return -ECANCELED;
        r = add_next(journal, log);
        return r == -EAGAIN ? 1 : r;
}
