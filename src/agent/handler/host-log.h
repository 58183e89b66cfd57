/* agent/handler/host-log.h - what a module printed: its last lines, with their time.
 *
 * A ring of bytes: new lines push old ones out. Lines are cut at HOST_LOG_LINE_MAX bytes; what
 * they consist of is the writer's to make presentable. Loop thread. */
#pragma once

#include "base/cleanup.h"
#include "data/json-writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        HOST_LOG_BYTES = 64 << 10, /* of all lines together, their times included */
        HOST_LOG_LINE_MAX = 1000,
        HOST_LOG_LINES_MAX = 1000, /* of one answer */
};

enum host_log_stream { HOST_LOG_OUTPUT, HOST_LOG_ERROR, HOST_LOG_AGENT };

/* What has come of a line that is not yet whole. One for each pipe. */
struct host_log_partial {
        enum host_log_stream stream;
        bool cut; /* the rest of this line is dropped */
        size_t length;
        char text[HOST_LOG_LINE_MAX];
};

struct host_log;

int host_log_new(struct host_log **ret); /* -ENOMEM */
struct host_log *host_log_free(struct host_log *log);
DEFINE_CLEANUP(host_log)

/* Bytes as they come. `wall_ns`: when. */
void host_log_append(struct host_log *log, struct host_log_partial *partial, const char *bytes,
                     size_t count, int64_t wall_ns);
/* Nothing more comes from this pipe: a line that has no end yet is one. */
void host_log_finish(struct host_log *log, struct host_log_partial *partial, int64_t wall_ns);
/* What the agent has to say of the module, among its lines. */
void host_log_note(struct host_log *log, int64_t wall_ns, const char *text);

/* The newest `lines`, oldest first, into an open array: {time, stream, text}. */
void host_log_write(const struct host_log *log, size_t lines, struct json_writer *writer);
/* How many lines were pushed out or cut since it was made. */
uint64_t host_log_lost(const struct host_log *log);
