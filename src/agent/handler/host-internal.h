/* agent/handler/host-internal.h - what the files of a host know of it: its process (host.c),
 * what is said (host-conversation.c), what it prints (host-output.c). */
#pragma once

#include "agent/handler/host.h"
#include "base/attributes.h"
#include "loop/io.h"
#include "loop/timer.h"

enum host_stage { STAGE_STARTING, STAGE_LOADING, STAGE_IDLE, STAGE_BUSY, STAGE_REFUSED };

/* One of its pipes. */
struct host_output {
        struct loop_io io;
        struct host *host;
        int fd;
        struct host_log_partial partial;
};

struct host {
        struct loop *loop;
        const struct host_listener *listener;
        void *owner;
        struct host_log *log;
        char *module;

        struct spawner_program program;
        pid_t pid;
        struct sandbox_walls walls;
        struct sandbox_usage usage;
        uint64_t usage_count;

        struct loop_io io;
        int fd;
        struct buffer in, out;
        struct host_output outputs[2];
        uint64_t output_allowed, output_ms; /* bytes, and when that was counted */

        enum host_stage stage;
        bool started, broken, killed;
        uint64_t call;    /* number of the last */
        void *context;    /* of the call under way */
        uint32_t call_ms; /* its limit */
        struct loop_timer deadline;
        uint64_t loaded_ms;
        unsigned references; /* the owner's, and one for each source on the loop */
};

/* host.c */

/* It did what it must not: told once, and killed. */
void host_break(struct host *host, enum host_fault fault, const char *format, ...)
        PRINTF_LIKE(3, 4);
/* One reference less; with the last the memory goes. */
void host_release(struct host *host);

/* host-conversation.c */

/* *ret_theirs: what the process is to get. -errno. */
int host_open_conversation(struct host *host, int *ret_theirs);
void host_close_conversation(struct host *host);
/* What it said before it ended. */
void host_hear_out(struct host *host);
/* What of `out` can be sent now; the rest follows. */
void host_write(struct host *host);

/* host-output.c */

/* 0: what it prints; 1: its errors. *ret_theirs: what the process is to get. -errno. */
int host_output_open(struct host *host, size_t index, int *ret_theirs);
void host_output_close(struct host_output *output);
/* At most so often; ends with the output itself. */
void host_output_read(struct host_output *output, unsigned reads);
