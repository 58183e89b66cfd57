#include "mqtt/journal.h"

#include "base/attributes.h"
#include "mqtt/journal-deferred.h"
#include "mqtt/journal-held.h"
#include "mqtt/journal-internal.h"
#include "mqtt/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
        INTERVAL_MS = 1000,
        INTERVAL_MAX_MS = 3600 * 1000,
        GATHER_MS = 50,          /* where nobody waits: changes that become one record */
        BATCH_BYTES = 256 << 10, /* a batch as large does not wait for the end of the round */
        BUFFER_BYTES = 4 << 20,  /* what a disk may be behind, and some packets: */
        BUFFER_PACKETS = 4,
        IMAGE_BYTES_MIN = 32 << 20, /* who waits for a disk waits for its images, too */
        WAIT_MS = 20,               /* for the store thread, at the end */
};

/* --- what is noted --- */

bool mqtt_journal_has_changes(const struct mqtt_journal *journal)
{
        return journal->deferred_count > 0 || !mqtt_journal_batch_is_empty(&journal->batch);
}

static size_t bytes_of_changes(const struct mqtt_journal *journal)
{
        return mqtt_journal_batch_bytes(&journal->batch) + mqtt_journal_deferred_bytes(journal);
}

static uint64_t pending(const struct mqtt_journal *journal)
{
        return journal->appended + (mqtt_journal_has_changes(journal) ? 1 : 0);
}

static bool is_urgent(const struct mqtt_journal *journal, enum mqtt_urgency urgency)
{
        switch (urgency) {
        case MQTT_NOTE_SESSION:
                return journal->options.sessions == MQTT_DURABILITY_FSYNC;
        case MQTT_NOTE_RETAINED:
                return journal->options.retained == MQTT_DURABILITY_FSYNC;
        default:
                return false;
        }
}

static void want_commit(struct mqtt_journal *journal, enum mqtt_urgency urgency)
{
        if (is_urgent(journal, urgency)) {
                journal->batch_is_urgent = true;
                journal->owed = pending(journal);
                if (urgency == MQTT_NOTE_SESSION)
                        journal->sessions = journal->owed;
        }
        if (journal->batch_is_urgent || journal->gather_ms == 0 ||
            bytes_of_changes(journal) >= BATCH_BYTES)
                loop_task_post(&journal->commit);
        else if (!journal->gather.armed)
                loop_timer_start(&journal->gather, journal->gather_ms);
}

void mqtt_journal_note(struct mqtt_journal *journal, const struct mqtt_record *record,
                       enum mqtt_urgency urgency)
{
        if (journal->ended)
                return;
        mqtt_journal_batch_add(&journal->batch, record);
        want_commit(journal, urgency);
}

bool mqtt_journal_note_later(struct mqtt_journal *journal, struct mqtt_session *session)
{
        if (journal->ended || is_urgent(journal, MQTT_NOTE_SESSION) ||
            !mqtt_journal_defer(journal, session))
                return false;
        want_commit(journal, MQTT_NOTE_LAZY);
        return true;
}

void mqtt_journal_hold(struct mqtt_journal *journal, struct mqtt_message *message)
{
        if (message->kept_references++ > 0)
                return;
        message->kept = ++journal->messages_made;
        if (!journal->ended)
                mqtt_journal_batch_add_message(&journal->batch, message);
}

/* Who refers to it no more is noted by itself: nothing is to be said of the message. */
void mqtt_journal_drop(struct mqtt_journal *journal, struct mqtt_message *message)
{
        if (--message->kept_references > 0)
                return;
        mqtt_journal_batch_remove_message(&journal->batch, message);
        message->kept = 0;
}

int mqtt_journal_encode_clock(const struct mqtt_clock_reading *now, struct buffer *out)
{
        struct mqtt_record record = {.change = MQTT_CHANGE_CLOCK,
                                     .time_ms = now->time_ms,
                                     .wall_ms = now->wall_ms,
                                     .boot_ms = now->boot_ms,
                                     .boot = now->boot};

        return mqtt_record_encode(&record, out);
}

static void note_clock(struct mqtt_journal *journal)
{
        struct mqtt_clock_reading now = mqtt_journal_clock_read(&journal->clock);

        if (!mqtt_journal_clock_is_due(&journal->clock, &now))
                return;
        if (mqtt_journal_encode_clock(&now, &journal->batch.changes) == 0)
                journal->clock.written = now;
}

static void look_at_disk(struct mqtt_journal *journal)
{
        struct store_log_status status;

        store_log_status(journal->log, &status);
        journal->congested = status.waiting_bytes >= journal->buffer_bytes;
}

bool mqtt_journal_commit(struct mqtt_journal *journal)
{
        const enum store_durability durability =
                journal->batch_is_urgent ? STORE_FSYNC : STORE_INTERVAL;
        struct store_part parts[MQTT_JOURNAL_PARTS];
        int r;

        loop_task_cancel(&journal->commit);
        loop_timer_stop(&journal->gather);
        if (!mqtt_journal_has_changes(journal))
                return true;
        mqtt_journal_settle_all(journal);
        note_clock(journal);
        r = mqtt_journal_batch_close(&journal->batch, &journal->clock, parts);
        if (r == 0)
                r = store_log_append(journal->log, durability, MQTT_JOURNAL_BATCH, parts,
                                     MQTT_JOURNAL_PARTS, &journal->appended);
        if (r < 0) {
                /* Whoever waits for it waits for an image, in which it is. */
                journal->blind = journal->appended + 1;
                store_log_renew(journal->log);
        }
        journal->batch_is_urgent = false;
        mqtt_journal_batch_clear(&journal->batch);
        look_at_disk(journal);
        return r == 0;
}

static void journal_on_commit(struct loop_task *task)
{
        (void)mqtt_journal_commit(container_of(task, struct mqtt_journal, commit));
}

static void journal_on_gathered(struct loop_timer *timer)
{
        (void)mqtt_journal_commit(container_of(timer, struct mqtt_journal, gather));
}

/* --- who waits --- */

void mqtt_journal_begin_packet(struct mqtt_journal *journal)
{
        journal->owed = 0;
        if (bytes_of_changes(journal) >= BATCH_BYTES)
                (void)mqtt_journal_commit(journal);
}

uint64_t mqtt_journal_owed(const struct mqtt_journal *journal)
{
        return journal->owed;
}

uint64_t mqtt_journal_all(const struct mqtt_journal *journal)
{
        return journal->sessions;
}

bool mqtt_journal_is_durable(const struct mqtt_journal *journal, uint64_t sequence)
{
        return sequence <= journal->durable;
}

int mqtt_journal_trouble(const struct mqtt_journal *journal)
{
        return journal->trouble;
}

bool mqtt_journal_keeps_sessions(const struct mqtt_journal *journal)
{
        return journal->options.sessions != MQTT_DURABILITY_MEMORY;
}

bool mqtt_journal_keeps_retained(const struct mqtt_journal *journal)
{
        return journal->options.retained != MQTT_DURABILITY_MEMORY;
}

static void journal_on_durable(void *owner, uint64_t sequence)
{
        struct mqtt_journal *journal = owner;

        if (sequence > journal->durable)
                journal->durable = sequence;
        look_at_disk(journal);
        mqtt_held_release_all(journal);
}

static void journal_on_renewed(void *owner)
{
        struct mqtt_journal *journal = owner;
        uint64_t durable = journal->durable;

        if (!mqtt_journal_commit(journal))
                return; /* there will be another */
        if (journal->blind <= journal->appended) {
                /* Another change has that number by now, and who waits may wait for it. */
                store_log_sync(journal->log);
                return;
        }
        /* Those that have it now, and none that will get it. */
        journal->durable = journal->blind;
        mqtt_held_release_all(journal);
        journal->durable = durable;
        if (journal->sessions > journal->appended)
                journal->sessions = journal->appended;
}

static void journal_on_room(void *owner)
{
        journal_on_durable(owner, 0);
}

static void journal_on_trouble(void *owner, int error)
{
        struct mqtt_journal *journal = owner;

        if (error < 0 && journal->trouble == 0)
                journal->broker->counters[MQTT_COUNT_JOURNAL_TROUBLES]++;
        journal->trouble = error;
        if (journal->options.on_trouble)
                journal->options.on_trouble(journal->options.owner, error);
}

/* --- at the start and at the end --- */

static int journal_on_replay(void *owner, const struct store_record *record, uint32_t schema,
                             bool image)
{
        struct mqtt_journal *journal = owner;

        if (schema > MQTT_JOURNAL_SCHEMA)
                return -EPROTONOSUPPORT;
        return mqtt_replay_add(journal->replay, record, image);
}

static void journal_on_report(void *owner, bool damage, const char *sentence)
{
        struct mqtt_journal *journal = owner;

        if (journal->options.on_report)
                journal->options.on_report(journal->options.owner, damage, sentence);
}

static const struct store_log_owner calls = {
        .replay = journal_on_replay,
        .report = journal_on_report,
        .on_durable = journal_on_durable,
        .on_renewed = journal_on_renewed,
        .on_room = journal_on_room,
        .on_trouble = journal_on_trouble,
        .image_begin = mqtt_journal_image_begin,
        .image_next = mqtt_journal_image_next,
};

/* Of an interval, which begins with the first change. */
static uint32_t gather_ms(uint32_t interval_ms)
{
        return interval_ms / 2 < GATHER_MS ? interval_ms / 2 : GATHER_MS;
}

static struct mqtt_journal *journal_alloc(struct mqtt_broker *broker,
                                          const struct mqtt_keep_options *options)
{
        struct mqtt_journal *journal = calloc(1, sizeof(*journal));
        const uint64_t packets = (uint64_t)BUFFER_PACKETS * broker->limits.packet_bytes;

        if (!journal)
                return NULL;
        journal->broker = broker;
        journal->options = *options;
        if (options->interval_ms == 0)
                journal->options.interval_ms = INTERVAL_MS;
        journal->gather_ms = gather_ms(journal->options.interval_ms);
        journal->buffer_bytes =
                BUFFER_BYTES +
                (size_t)(packets < STORE_RECORD_MAX / 2 ? packets : STORE_RECORD_MAX / 2);
        mqtt_journal_batch_init(&journal->batch, journal->buffer_bytes);
        buffer_init(&journal->image.stage, SIZE_MAX);
        buffer_init(&journal->image.record, SIZE_MAX);
        list_init(&journal->held);
        list_init(&journal->paused);
        list_init(&journal->deferred);
        loop_task_init(&journal->commit, broker->loop, journal_on_commit);
        loop_timer_init(&journal->gather, broker->loop, journal_on_gathered);
        mqtt_journal_clock_init(&journal->clock, broker->loop);
        journal->image.session = &broker->all_sessions;
        return journal;
}

static int open_log(struct mqtt_journal *journal, struct store_thread *thread)
{
        struct store_log_owner owner = calls;
        const struct store_log_options options = {
                .directory_fd = journal->options.directory_fd,
                .schema = MQTT_JOURNAL_SCHEMA,
                .interval_ms = journal->options.interval_ms - journal->gather_ms,
                .buffer_bytes = journal->buffer_bytes,
                .image_bytes_min = IMAGE_BYTES_MIN,
        };
        struct store_log_status status;
        int r = mqtt_replay_new(journal, &journal->replay);

        owner.owner = journal;
        if (r == 0)
                r = store_log_open(journal->broker->loop, thread, &options, &owner, &journal->log);
        if (r == 0)
                r = mqtt_replay_finish(journal->replay);
        journal->replay = mqtt_replay_free(journal->replay);
        if (r < 0)
                return r;
        store_log_status(journal->log, &status);
        journal->appended = journal->opened = status.appended;
        journal->durable = status.durable;
        /* What is not kept any more must not come back when it is kept again. */
        if (r > 0)
                store_log_renew(journal->log);
        return 0;
}

static int explain(int r, struct error *error)
{
        switch (r) {
        case -EBUSY:
                return error_set(error, r, "another process has the broker's journal");
        case -EPROTONOSUPPORT:
                return error_set(error, r,
                                 "a later version of this program has written the broker's "
                                 "journal; use that, or give it another folder");
        default:
                return error_set(error, r, "cannot open the broker's journal: %s", strerror(-r));
        }
}

int mqtt_journal_open(struct mqtt_broker *broker, struct store_thread *thread,
                      const struct mqtt_keep_options *options, struct mqtt_journal **ret,
                      struct error *error)
{
        struct mqtt_journal *journal;
        int r;

        *ret = NULL;
        if (options->sessions == MQTT_DURABILITY_MEMORY &&
            options->retained == MQTT_DURABILITY_MEMORY)
                return 0;
        if (options->interval_ms > INTERVAL_MAX_MS)
                return error_set(error, -EINVAL,
                                 "the journal's interval is 1 to %d ms, or 0 for %d",
                                 INTERVAL_MAX_MS, INTERVAL_MS);
        journal = journal_alloc(broker, options);
        if (!journal)
                return explain(-ENOMEM, error);
        /* Sessions that come back want to know it. */
        *ret = journal;
        r = open_log(journal, thread);
        if (r < 0)
                return explain(r, error);
        if (mqtt_journal_keeps_retained(journal))
                mqtt_retained_watch(broker->retained, mqtt_journal_on_retained, journal);
        /* Some had their end while we were away. */
        mqtt_route_on_expiry(&broker->expiry_timer);
        return 0;
}

void mqtt_journal_end(struct mqtt_journal *journal)
{
        if (!journal || !journal->log)
                return;
        /* From here on the time counts that the broker is not there. */
        if (journal->appended > journal->opened || mqtt_journal_has_changes(journal)) {
                journal->clock.written = (struct mqtt_clock_reading){0};
                note_clock(journal);
        }
        (void)mqtt_journal_commit(journal);
        journal->ended = true;
        while (!store_log_stop(journal->log))
                loop_run_once(journal->broker->loop, WAIT_MS);
}

struct mqtt_journal *mqtt_journal_free(struct mqtt_journal *journal)
{
        if (!journal)
                return NULL;
        journal->ended = true;
        loop_task_cancel(&journal->commit);
        loop_timer_stop(&journal->gather);
        store_log_free(journal->log);
        mqtt_replay_free(journal->replay);
        mqtt_journal_batch_done(&journal->batch);
        buffer_done(&journal->image.stage);
        buffer_done(&journal->image.record);
        free(journal);
        return NULL;
}
