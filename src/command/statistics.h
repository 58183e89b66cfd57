/* command/statistics.h - how often, how well, how fast: per command.
 *
 * Latencies go into a histogram of powers of two in four steps each, so that a
 * percentile is at most a quarter too high; from 1 us to 134 s, in four bytes a
 * bucket. */
#pragma once

#include "data/json-writer.h"

#include <stdint.h>

enum { COMMAND_LATENCY_BUCKETS = 104 };

struct command_statistics {
        uint64_t calls, errors, timeouts;
        uint64_t latency_max_us;
        uint32_t latency[COMMAND_LATENCY_BUCKETS];
};

void command_statistics_add(struct command_statistics *statistics, uint64_t latency_us);
/* The latency that `percent` (0..100) of the calls did not exceed; 0 when there
 * were none. The upper bound of its bucket, never above the maximum seen. */
uint64_t command_statistics_percentile(const struct command_statistics *statistics, double percent);
/* "latency_ms":{"p50":...,"p99":...,"max":...}, a member of an open object. */
void command_statistics_write_latency(const struct command_statistics *statistics,
                                      struct json_writer *writer);
