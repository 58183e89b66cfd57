/* mqtt/journal-internal.h - a journal as its files know it: journal.c has the log and its
 * calls, journal-note.c what changes, journal-image.c the whole state, journal-replay.c and
 * journal-restore.c how it comes back, journal-held.c who waits. */
#pragma once

#include "loop/timer.h"
#include "mqtt/journal-batch.h"
#include "mqtt/journal-clock.h"
#include "mqtt/journal-record.h"
#include "mqtt/journal.h"
#include "store/log.h"

/* What of an image is written, see journal-image.c. */
struct mqtt_journal_image {
        uint32_t number;      /* of images: marks messages that are in it */
        bool of_sessions;     /* their turn: then retained messages */
        bool with_clock;      /* that is written */
        struct list *session; /* the next, a link; the list's head: there are no more */
        uint32_t retained;    /* how far, see mqtt_retained_next() */
        struct buffer stage;  /* of one session: lengths in four bytes, and records */
        struct buffer record; /* the one at hand */
};

struct mqtt_journal {
        struct mqtt_broker *broker;
        struct store_log *log;
        struct mqtt_replay *replay;       /* while it is opened */
        struct mqtt_keep_options options; /* its folder is not ours any more */
        struct mqtt_journal_clock clock;
        size_t buffer_bytes;

        struct mqtt_journal_batch batch; /* noted, and not in the log yet */
        bool batch_is_urgent;
        struct list deferred;     /* struct mqtt_session_more: not noted yet, either: */
        size_t deferred_count;    /* deliveries in flight, see journal-deferred.h */
        struct loop_task commit;  /* at the end of the round, if it is urgent or large, */
        struct loop_timer gather; /* else so much later: */
        uint32_t gather_ms;

        uint64_t appended, durable;
        uint64_t opened; /* what was appended before we began */
        uint64_t blind;  /* what waits for up to that, waits for a renewal */
        uint64_t owed;
        uint64_t sessions; /* the last change of a session that anybody may wait for */
        uint64_t messages_made;
        int trouble;
        bool congested; /* the disk is behind: who publishes has to wait */
        bool ended;

        struct list held;   /* struct mqtt_held: with answers that wait */
        struct list paused; /* the same: whose input waits */
        uint32_t opening;   /* clients that connect and wait for their session */

        struct mqtt_journal_image image;
};

/* --- journal.c --- */

/* Who waits for it, when it is noted? */
enum mqtt_urgency {
        MQTT_NOTE_LAZY,     /* nobody: it is durable some time */
        MQTT_NOTE_SESSION,  /* as sessions are kept */
        MQTT_NOTE_RETAINED, /* as retained messages are kept */
};
void mqtt_journal_note(struct mqtt_journal *journal, const struct mqtt_record *record,
                       enum mqtt_urgency urgency);
/* A delivery of a message that it holds, the newest in flight, unless it is to be noted at once:
 * false. */
bool mqtt_journal_note_later(struct mqtt_journal *journal, struct mqtt_session *session);
/* Was something noted that is not in the log? */
bool mqtt_journal_has_changes(const struct mqtt_journal *journal);
/* What was noted goes into the log. False: it did not, and the log begins anew. */
bool mqtt_journal_commit(struct mqtt_journal *journal);
/* A reference that is going to be noted, to be counted: the first notes the message. */
void mqtt_journal_hold(struct mqtt_journal *journal, struct mqtt_message *message);
void mqtt_journal_drop(struct mqtt_journal *journal, struct mqtt_message *message);

/* --- journal-note.c: a thing as a record, for changes and images --- */

void mqtt_record_session(const struct mqtt_session *session, struct mqtt_record *ret);
/* `scratch` holds the packet. -ENOMEM, -EMSGSIZE. */
int mqtt_record_will(const struct mqtt_session *session, struct buffer *scratch,
                     struct mqtt_record *ret);
void mqtt_record_delivery(const struct mqtt_session *session, const struct mqtt_delivery *delivery,
                          struct mqtt_record *ret);
void mqtt_record_in_flight(const struct mqtt_session *session, const struct mqtt_delivery *delivery,
                           uint16_t packet_id, struct mqtt_record *ret);
/* mqtt_retained_watch(). */
void mqtt_journal_on_retained(void *owner, struct mqtt_message *before,
                              struct mqtt_message *message);

/* The reading as a change, behind what `out` holds: in journal.c, for images, too. As
 * mqtt_record_encode(). */
int mqtt_journal_encode_clock(const struct mqtt_clock_reading *now, struct buffer *out);

/* --- journal-image.c --- */

void mqtt_journal_image_begin(void *owner);
int mqtt_journal_image_next(void *owner, struct store_log *log);
/* It is going to be freed. */
void mqtt_journal_image_forget(struct mqtt_journal_image *image,
                               const struct mqtt_session *session);

/* --- journal-replay.c, journal-restore.c --- */

struct mqtt_replay;

int mqtt_replay_new(struct mqtt_journal *journal, struct mqtt_replay **ret); /* -ENOMEM; -EIO */
struct mqtt_replay *mqtt_replay_free(struct mqtt_replay *replay);            /* NULL is fine */
DEFINE_CLEANUP(mqtt_replay)
/* One record of the log. -ENOMEM. */
int mqtt_replay_add(struct mqtt_replay *replay, const struct store_record *record, bool image);
/* All were added: makes the broker's state of them. Positive: there is more in the log than is to
 * be kept; -ENOMEM. */
int mqtt_replay_finish(struct mqtt_replay *replay);
