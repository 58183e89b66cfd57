#include "net/context.h"

#include "net/websocket-frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int net_context_new(struct loop *loop, size_t memory_limit, struct net_context **ret)
{
        struct net_context *context = malloc(sizeof(*context));

        if (!context)
                return -ENOMEM;
        context->loop = loop;
        context->streams = 0;
        context->handshakes_round = context->handshakes_ns = 0;
        context->handshakes_ns_max = NET_HANDSHAKES_MS * UINT64_C(1000000);
        context->spares_count = 0;
        context->frames = NULL;
        loop_trim_init(&context->trim, loop, NET_BURST_SIZE);
        net_budget_init(&context->budget, memory_limit);
        *ret = context;
        return 0;
}

struct net_context *net_context_free(struct net_context *context)
{
        if (!context)
                return NULL;
        loop_trim_done(&context->trim);
        while (context->spares_count > 0)
                buffer_done(&context->spares[--context->spares_count]);
        websocket_frames_free(context->frames);
        free(context);
        return NULL;
}

struct net_budget *net_context_budget(struct net_context *context)
{
        return &context->budget;
}

bool net_context_may_shake(struct net_context *context)
{
        const uint64_t round = loop_round(context->loop);

        if (context->handshakes_round != round) {
                context->handshakes_round = round;
                context->handshakes_ns = 0;
        }
        return context->handshakes_ns == 0 || context->handshakes_ns < context->handshakes_ns_max;
}

void net_context_note_handshake(struct net_context *context, uint64_t ns)
{
        context->handshakes_ns += ns > 0 ? ns : 1;
}

static void note_memory(struct net_context *context)
{
        loop_trim_note(&context->trim, context->streams * NET_STREAM_SIZE + context->budget.used);
}

void net_context_count(struct net_context *context, size_t streams)
{
        context->streams = streams;
        note_memory(context);
}

static int adopt_spare(struct net_context *context, struct buffer *buffer)
{
        struct buffer *spare;
        size_t max = buffer->max;
        int r;

        if (context->spares_count == 0)
                return 0;
        spare = &context->spares[context->spares_count - 1];
        r = net_budget_take(&context->budget, spare->capacity);
        if (r < 0)
                return r;
        context->spares_count--;
        *buffer = *spare;
        buffer->max = max;
        return 0;
}

int net_context_reserve(struct net_context *context, struct buffer *buffer, size_t extra)
{
        enum { SMALLEST = 256 };
        size_t need, most, paid;
        int r;

        if (extra > buffer->max || buffer_length(buffer) > buffer->max - extra)
                return -EMSGSIZE;
        if (buffer->capacity == 0) {
                r = adopt_spare(context, buffer);
                if (r < 0)
                        return r;
        }
        if (buffer_room(buffer) >= extra)
                return 0;

        /* Paid for before it grows, with the most that it may grow to; what it
         * did not need comes back. */
        need = buffer_length(buffer) + extra;
        most = need > buffer->capacity ? need : buffer->capacity;
        most = most < SMALLEST ? SMALLEST : most;
        most = most < buffer->max / 2 ? most * 2 + 1 : buffer->max;
        paid = most > buffer->capacity ? most - buffer->capacity : 0;
        r = net_budget_take(&context->budget, paid);
        if (r < 0)
                return r;
        paid += buffer->capacity;
        r = buffer_reserve(buffer, extra);
        net_budget_give(&context->budget, paid - buffer->capacity);
        if (buffer->capacity > NET_SPARE_SIZE_MAX)
                note_memory(context);
        return r;
}

int net_context_append(struct net_context *context, struct buffer *buffer, const void *bytes,
                       size_t count)
{
        int r = net_context_reserve(context, buffer, count);

        return r < 0 ? r : buffer_append(buffer, bytes, count);
}

void net_context_trim(struct net_context *context, struct buffer *buffer)
{
        size_t before = buffer->capacity;

        if (before <= NET_SPARE_SIZE_MAX || buffer_length(buffer) > before / 4)
                return;
        buffer_shrink(buffer, buffer_length(buffer) * 2);
        net_budget_give(&context->budget, before - buffer->capacity);
}

void net_context_release(struct net_context *context, struct buffer *buffer)
{
        if (buffer->capacity == 0)
                return;
        net_budget_give(&context->budget, buffer->capacity);
        if (buffer->capacity > NET_SPARE_SIZE_MAX || context->spares_count == NET_SPARES_MAX) {
                buffer_done(buffer);
                note_memory(context);
                return;
        }
        buffer_truncate(buffer, 0);
        context->spares[context->spares_count++] = *buffer;
        buffer_init(buffer, buffer->max);
}

void net_context_return_frames(struct net_context *context, struct websocket_frames *frames)
{
        if (!context->frames) {
                context->frames = frames;
                return;
        }
        websocket_frames_free(frames);
        note_memory(context);
}
