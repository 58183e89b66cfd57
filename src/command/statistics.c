/* The histogram: bucket = 4 * floor(log2(us)) + the two bits behind the first.
 * Bucket 0 holds what took under a microsecond. */
#include "command/statistics.h"

static unsigned bucket_of(uint64_t us)
{
        unsigned exponent, bucket;

        if (us < 4)
                return (unsigned)us;
        exponent = 63 - (unsigned)__builtin_clzll(us);
        bucket = 4 * (exponent - 1) + (unsigned)(us >> (exponent - 2) & 3);
        return bucket < COMMAND_LATENCY_BUCKETS ? bucket : COMMAND_LATENCY_BUCKETS - 1;
}

/* The largest latency that falls into the bucket. */
static uint64_t bucket_end(unsigned bucket)
{
        unsigned exponent;

        if (bucket < 4)
                return bucket;
        exponent = bucket / 4 + 1;
        return (UINT64_C(1) << exponent) + ((uint64_t)(bucket % 4 + 1) << (exponent - 2)) - 1;
}

void command_statistics_add(struct command_statistics *statistics, uint64_t latency_us)
{
        unsigned bucket = bucket_of(latency_us);

        statistics->calls++;
        if (latency_us > statistics->latency_max_us)
                statistics->latency_max_us = latency_us;
        /* A counter that is full stays full: percentiles stay right enough. */
        if (statistics->latency[bucket] < UINT32_MAX)
                statistics->latency[bucket]++;
}

uint64_t command_statistics_percentile(const struct command_statistics *statistics, double percent)
{
        uint64_t total = 0, seen = 0;
        double wanted;

        for (unsigned i = 0; i < COMMAND_LATENCY_BUCKETS; i++)
                total += statistics->latency[i];
        if (total == 0)
                return 0;

        wanted = (double)total * percent / 100;
        for (unsigned i = 0; i < COMMAND_LATENCY_BUCKETS - 1; i++) {
                seen += statistics->latency[i];
                if (seen > 0 && (double)seen >= wanted) {
                        uint64_t end = bucket_end(i);

                        return end < statistics->latency_max_us ? end : statistics->latency_max_us;
                }
        }
        return statistics->latency_max_us;
}

void command_statistics_write_latency(const struct command_statistics *statistics,
                                      struct json_writer *writer)
{
        json_write_object(writer, "latency_ms");
        json_write_double(writer, "p50",
                          (double)command_statistics_percentile(statistics, 50) / 1000);
        json_write_double(writer, "p99",
                          (double)command_statistics_percentile(statistics, 99) / 1000);
        json_write_double(writer, "max", (double)statistics->latency_max_us / 1000);
        json_write_end(writer);
}
