/* Fuzzes line framing: bytes that come in pieces give the same lines as the whole.
 *
 * The input's first byte is the limit of a line, the second says how the rest is
 * cut. The reference looks at every byte in the simplest way there is. */
#include "fuzz/fuzz.h"
#include "proto/line.h"

#include <errno.h>
#include <string.h>

enum { INPUT_MAX = 64 << 10 };

/* The next line by the definition: up to a newline, less a carriage return. */
static int reference_next(const char *bytes, size_t count, size_t max, struct line *ret)
{
        for (size_t i = 0; i < count; i++) {
                size_t length = i > 0 && bytes[i] == '\n' && bytes[i - 1] == '\r' ? i - 1 : i;

                if (bytes[i] == '\n') {
                        *ret = (struct line){bytes, length, i + 1};
                        return length > max ? -EMSGSIZE : LINE_FOUND;
                }
        }
        /* Only a carriage return that a newline may follow is not of the line. */
        if (count > 0 && bytes[count - 1] == '\r')
                count--;
        return count > max ? -EMSGSIZE : LINE_NEED_MORE;
}

/* Presents the bytes in memory of exactly their size, so that a byte beyond is
 * found; sets ret->text to where the line stands in the original. */
static int next_exactly(struct line_framer *framer, const char *bytes, size_t count, size_t max,
                        struct line *ret)
{
        char *copy = malloc(count > 0 ? count : 1);
        int r;

        MUST(copy != NULL);
        if (count > 0)
                memcpy(copy, bytes, count);
        r = line_next(framer, copy, count, max, ret);
        if (r == LINE_FOUND) {
                MUST(ret->text == copy);
                MUST(ret->length < ret->consumed && ret->consumed <= count);
                ret->text = bytes;
        }
        free(copy);
        return r;
}

static size_t count_blanks(const struct line *line)
{
        size_t i = 0;

        while (i < line->length && (line->text[i] == ' ' || line->text[i] == '\t'))
                i++;
        return i;
}

static size_t next_piece(uint32_t *state, size_t left)
{
        size_t piece;

        *state = *state * 1664525 + 1013904223;
        piece = (*state >> 24) % 17 + 1;
        return piece < left ? piece : left;
}

/* Takes what lines there are in [*start, end); false: one was too long. */
static bool take_lines(struct line_framer *framer, const char *bytes, size_t *start, size_t end,
                       size_t count, size_t max)
{
        for (;;) {
                struct line line, expected;
                int r = next_exactly(framer, bytes + *start, end - *start, max, &line);

                if (r == LINE_NEED_MORE) {
                        MUST(framer->scanned == end - *start);
                        MUST(reference_next(bytes + *start, end - *start, max, &expected) == r);
                        return true;
                }
                /* Whatever comes behind does not change what was said. */
                MUST(reference_next(bytes + *start, count - *start, max, &expected) == r);
                if (r < 0)
                        return false;
                MUST(framer->scanned == 0);
                MUST(line.text == expected.text && line.length == expected.length &&
                     line.consumed == expected.consumed);
                MUST(line_is_blank(&line) == (count_blanks(&line) == line.length));
                *start += line.consumed;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count)
{
        struct line_framer framer = {0};
        const char *bytes = (const char *)input + 2;
        size_t start = 0, end = 0, max;
        uint32_t state;

        if (count < 2 || count > INPUT_MAX)
                return 0;
        max = input[0];
        state = input[1];
        count -= 2;
        while (end < count) {
                end += next_piece(&state, count - end);
                if (!take_lines(&framer, bytes, &start, end, count, max))
                        return 0;
        }
        return 0;
}
