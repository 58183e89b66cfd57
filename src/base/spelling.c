#include "base/spelling.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { FAR = SPELLING_WORD_MAX * 2 };

static char fold(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned min(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* Edits between the two, or FAR as soon as they are known to be more than
 * `limit`: only the diagonal band that wide is ever looked at, since strangers
 * choose what is typed. Three rows of the usual table; the third, oldest one is
 * for swaps of neighbours. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length,
                         unsigned limit)
{
        unsigned rows[3][SPELLING_WORD_MAX + 1];

        for (size_t j = 0; j <= b_length; j++)
                rows[0][j] = (unsigned)j;
        for (size_t i = 1; i <= a_length; i++) {
                unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
                         *oldest = rows[(i + 1) % 3];
                size_t first = i > limit ? i - limit : 1;
                size_t last = i + limit < b_length ? i + limit : b_length;
                unsigned least = FAR;

                for (size_t j = 0; j <= b_length; j++)
                        row[j] = FAR;
                if (i <= limit)
                        row[0] = least = (unsigned)i;
                for (size_t j = first; j <= last; j++) {
                        bool same = fold(a[i - 1]) == fold(b[j - 1]);
                        unsigned best = above[j - 1] + !same;

                        best = min(best, min(above[j], row[j - 1]) + 1);
                        if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                            fold(a[i - 2]) == fold(b[j - 1]))
                                best = min(best, oldest[j - 2] + 1);
                        row[j] = best;
                        least = min(least, best);
                }
                if (least > limit)
                        return FAR;
        }
        return rows[a_length % 3][b_length];
}

/* How far `word` is, or FAR when it is not near. */
static unsigned nearness(const char *typed, size_t typed_length, const char *word)
{
        size_t length = strnlen(word, SPELLING_WORD_MAX + 1);
        unsigned limit = (unsigned)typed_length / 3, edits;

        if (length > SPELLING_WORD_MAX)
                return FAR;
        if (strncasecmp(typed, word, typed_length) == 0)
                return (unsigned)(length - typed_length); /* insertions only */
        if (length > typed_length + limit || typed_length > length + limit)
                return FAR;
        edits = distance(typed, typed_length, word, length, limit);
        return edits <= limit ? edits : FAR;
}

size_t spelling_near(const char *typed, const char *const words[], size_t words_count,
                     const char *best[], size_t count)
{
        unsigned edits[SPELLING_BEST_MAX];
        size_t typed_length = strnlen(typed, SPELLING_WORD_MAX + 1), found = 0, at;

        if (typed_length == 0 || typed_length > SPELLING_WORD_MAX || count == 0)
                return 0;
        if (count > SPELLING_BEST_MAX)
                count = SPELLING_BEST_MAX;

        for (size_t i = 0; i < words_count; i++) {
                unsigned far = nearness(typed, typed_length, words[i]);

                if (far == FAR || (found == count && far >= edits[found - 1]))
                        continue;
                if (found < count)
                        found++;
                for (at = found - 1; at > 0 && edits[at - 1] > far; at--) {
                        edits[at] = edits[at - 1];
                        best[at] = best[at - 1];
                }
                edits[at] = far;
                best[at] = words[i];
        }
        return found;
}
