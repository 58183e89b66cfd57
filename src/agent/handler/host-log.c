/* The ring holds records, one after the other: a header with time, stream and length,
 * then the text. A record may wrap around the end; reading copies it out. */
#include "agent/handler/host-log.h"

#include <errno.h>
#include <string.h>

struct record {
        int64_t wall_ns;
        uint16_t length;
        uint8_t stream;
};

struct host_log {
        size_t first, used; /* bytes of `ring` */
        size_t count;       /* records */
        uint64_t lost;
        char ring[HOST_LOG_BYTES];
};

static const char *const stream_names[] = {
        [HOST_LOG_OUTPUT] = "stdout", [HOST_LOG_ERROR] = "stderr", [HOST_LOG_AGENT] = "agent"};

int host_log_new(struct host_log **ret)
{
        struct host_log *log = calloc(1, sizeof(*log));

        if (!log)
                return -ENOMEM;
        *ret = log;
        return 0;
}

struct host_log *host_log_free(struct host_log *log)
{
        free(log);
        return NULL;
}

/* `offset` counts from the oldest byte. */
static void ring_copy_out(const struct host_log *log, size_t offset, void *to, size_t count)
{
        size_t at = (log->first + offset) % HOST_LOG_BYTES;
        size_t before_end = HOST_LOG_BYTES - at;

        if (before_end > count)
                before_end = count;
        memcpy(to, log->ring + at, before_end);
        memcpy((char *)to + before_end, log->ring, count - before_end);
}

static void ring_append(struct host_log *log, const void *from, size_t count)
{
        size_t at = (log->first + log->used) % HOST_LOG_BYTES;
        size_t before_end = HOST_LOG_BYTES - at;

        if (before_end > count)
                before_end = count;
        memcpy(log->ring + at, from, before_end);
        memcpy(log->ring, (const char *)from + before_end, count - before_end);
        log->used += count;
}

static void drop_oldest(struct host_log *log)
{
        struct record record;
        size_t size;

        ring_copy_out(log, 0, &record, sizeof(record));
        size = sizeof(record) + record.length;
        log->first = (log->first + size) % HOST_LOG_BYTES;
        log->used -= size;
        log->count--;
        log->lost++;
}

static void put_line(struct host_log *log, enum host_log_stream stream, const char *text,
                     size_t length, int64_t wall_ns)
{
        /* Padding is written too: no byte of it may be unknown. */
        struct record record;

        memset(&record, 0, sizeof(record));
        record.wall_ns = wall_ns;
        record.length = (uint16_t)length;
        record.stream = (uint8_t)stream;
        while (HOST_LOG_BYTES - log->used < sizeof(record) + length)
                drop_oldest(log);
        ring_append(log, &record, sizeof(record));
        ring_append(log, text, length);
        log->count++;
}

static void put_partial(struct host_log *log, struct host_log_partial *partial, int64_t wall_ns)
{
        size_t length = partial->length;

        if (length > 0 && partial->text[length - 1] == '\r')
                length--;
        put_line(log, partial->stream, partial->text, length, wall_ns);
        partial->length = 0;
        partial->cut = false;
}

void host_log_append(struct host_log *log, struct host_log_partial *partial, const char *bytes,
                     size_t count, int64_t wall_ns)
{
        while (count > 0) {
                const char *newline = memchr(bytes, '\n', count);
                size_t length = newline ? (size_t)(newline - bytes) : count;
                size_t room = sizeof(partial->text) - partial->length;
                size_t taken = length < room ? length : room;

                memcpy(partial->text + partial->length, bytes, taken);
                partial->length += taken;
                if (taken < length && !partial->cut) {
                        partial->cut = true;
                        log->lost++;
                }
                if (!newline)
                        return;
                put_partial(log, partial, wall_ns);
                bytes += length + 1;
                count -= length + 1;
        }
}

void host_log_finish(struct host_log *log, struct host_log_partial *partial, int64_t wall_ns)
{
        if (partial->length > 0)
                put_partial(log, partial, wall_ns);
        partial->cut = false;
}

void host_log_note(struct host_log *log, int64_t wall_ns, const char *text)
{
        size_t length = strlen(text);

        put_line(log, HOST_LOG_AGENT, text, length < HOST_LOG_LINE_MAX ? length : HOST_LOG_LINE_MAX,
                 wall_ns);
}

void host_log_write(const struct host_log *log, size_t lines, struct json_writer *writer)
{
        size_t skip = log->count > lines ? log->count - lines : 0, offset = 0;

        for (size_t i = 0; i < log->count; i++) {
                char text[HOST_LOG_LINE_MAX];
                struct record record;

                ring_copy_out(log, offset, &record, sizeof(record));
                offset += sizeof(record);
                if (i >= skip) {
                        ring_copy_out(log, offset, text, record.length);
                        json_write_object(writer, NULL);
                        json_write_double(writer, "time",
                                          (double)(record.wall_ns / 1000000) / 1000);
                        json_write_string(writer, "stream", stream_names[record.stream]);
                        json_write_text(writer, "text", text, record.length);
                        json_write_end(writer);
                }
                offset += record.length;
        }
}

uint64_t host_log_lost(const struct host_log *log)
{
        return log->lost;
}
