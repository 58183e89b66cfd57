/* agent/builtin/metrics.h - get_metrics: how busy this machine is, for graphs and alarms. */
#pragma once

#include "agent/builtin/procfs.h"
#include "agent/builtin/roots.h"
#include "data/json-writer.h"
#include "data/prometheus.h"

#include <stdbool.h>
#include <stdint.h>

/* How long a share of processor time lasts at least: shorter ones are all noise, as the
 * kernel counts in ticks of 10 ms. */
enum { METRICS_CPU_WINDOW_MS = 100 };

/* What is kept between calls. Everybody who asks shares it. */
struct metrics {
        struct procfs_cpu cpu;   /* the last sample */
        uint64_t cpu_sampled_ms; /* when it was taken */
        double cpu_percent;      /* the share up to then */
        bool cpu_is_known;
};

void metrics_init(struct metrics *metrics);

/* The share of time since the last call that the processors were busy; since boot when
 * there was none. Sooner than METRICS_CPU_WINDOW_MS after a sample it is the last answer.
 * Never waits. -errno: /proc/stat cannot be read; the next call begins anew. */
int metrics_cpu_percent(struct metrics *metrics, const struct roots *roots, uint64_t now_ms,
                        double *ret);

/* The members of get_metrics into an open object. */
void metrics_write(struct metrics *metrics, const struct roots *roots, const char *disk_path,
                   uint64_t now_ms, struct json_writer *writer);
/* The same as figures, without what cannot be read. */
void metrics_write_figures(struct metrics *metrics, const struct roots *roots,
                           const char *disk_path, uint64_t now_ms,
                           struct prometheus_writer *writer);
