#include "net/stream-internal.h"

#include <errno.h>
#include <string.h>

enum {
        /* Up to here a tail is copied in front of what the shared buffer takes next,
         * and a round takes 60 KiB; beyond, bytes are read behind it. */
        TAIL_SMALL = 4 * 1024,
        READ_MAX = 1024 * 1024,        /* a round's share of a long line */
        DISCARD_MAX = 64 * 1024 * 1024 /* what a peer may still send after our farewell */
};

void stream_drop_tail(struct net_stream *stream)
{
        if (!stream->presenting)
                net_context_release(stream->context, &stream->tail);
}

static size_t present(struct net_stream *stream, const char *bytes, size_t count)
{
        size_t consumed;

        stream->presenting = true;
        consumed = stream->owner.calls->on_bytes(stream->owner.owner, bytes, count);
        stream->presenting = false;
        return consumed < count ? consumed : count;
}

/* After the owner has seen the bytes: is there still somebody to keep the rest? */
static bool wants_rest(struct net_stream *stream)
{
        if (stream->state == STREAM_OPEN && !stream->finishing)
                return true;
        stream_drop_tail(stream);
        return false;
}

static void check_limit(struct net_stream *stream)
{
        size_t length = buffer_length(&stream->tail);

        if (length == 0) {
                net_context_release(stream->context, &stream->tail);
                stream->again = false;
        } else if (length > stream->tail.max - NET_SCRATCH_SIZE && !stream->paused &&
                   !stream->again) {
                stream_close(stream, -EMSGSIZE);
        } else {
                net_context_trim(stream->context, &stream->tail);
        }
}

/* The tail's own bytes were presented. */
static void present_tail(struct net_stream *stream)
{
        size_t consumed = present(stream, buffer_data(&stream->tail), buffer_length(&stream->tail));

        if (!wants_rest(stream))
                return;
        buffer_consume(&stream->tail, consumed);
        check_limit(stream);
}

/* `old` bytes of the shared buffer are a copy of the tail, the rest is new. */
static void present_scratch(struct net_stream *stream, size_t old, size_t count)
{
        const char *bytes = stream->context->scratch;
        size_t consumed = present(stream, bytes, count);
        int r;

        if (!wants_rest(stream))
                return;
        if (consumed > 0 || old == 0) {
                buffer_truncate(&stream->tail, 0);
                old = consumed;
        }
        r = old < count
                    ? net_context_append(stream->context, &stream->tail, bytes + old, count - old)
                    : 0;
        if (r < 0)
                stream_close(stream, r);
        else
                check_limit(stream);
}

static void on_read_end(struct net_stream *stream, ssize_t n)
{
        if (n == -EAGAIN)
                return;
        if (n < 0) {
                stream_close(stream, (int)n);
                return;
        }
        stream->ended = true;
        stream->presenting = true;
        stream->owner.calls->on_end(stream->owner.owner);
        stream->presenting = false;
        wants_rest(stream);
}

static void read_to_scratch(struct net_stream *stream)
{
        char *scratch = stream->context->scratch;
        size_t old = buffer_length(&stream->tail);
        ssize_t n;

        memcpy(scratch, buffer_data(&stream->tail), old);
        n = stream->transport.type->read(&stream->transport, scratch + old, NET_SCRATCH_SIZE - old);
        if (n <= 0) {
                on_read_end(stream, n);
                return;
        }
        stream_note_activity(stream);
        present_scratch(stream, old, old + (size_t)n);
}

/* The room doubles with the tail, so that a long line is copied a few times
 * over, not once per read. */
static void read_behind_tail(struct net_stream *stream)
{
        struct buffer *tail = &stream->tail;
        size_t length = buffer_length(tail), room = length;
        ssize_t n;
        int r;

        if (room > READ_MAX)
                room = READ_MAX;
        if (length < tail->max && room > tail->max - length)
                room = tail->max - length;
        /* -EMSGSIZE when the limit shrank below what is here already. */
        r = net_context_reserve(stream->context, tail, room);
        if (r < 0) {
                stream_close(stream, r);
                return;
        }
        room = buffer_room(tail) < READ_MAX ? buffer_room(tail) : READ_MAX;
        n = stream->transport.type->read(&stream->transport, buffer_data(tail) + length, room);
        if (n <= 0) {
                on_read_end(stream, n);
                return;
        }
        stream_note_activity(stream);
        buffer_commit(tail, (size_t)n);
        present_tail(stream);
}

void stream_read(struct net_stream *stream)
{
        if (buffer_length(&stream->tail) < TAIL_SMALL)
                read_to_scratch(stream);
        else
                read_behind_tail(stream);
}

void stream_present_again(struct net_stream *stream)
{
        stream->again = false;
        if (buffer_length(&stream->tail) > 0)
                present_tail(stream);
}

/* It finishes, so it has a deadline. */
void stream_discard(struct net_stream *stream)
{
        ssize_t n = stream->transport.type->read(&stream->transport, stream->context->scratch,
                                                 NET_SCRATCH_SIZE);

        if (n == -EAGAIN)
                return;
        if (n > 0) {
                stream->deadline->discarded += (uint32_t)n;
                if (stream->deadline->discarded > DISCARD_MAX)
                        stream_close(stream, -EMSGSIZE);
                return;
        }
        stream->ended = true;
        /* With our farewell out, however the peer leaves is fine. */
        if (stream->state == STREAM_LINGERING)
                net_stream_close(stream);
        else if (n < 0)
                stream_close(stream, (int)n);
}
