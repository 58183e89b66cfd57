#include "bench/histogram.h"

#include <string.h>

static unsigned slot_of(uint64_t value)
{
        unsigned shift;

        if (value < HISTOGRAM_STEPS)
                return (unsigned)value;
        shift = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
        return (shift + 1) * HISTOGRAM_STEPS + (unsigned)((value >> shift) & (HISTOGRAM_STEPS - 1));
}

static uint64_t last_value_of(unsigned slot)
{
        unsigned shift;
        uint64_t first;

        if (slot < HISTOGRAM_STEPS)
                return slot;
        shift = slot / HISTOGRAM_STEPS - 1;
        first = (uint64_t)(HISTOGRAM_STEPS + slot % HISTOGRAM_STEPS) << shift;
        return first + ((uint64_t)1 << shift) - 1;
}

void histogram_reset(struct histogram *histogram)
{
        memset(histogram, 0, sizeof(*histogram));
}

void histogram_add(struct histogram *histogram, uint64_t value_ns, uint64_t times)
{
        const uint64_t limit = ((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1;

        if (value_ns > limit)
                value_ns = limit;
        histogram->slots[slot_of(value_ns)] += times;
        histogram->count += times;
        if (value_ns > histogram->max_ns)
                histogram->max_ns = value_ns;
}

uint64_t histogram_quantile_ns(const struct histogram *histogram, unsigned per_mille)
{
        uint64_t wanted, seen = 0;

        /* Whole thousands apart, so that no count can overflow. */
        wanted = histogram->count / 1000 * per_mille +
                 (histogram->count % 1000 * per_mille + 999) / 1000;
        for (unsigned slot = 0; slot < HISTOGRAM_SLOTS; slot++) {
                seen += histogram->slots[slot];
                if (seen >= wanted && seen > 0) {
                        uint64_t value = last_value_of(slot);

                        return value < histogram->max_ns ? value : histogram->max_ns;
                }
        }
        return histogram->max_ns;
}
