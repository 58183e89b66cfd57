/* base/spelling.h - the words somebody may have meant. */
#pragma once

#include <stddef.h>

enum { SPELLING_WORD_MAX = 64, SPELLING_BEST_MAX = 16 };

/* Fills `best` with up to `count` of `words`, nearest first: those that begin
 * with `typed`, or lie within a third of its length in edits (Damerau, adjacent
 * swaps count one; the case of ASCII letters counts nothing). Longer words than
 * SPELLING_WORD_MAX are never near; nobody gets more than SPELLING_BEST_MAX.
 * Returns how many. Safe for words that strangers chose: the time is bounded. */
size_t spelling_near(const char *typed, const char *const words[], size_t words_count,
                     const char *best[], size_t count);
