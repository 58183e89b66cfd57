/* base/log.h - one line for each thing a daemon decides: `area: event key=value`.
 *
 * Only daemons log; library rooms return errors. A line goes to standard error
 * (with the <N> priority that systemd's journal understands when it is a
 * journal stream, else with the time, in UTC, and the level's name) or to a file
 * that is opened for appending. One line is one write(2), cut at 2 KiB.
 *
 * What could forge or hide a line (control characters, invalid UTF-8, marks that
 * turn the direction of writing) leaves as '?'.
 * Nobody can make us log without limit: below `error`, a burst of 500 lines and
 * then 100 a second pass, and the next line says how many were left out. A
 * line that cannot be written (disk full) is counted and reported likewise; the
 * caller is never held up and never sees an error.
 *
 * Not thread-safe by itself: one log belongs to one thread. */
#pragma once

#include "base/attributes.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log;

/* `path` NULL: standard error. -errno of open(2); -ENOMEM. */
int log_new(const char *path, enum log_level threshold, struct log **ret);
struct log *log_free(struct log *log);
DEFINE_CLEANUP(log)

/* Closes and opens the file anew, for logrotate. On failure the old one stays. */
int log_reopen(struct log *log);
bool log_enabled(const struct log *log, enum log_level level);
/* Lines that were left out so far, by the rate limit or for want of disk. */
uint64_t log_lines_lost(const struct log *log);

/* For tests: what the rate limit goes by, in place of the monotonic clock. */
void log_set_clock(struct log *log, uint64_t (*now_ns)(void));

void log_write(struct log *log, enum log_level level, const char *area, const char *format, ...)
        PRINTF_LIKE(4, 5);

#define log_error(log, area, ...) log_write(log, LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warning(log, area, ...) log_write(log, LOG_LEVEL_WARNING, area, __VA_ARGS__)
#define log_info(log, area, ...) log_write(log, LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(log, area, ...)                                                                  \
        do {                                                                                       \
                if (log_enabled(log, LOG_LEVEL_DEBUG))                                             \
                        log_write(log, LOG_LEVEL_DEBUG, area, __VA_ARGS__);                        \
        } while (0)
