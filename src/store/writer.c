#include "store/writer.h"

#include "base/cleanup.h"
#include "base/write-all.h"
#include "store/folder.h"
#include "store/little-endian.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

void store_writer_init(struct store_writer *writer, int folder_fd, uint32_t schema,
                       uint64_t generation, uint64_t written)
{
        *writer = (struct store_writer){
                .folder_fd = folder_fd,
                .schema = schema,
                .generation = generation,
                .fd = -1,
                .written = written,
                .synced = written,
                .marked = written,
                .image_fd = -1,
        };
}

static void forget_segment(struct store_writer *writer)
{
        if (writer->fd >= 0)
                close(TAKE_FD(writer->fd));
        writer->length = 0;
        writer->torn = false;
}

void store_writer_done(struct store_writer *writer)
{
        store_writer_drop_image(writer);
        forget_segment(writer);
}

/* Whatever has the name is what an attempt of ours left that failed: generations only grow. */
static int open_fresh(int folder_fd, const char *name)
{
        /* O_APPEND: what is truncated after a short write is where the next one begins. */
        const int flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
        int fd = openat(folder_fd, name, flags, 0600);

        if (fd < 0 && errno == EEXIST && unlinkat(folder_fd, name, 0) == 0)
                fd = openat(folder_fd, name, flags, 0600);
        return fd < 0 ? -errno : fd;
}

/* Makes a file that begins with its header. */
static int make_file(struct store_writer *writer, const char *name, enum store_kind kind,
                     uint32_t *ret_seed)
{
        uint8_t bytes[STORE_HEADER];
        struct store_header header = {
                .schema = writer->schema,
                .kind = kind,
                .fresh = kind == STORE_SEGMENT && writer->fresh,
                .generation = writer->generation,
                .first = writer->written + 1,
        };
        AUTO_CLOSE int fd = -1;
        int r;

        if (getrandom(&header.salt, sizeof(header.salt), 0) != sizeof(header.salt))
                return -EIO;
        fd = open_fresh(writer->folder_fd, name);
        if (fd < 0)
                return fd;
        store_header_encode(&header, bytes);
        r = write_all(fd, bytes, sizeof(bytes));
        if (r < 0) {
                (void)unlinkat(writer->folder_fd, name, 0);
                return r;
        }
        writer->bytes += sizeof(bytes);
        *ret_seed = header.seed;
        return TAKE_FD(fd);
}

/* A header that is broken is then never one of records that were promised. */
static int open_segment(struct store_writer *writer)
{
        char name[STORE_NAME_SIZE];
        int fd;

        store_name(name, writer->generation, STORE_SEGMENT);
        fd = make_file(writer, name, STORE_SEGMENT, &writer->seed);
        if (fd < 0)
                return fd;
        if (fdatasync(fd) < 0 || fsync(writer->folder_fd) < 0) {
                int r = -errno;

                close(fd);
                (void)unlinkat(writer->folder_fd, name, 0);
                return r;
        }
        writer->fd = fd;
        writer->length = STORE_HEADER;
        return 0;
}

/* Back to what is whole: a part of a group must not stand before the same group. */
static int cut_torn(struct store_writer *writer)
{
        if (!writer->torn)
                return 0;
        if (ftruncate(writer->fd, (off_t)writer->length) < 0)
                return -errno;
        writer->torn = false;
        return 0;
}

static int prepare_segment(struct store_writer *writer)
{
        int r = writer->fd < 0 ? open_segment(writer) : cut_torn(writer);

        if (r < 0)
                store_writer_drop_image(writer);
        return r;
}

int store_writer_append(struct store_writer *writer, uint8_t *bytes, size_t count)
{
        uint8_t *from = bytes + STORE_RECORD_HEADER;
        size_t length;
        uint64_t last = writer->written;
        int r;

        assert(count >= STORE_RECORD_HEADER);
        if (writer->broken)
                return -EIO;
        r = prepare_segment(writer);
        if (r < 0)
                return r;
        for (size_t at = STORE_RECORD_HEADER; at < count; last++)
                at += store_record_seal(bytes + at, writer->seed);
        if (writer->synced > writer->marked) {
                store_record_begin(bytes, STORE_TYPE_MARK, writer->synced, 0);
                store_record_seal(bytes, writer->seed);
                from = bytes;
        }
        length = count - (size_t)(from - bytes);
        r = write_all(writer->fd, from, length);
        if (r < 0) {
                writer->torn = true;
                (void)cut_torn(writer); /* or before the next */
                store_writer_drop_image(writer);
                return r;
        }
        if (from == bytes)
                writer->marked = writer->synced;
        writer->length += length;
        writer->bytes += length;
        writer->written = last;
        return 0;
}

int store_writer_sync(struct store_writer *writer)
{
        if (writer->broken)
                return -EIO;
        if (writer->synced == writer->written)
                return 0;
        if (writer->fd < 0 || fdatasync(writer->fd) < 0) {
                int r = writer->fd < 0 ? -EIO : -errno;

                writer->broken = true;
                store_writer_drop_image(writer);
                return r;
        }
        writer->synced = writer->written;
        return 0;
}

static int open_image(struct store_writer *writer)
{
        char name[STORE_NAME_SIZE];
        int fd;

        store_name_partial(name, writer->generation);
        fd = make_file(writer, name, STORE_IMAGE, &writer->image_seed);
        if (fd < 0)
                return fd;
        writer->image_fd = fd;
        writer->image_generation = writer->generation;
        writer->image_length = STORE_HEADER;
        writer->image_records = 0;
        return 0;
}

int store_writer_begin_image(struct store_writer *writer)
{
        int r;

        store_writer_drop_image(writer);
        r = cut_torn(writer);
        if (r == 0)
                r = store_writer_sync(writer);
        if (r < 0)
                return r;
        forget_segment(writer);
        writer->generation++;
        writer->fresh = false;
        return open_image(writer);
}

int store_writer_begin_afresh(struct store_writer *writer, uint64_t written)
{
        store_writer_drop_image(writer);
        forget_segment(writer);
        writer->generation++;
        writer->fresh = true;
        writer->broken = false;
        writer->written = written;
        writer->synced = written;
        writer->marked = written;
        return open_image(writer);
}

/* Each piece is synced by itself: at the end nobody waits behind the whole image. */
static int write_image(struct store_writer *writer, const uint8_t *bytes, size_t count)
{
        int r = write_all(writer->image_fd, bytes, count);

        if (r == 0 && fdatasync(writer->image_fd) < 0)
                r = -errno;
        if (r < 0) {
                store_writer_drop_image(writer);
                return r;
        }
        writer->image_length += count;
        writer->bytes += count;
        return 0;
}

int store_writer_add_image(struct store_writer *writer, uint8_t *bytes, size_t count)
{
        if (writer->image_fd < 0)
                return -EIO;
        for (size_t at = 0; at < count; writer->image_records++)
                at += store_record_seal(bytes + at, writer->image_seed);
        return write_image(writer, bytes, count);
}

static int place_image(struct store_writer *writer)
{
        char partial[STORE_NAME_SIZE], name[STORE_NAME_SIZE];

        store_name_partial(partial, writer->image_generation);
        store_name(name, writer->image_generation, STORE_IMAGE);
        if (renameat(writer->folder_fd, partial, writer->folder_fd, name) < 0)
                return -errno;
        if (fsync(writer->folder_fd) < 0)
                return -errno;
        return 0;
}

int store_writer_end_image(struct store_writer *writer, uint64_t last)
{
        uint8_t end[STORE_RECORD_HEADER + 8];
        int r;

        if (writer->image_fd < 0)
                return -EIO;
        assert(last <= writer->written);
        store_record_begin(end, STORE_TYPE_END, last, 8);
        put_u64(end + STORE_RECORD_HEADER, writer->image_records);
        store_record_seal(end, writer->image_seed);
        r = write_image(writer, end, sizeof(end));
        /* Some of its records know of changes that others do not: those changes must be there. */
        if (r == 0)
                r = store_writer_sync(writer);
        if (r < 0)
                return r;
        r = place_image(writer);
        if (r < 0) {
                store_writer_drop_image(writer);
                return r;
        }
        close(TAKE_FD(writer->image_fd));
        store_folder_clean(writer->folder_fd, writer->image_generation);
        return 0;
}

void store_writer_drop_image(struct store_writer *writer)
{
        char name[STORE_NAME_SIZE];

        if (writer->image_fd < 0)
                return;
        store_name_partial(name, writer->image_generation);
        close(TAKE_FD(writer->image_fd));
        (void)unlinkat(writer->folder_fd, name, 0);
}
