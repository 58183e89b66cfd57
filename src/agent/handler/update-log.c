#include "agent/handler/update-log.h"

#include "agent/handler/folder.h"
#include "base/durable.h"
#include "base/write-all.h"
#include "data/json-writer.h"
#include "data/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "update.log"
#define PREVIOUS "update.log.1"
enum { DEPTH = 4, ORIGIN_MAX = 255, MESSAGE_MAX = 511, READ_MAX = HANDLER_LOG_BYTES_MAX + 65536 };

static void write_cut(struct json_writer *writer, const char *key, const char *text, size_t max)
{
        if (text)
                json_write_text(writer, key, text, strnlen(text, max));
}

static int encode(const struct handler_log_entry *entry, uint64_t seq, int64_t time_s,
                  struct buffer *out)
{
        struct json_writer writer;
        int r;

        json_writer_init(&writer, out);
        json_write_object(&writer, NULL);
        json_write_integer(&writer, "time", time_s);
        write_cut(&writer, "who", entry->origin.who, ORIGIN_MAX);
        write_cut(&writer, "from", entry->origin.from, ORIGIN_MAX);
        write_cut(&writer, "filename", entry->filename, ORIGIN_MAX);
        write_cut(&writer, "what", entry->what, ORIGIN_MAX);
        write_cut(&writer, "result", entry->result, ORIGIN_MAX);
        write_cut(&writer, "layer", entry->layer, ORIGIN_MAX);
        write_cut(&writer, "message", entry->message, MESSAGE_MAX);
        write_cut(&writer, "sha256", entry->sha256, HANDLER_SHA256_HEX);
        if (seq > 0)
                json_write_integer(&writer, "seq", (int64_t)seq);
        json_write_end(&writer);
        r = json_writer_error(&writer);
        return r < 0 ? r : buffer_append(out, "\n", 1);
}

/* 1: it is new, and its directory is to be synced. */
static int open_log(int directory_fd, int *ret)
{
        const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        int fd = openat(directory_fd, NAME, flags);
        int made = 0;

        if (fd < 0 && errno == ENOENT) {
                fd = openat(directory_fd, NAME, flags | O_CREAT | O_EXCL, 0600);
                made = 1;
        }
        if (fd < 0)
                return -errno;
        *ret = fd;
        return made;
}

/* Opens it with room for `count` more bytes. */
static int open_with_room(int directory_fd, size_t count, int *ret, off_t *ret_size)
{
        AUTO_CLOSE int fd = -1;
        struct stat status;
        int made = open_log(directory_fd, &fd);

        if (made < 0)
                return made;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;
        if (status.st_size > 0 &&
            (uint64_t)status.st_size + count > (uint64_t)HANDLER_LOG_BYTES_MAX) {
                if (renameat(directory_fd, NAME, directory_fd, PREVIOUS) < 0)
                        return -errno;
                close(TAKE_FD(fd));
                made = open_log(directory_fd, &fd);
                if (made < 0)
                        return made;
                status.st_size = 0;
        }
        if (made && fsync(directory_fd) < 0)
                return -errno;
        *ret = TAKE_FD(fd);
        *ret_size = status.st_size;
        return 0;
}

/* A line that a power cut tore must not swallow the next. */
static int end_torn_line(int fd, off_t size)
{
        char last = '\n';

        if (size > 0 && pread(fd, &last, 1, size - 1) < 0)
                return -errno;
        return last == '\n' ? 0 : write_all(fd, "\n", 1);
}

static int append_line(int directory_fd, const void *line, size_t count)
{
        AUTO_CLOSE int fd = -1;
        off_t size;
        int r = open_with_room(directory_fd, count, &fd, &size);

        if (r < 0)
                return r;
        r = end_torn_line(fd, size);
        if (r == 0)
                r = write_all(fd, line, count);
        if (r == 0 && fdatasync(fd) < 0)
                r = -errno;
        /* Also after a failed sync: the line could be read until the next start, and not
         * then. Whoever tries again writes it again. */
        if (r < 0 && ftruncate(fd, size) < 0)
                return r;
        return r;
}

int update_log_append(int directory_fd, const struct handler_log_entry *entry, uint64_t seq,
                      int64_t time_s)
{
        struct buffer line;
        int r;

        buffer_init(&line, UPDATE_LOG_LINE_MAX);
        r = encode(entry, seq, time_s, &line);
        if (r == 0)
                r = append_line(directory_fd, buffer_data(&line), buffer_length(&line));
        buffer_done(&line);
        return r;
}

/* NULL with a length of 0 when there is none, or none that can be read for good. */
static int read_one(int directory_fd, const char *name, char **ret, size_t *ret_count)
{
        int r = durable_read_own(directory_fd, name, READ_MAX, ret, ret_count);

        return r < 0 && !folder_is_damage(r) ? r : 0;
}

typedef int line_fn(void *owner, const cJSON *entry, const char *line, size_t count);

/* Gives the lines that are whole, oldest first. */
static int each_line(const char *text, size_t count, line_fn *each, void *owner)
{
        const char *end = text + count;
        int r = 0;

        while (r == 0 && text && text < end) {
                const char *newline = memchr(text, '\n', (size_t)(end - text));
                size_t length = (size_t)((newline ? newline : end) - text);
                AUTO_JSON cJSON *entry = NULL;

                if (newline && json_parse(text, length, DEPTH, &entry, NULL) == 0 &&
                    cJSON_IsObject(entry))
                        r = each(owner, entry, text, length);
                text = newline ? newline + 1 : end;
        }
        return r;
}

static int each_entry(int directory_fd, line_fn *each, void *owner, line_fn *last)
{
        AUTO_FREE char *older = NULL, *newer = NULL;
        size_t older_count = 0, newer_count = 0;
        int r = read_one(directory_fd, PREVIOUS, &older, &older_count);

        if (r == 0)
                r = read_one(directory_fd, NAME, &newer, &newer_count);
        if (r == 0)
                r = each_line(older, older_count, each, owner);
        if (r == 0)
                r = each_line(newer, newer_count, each, owner);
        /* While the texts are still there. */
        return r == 0 && last ? last(owner, NULL, NULL, 0) : r;
}

struct query {
        const char *filename;
        struct buffer *out;
        size_t limit, found; /* the ring holds the last min(limit, found) */
        struct line {
                const char *text;
                size_t count;
        } ring[HANDLER_LOG_LIMIT_MAX];
};

static int query_line(void *owner, const cJSON *entry, const char *line, size_t count)
{
        struct query *query = owner;
        const char *filename = json_get_string(entry, "filename");

        if (query->filename && (!filename || strcmp(filename, query->filename) != 0))
                return 0;
        query->ring[query->found++ % query->limit] = (struct line){line, count};
        return 0;
}

static int query_write(void *owner, const cJSON *entry, const char *text, size_t count)
{
        const struct query *query = owner;
        size_t first = query->found > query->limit ? query->found - query->limit : 0;
        struct json_writer writer;

        json_writer_init(&writer, query->out);
        json_write_array(&writer, NULL);
        for (size_t i = first; i < query->found; i++) {
                const struct line *line = &query->ring[i % query->limit];

                json_write_raw(&writer, NULL, line->text, line->count);
        }
        json_write_end(&writer);
        return json_writer_error(&writer);
}

int update_log_query(int directory_fd, const char *filename, size_t limit, struct buffer *out)
{
        AUTO_FREE struct query *query = NULL;
        size_t start = buffer_length(out);
        int r;

        if (limit < 1 || limit > HANDLER_LOG_LIMIT_MAX)
                return -EINVAL;
        query = calloc(1, sizeof(*query));
        if (!query)
                return -ENOMEM;
        query->filename = filename;
        query->limit = limit;
        query->out = out;
        r = each_entry(directory_fd, query_line, query, query_write);
        if (r < 0)
                buffer_truncate(out, start);
        return r;
}

struct seqs {
        update_log_seq_fn *each;
        void *owner;
};

static int seq_line(void *owner, const cJSON *entry, const char *line, size_t count)
{
        const struct seqs *seqs = owner;
        int64_t seq;

        if (json_get_integer(entry, "seq", &seq) && seq > 0)
                seqs->each(seqs->owner, (uint64_t)seq);
        return 0;
}

int update_log_each_seq(int directory_fd, update_log_seq_fn *each, void *owner)
{
        struct seqs seqs = {each, owner};

        return each_entry(directory_fd, seq_line, &seqs, NULL);
}
