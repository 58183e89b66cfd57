#include "mqtt/journal-batch.h"

#include <errno.h>

enum {
        KEEP_BYTES = 64 << 10,  /* of each buffer's memory, when less than that was needed */
        RECORD_OF_MESSAGE = 32, /* about what it has beside the packet */
};

void mqtt_journal_batch_init(struct mqtt_journal_batch *batch, size_t bytes_max)
{
        *batch = (struct mqtt_journal_batch){0};
        buffer_init(&batch->changes, bytes_max);
        buffer_init(&batch->places, bytes_max);
        buffer_init(&batch->messages, bytes_max);
}

void mqtt_journal_batch_done(struct mqtt_journal_batch *batch)
{
        buffer_done(&batch->changes);
        buffer_done(&batch->places);
        buffer_done(&batch->messages);
}

void mqtt_journal_batch_spoil(struct mqtt_journal_batch *batch)
{
        mqtt_journal_batch_clear(batch);
        batch->is_incomplete = true;
}

void mqtt_journal_batch_add(struct mqtt_journal_batch *batch, const struct mqtt_record *change)
{
        if (!batch->is_incomplete && mqtt_record_encode(change, &batch->changes) < 0)
                mqtt_journal_batch_spoil(batch);
}

static size_t bytes_of(const struct mqtt_message *message)
{
        return mqtt_message_packet(message).length + (size_t)RECORD_OF_MESSAGE;
}

void mqtt_journal_batch_add_message(struct mqtt_journal_batch *batch, struct mqtt_message *message)
{
        if (batch->is_incomplete)
                return;
        if (buffer_length(&batch->places) == 0)
                batch->first = message->kept;
        if (buffer_append(&batch->places, &message, sizeof(message)) < 0)
                mqtt_journal_batch_spoil(batch);
        else
                batch->message_bytes += bytes_of(message);
}

static struct mqtt_message **places_of(const struct mqtt_journal_batch *batch, size_t *ret_count)
{
        *ret_count = buffer_length(&batch->places) / sizeof(struct mqtt_message *);
        return (struct mqtt_message **)(void *)buffer_data(&batch->places);
}

void mqtt_journal_batch_remove_message(struct mqtt_journal_batch *batch,
                                       const struct mqtt_message *message)
{
        size_t count;
        struct mqtt_message **places = places_of(batch, &count);

        /* Others are in the log since earlier. */
        if (message->kept < batch->first || message->kept - batch->first >= count)
                return;
        places[message->kept - batch->first] = NULL;
        batch->message_bytes -= bytes_of(message);
}

static void put_author(const struct mqtt_message *message, struct mqtt_record *ret)
{
        struct mqtt_author author;

        mqtt_message_author(message, &author);
        ret->change = MQTT_CHANGE_AUTHORED;
        ret->place = author.place;
        ret->user = author.user;
        ret->text = author.client_id;
}

void mqtt_record_message(const struct mqtt_journal_clock *clock, const struct mqtt_message *message,
                         struct mqtt_record *ret)
{
        *ret = (struct mqtt_record){
                .change = MQTT_CHANGE_MESSAGE,
                .message = message->kept,
                .publisher = message->publisher,
                .time_ms = mqtt_journal_clock_to(clock, message->expires_ms),
                .origin = message->origin,
                .version = (uint8_t)mqtt_message_version(message),
                .qos = message->qos,
                .retain = message->retain,
                .packet = mqtt_message_packet(message),
        };
        if (message->has_author)
                put_author(message, ret);
}

static int encode_messages(struct mqtt_journal_batch *batch, const struct mqtt_journal_clock *clock)
{
        size_t count;
        struct mqtt_message **places = places_of(batch, &count);
        struct mqtt_record record;
        int r = 0;

        buffer_truncate(&batch->messages, 0);
        for (size_t i = 0; r == 0 && i < count && batch->message_bytes > 0; i++) {
                if (!places[i])
                        continue;
                mqtt_record_message(clock, places[i], &record);
                r = mqtt_record_encode(&record, &batch->messages);
        }
        return r;
}

static struct store_part part_of(const struct buffer *buffer)
{
        return (struct store_part){buffer_data(buffer), buffer_length(buffer)};
}

int mqtt_journal_batch_close(struct mqtt_journal_batch *batch,
                             const struct mqtt_journal_clock *clock,
                             struct store_part ret_parts[MQTT_JOURNAL_PARTS])
{
        int r = batch->is_incomplete ? -ENOMEM : encode_messages(batch, clock);

        if (r < 0)
                return r;
        ret_parts[0] = part_of(&batch->messages);
        ret_parts[1] = part_of(&batch->changes);
        return 0;
}

static void clear(struct buffer *buffer)
{
        bool was_large = buffer_length(buffer) > KEEP_BYTES;

        buffer_truncate(buffer, 0);
        if (!was_large)
                buffer_shrink(buffer, KEEP_BYTES);
}

void mqtt_journal_batch_clear(struct mqtt_journal_batch *batch)
{
        clear(&batch->changes);
        clear(&batch->places);
        clear(&batch->messages);
        batch->message_bytes = 0;
        batch->is_incomplete = false;
}
