/* What is said between agent and host: frames, and whose turn it is. */
#include "agent/handler/host-internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        /* From the end of the conversation to word of that of the process, which says why. On a
         * busy machine that takes its time; calls have their own deadlines. */
        END_GRACE_MS = 3000,
        LAST_READS = 32, /* of what was said before the end, which may be 1 MiB */
        READ_FIRST = 4096,
        READ_MOST = 64 << 10,
        KEEP_BYTES = 16 << 10, /* of a buffer between calls */
};

static void on_io_closed(struct loop_io *io)
{
        host_release(container_of(io, struct host, io));
}

void host_close_conversation(struct host *host)
{
        if (host->fd < 0)
                return;
        loop_io_close(&host->io, on_io_closed);
        close(host->fd);
        host->fd = -1;
}

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
        host_close_conversation(host);
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

void host_hear_out(struct host *host)
{
        for (unsigned i = 0; i < LAST_READS && host->fd >= 0 && !host->killed; i++)
                read_conversation(host);
}

void host_write(struct host *host)
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
                host_write(host);
        if (host->fd >= 0 && events & (LOOP_READABLE | LOOP_HANGUP))
                read_conversation(host);
}

int host_open_conversation(struct host *host, int *ret_theirs)
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
