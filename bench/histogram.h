/* bench/histogram.h - latencies from a nanosecond to a minute, within 1 %.
 *
 * Logarithmic in the large and linear in the small: each power of two is cut
 * into HISTOGRAM_STEPS equal steps, so a recorded value is known to one part
 * in HISTOGRAM_STEPS and a million of them cost as much memory as one. */
#pragma once

#include <stdint.h>

enum {
        HISTOGRAM_STEP_BITS = 7,
        HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
        HISTOGRAM_VALUE_BITS = 36, /* 2^36 ns = 68 s; slower counts as that */
        HISTOGRAM_SLOTS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS,
};

struct histogram {
        uint64_t slots[HISTOGRAM_SLOTS];
        uint64_t count;
        uint64_t max_ns;
};

void histogram_reset(struct histogram *histogram);
/* Records `times` values of `value_ns` at once. */
void histogram_add(struct histogram *histogram, uint64_t value_ns, uint64_t times);
/* The value that `per_mille` thousandths of the recorded ones do not exceed:
 * 500 is the median. Rounded up to the end of its step, never beyond the
 * largest value seen. 0 when nothing was recorded. */
uint64_t histogram_quantile_ns(const struct histogram *histogram, unsigned per_mille);
