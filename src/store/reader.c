#include "store/reader.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_AHEAD = 64 << 10, SEARCH_FACTOR = 8 };

static const uint8_t *window(const struct store_reader *reader)
{
        return (const uint8_t *)buffer_data(&reader->window);
}

static uint64_t left_of(const struct store_reader *reader)
{
        return reader->size - reader->offset;
}

static void consume(struct store_reader *reader, size_t count)
{
        buffer_consume(&reader->window, count);
        reader->offset += count;
}

/* -EBADMSG: the file has not so many bytes left, or the disk does not give them. */
static int fill(struct store_reader *reader, uint64_t count)
{
        if (count > left_of(reader))
                return -EBADMSG;
        while (buffer_length(&reader->window) < count) {
                size_t missing = (size_t)count - buffer_length(&reader->window);
                ssize_t got;
                int r = buffer_reserve(&reader->window, missing);

                /* More than the one record, when that costs no more memory than planned. */
                if (r == 0 && missing < READ_AHEAD)
                        r = buffer_reserve(&reader->window, READ_AHEAD);
                if (r < 0)
                        return r == -EMSGSIZE ? -EBADMSG : r;
                if (reader->error < 0)
                        return -EBADMSG;
                got = read(reader->fd,
                           buffer_data(&reader->window) + buffer_length(&reader->window),
                           missing < READ_AHEAD ? READ_AHEAD : missing);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0) {
                        /* It has become shorter, or is a piece of a broken disk. */
                        reader->error = got < 0 ? -errno : -EIO;
                        return -EBADMSG;
                }
                buffer_commit(&reader->window, (size_t)got);
        }
        return 0;
}

int store_reader_init(struct store_reader *reader, int fd)
{
        struct stat status;
        int r;

        memset(reader, 0, sizeof(*reader));
        buffer_init(&reader->window, STORE_RECORD_MAX + STORE_RECORD_HEADER + READ_AHEAD);
        reader->fd = fd;
        if (fd < 0)
                return fd;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EBADMSG;
        reader->size = (uint64_t)status.st_size;
        r = fill(reader, STORE_HEADER);
        if (r == 0)
                r = store_header_decode(window(reader), &reader->header);
        if (r < 0)
                return r;
        consume(reader, STORE_HEADER);
        reader->budget = left_of(reader) * SEARCH_FACTOR;
        return 0;
}

void store_reader_done(struct store_reader *reader)
{
        buffer_done(&reader->window);
        if (reader->fd >= 0)
                close(TAKE_FD(reader->fd));
}

uint64_t store_reader_offset(const struct store_reader *reader)
{
        return reader->offset + reader->consumed;
}

int store_reader_next(struct store_reader *reader, struct store_record *ret)
{
        struct store_record record;
        int r;

        consume(reader, reader->consumed);
        reader->consumed = 0;
        if (left_of(reader) == 0)
                return STORE_READER_END;
        r = fill(reader, STORE_RECORD_HEADER);
        if (r < 0)
                return r;
        store_record_peek(window(reader), &record);
        if (record.count > STORE_RECORD_MAX)
                return -EBADMSG;
        r = fill(reader, (uint64_t)STORE_RECORD_HEADER + record.count);
        if (r == 0)
                r = store_record_check(window(reader), reader->header.seed);
        if (r < 0)
                return r;
        store_record_peek(window(reader), ret);
        reader->consumed = (size_t)STORE_RECORD_HEADER + record.count;
        return STORE_READER_RECORD;
}

/* Is it worth a sum? */
static bool is_plausible(const struct store_reader *reader, uint64_t least)
{
        /* In a segment each record has a sequence of its own; in an image any later one. */
        uint64_t most = reader->header.kind == STORE_SEGMENT ? reader->size : STORE_SEQUENCE_MAX;
        struct store_record record;

        store_record_peek(window(reader), &record);
        return record.count <= left_of(reader) - STORE_RECORD_HEADER &&
               record.count <= STORE_RECORD_MAX &&
               (record.type <= STORE_TYPE_MAX || record.type >= STORE_TYPE_END) &&
               record.sequence >= least && record.sequence - least <= most;
}

int store_reader_search(struct store_reader *reader, uint64_t least, struct store_record *ret)
{
        consume(reader, reader->consumed);
        reader->consumed = 0;
        while (left_of(reader) > STORE_RECORD_HEADER) {
                struct store_record record;
                int r;

                consume(reader, 1);
                r = fill(reader, STORE_RECORD_HEADER);
                if (r == -EBADMSG)
                        return STORE_READER_END;
                if (r < 0)
                        return r;
                if (!is_plausible(reader, least))
                        continue;
                store_record_peek(window(reader), &record);
                if (record.count + STORE_RECORD_HEADER > reader->budget)
                        return STORE_READER_END;
                reader->budget -= record.count + STORE_RECORD_HEADER;
                r = store_reader_next(reader, ret);
                if (r != -EBADMSG)
                        return r;
        }
        return STORE_READER_END;
}
