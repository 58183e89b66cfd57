/* data/prometheus.h - figures as Prometheus reads them (text exposition format 0.0.4).
 *
 *     prometheus_writer_init(&w, &buffer);
 *     prometheus_family(&w, "pifleet_requests_total", PROMETHEUS_COUNTER, "Requests so far.");
 *     prometheus_label(&w, "transport", "tcp");
 *     prometheus_count(&w, 7);
 *     prometheus_label(&w, "transport", "unix");
 *     prometheus_count(&w, 2);
 *     r = prometheus_writer_error(&w);
 *
 * makes
 *
 *     # HELP pifleet_requests_total Requests so far.
 *     # TYPE pifleet_requests_total counter
 *     pifleet_requests_total{transport="tcp"} 7
 *     pifleet_requests_total{transport="unix"} 2
 *
 * All samples of a family stand behind it, and each family stands there once. The first
 * failure sticks and makes the rest do nothing: what the buffer says (-EMSGSIZE, -ENOMEM). The
 * buffer may then hold part of a line: truncate it. */
#pragma once

#include "base/buffer.h"

#include <stdbool.h>
#include <stdint.h>

enum prometheus_type { PROMETHEUS_COUNTER, PROMETHEUS_GAUGE };

struct prometheus_writer {
        struct buffer *out;
        int error;
        const char *family; /* of the samples that follow */
        bool labelled;      /* the braces of the next sample are open */
};

void prometheus_writer_init(struct prometheus_writer *writer, struct buffer *out);
int prometheus_writer_error(const struct prometheus_writer *writer);

/* What the samples that follow are. Both texts are literals: a name has letters, digits and
 * '_' only, and `help` is one sentence on one line. */
void prometheus_family(struct prometheus_writer *writer, const char *name,
                       enum prometheus_type type, const char *help);
/* A label of the next sample. Any value that is UTF-8: what would end it is escaped. */
void prometheus_label(struct prometheus_writer *writer, const char *name, const char *value);
/* A sample, with the labels since the last one. */
void prometheus_count(struct prometheus_writer *writer, uint64_t value);
void prometheus_number(struct prometheus_writer *writer, double value);
