/* What a host prints: kept in its log, and bounded. */
#include "agent/handler/host-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
        READ_MOST = 64 << 10,
        PIPE_READS = 4, /* a round */
};

static void on_output_closed(struct loop_io *io)
{
        host_release(container_of(io, struct host_output, io)->host);
}

void host_output_close(struct host_output *output)
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

void host_output_read(struct host_output *output, unsigned reads)
{
        struct host *host = output->host;
        char bytes[READ_MOST];

        while (reads-- > 0) {
                ssize_t count = read(output->fd, bytes, sizeof(bytes));

                if (count < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (count <= 0) {
                        host_output_close(output);
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
        host_output_read(container_of(io, struct host_output, io), PIPE_READS);
}

int host_output_open(struct host *host, size_t index, int *ret_theirs)
{
        struct host_output *output = &host->outputs[index];
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
