/* store/log-internal.h - a log and what it does next. Inside of store/ only.
 *
 * One job of the store thread at a time, a *turn*, which alone uses the writer, and the buffer it
 * was given, until it is done:
 *
 *     GROUP   writes what was appended, and perhaps syncs it
 *     BEGIN   begins an image, or everything afresh
 *     SLICE   writes a piece of the image; takes turns with GROUP, byte for byte, so that the
 *             log grows by no more than an image while that is made
 *     END     puts the image in place
 */
#pragma once

#include "base/buffer.h"
#include "loop/task.h"
#include "loop/timer.h"
#include "store/log.h"
#include "store/writer.h"

enum {
        STORE_GATHER_BYTES = 64 << 10, /* a group as large is not kept back */
        STORE_RETRY_FIRST_MS = 500,
};

enum store_turn { STORE_GROUP, STORE_BEGIN, STORE_BEGIN_AFRESH, STORE_SLICE, STORE_END };

enum store_image_state {
        STORE_IMAGE_NONE,
        STORE_IMAGE_BEGINNING,  /* its turn is under way */
        STORE_IMAGE_COLLECTING, /* a slice, between rounds */
        STORE_IMAGE_COLLECTED,  /* it wants to be written, or is */
        STORE_IMAGE_ENDED,      /* all slices are written; it wants to be put in place, or is */
};

struct store_log {
        struct loop *loop;
        struct store_thread *thread;
        struct store_log_owner owner;
        struct store_log_options options;
        int folder_fd;

        /* A turn: the thread's while `under_way`. */
        struct store_job job;
        enum store_turn turn;
        bool under_way;
        bool sync;     /* GROUP: and sync */
        int error;     /* what came of it */
        uint64_t from; /* BEGIN_AFRESH: all up to there is in the image; END: the image's last */
        struct store_writer writer;
        struct buffer writing; /* behind room for a mark */
        struct buffer slice;

        struct buffer gathered; /* the next group, the same way */
        uint64_t appended, durable;
        bool sync_wanted;
        bool refused; /* on_room() is owed */
        bool closing;

        bool failed;   /* nothing is taken; begins afresh */
        bool renewing; /* nothing is durable before the image is in place */
        int trouble, image_trouble;
        uint32_t retry_ms;
        struct loop_timer retry;  /* armed: the disk is left alone */
        struct loop_timer gather; /* armed: what is gathered may still wait */
        struct loop_timer interval;
        struct loop_task task;

        enum store_image_state image;
        bool slice_full;           /* one did not fit any more */
        bool image_last;           /* the slice that is collected is the last */
        uint64_t image_owed;       /* bytes that groups are ahead of its slices */
        uint64_t image_as_of;      /* the last change that it may know of */
        uint64_t image_retry_from; /* after a failure: when the log is so long */

        uint64_t segment_bytes, image_bytes;
        uint64_t before_bytes; /* of the segments that the image under way replaces */
        uint32_t segments;     /* that were there at the start and still are */
        uint64_t groups, images, renewals, written_bytes;
};

/* log-turn.c */
void store_log_turn(struct store_log *log); /* the next one, if there is anything to do */
void store_log_fail(struct store_log *log, int error);
void store_log_run(struct store_job *job);
void store_log_done(struct store_job *job);
bool store_log_has_gathered(const struct store_log *log);
void store_log_tell_trouble(struct store_log *log, int error);

/* log-image.c */
bool store_image_is_due(const struct store_log *log);
void store_image_collect(struct store_log *log);
void store_image_abandon(struct store_log *log);

/* Begins a record in `buffer`: -EMSGSIZE, -ENOMEM. */
int store_log_put(struct buffer *buffer, uint8_t type, uint64_t sequence,
                  const struct store_part *parts, size_t parts_count);
