#include "agent/handler/host.h"

#include "base/attributes.h"
#include "loop/io.h"
#include "loop/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
        END_GRACE_MS = 200, /* from the end of the conversation to that of the process */
        READ_FIRST = 4096,
        READ_MOST = 64 << 10,
        KEEP_BYTES = 16 << 10, /* of a buffer between calls */
        PIPE_READS = 4,        /* a round */
        LAST_READS = 16,       /* once it has ended: a pipe holds 64 KiB */
};

enum host_stage { STAGE_STARTING, STAGE_LOADING, STAGE_IDLE, STAGE_BUSY, STAGE_REFUSED };

/* One of its pipes. */
struct output {
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
        struct output outputs[2];
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

/* --- its end ----------------------------------------------------------------------------- */

static void host_release(struct host *host)
{
        if (--host->references > 0)
                return;
        buffer_done(&host->in);
        buffer_done(&host->out);
        free(host->module);
        free(host);
}

static void on_io_closed(struct loop_io *io)
{
        host_release(container_of(io, struct host, io));
}

static void on_output_closed(struct loop_io *io)
{
        host_release(container_of(io, struct output, io)->host);
}

static void close_conversation(struct host *host)
{
        if (host->fd < 0)
                return;
        loop_io_close(&host->io, on_io_closed);
        close(host->fd);
        host->fd = -1;
}

static void close_output(struct output *output)
{
        if (output->fd < 0)
                return;
        if (output->host->log)
                host_log_finish(output->host->log, &output->partial,
                                loop_wall_ns(output->host->loop));
        loop_io_close(&output->io, on_output_closed);
        close(output->fd);
        output->fd = -1;
}

static void host_break(struct host *host, enum host_fault fault, const char *format, ...)
        PRINTF_LIKE(3, 4);

static void host_break(struct host *host, enum host_fault fault, const char *format, ...)
{
        char why[HOST_WHY_MAX + 1];
        va_list arguments;

        if (host->broken || host->killed)
                return;
        host->broken = true;
        loop_timer_stop(&host->deadline);
        close_conversation(host);
        spawner_kill(&host->program);
        va_start(arguments, format);
        vsnprintf(why, sizeof(why), format, arguments);
        va_end(arguments);
        host->listener->on_broken(host->owner, host, fault, why);
}

static void break_by_status(struct host *host, const struct sandbox_event *event)
{
        int status = event->wait_status;

        if (event->end == SANDBOX_END_MEMORY)
                host_break(host, HOST_FAULT_MEMORY, "needed more memory than it may have");
        else if (event->end == SANDBOX_END_TASKS)
                host_break(host, HOST_FAULT_TASKS, "started more processes than it may");
        else if (WIFSIGNALED(status))
                host_break(host, HOST_FAULT_ENDED, "was killed by SIG%s",
                           sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
        else
                host_break(host, HOST_FAULT_ENDED, "exited with status %d",
                           WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void read_output(struct output *output, unsigned reads);

static void host_ended(struct host *host, unsigned children_killed)
{
        loop_timer_stop(&host->deadline);
        close_conversation(host);
        close_output(&host->outputs[0]);
        close_output(&host->outputs[1]);
        host->listener->on_ended(host->owner, host, children_killed);
}

static void host_on_program(struct spawner_program *program, const struct sandbox_event *event)
{
        struct host *host = container_of(program, struct host, program);

        switch (event->kind) {
        case SANDBOX_STARTED:
                host->started = true;
                host->pid = event->pid;
                host->walls = event->walls;
                if (host->stage == STAGE_STARTING)
                        loop_timer_stop(&host->deadline);
                else if (host->stage == STAGE_LOADING)
                        loop_timer_start(&host->deadline, HOST_LOAD_MS);
                return;
        case SANDBOX_USAGE:
                host->usage = event->usage;
                host->usage_count++;
                return;
        case SANDBOX_FAILED:
                host_break(host, HOST_FAULT_START, "could not be started: %s (%s)",
                           strerror(-event->error), sandbox_step_name(event->step));
                host_ended(host, 0);
                return;
        case SANDBOX_GONE:
                host_break(host, HOST_FAULT_SPAWNER, "went with its spawner");
                host_ended(host, 0);
                return;
        case SANDBOX_ENDED:
                /* Its last words say why, so they come before the verdict. */
                for (size_t i = 0; i < ARRAY_SIZE(host->outputs); i++) {
                        if (host->outputs[i].fd >= 0)
                                read_output(&host->outputs[i], LAST_READS);
                }
                break_by_status(host, event);
                host_ended(host, event->children_killed);
                return;
        case SANDBOX_READY:
                return;
        }
}

static void host_on_deadline(struct loop_timer *timer)
{
        struct host *host = container_of(timer, struct host, deadline);

        if (host->fd >= 0 && host->stage == STAGE_BUSY)
                host_break(host, HOST_FAULT_TIMEOUT, "did not answer within %.3g s",
                           (double)host->call_ms / 1000);
        else if (host->fd >= 0 && host->stage == STAGE_LOADING)
                host_break(host, HOST_FAULT_TIMEOUT, "was not loaded within %d s",
                           HOST_LOAD_MS / 1000);
        else if (host->fd >= 0)
                host_break(host, HOST_FAULT_START, "was not started within %d s",
                           HOST_START_MS / 1000);
        else
                host_break(host, HOST_FAULT_PROTOCOL, "closed its connection to the agent");
}

/* --- what it prints ---------------------------------------------------------------------- */

static bool output_allowed(struct host *host, size_t count)
{
        uint64_t now = loop_now_ms(host->loop);

        host->output_allowed += (now - host->output_ms) * HOST_OUTPUT_RATE / 1000;
        host->output_ms = now;
        if (host->output_allowed > HOST_OUTPUT_BURST)
                host->output_allowed = HOST_OUTPUT_BURST;
        if (count > host->output_allowed)
                return false;
        host->output_allowed -= count;
        return true;
}

static void read_output(struct output *output, unsigned reads)
{
        struct host *host = output->host;
        char bytes[READ_MOST];

        while (reads-- > 0) {
                ssize_t count = read(output->fd, bytes, sizeof(bytes));

                if (count < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (count <= 0) {
                        close_output(output);
                        return;
                }
                if (host->log)
                        host_log_append(host->log, &output->partial, bytes, (size_t)count,
                                        loop_wall_ns(host->loop));
                if (!output_allowed(host, (size_t)count)) {
                        host_break(host, HOST_FAULT_FLOOD,
                                   "printed more than %d MiB, and too fast to be kept",
                                   HOST_OUTPUT_BURST >> 20);
                        return;
                }
        }
}

static void output_on_ready(struct loop_io *io, unsigned events)
{
        (void)events;
        read_output(container_of(io, struct output, io), PIPE_READS);
}

/* --- the conversation -------------------------------------------------------------------- */

static void break_protocol(struct host *host, const char *what)
{
        host_break(host, HOST_FAULT_PROTOCOL, "does not keep to the host protocol: %s", what);
}

static void on_loaded(struct host *host, const struct host_message *message)
{
        loop_timer_stop(&host->deadline);
        host->loaded_ms = loop_now_ms(host->loop);
        host->stage = STAGE_IDLE;
        host->listener->on_loaded(host->owner, host, message);
}

static void on_load_failed(struct host *host, const struct host_message *message)
{
        loop_timer_stop(&host->deadline);
        host->stage = STAGE_REFUSED;
        host->listener->on_load_failed(host->owner, host, message);
}

static void on_reply(struct host *host, const struct host_message *message)
{
        uint64_t call = message->kind == HOST_REPLY ? message->reply.call : message->failed.call;

        if (call != host->call) {
                break_protocol(host, "it answers a call that is not under way");
                return;
        }
        loop_timer_stop(&host->deadline);
        host->stage = STAGE_IDLE;
        host->listener->on_reply(host->owner, host, message);
}

static void on_frame(struct host *host, const char *json, size_t length)
{
        struct host_message message;
        struct error error;
        int r;

        r = host_message_decode(json, length, &message, &error);
        if (r < 0) {
                break_protocol(host, r == -ENOMEM ? "not enough memory to tell" : error.text);
                return;
        }
        if (message.kind == HOST_LOADED && host->stage == STAGE_LOADING)
                on_loaded(host, &message);
        else if (message.kind == HOST_LOAD_FAILED && host->stage == STAGE_LOADING)
                on_load_failed(host, &message);
        else if ((message.kind == HOST_REPLY || message.kind == HOST_CALL_FAILED) &&
                 host->stage == STAGE_BUSY)
                on_reply(host, &message);
        else
                break_protocol(host, "it speaks without having been asked");
        host_message_done(&message);
}

/* The buffer's bytes stay in place while a frame is looked at: nothing reads meanwhile. */
static void take_frames(struct host *host)
{
        while (host->fd >= 0 && !host->killed) {
                const char *json;
                size_t length;
                int r = host_frame_next(&host->in, &json, &length);

                if (r == 0)
                        return;
                if (r < 0) {
                        break_protocol(host, r == -EMSGSIZE ? "a message of more than 1 MiB"
                                                            : "an empty message");
                        return;
                }
                on_frame(host, json, length);
                buffer_consume(&host->in, HOST_FRAME_HEADER + length);
        }
}

/* The process will end soon, or has, and how says more than that its end is closed. */
static void await_end(struct host *host)
{
        close_conversation(host);
        loop_timer_start(&host->deadline, END_GRACE_MS);
}

static void read_conversation(struct host *host)
{
        size_t want = buffer_length(&host->in) > 0 ? READ_MOST : READ_FIRST;
        size_t left = HOST_FRAME_HEADER + HOST_FRAME_FROM_MAX - buffer_length(&host->in);
        ssize_t count;

        if (buffer_reserve(&host->in, want < left ? want : left) < 0) {
                break_protocol(host, "not enough memory for what it says");
                return;
        }
        want = buffer_room(&host->in);
        count = recv(host->fd, buffer_data(&host->in) + buffer_length(&host->in),
                     want < left ? want : left, MSG_DONTWAIT);
        if (count < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (count <= 0) {
                await_end(host);
                return;
        }
        buffer_commit(&host->in, (size_t)count);
        take_frames(host);
        buffer_shrink(&host->in, KEEP_BYTES);
}

static void write_conversation(struct host *host)
{
        while (buffer_length(&host->out) > 0) {
                ssize_t count = send(host->fd, buffer_data(&host->out), buffer_length(&host->out),
                                     MSG_NOSIGNAL | MSG_DONTWAIT);

                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0 && errno == EAGAIN)
                        break;
                if (count < 0) {
                        await_end(host);
                        return;
                }
                buffer_consume(&host->out, (size_t)count);
        }
        buffer_shrink(&host->out, KEEP_BYTES);
        if (buffer_length(&host->out) > 0)
                loop_io_watch(&host->io, LOOP_READABLE | LOOP_WRITABLE);
        else if (host->io.watched & LOOP_WRITABLE)
                loop_io_watch(&host->io, LOOP_READABLE);
}

static void host_on_ready(struct loop_io *io, unsigned events)
{
        struct host *host = container_of(io, struct host, io);

        if (events & LOOP_WRITABLE)
                write_conversation(host);
        if (host->fd >= 0 && events & (LOOP_READABLE | LOOP_HANGUP))
                read_conversation(host);
}

/* --- start ------------------------------------------------------------------------------- */

/* What the host's process is given, closed here once it has it. */
struct theirs {
        int conversation, output, error;
};

static void theirs_cleanup(struct theirs *theirs)
{
        cleanup_close(&theirs->conversation);
        cleanup_close(&theirs->output);
        cleanup_close(&theirs->error);
}

static int open_pipe(struct host *host, size_t index, int *ret_theirs)
{
        struct output *output = &host->outputs[index];
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        *ret_theirs = ends[1];
        r = loop_io_open(&output->io, host->loop, ends[0], output_on_ready);
        if (r < 0) {
                close(ends[0]);
                return r;
        }
        output->fd = ends[0];
        output->host = host;
        output->partial.stream = index == 0 ? HOST_LOG_OUTPUT : HOST_LOG_ERROR;
        host->references++;
        loop_io_watch(&output->io, LOOP_READABLE);
        return 0;
}

static int open_conversation(struct host *host, int *ret_theirs)
{
        int ends[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        *ret_theirs = ends[1];
        r = loop_io_open(&host->io, host->loop, ends[0], host_on_ready);
        if (r < 0) {
                close(ends[0]);
                return r;
        }
        host->fd = ends[0];
        host->references++;
        loop_io_watch(&host->io, LOOP_READABLE);
        return 0;
}

static int host_open(struct host *host, const struct host_setup *setup)
{
        __attribute__((cleanup(theirs_cleanup))) struct theirs theirs = {-1, -1, -1};
        struct sandbox_program program = setup->program;
        int r;

        r = open_conversation(host, &theirs.conversation);
        if (r == 0)
                r = open_pipe(host, 0, &theirs.output);
        if (r == 0)
                r = open_pipe(host, 1, &theirs.error);
        if (r < 0)
                return r;
        program.descriptors[0] = -1;
        program.descriptors[1] = theirs.output;
        program.descriptors[2] = theirs.error;
        program.descriptors[3] = theirs.conversation;
        return spawner_start(setup->spawner, &host->program, &program, host_on_program);
}

int host_start(const struct host_setup *setup, const struct host_listener *listener, void *owner,
               struct host **ret)
{
        struct host *host = calloc(1, sizeof(*host));
        int r;

        if (!host)
                return -ENOMEM;
        host->loop = setup->loop;
        host->listener = listener;
        host->owner = owner;
        host->log = setup->log;
        host->fd = host->outputs[0].fd = host->outputs[1].fd = -1;
        host->references = 1;
        host->output_allowed = HOST_OUTPUT_BURST;
        host->output_ms = loop_now_ms(setup->loop);
        buffer_init(&host->in, HOST_FRAME_HEADER + HOST_FRAME_FROM_MAX);
        buffer_init(&host->out, 2 * (HOST_FRAME_HEADER + (size_t)HOST_FRAME_TO_MAX));
        loop_timer_init(&host->deadline, host->loop, host_on_deadline);
        host->module = strdup(setup->module);
        r = host->module ? host_open(host, setup) : -ENOMEM;
        if (r < 0) {
                host_free(host);
                return r;
        }
        loop_timer_start(&host->deadline, HOST_START_MS);
        *ret = host;
        return 0;
}

struct host *host_free(struct host *host)
{
        if (!host)
                return NULL;
        loop_timer_stop(&host->deadline);
        spawner_forget(&host->program);
        close_conversation(host);
        close_output(&host->outputs[0]);
        close_output(&host->outputs[1]);
        host_release(host);
        return NULL;
}

void host_set_listener(struct host *host, const struct host_listener *listener, void *owner,
                       struct host_log *log)
{
        host->listener = listener;
        host->owner = owner;
        host->log = log;
}

/* --- use --------------------------------------------------------------------------------- */

int host_load(struct host *host, bool self_test)
{
        int r;

        if (host->broken || host->fd < 0)
                return -EPIPE;
        r = host_frame_load(&host->out, host->module, self_test);
        if (r < 0)
                return r;
        host->stage = STAGE_LOADING;
        if (host->started)
                loop_timer_start(&host->deadline, HOST_LOAD_MS);
        write_conversation(host);
        return 0;
}

int host_call(struct host *host, const char *command, const cJSON *arguments, const cJSON *id,
              uint32_t timeout_ms, void *context)
{
        int r;

        if (host->broken || host->killed || host->fd < 0)
                return -EPIPE;
        if (host->stage != STAGE_IDLE)
                return -EBUSY;
        r = host_frame_call(&host->out, host->call + 1, command, arguments, id);
        if (r < 0)
                return r;
        host->call++;
        host->context = context;
        host->call_ms = timeout_ms;
        host->stage = STAGE_BUSY;
        loop_timer_start(&host->deadline, timeout_ms);
        write_conversation(host);
        return 0;
}

bool host_is_busy(const struct host *host)
{
        return host->stage == STAGE_BUSY;
}

bool host_is_loaded(const struct host *host)
{
        return !host->broken && !host->killed && host->fd >= 0 &&
               (host->stage == STAGE_IDLE || host->stage == STAGE_BUSY);
}

void *host_context(const struct host *host)
{
        return host->context;
}

void host_kill(struct host *host)
{
        host->killed = true;
        loop_timer_stop(&host->deadline);
        spawner_kill(&host->program);
}

void host_ask_usage(struct host *host)
{
        spawner_ask_usage(&host->program);
}

bool host_usage(const struct host *host, struct sandbox_usage *ret)
{
        if (host->usage_count == 0)
                return false;
        *ret = host->usage;
        return true;
}

uint64_t host_usage_count(const struct host *host)
{
        return host->usage_count;
}

pid_t host_pid(const struct host *host)
{
        return host->pid;
}

const struct sandbox_walls *host_walls(const struct host *host)
{
        return &host->walls;
}

uint64_t host_loaded_ms(const struct host *host)
{
        return host->loaded_ms;
}
