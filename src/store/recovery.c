#include "store/recovery.h"

#include "base/cleanup.h"
#include "store/folder.h"
#include "store/little-endian.h"
#include "store/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SENTENCE_SIZE = 256 };

struct recovery {
        int folder_fd;
        const struct store_log_owner *owner;
        struct store_recovery *result;
        uint64_t base;       /* generation of the image that is gone on from; 0: none */
        uint64_t expected;   /* sequence of the next record; 0: whatever comes */
        uint64_t image_last; /* up to there the image knows of changes */
        bool stopped;        /* something is missing: nothing more may follow */
        bool has_tail;       /* the last segment did not end well: is something missing? */
        struct store_reader tail;
};

static void PRINTF_LIKE(3, 4)
        report(struct recovery *recovery, bool damage, const char *format, ...)
{
        char sentence[SENTENCE_SIZE];
        va_list arguments;

        if (damage)
                recovery->result->renew = true;
        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        recovery->owner->report(recovery->owner->owner, damage, sentence);
}

static void set_aside(struct recovery *recovery, uint64_t generation, enum store_kind kind)
{
        char name[STORE_NAME_SIZE], damaged[STORE_NAME_SIZE];

        store_name(name, generation, kind);
        store_name_damaged(damaged, generation, kind);
        (void)renameat(recovery->folder_fd, name, recovery->folder_fd, damaged);
}

/* What is still read, but goes with the next image. */
static void keep_copy(struct recovery *recovery, uint64_t generation, enum store_kind kind)
{
        char name[STORE_NAME_SIZE], damaged[STORE_NAME_SIZE];

        store_name(name, generation, kind);
        store_name_damaged(damaged, generation, kind);
        (void)!linkat(recovery->folder_fd, name, recovery->folder_fd, damaged, 0);
}

/* -EBADMSG: not the file that its name says. */
static int open_file(struct recovery *recovery, const struct store_file *file,
                     struct store_reader *ret)
{
        char name[STORE_NAME_SIZE];
        int fd, r;

        store_name(name, file->generation, file->kind);
        /* O_NONBLOCK: whatever lies there, nobody waits for it. */
        fd = openat(recovery->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        r = store_reader_init(ret, fd < 0 ? -errno : fd);
        if (r == -EPROTONOSUPPORT)
                report(recovery, true, "%s is of version %" PRIu32 ", which is not known here",
                       name, ret->header.version);
        if (r == 0 &&
            (ret->header.kind != file->kind || ret->header.generation != file->generation))
                return -EBADMSG;
        return r;
}

static int replay(struct recovery *recovery, const struct store_reader *reader,
                  const struct store_record *record)
{
        int r = recovery->owner->replay(recovery->owner->owner, record, reader->header.schema,
                                        reader->header.kind == STORE_IMAGE);

        /* Here it would mean that the file is damaged. */
        return r == -EBADMSG ? -EINVAL : r;
}

/* --- the image --- */

static void end_image(struct recovery *recovery, const struct store_file *file,
                      const struct store_record *end, uint64_t records, bool broken)
{
        uint64_t written = 0;
        bool whole = end && end->count == 8;

        if (whole) {
                written = get_u64(end->bytes);
                recovery->image_last = end->sequence;
        }
        if (whole && !broken && written == records)
                return;
        keep_copy(recovery, file->generation, STORE_IMAGE);
        if (whole)
                report(recovery, true,
                       "the image %016" PRIx64 ".snapshot is damaged: %" PRIu64 " of its %" PRIu64
                       " records are lost",
                       file->generation, written > records ? written - records : 0, written);
        else
                report(recovery, true,
                       "the image %016" PRIx64 ".snapshot is damaged: all after %" PRIu64
                       " records is lost",
                       file->generation, records);
}

static int replay_image(struct recovery *recovery, const struct store_file *file,
                        struct store_reader *reader)
{
        struct store_record record;
        uint64_t records = 0;
        bool broken = false;
        int r;

        for (;;) {
                r = store_reader_next(reader, &record);
                if (r == -EBADMSG) {
                        broken = true;
                        r = store_reader_search(reader, reader->header.first - 1, &record);
                }
                if (r < 0)
                        return r;
                if (r == STORE_READER_END || record.type == STORE_TYPE_END)
                        break;
                if (record.type > STORE_TYPE_MAX)
                        continue;
                records++;
                r = replay(recovery, reader, &record);
                if (r < 0)
                        return r;
        }
        end_image(recovery, file, r == STORE_READER_RECORD ? &record : NULL, records, broken);
        return 0;
}

static int try_image(struct recovery *recovery, const struct store_file *file)
{
        struct store_reader reader;
        int r = open_file(recovery, file, &reader);

        if (r == 0) {
                recovery->base = file->generation;
                recovery->expected = reader.header.first;
                recovery->result->image_bytes = reader.size;
                r = replay_image(recovery, file, &reader);
        }
        store_reader_done(&reader);
        return r;
}

/* From the newest; an older one is there when a kill came between placing and removing. */
static int find_image(struct recovery *recovery, const struct store_listing *listing)
{
        uint64_t newest = 0;

        for (size_t i = listing->count; i-- > 0;) {
                const struct store_file *file = &listing->files[i];
                int r;

                if (file->kind != STORE_IMAGE || file->state == STORE_NAME_PARTIAL)
                        continue;
                if (file->state == STORE_NAME_WHOLE) {
                        r = try_image(recovery, file);
                        if (r != -EBADMSG)
                                return r;
                        report(recovery, true,
                               "the image %016" PRIx64 ".snapshot is damaged as a whole",
                               file->generation);
                        set_aside(recovery, file->generation, STORE_IMAGE);
                }
                /* Or a recovery that did not come to its end has set it aside. */
                if (newest == 0)
                        newest = file->generation;
        }
        /* What was changed since then is still something. */
        recovery->result->renew = newest > 0;
        recovery->base = newest;
        recovery->expected = newest > 0 ? 0 : 1;
        return 0;
}

/* --- the changes since --- */

static int replay_segment(struct recovery *recovery, struct store_reader *reader)
{
        struct store_record record;
        int r;

        while ((r = store_reader_next(reader, &record)) == STORE_READER_RECORD) {
                if (record.type == STORE_TYPE_MARK)
                        continue;
                if (record.type > STORE_TYPE_MAX || record.sequence != recovery->expected)
                        return -EBADMSG;
                r = replay(recovery, reader, &record);
                if (r < 0)
                        return r;
                recovery->expected++;
        }
        return r;
}

static void drop_tail(struct recovery *recovery)
{
        if (recovery->has_tail)
                store_reader_done(&recovery->tail);
        recovery->has_tail = false;
}

/* What is left out behind the end of the last segment, and was it promised? */
static int judge_tail(struct recovery *recovery)
{
        struct store_reader *tail = &recovery->tail;
        uint64_t generation = tail->header.generation;
        uint64_t at = store_reader_offset(tail), records = 0, promised = 0;
        struct store_record record;
        int r;

        while ((r = store_reader_search(tail, recovery->expected, &record)) == STORE_READER_RECORD)
                do {
                        if (record.type != STORE_TYPE_MARK)
                                records++;
                        else if (record.sequence > promised)
                                promised = record.sequence;
                } while ((r = store_reader_next(tail, &record)) == STORE_READER_RECORD);
        if (r < 0 && r != -EBADMSG)
                return r;
        if (promised >= recovery->expected || tail->error < 0) {
                keep_copy(recovery, generation, STORE_SEGMENT);
                report(recovery, true,
                       "%016" PRIx64 ".log is damaged at byte %" PRIu64
                       "%s%s: the changes from %" PRIu64 " on are lost, of which %" PRIu64
                       " were read",
                       generation, at, tail->error < 0 ? ": " : "",
                       tail->error < 0 ? strerror(-tail->error) : "", recovery->expected, records);
        } else {
                report(recovery, false,
                       "the end of %016" PRIx64 ".log was not on the disk yet: %" PRIu64
                       " bytes, with %" PRIu64 " whole records, are left out",
                       generation, tail->size - at, records);
        }
        return 0;
}

/* A segment that goes on from what there is, one that does not count, or the end. */
static int follow(struct recovery *recovery, const struct store_file *file,
                  struct store_reader *reader)
{
        const struct store_header *header = &reader->header;

        if (header->fresh && header->generation != recovery->base) {
                char name[STORE_NAME_SIZE];

                report(recovery, false,
                       "%016" PRIx64 ".log was begun after a failure, and its image never came to "
                       "be: left out",
                       file->generation);
                store_name(name, file->generation, STORE_SEGMENT);
                (void)unlinkat(recovery->folder_fd, name, 0);
                return 0;
        }
        if (recovery->expected == 0)
                recovery->expected = header->first;
        if (header->first != recovery->expected) {
                report(recovery, true,
                       "the changes from %" PRIu64 " to %" PRIu64 " are lost, and all after them",
                       recovery->expected, header->first - 1);
                recovery->stopped = true;
                if (recovery->has_tail)
                        keep_copy(recovery, recovery->tail.header.generation, STORE_SEGMENT);
                set_aside(recovery, file->generation, STORE_SEGMENT);
                return 0;
        }
        /* What the one before ended with was left out when this one was begun. */
        drop_tail(recovery);
        recovery->result->segment_bytes += reader->size;
        recovery->result->segments++;
        return replay_segment(recovery, reader);
}

/* A segment is used only after its header is on the disk. */
static void report_header(struct recovery *recovery, const struct store_file *file,
                          const struct store_reader *reader)
{
        if (reader->size <= STORE_HEADER && reader->error == 0)
                return;
        report(recovery, true, "%016" PRIx64 ".log is damaged as a whole: %" PRIu64 " bytes",
               file->generation, reader->size);
        set_aside(recovery, file->generation, STORE_SEGMENT);
}

static int try_segment(struct recovery *recovery, const struct store_file *file)
{
        struct store_reader reader;
        int r = open_file(recovery, file, &reader);

        if (r == -EBADMSG) {
                report_header(recovery, file, &reader);
                r = 0;
        } else if (r == 0) {
                r = follow(recovery, file, &reader);
                /* It may be there only because nobody cut the power. */
                if ((r == 0 || r == -EBADMSG) && fdatasync(reader.fd) < 0)
                        recovery->result->renew = true;
                if (r == -EBADMSG) {
                        recovery->tail = reader;
                        recovery->has_tail = true;
                        return 0;
                }
        }
        store_reader_done(&reader);
        return r;
}

static int replay_segments(struct recovery *recovery, const struct store_listing *listing)
{
        for (size_t i = 0; i < listing->count; i++) {
                const struct store_file *file = &listing->files[i];
                int r = 0;

                if (file->state != STORE_NAME_WHOLE || file->kind != STORE_SEGMENT ||
                    file->generation < recovery->base)
                        continue;
                if (recovery->stopped)
                        set_aside(recovery, file->generation, STORE_SEGMENT);
                else
                        r = try_segment(recovery, file);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- both --- */

/* What earlier damage left, and no longer belongs to what there is. */
static void remove_old_damage(struct recovery *recovery, const struct store_listing *listing)
{
        char name[STORE_NAME_SIZE];

        for (size_t i = 0; i < listing->count; i++) {
                const struct store_file *file = &listing->files[i];

                if (file->state != STORE_NAME_DAMAGED || file->generation >= recovery->base)
                        continue;
                store_name_damaged(name, file->generation, file->kind);
                (void)unlinkat(recovery->folder_fd, name, 0);
        }
}

static int recover(struct recovery *recovery, const struct store_listing *listing)
{
        int r = find_image(recovery, listing);

        if (r == 0)
                r = replay_segments(recovery, listing);
        if (r == 0 && recovery->has_tail && !recovery->stopped)
                r = judge_tail(recovery);
        if (r < 0)
                return r;
        if (recovery->expected == 0)
                recovery->expected = 1;
        if (recovery->image_last >= recovery->expected) {
                report(recovery, true,
                       "the changes from %" PRIu64 " to %" PRIu64 " are lost in part",
                       recovery->expected, recovery->image_last);
                recovery->expected = recovery->image_last + 1;
        }
        recovery->result->sequence = recovery->expected - 1;
        if (recovery->result->renew)
                remove_old_damage(recovery, listing);
        /* What was damaged is not thrown away before there is something better. */
        store_folder_clean(recovery->folder_fd, recovery->result->renew ? 0 : recovery->base);
        return 0;
}

int store_recover(int folder_fd, const struct store_log_owner *owner, struct store_recovery *ret)
{
        struct store_recovery result = {.generation = 1};
        struct recovery recovery = {
                .folder_fd = folder_fd,
                .owner = owner,
                .result = &result,
        };
        struct store_listing listing;
        int r = store_listing_init(&listing, folder_fd);

        if (r == 0 && listing.count > 0)
                result.generation = listing.files[listing.count - 1].generation + 1;
        if (r == 0)
                r = recover(&recovery, &listing);
        drop_tail(&recovery);
        store_listing_done(&listing);
        if (r < 0)
                return r;
        /* A name that is not on the disk yet goes with all that stands behind it. */
        if (fsync(folder_fd) < 0)
                result.renew = true;
        *ret = result;
        return 0;
}
