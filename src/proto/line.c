#include "proto/line.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Where the newline of a line of `max` bytes can stand at the latest, plus one:
 * behind the text and a carriage return. */
static size_t line_window(size_t max)
{
        return max < SIZE_MAX - 2 ? max + 2 : SIZE_MAX;
}

static int line_take(const char *bytes, size_t end, size_t max, struct line *ret)
{
        size_t length = end;

        if (length > 0 && bytes[length - 1] == '\r')
                length--;
        if (length > max)
                return -EMSGSIZE;
        *ret = (struct line){.text = bytes, .length = length, .consumed = end + 1};
        return LINE_FOUND;
}

/* Without an end so far: can it still become a line of `max` bytes? */
static int line_wait(const char *bytes, size_t count, size_t max)
{
        if (count <= max || (count == max + 1 && bytes[max] == '\r'))
                return LINE_NEED_MORE;
        return -EMSGSIZE;
}

int line_next(struct line_framer *framer, const char *bytes, size_t count, size_t max,
              struct line *ret)
{
        size_t window = line_window(max) < count ? line_window(max) : count;
        size_t scanned = framer->scanned;
        const char *newline = NULL;

        if (scanned < window)
                newline = memchr(bytes + scanned, '\n', window - scanned);
        if (newline) {
                framer->scanned = 0;
                return line_take(bytes, (size_t)(newline - bytes), max, ret);
        }
        framer->scanned = count;
        return line_wait(bytes, count, max);
}

bool line_is_blank(const struct line *line)
{
        for (size_t i = 0; i < line->length; i++)
                if (line->text[i] != ' ' && line->text[i] != '\t')
                        return false;
        return true;
}
