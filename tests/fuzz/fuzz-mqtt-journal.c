/* Fuzzes what a broker's journal says: batches of changes, as of an image or of the log behind it.
 * Whatever they are, a state comes of them that can be used and let go; and each change that can
 * be read is the same when it is written and read again.
 *
 * Input: records, each a byte (bit 0: of the image), a length (little-endian, 16 bits), a batch. */
#include "base/attributes.h"
#include "fuzz/fuzz.h"
#include "mqtt/client.h"
#include "mqtt/journal-internal.h"
#include "store/little-endian.h"

#include <errno.h>
#include <string.h>

enum { RECORD_HEADER = 3, BATCH_MAX = 1 << 20 };

static struct loop *loop;
static struct net_context *net;

static bool texts_agree(struct mqtt_text a, struct mqtt_text b)
{
        return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static void check_again(struct mqtt_record *record)
{
        uint32_t *ids = calloc(record->ids_count + (size_t)1, sizeof(*ids));
        struct mqtt_record again;
        struct buffer out;
        size_t at = 0;

        MUST(ids != NULL);
        for (uint32_t i = 0; i < record->ids_count; i++)
                ids[i] = mqtt_record_next_id(record, &at);
        MUST(at == record->ids_encoded.length);
        record->ids = ids;
        buffer_init(&out, BATCH_MAX);
        MUST(mqtt_record_encode(record, &out) == 0);
        at = 0;
        MUST(mqtt_record_decode((const uint8_t *)buffer_data(&out), buffer_length(&out), &at,
                                &again) == MQTT_RECORD_FOUND);
        MUST(at == buffer_length(&out));
        MUST(again.change == record->change && again.session == record->session &&
             again.message == record->message && again.time_ms == record->time_ms &&
             again.packet_id == record->packet_id && again.expiry_s == record->expiry_s &&
             again.qos == record->qos && again.retain == record->retain &&
             again.released == record->released && again.ids_count == record->ids_count &&
             again.packet.length == record->packet.length &&
             texts_agree(again.text, record->text) && texts_agree(again.user, record->user) &&
             texts_agree(again.place, record->place));
        buffer_done(&out);
        free(ids);
}

static void check_batch(const uint8_t *bytes, size_t count)
{
        struct mqtt_record record;
        size_t at = 0;

        while (mqtt_record_decode(bytes, count, &at, &record) == MQTT_RECORD_FOUND)
                check_again(&record);
}

static void replay(struct mqtt_replay *replay, const uint8_t *bytes, size_t count)
{
        struct store_record record = {.type = MQTT_JOURNAL_BATCH};
        bool image = true;

        while (count >= RECORD_HEADER) {
                image = image && bytes[0] & 1; /* it comes first */
                record.count = get_u16(bytes + 1);
                if (record.count > count - RECORD_HEADER)
                        record.count = (uint32_t)(count - RECORD_HEADER);
                record.bytes = bytes + RECORD_HEADER;
                record.sequence++;
                check_batch(record.bytes, record.count);
                MUST(mqtt_replay_add(replay, &record, image) == 0);
                bytes += RECORD_HEADER + record.count;
                count -= RECORD_HEADER + record.count;
        }
}

/* One without a log, in which nothing is noted any more; the broker's to free. */
static struct mqtt_journal *journal_without_log(struct mqtt_broker *broker)
{
        struct mqtt_journal *journal = calloc(1, sizeof(*journal));

        MUST(journal != NULL);
        journal->broker = broker;
        journal->options.sessions = journal->options.retained = MQTT_DURABILITY_FSYNC;
        journal->ended = true;
        journal->image.session = &broker->all_sessions;
        mqtt_journal_batch_init(&journal->batch, BATCH_MAX);
        buffer_init(&journal->image.stage, BATCH_MAX);
        buffer_init(&journal->image.record, BATCH_MAX);
        loop_task_init(&journal->commit, loop, NULL);
        loop_timer_init(&journal->gather, loop, NULL);
        mqtt_journal_clock_init(&journal->clock, loop);
        return journal;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct mqtt_replay *state;
        struct mqtt_broker *broker;

        if (!loop) {
                MUST(loop_new_virtual(1000, &loop) == 0);
                MUST(net_context_new(loop, BATCH_MAX, &net) == 0);
        }
        MUST(mqtt_broker_new(loop, net, NULL, NULL, &broker) == 0);
        broker->journal = journal_without_log(broker);
        MUST(mqtt_replay_new(broker->journal, &state) == 0);
        replay(state, bytes, count);
        MUST(mqtt_replay_finish(state) >= 0);
        mqtt_replay_free(state);
        list_for_each (&broker->all_sessions, position) {
                const struct mqtt_session *session =
                        container_of(position, struct mqtt_session, link);

                MUST(mqtt_session_find(broker, mqtt_session_id(session)) == session);
                MUST(session->kept && session->number > 0);
                for (uint32_t i = 0; i < session->queue.count; i++)
                        MUST(mqtt_queue_at(&session->queue, i)->message->kept_references > 0);
        }
        /* What is due is let go, and the rest with the broker. */
        loop_advance_ms(loop, 1000);
        mqtt_broker_free(broker);
        return 0;
}
