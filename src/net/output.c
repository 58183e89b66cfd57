#include "net/stream-internal.h"

#include <errno.h>
#include <string.h>

enum { LINGER_MS = 1000 };

/* Makes room for `count` bytes behind what waits, and counts them as written. */
static int claim(struct net_stream *stream, size_t count, char **ret)
{
        struct buffer *output = &stream->output;
        int r;

        if (stream->state >= STREAM_LINGERING || stream->finishing)
                return -EPIPE;
        r = net_context_reserve(stream->context, output, count);
        if (r < 0) {
                stream_close(stream, r);
                return r;
        }
        *ret = buffer_data(output) + buffer_length(output);
        buffer_commit(output, count);
        if (buffer_length(output) > stream->output_high)
                stream->congested = true;
        loop_task_post(&stream->task);
        return 0;
}

char *net_stream_claim(struct net_stream *stream, size_t count)
{
        char *bytes;

        return claim(stream, count, &bytes) < 0 ? NULL : bytes;
}

int net_stream_write(struct net_stream *stream, const void *bytes, size_t count)
{
        char *to;
        int r;

        if (count == 0)
                return stream->state >= STREAM_LINGERING || stream->finishing ? -EPIPE : 0;
        r = claim(stream, count, &to);
        if (r == 0)
                memcpy(to, bytes, count);
        return r;
}

bool net_stream_is_congested(const struct net_stream *stream)
{
        return stream->congested;
}

size_t net_stream_pending(const struct net_stream *stream)
{
        return buffer_length(&stream->output);
}

/* Closing with input unread makes the kernel send a reset, which may destroy our
 * last bytes on their way; so the peer's end is waited for, a little. */
static void say_farewell(struct net_stream *stream)
{
        int r = stream->transport.type->end(&stream->transport);

        if (r == -EAGAIN) {
                stream->blocked = true;
        } else if (r < 0 || stream->ended) {
                net_stream_close(stream);
        } else {
                stream->state = STREAM_LINGERING;
                /* There is one, since it finishes: this cannot fail. */
                (void)stream_set_deadline(stream, LINGER_MS);
        }
}

static void note_drained(struct net_stream *stream)
{
        if (!stream->congested || buffer_length(&stream->output) > stream->output_high / 2)
                return;
        stream->congested = false;
        if (stream->owner.calls->on_drained && !stream->finishing)
                stream->owner.calls->on_drained(stream->owner.owner);
}

/* Who refuses us says so, and closes: then a write learns of the end before a read of the reason,
 * which is there to be read all the same. */
static int find_reason(struct net_stream *stream, int r)
{
        struct net_transport *transport = &stream->transport;

        if (transport->type->tls(transport) &&
            transport->type->read(transport, stream->context->scratch, NET_SCRATCH_SIZE) == -EPROTO)
                return -EPROTO;
        return r;
}

static void write_some(struct net_stream *stream)
{
        struct buffer *output = &stream->output;
        ssize_t n = stream->transport.type->write(&stream->transport, buffer_data(output),
                                                  buffer_length(output));

        if (n < 0 && n != -EAGAIN) {
                stream_close(stream, find_reason(stream, (int)n));
                return;
        }
        if (n > 0) {
                buffer_consume(output, (size_t)n);
                stream_note_activity(stream);
        }
        stream->blocked = buffer_length(output) > 0 || stream->transport.owes;
        if (stream->blocked)
                net_context_trim(stream->context, output);
        else
                net_context_release(stream->context, output);
        note_drained(stream);
}

void stream_flush(struct net_stream *stream)
{
        if (stream->state != STREAM_OPEN || stream->blocked)
                return;
        if (buffer_length(&stream->output) > 0 || stream->transport.owes)
                write_some(stream);
        /* on_drained may have closed the stream, or written. */
        if (stream->state == STREAM_OPEN && stream->finishing && !stream->blocked &&
            buffer_length(&stream->output) == 0)
                say_farewell(stream);
}
