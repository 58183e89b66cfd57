#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum {
        LINE_LENGTH_MAX = 2048, /* below PIPE_BUF: a line is never mixed with another's */
        BURST_LINES = 500,
        LINES_PER_S = 100,
};

struct log {
        char *path; /* NULL: standard error */
        int fd;
        enum log_level threshold;
        bool journal;    /* a journal stream: priorities, no times */
        bool may_block;  /* not a plain file */
        bool torn;       /* half a line stands at the end */
        uint64_t credit; /* lines that may pass, in nanoseconds of their allowance */
        uint64_t credited_ns;
        uint64_t held_back, unwritten; /* since they were last reported */
        uint64_t lost;
        uint64_t (*now_ns)(void);
};

static const uint64_t line_ns = 1000000000 / LINES_PER_S;

static const struct {
        const char *name;
        int priority; /* syslog(3) */
} levels[] = {
        [LOG_LEVEL_ERROR] = {"error", 3},
        [LOG_LEVEL_WARNING] = {"warning", 4},
        [LOG_LEVEL_INFO] = {"info", 6},
        [LOG_LEVEL_DEBUG] = {"debug", 7},
};

/* systemd.exec(5): $JOURNAL_STREAM is "device:inode" of the stream it gave us.
 * Somebody may have redirected standard error since: only if it is still that. */
static bool is_journal(const struct stat *status)
{
        const char *stream = getenv("JOURNAL_STREAM");
        uint64_t device, inode;
        char end;

        return stream && sscanf(stream, "%" SCNu64 ":%" SCNu64 "%c", &device, &inode, &end) == 2 &&
               device == (uint64_t)status->st_dev && inode == (uint64_t)status->st_ino;
}

static int open_file(const char *path)
{
        /* O_NONBLOCK: neither a FIFO nor a terminal may hold us up. */
        int fd =
                open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

        return fd < 0 ? -errno : fd;
}

int log_new(const char *path, enum log_level threshold, struct log **ret)
{
        AUTO(log) struct log *log = calloc(1, sizeof(*log));
        struct stat status;

        if (!log)
                return -ENOMEM;
        log->fd = STDERR_FILENO;
        log->threshold = threshold;
        log->may_block = true;
        log->now_ns = clock_monotonic_ns;
        log->credit = BURST_LINES * line_ns;
        log->credited_ns = log->now_ns();
        if (path) {
                log->path = strdup(path);
                if (!log->path)
                        return -ENOMEM;
                log->fd = open_file(path);
                if (log->fd < 0)
                        return log->fd;
        }
        if (fstat(log->fd, &status) == 0) {
                log->may_block = !S_ISREG(status.st_mode);
                log->journal = !path && is_journal(&status);
        }
        *ret = TAKE(log);
        return 0;
}

struct log *log_free(struct log *log)
{
        if (!log)
                return NULL;
        if (log->path && log->fd >= 0)
                close(log->fd);
        free(log->path);
        free(log);
        return NULL;
}

int log_reopen(struct log *log)
{
        struct stat status;
        int fd;

        if (!log->path)
                return 0;
        fd = open_file(log->path);
        if (fd < 0)
                return fd;
        close(log->fd);
        log->fd = fd;
        log->torn = false;
        log->may_block = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode);
        return 0;
}

void log_set_clock(struct log *log, uint64_t (*now_ns)(void))
{
        log->now_ns = now_ns;
        log->credited_ns = now_ns();
}

bool log_enabled(const struct log *log, enum log_level level)
{
        return level <= log->threshold;
}

uint64_t log_lines_lost(const struct log *log)
{
        return log->lost;
}

/* U+0080 to U+009F are controls, U+2028 and U+2029 end lines, U+202A to U+202E
 * and U+2066 to U+2069 turn the direction of what is shown around. */
static bool hides(const unsigned char *c, size_t length)
{
        if (length == 2)
                return c[0] == 0xC2 && c[1] < 0xA0;
        if (length != 3 || c[0] != 0xE2)
                return false;
        return (c[1] == 0x80 && c[2] >= 0xA8 && c[2] <= 0xAE) ||
               (c[1] == 0x81 && c[2] >= 0xA6 && c[2] <= 0xA9);
}

/* Invalid UTF-8 goes too: the journal would show such a line as a blob. */
static void make_harmless(char *text, size_t length)
{
        for (size_t at = 0, step; at < length; at += step) {
                unsigned char c = (unsigned char)text[at];

                step = 1;
                if (c >= 0x80) {
                        step = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
                        if (step > length - at || utf8_valid_prefix(text + at, step) != step)
                                step = 1;
                        if (step > 1 && !hides((unsigned char *)text + at, step))
                                continue;
                        memset(text + at, '?', step);
                } else if (c < 0x20 || c == 0x7F) {
                        text[at] = '?';
                }
        }
}

static size_t write_head(const struct log *log, enum log_level level, char *text, size_t size)
{
        int64_t now_ns = clock_realtime_ns();
        time_t now_s = (time_t)(now_ns / 1000000000);
        struct tm utc = {0};

        if (log->journal)
                return (size_t)snprintf(text, size, "<%d>", levels[level].priority);
        gmtime_r(&now_s, &utc);
        return (size_t)snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ %s ",
                                utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                                utc.tm_min, utc.tm_sec, (int)(now_ns / 1000000 % 1000),
                                levels[level].name);
}

/* One write(2), or none when it would have to wait. */
static bool put(struct log *log, const char *line, size_t length)
{
        struct pollfd writable = {.fd = log->fd, .events = POLLOUT};
        ssize_t written;

        if (log->may_block && (poll(&writable, 1, 0) != 1 || !(writable.revents & POLLOUT)))
                return false;
        do
                written = write(log->fd, line, length);
        while (written < 0 && errno == EINTR);
        if (written > 0)
                log->torn = (size_t)written < length;
        return written == (ssize_t)length;
}

static bool PRINTF_LIKE(4, 0) write_line(struct log *log, enum log_level level, const char *area,
                                         const char *format, va_list arguments)
{
        char line[LINE_LENGTH_MAX];
        const size_t size = sizeof(line) - 1; /* the newline's place is kept */
        size_t length = 0, head;
        int more;

        if (log->torn)
                line[length++] = '\n';
        length += write_head(log, level, line + length, size - length);
        head = length;
        more = snprintf(line + length, size - length, "%s: ", area);
        length += more < 0 ? 0 : (size_t)more;
        if (length < size) {
                more = vsnprintf(line + length, size - length, format, arguments);
                length += more < 0 ? 0 : (size_t)more;
        }
        if (length >= size) {
                length = size - 1;
                memcpy(line + length - 3, "...", 3);
        }
        make_harmless(line + head, length - head);
        line[length++] = '\n';
        return put(log, line, length);
}

static bool PRINTF_LIKE(4, 5) write_formatted(struct log *log, enum log_level level,
                                              const char *area, const char *format, ...)
{
        va_list arguments;
        bool written;

        va_start(arguments, format);
        written = write_line(log, level, area, format, arguments);
        va_end(arguments);
        return written;
}

static bool pass_rate_limit(struct log *log, enum log_level level)
{
        uint64_t now_ns = log->now_ns();

        log->credit += now_ns - log->credited_ns;
        log->credited_ns = now_ns;
        if (log->credit > BURST_LINES * line_ns)
                log->credit = BURST_LINES * line_ns;
        if (level == LOG_LEVEL_ERROR)
                return true;
        if (log->credit < line_ns)
                return false;
        log->credit -= line_ns;
        return true;
}

static bool report_losses(struct log *log)
{
        if (log->held_back == 0 && log->unwritten == 0)
                return true;
        if (!write_formatted(log, LOG_LEVEL_WARNING, "log",
                             "lines left out too_many=%" PRIu64 " not_writable=%" PRIu64,
                             log->held_back, log->unwritten))
                return false;
        log->held_back = log->unwritten = 0;
        return true;
}

void log_write(struct log *log, enum log_level level, const char *area, const char *format, ...)
{
        va_list arguments;
        bool written = false;

        if (!log_enabled(log, level))
                return;
        if (!pass_rate_limit(log, level)) {
                log->held_back++;
                log->lost++;
                return;
        }
        if (report_losses(log)) {
                va_start(arguments, format);
                written = write_line(log, level, area, format, arguments);
                va_end(arguments);
        }
        if (!written) {
                log->unwritten++;
                log->lost++;
        }
}
