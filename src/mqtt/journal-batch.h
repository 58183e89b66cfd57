/* mqtt/journal-batch.h - changes that were noted and are not in the log yet: what becomes one
 * record of it.
 *
 * Messages are encoded last, in front of the changes that refer to them. One that nobody refers
 * to any more by then, since all who were to get it have it or another one is retained, is left
 * out: what comes and goes within a batch costs a disk nothing but its references.
 *
 * Embedded in a journal. Inside of mqtt/ only. */
#pragma once

#include "mqtt/journal-clock.h"
#include "mqtt/journal-record.h"
#include "mqtt/message.h"
#include "store/log.h"

struct mqtt_journal_batch {
        struct buffer changes;  /* records */
        struct buffer places;   /* of messages: who they are; NULL: referred to no more */
        uint64_t first;         /* number of the first of these */
        size_t message_bytes;   /* about what they take, encoded */
        struct buffer messages; /* records, of mqtt_journal_batch_close() */
        bool is_incomplete;     /* something could not be added: the rest is worth nothing */
};

enum { MQTT_JOURNAL_PARTS = 2 };

/* It holds so many bytes of each at most. */
void mqtt_journal_batch_init(struct mqtt_journal_batch *batch, size_t bytes_max);
void mqtt_journal_batch_done(struct mqtt_journal_batch *batch);

/* These cannot fail: it is incomplete then. */
void mqtt_journal_batch_add(struct mqtt_journal_batch *batch, const struct mqtt_record *change);
/* `kept` is one more than that of the one before. Borrowed until it is removed or all is
 * cleared. */
void mqtt_journal_batch_add_message(struct mqtt_journal_batch *batch, struct mqtt_message *message);
void mqtt_journal_batch_remove_message(struct mqtt_journal_batch *batch,
                                       const struct mqtt_message *message);
void mqtt_journal_batch_spoil(struct mqtt_journal_batch *batch);

static inline bool mqtt_journal_batch_is_empty(const struct mqtt_journal_batch *batch)
{
        return buffer_length(&batch->changes) == 0 && !batch->is_incomplete;
}
/* About what it is going to be. */
static inline size_t mqtt_journal_batch_bytes(const struct mqtt_journal_batch *batch)
{
        return buffer_length(&batch->changes) + batch->message_bytes;
}

/* The record, valid until it is changed. -ENOMEM, -EMSGSIZE: it is incomplete. */
int mqtt_journal_batch_close(struct mqtt_journal_batch *batch,
                             const struct mqtt_journal_clock *clock,
                             struct store_part ret_parts[MQTT_JOURNAL_PARTS]);
void mqtt_journal_batch_clear(struct mqtt_journal_batch *batch);

/* A message as a record. */
void mqtt_record_message(const struct mqtt_journal_clock *clock, const struct mqtt_message *message,
                         struct mqtt_record *ret);
