/* proto/line.h - newline-delimited framing: bytes to lines, each byte seen once.
 *
 * Pure: no sockets, no memory. The caller keeps the bytes of an unfinished line
 * and presents them again with more behind them; the framer remembers how far
 * it looked, so a line that comes byte by byte costs no more than one that
 * comes whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct line_framer {
        size_t scanned; /* bytes of the unfinished line already searched */
};

enum line_outcome {
        LINE_NEED_MORE = 0, /* no complete line in the bytes */
        LINE_FOUND = 1,
};

struct line {
        const char *text; /* without "\n" or "\r\n"; not terminated */
        size_t length;
        size_t consumed; /* bytes to take off the front, newline included */
};

/* Looks for the next line at the front of the bytes, which must begin where the
 * last call's left off (after its `consumed`). -EMSGSIZE: the line is longer
 * than `max` bytes, its newline not counted, or already is without an end;
 * the caller closes. */
int line_next(struct line_framer *framer, const char *bytes, size_t count, size_t max,
              struct line *ret);

/* Only spaces and tabs: such a line is ignored. */
bool line_is_blank(const struct line *line);
