/* store/writer.h - the files of a log that are being written: the segment to which changes are
 * appended, and the image while one is made.
 *
 * Blocking: what the store thread does for log.h, one call at a time. After a failed fsync
 * nobody knows what the disk holds, and asking again says "fine": the segment is then
 * `broken`, nothing is written to it any more, and only a fresh one with an image of its own
 * may follow. */
#pragma once

#include "store/record.h"
#include "store/segment.h"

#include <stdbool.h>
#include <stddef.h>

struct store_writer {
        int folder_fd; /* borrowed */
        uint32_t schema;

        uint64_t generation; /* of the segment that is open, or comes next */
        bool fresh, broken;
        bool torn; /* behind `length` there is a part of a group */
        int fd;    /* the segment's; -1: none yet, the next group makes it */
        uint32_t seed;
        uint64_t length;  /* what is whole of it */
        uint64_t written; /* sequence of the last record of all segments */
        uint64_t synced;  /* up to there they are on the disk */
        uint64_t marked;  /* up to there they say so */

        int image_fd; /* -1: none is being made */
        uint32_t image_seed;
        uint64_t image_generation, image_length, image_records;
        uint64_t bytes; /* written in all */
};

/* `generation`: higher than all there ever were; `written`: what was recovered. */
void store_writer_init(struct store_writer *writer, int folder_fd, uint32_t schema,
                       uint64_t generation, uint64_t written);
/* Syncs nothing; drops the image. */
void store_writer_done(struct store_writer *writer);

/* Appends records that follow the last, begun (record.h) and not sealed, behind
 * STORE_RECORD_HEADER bytes of room for a mark: `count` counts both. -errno: none of them is
 * in the log, and the same may be tried again unless `broken`; to make room, the image is
 * dropped. */
int store_writer_append(struct store_writer *writer, uint8_t *bytes, size_t count);
/* All that was appended is on the disk. -errno: broken. */
int store_writer_sync(struct store_writer *writer);

/* Ends the segment, syncs it, and begins the image from which the next goes on: the records in
 * the image say how things are now or later. -errno: no image; the segment may be `broken`. */
int store_writer_begin_image(struct store_writer *writer);
/* The same after damage: forgets the segment as it is. All up to `written` is only going to be
 * in the image. No longer broken. */
int store_writer_begin_afresh(struct store_writer *writer, uint64_t written);
/* Appends records, begun and not sealed. -errno: the image is dropped. */
int store_writer_add_image(struct store_writer *writer, uint8_t *bytes, size_t count);
/* Puts it in place, with all that was appended so far, and removes what it replaces; `last`
 * is the sequence up to which it holds changes, all of them written. -errno: the image is
 * dropped; the segment may be `broken`. */
int store_writer_end_image(struct store_writer *writer, uint64_t last);
void store_writer_drop_image(struct store_writer *writer); /* fine without one */
