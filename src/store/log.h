/* store/log.h - the changes of a state, appended to files, and from time to time the state
 * itself, so that it survives a kill and a power cut.
 *
 * The state is the caller's, in memory; here its changes are records: a type and bytes. Each
 * gets a sequence number, is written in order, and is reported durable once it and all before it
 * are on the disk. Appending copies into a bounded buffer and never waits: what is there at
 * the end of a round goes to the store thread as one write, with one fdatasync for all of them,
 * and while the disk is at it, the next gather.
 *
 * When the log has become IMAGE_FACTOR times as long as the last image (and at least
 * `image_bytes_min`), an image of the state is taken: in slices between rounds, while changes go
 * on. So what is written is at most 1 + (1 + IMAGE_FACTOR) / IMAGE_FACTOR = 2.5 times the
 * changes, in the steady state 1.5 times, and the folder holds at most IMAGE_FACTOR + 3 times
 * the state (the image, the log, the next image, and as much log meanwhile). Nothing is written
 * when nothing changed.
 *
 * A record in an image bears the sequence as of which it is true; a change with that number or a
 * lower one is part of it already. Changes of what is not there (any more) are to be ignored.
 *
 * A disk that is full: appending goes on while there is room in the buffer, the same is
 * written again after a while. A disk that fails: what it holds is not trusted any more; a new log
 * is begun with an image of the whole state, tried again until it works, and nothing is durable
 * until then. Either is told, and that it is over.
 *
 * Loop's thread, but for what replays: before. */
#pragma once

#include "loop/loop.h"
#include "store/record.h"
#include "store/thread.h"

struct store_log;

enum { STORE_IMAGE_FACTOR = 2 };

struct store_part {
        const void *bytes;
        size_t count;
};

struct store_log_owner {
        void *owner;
        /* When the log is opened. `schema`: with which it was written; `image`: see above.
         * -errno: opening fails with it. */
        int (*replay)(void *owner, const struct store_record *record, uint32_t schema, bool image);
        /* The same: a sentence about what was left out; `damage`: somebody should know. */
        void (*report)(void *owner, bool damage, const char *sentence);

        /* All up to `sequence` are durable. */
        void (*on_durable)(void *owner, uint64_t sequence);
        /* After store_log_renew(), or a disk that failed: all is in the log again. NULL: nobody
         * wants to know. */
        void (*on_renewed)(void *owner);
        /* After an append was refused: there is room again. */
        void (*on_room)(void *owner);
        /* What is wrong with the disk, -errno; 0: nothing any more. Told when it changes. */
        void (*on_trouble)(void *owner, int error);

        /* An image is to be taken, from the beginning. */
        void (*image_begin)(void *owner);
        /* A slice of it, by store_log_add_image() until that refuses, or has been enough for a
         * round. 1: there is more; 0: that was all; -errno: not now. */
        int (*image_next)(void *owner, struct store_log *log);
};

struct store_log_options {
        int directory_fd;         /* borrowed until open returns; a folder for nothing else */
        uint32_t schema;          /* written into the files, for `replay` */
        uint32_t interval_ms;     /* STORE_INTERVAL: at most so long is lost in a power cut, and
                                   * what the disk takes. 1 to 3,600,000 */
        uint32_t gather_ms;       /* the same: at most so long in a kill. 0: a round */
        size_t buffer_bytes;      /* that are not written; twice that at most. 4 KiB to 512 MiB */
        uint64_t image_bytes_min; /* no image before the log is as long. 4 KiB or more */
};

/* Replays what is there. `thread`: a place in its queue; it outlives the log or is freed right
 * before. -EBUSY: another process has the folder; -EPROTONOSUPPORT: written by a later version;
 * -EINVAL: options; what `replay` returned; -ENOMEM; -errno. */
int store_log_open(struct loop *loop, struct store_thread *thread,
                   const struct store_log_options *options, const struct store_log_owner *owner,
                   struct store_log **ret);
/* With no job under way: after store_thread_free(). Writes and syncs what is left, in this
 * thread, and tells. NULL is fine. */
struct store_log *store_log_free(struct store_log *log);
DEFINE_CLEANUP(store_log)
/* For an owner that ends before its thread: nothing more is appended, nothing new begins. True:
 * no job is under way, it may be freed; false: turn the loop, and ask again. */
bool store_log_stop(struct store_log *log);

enum store_durability {
        STORE_INTERVAL, /* within options.interval_ms */
        STORE_FSYNC,    /* as soon as the disk can, with all before it */
};

/* A record of `type` (to STORE_TYPE_MAX) with the bytes of all parts; the caller makes the
 * change in the same callback. *ret_sequence may be NULL. On failure the change is not to be
 * made, or store_log_renew() called: -EAGAIN: no room, the disk is slow; -EMSGSIZE: larger than
 * buffer_bytes can hold; -ENOMEM; or what is wrong with the disk: -ENOSPC, -EIO, ... */
int store_log_append(struct store_log *log, enum store_durability durability, uint8_t type,
                     const struct store_part *parts, size_t parts_count, uint64_t *ret_sequence);
/* Something was changed without a record: begins a new log with an image of the whole. */
void store_log_renew(struct store_log *log);
/* All that was appended so far is to be durable soon. */
void store_log_sync(struct store_log *log);

/* For image_next only. -EAGAIN: the slice is full, this one comes first in the next; -EMSGSIZE;
 * -ENOMEM. */
int store_log_add_image(struct store_log *log, uint8_t type, const struct store_part *parts,
                        size_t parts_count);

/* Figures. */
struct store_log_status {
        uint64_t appended, durable;          /* sequences */
        uint64_t segment_bytes, image_bytes; /* on the disk, as far as in use */
        uint64_t groups, images, renewals;   /* since it was opened */
        uint64_t written_bytes;              /* the same: to the disk, all of it */
        size_t waiting_bytes;                /* not written yet */
        int trouble;                         /* 0, -errno */
        int image_trouble; /* why the last image did not come to be: the log grows meanwhile */
};
void store_log_status(const struct store_log *log, struct store_log_status *ret);
