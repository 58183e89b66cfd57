/* All of a journal was read: what came of it becomes the broker's state. */
#include "base/cleanup.h"
#include "mqtt/journal-replay.h"
#include "mqtt/will.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Out of the deliveries of one go those whose message is missing; the messages of the others count
 * what refers to them. */
static int settle_deliveries(const struct mqtt_replay *replay,
                             const struct mqtt_replay_session *entry)
{
        struct mqtt_session *session = entry->session;
        struct mqtt_delivery *delivery, taken;
        uint32_t at = 0, count = session->queue.count;
        uint16_t packet_id;
        int r = 0;

        while ((delivery = mqtt_inflight_next(&session->inflight, &at, &packet_id)) != NULL) {
                if (delivery->message == replay->missing) {
                        mqtt_inflight_remove(&session->inflight, packet_id);
                        at = 0; /* gaps at the front are gone */
                }
        }
        for (at = 0; (delivery = mqtt_inflight_next(&session->inflight, &at, &packet_id)) != NULL;)
                if (delivery->message)
                        delivery->message->kept_references++;
        while (count-- > 0 && mqtt_replay_take(replay, entry, &taken)) {
                if (taken.message != replay->missing)
                        r = mqtt_replay_queue(replay, entry, &taken);
                if (taken.message == replay->missing || r < 0)
                        mqtt_delivery_done(&taken);
                else
                        taken.message->kept_references++;
                if (r < 0)
                        return r;
        }
        return 0;
}

static int64_t away_since(const struct mqtt_journal_clock *clock,
                          const struct mqtt_replay_session *entry)
{
        uint64_t since = entry->time_ms == MQTT_TIME_NEVER
                                 ? 0
                                 : mqtt_journal_clock_since(clock, entry->time_ms);

        if (since > INT64_MAX / 2)
                since = INT64_MAX / 2;
        return (int64_t)loop_now_ms(clock->loop) - (int64_t)since;
}

/* Of two with one identifier the later one counts. -ENOMEM. */
static int enter_session(struct mqtt_replay *replay, struct mqtt_replay_session *entry)
{
        struct mqtt_session *session = entry->session, *other;
        int r = settle_deliveries(replay, entry);

        if (r < 0)
                return r;
        other = mqtt_session_find(replay->broker, mqtt_session_id(session));
        if (other) {
                other->kept = true;
                other->will = mqtt_last_will_free(other->will);
                mqtt_session_free(other);
        }
        r = mqtt_session_enter(session);
        if (r == -ENOSPC)
                replay->crowded++;
        if (r < 0)
                return r == -ENOSPC ? 0 : r;
        entry->session = NULL;
        session->kept = true;
        session->away_ms = away_since(&replay->journal->clock, entry);
        mqtt_inflight_suspend(&session->inflight);
        mqtt_session_wait(session);
        return 0;
}

static int compare(const void *a, const void *b)
{
        const struct mqtt_replay_session *const *first = a, *const *second = b;

        return (*first)->number < (*second)->number ? -1 : (*first)->number > (*second)->number;
}

/* In the order in which they were made. */
static int enter_sessions(struct mqtt_replay *replay)
{
        AUTO_FREE struct mqtt_replay_session **entries = reallocarray(
                NULL, replay->sessions.count + (size_t)1, sizeof(struct mqtt_replay_session *));
        struct mqtt_replay_session *entry;
        size_t count = 0;
        uint32_t at = 0;
        int r = 0;

        if (!entries)
                return -ENOMEM;
        while ((entry = mqtt_pool_next(&replay->sessions, &at)) != NULL)
                if (entry->session)
                        entries[count++] = entry;
        qsort(entries, count, sizeof(entries[0]), compare);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = enter_session(replay, entries[i]);
        return r;
}

/* Those that expire are set once more, with the time. */
static int date_messages(struct mqtt_replay *replay)
{
        struct mqtt_retained *retained = replay->broker->retained;
        const struct mqtt_replay_message *entry;
        uint32_t at = 0;
        int r;

        while ((entry = mqtt_pool_next(&replay->messages, &at)) != NULL) {
                struct mqtt_message *message = entry->message;

                if (!message || entry->time_ms == MQTT_TIME_NEVER)
                        continue;
                message->expires_ms =
                        mqtt_journal_clock_from(&replay->journal->clock, entry->time_ms);
                if (mqtt_retained_get(retained, mqtt_message_topic(message), 0) != message)
                        continue;
                r = mqtt_retained_set(retained, message);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void count_retained(struct mqtt_replay *replay)
{
        struct mqtt_message *message;
        uint32_t at = 0;

        while ((message = mqtt_retained_next(replay->broker->retained, &at)) != NULL)
                message->kept_references++;
}

/* What nobody refers to any more is in the log no longer than until its next image. */
static void forget_numbers(struct mqtt_replay *replay)
{
        const struct mqtt_replay_message *entry;
        uint32_t at = 0;

        while ((entry = mqtt_pool_next(&replay->messages, &at)) != NULL)
                if (entry->message && entry->message->kept_references == 0)
                        entry->message->kept = 0;
}

static void report(const struct mqtt_replay *replay)
{
        const struct mqtt_keep_options *options = &replay->journal->options;
        char sentence[160];

        if (!options->on_report)
                return;
        if (replay->malformed > 0) {
                snprintf(sentence, sizeof(sentence),
                         "%zu records of the journal make no sense and are left out",
                         replay->malformed);
                options->on_report(options->owner, true, sentence);
        }
        if (replay->crowded > 0) {
                snprintf(sentence, sizeof(sentence),
                         "%zu sessions, filters or retained messages are beyond the limits and are "
                         "left out",
                         replay->crowded);
                options->on_report(options->owner, true, sentence);
        }
}

int mqtt_replay_finish(struct mqtt_replay *replay)
{
        struct mqtt_journal *journal = replay->journal;
        int r;

        mqtt_journal_clock_start(&journal->clock, &replay->clock);
        r = date_messages(replay);
        if (r == 0)
                r = enter_sessions(replay);
        if (r < 0)
                return r;
        count_retained(replay);
        forget_numbers(replay);
        journal->messages_made = replay->messages_made;
        if (replay->sessions_made > journal->broker->sessions_made)
                journal->broker->sessions_made = replay->sessions_made;
        report(replay);
        return replay->unwanted + replay->malformed + replay->crowded > 0 ? 1 : 0;
}
