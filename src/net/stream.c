#include "net/stream.h"

#include "base/clock.h"
#include "net/certificate.h"
#include "net/stream-internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        HANDSHAKE_MS = 10000,
        FINISH_MS = 5000,
        FINISH_STEP = 80 << 10, /* bytes in that time */
};

/* Limits stay far from where sums of them would overflow. */
#define LIMIT_MAX (BUFFER_MAX / 2)

static struct net_stream *stream_of_io(struct loop_io *io)
{
        return container_of(io, struct net_stream, io);
}

void stream_note_activity(struct net_stream *stream)
{
        stream->active_ms = loop_now_ms(stream->context->loop);
}

/* Then it has as long again. */
static bool goes_on_reading(const struct net_stream *stream)
{
        struct stream_deadline *deadline = stream->deadline;
        uint32_t pending = (uint32_t)buffer_length(&stream->output);

        if (!deadline->patient || stream->state != STREAM_OPEN ||
            deadline->pending < pending + FINISH_STEP)
                return false;
        deadline->pending = pending;
        loop_timer_start(&deadline->timer, FINISH_MS);
        return true;
}

static void stream_on_time(struct loop_timer *timer)
{
        struct net_stream *stream = container_of(timer, struct stream_deadline, timer)->stream;

        if (stream->state == STREAM_LINGERING)
                net_stream_close(stream);
        else if (!goes_on_reading(stream))
                stream_close(stream, -ETIMEDOUT);
}

int stream_set_deadline(struct net_stream *stream, uint64_t delay_ms)
{
        if (!stream->deadline) {
                stream->deadline = malloc(sizeof(*stream->deadline));
                if (!stream->deadline)
                        return -ENOMEM;
                stream->deadline->stream = stream;
                stream->deadline->discarded = 0;
                stream->deadline->pending = 0;
                stream->deadline->patient = false;
                loop_timer_init(&stream->deadline->timer, stream->context->loop, stream_on_time);
        }
        loop_timer_start(&stream->deadline->timer, delay_ms);
        return 0;
}

static void drop_deadline(struct net_stream *stream)
{
        if (!stream->deadline)
                return;
        loop_timer_stop(&stream->deadline->timer);
        free(TAKE(stream->deadline));
}

static unsigned events_wanted(const struct net_stream *stream)
{
        const struct net_transport *transport = &stream->transport;
        bool reads = !stream->ended && !(stream->paused && stream->parked);
        unsigned events = 0;

        switch ((enum stream_state)stream->state) {
        case STREAM_CONNECTING:
                return LOOP_WRITABLE;
        case STREAM_HANDSHAKE:
                return transport->read_waits_for;
        case STREAM_OPEN:
                if (reads || (stream->finishing && !stream->ended))
                        events |= transport->read_waits_for;
                else if (!stream->ended && !stream->hung_up)
                        events |= LOOP_HANGUP;
                if (stream->blocked)
                        events |= transport->write_waits_for;
                return events;
        case STREAM_LINGERING:
                return transport->read_waits_for;
        case STREAM_CLOSED:
                break;
        }
        return 0;
}

/* TLS may hold bytes that no event will tell of. */
static bool has_more_input(const struct net_stream *stream)
{
        return (stream->state == STREAM_OPEN || stream->state == STREAM_LINGERING) &&
               !stream->ended && (!stream->paused || stream->finishing) &&
               stream->transport.type->has_more(&stream->transport);
}

static bool tail_is_due(const struct net_stream *stream)
{
        return stream->state == STREAM_OPEN && stream->again && !stream->paused &&
               !stream->finishing;
}

void stream_settle(struct net_stream *stream)
{
        if (stream->state == STREAM_CLOSED)
                return;
        loop_io_watch(&stream->io, events_wanted(stream));
        if (tail_is_due(stream) || has_more_input(stream))
                loop_task_post(&stream->task);
}

static void take_input(struct net_stream *stream)
{
        if (stream->state == STREAM_LINGERING || stream->finishing)
                stream_discard(stream);
        else if (stream->paused)
                stream->parked = true;
        else if (!stream->again)
                stream_read(stream);
}

/* While paused nobody reads, so nobody else would learn of a reset. */
static void check_hangup(struct net_stream *stream)
{
        socklen_t length = sizeof(int);
        int error = 0;

        stream->hung_up = true;
        if (getsockopt(stream->transport.fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 &&
            error != 0)
                stream_close(stream, -error);
}

static void on_events(struct net_stream *stream, unsigned events)
{
        const struct net_transport *transport = &stream->transport;
        bool reads = !stream->ended && (events & transport->read_waits_for);

        if (stream->blocked && (events & transport->write_waits_for)) {
                stream->blocked = false;
                stream_flush(stream);
        }
        if (stream->state == STREAM_CLOSED)
                return;
        if (reads)
                take_input(stream);
        if (stream->state == STREAM_OPEN && stream->paused && (events & LOOP_HANGUP))
                check_hangup(stream);
}

/* OpenSSL allocates by itself: about what it takes is paid for. */
static int pay_for_tls(struct net_stream *stream)
{
        int r = net_budget_take(&stream->context->budget, NET_HANDSHAKE_SIZE);

        stream->secured = stream->shaking = r == 0;
        return r;
}

static void pay_less_for_tls(struct net_stream *stream)
{
        if (stream->shaking)
                net_budget_give(&stream->context->budget, NET_HANDSHAKE_SIZE - NET_TLS_SIZE);
        stream->shaking = false;
}

static void pay_no_more_for_tls(struct net_stream *stream)
{
        pay_less_for_tls(stream);
        if (stream->secured)
                net_budget_give(&stream->context->budget, NET_TLS_SIZE);
        stream->secured = false;
}

static int shake(struct net_stream *stream)
{
        const uint64_t begun_ns = clock_monotonic_ns();
        int r = stream->transport.type->handshake(&stream->transport);

        net_context_note_handshake(stream->context, clock_monotonic_ns() - begun_ns);
        return r;
}

/* Bytes that are not read wake us again in the next round. */
static void advance_handshake(struct net_stream *stream)
{
        int r = -EAGAIN;

        if (!stream->shaking)
                r = 0;
        else if (net_context_may_shake(stream->context))
                r = shake(stream);
        if (r == -EAGAIN)
                return;
        if (r < 0) {
                stream_close(stream, r);
                return;
        }
        stream->state = STREAM_OPEN;
        if (!stream->finishing)
                drop_deadline(stream);
        stream_note_activity(stream);
        pay_less_for_tls(stream);
        /* What was written meanwhile, and what came with the last of it. */
        loop_task_post(&stream->task);
        if (stream->owner.calls->on_open && !stream->finishing)
                stream->owner.calls->on_open(stream->owner.owner);
}

static void finish_connect(struct net_stream *stream)
{
        socklen_t length = sizeof(int);
        int error = 0;

        if (getsockopt(stream->transport.fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
                error = errno;
        if (error != 0) {
                stream_close(stream, -error);
                return;
        }
        stream->state = STREAM_HANDSHAKE;
        advance_handshake(stream);
}

/* What the input at hand brought about leaves in one write before the next
 * stream's turn: the peer goes to work on it while we serve the others. */
static void flush_now(struct net_stream *stream)
{
        if (stream->state != STREAM_OPEN)
                return;
        loop_task_cancel(&stream->task);
        stream_flush(stream);
}

static void stream_on_ready(struct loop_io *io, unsigned events)
{
        struct net_stream *stream = stream_of_io(io);

        switch ((enum stream_state)stream->state) {
        case STREAM_CONNECTING:
                finish_connect(stream);
                break;
        case STREAM_HANDSHAKE:
                advance_handshake(stream);
                break;
        case STREAM_OPEN:
        case STREAM_LINGERING:
                on_events(stream, events);
                flush_now(stream);
                break;
        case STREAM_CLOSED:
                break;
        }
        stream_settle(stream);
}

static void stream_on_task(struct loop_task *task)
{
        struct net_stream *stream = container_of(task, struct net_stream, task);

        if (tail_is_due(stream))
                stream_present_again(stream);
        else if (has_more_input(stream))
                take_input(stream);
        stream_flush(stream);
        stream_settle(stream);
}

static void stream_on_gone(struct loop_io *io)
{
        struct net_stream *stream = stream_of_io(io);

        net_context_release(stream->context, &stream->tail);
        net_context_release(stream->context, &stream->output);
        pay_no_more_for_tls(stream);
        if (stream->framed)
                net_budget_give(&stream->context->budget, NET_WEBSOCKET_SIZE);
        net_context_count(stream->context, stream->context->streams - 1);
        stream->owner.calls->on_closed(stream->owner.owner, stream->reason);
        free(stream->transport.failure);
        net_certificate_free(stream->vouched);
        free(stream);
}

void stream_close(struct net_stream *stream, int reason)
{
        if (stream->state == STREAM_CLOSED)
                return;
        stream->state = STREAM_CLOSED;
        stream->reason = reason;
        loop_task_cancel(&stream->task);
        drop_deadline(stream);
        loop_io_close(&stream->io, stream_on_gone);
        stream->transport.type->done(&stream->transport);
        close(TAKE_FD(stream->transport.fd));
}

void net_stream_close(struct net_stream *stream)
{
        if (stream)
                stream_close(stream, 0);
}

static uint32_t limit_clamp(size_t limit)
{
        return (uint32_t)(limit < LIMIT_MAX ? limit : LIMIT_MAX);
}

void stream_set_limits(struct net_stream *stream, const struct net_stream_limits *limits)
{
        stream->output_high = limit_clamp(limits->output_high);
        stream->output.max = limit_clamp(limits->output);
        net_stream_set_input_limit(stream, limits->input);
}

static struct net_stream *stream_alloc(struct net_context *context,
                                       const struct net_stream_limits *limits,
                                       const struct net_stream_owner *owner)
{
        struct net_stream *stream = calloc(1, sizeof(*stream));

        if (!stream)
                return NULL;
        stream->context = context;
        stream->owner = *owner;
        buffer_init(&stream->output, 0);
        buffer_init(&stream->tail, 0);
        stream_set_limits(stream, limits);
        loop_task_init(&stream->task, context->loop, stream_on_task);
        stream_note_activity(stream);
        return stream;
}

/* With the transport in place: starts. */
static int stream_start(struct net_stream *stream, enum stream_state state)
{
        int r = state != STREAM_OPEN ? stream_set_deadline(stream, HANDSHAKE_MS) : 0;

        if (r == 0)
                r = loop_io_open(&stream->io, stream->context->loop, stream->transport.fd,
                                 stream_on_ready);
        if (r < 0)
                return r;
        stream->state = (uint8_t)state;
        net_context_count(stream->context, stream->context->streams + 1);
        stream_settle(stream);
        return 0;
}

static void stream_discard_unstarted(struct net_stream *stream)
{
        drop_deadline(stream);
        pay_no_more_for_tls(stream);
        stream->transport.type->done(&stream->transport);
        free(stream->transport.failure);
        free(stream);
}

int net_stream_new(struct net_context *context, int fd, struct net_tls *tls,
                   const struct net_address *peer, const struct net_stream_limits *limits,
                   const struct net_stream_owner *owner, struct net_stream **ret)
{
        struct net_stream *stream = stream_alloc(context, limits, owner);
        int r = 0;

        if (!stream)
                return -ENOMEM;
        net_peer_init(&stream->peer, peer);
        net_transport_init_plain(&stream->transport, fd);
        if (tls)
                r = pay_for_tls(stream);
        if (tls && r == 0)
                r = net_transport_init_tls_server(&stream->transport, fd, tls);
        if (r == 0)
                r = stream_start(stream, tls ? STREAM_HANDSHAKE : STREAM_OPEN);
        if (r < 0) {
                stream_discard_unstarted(stream);
                return r;
        }
        *ret = stream;
        return 0;
}

int net_stream_new_client(struct net_context *context, int fd, struct net_tls *tls,
                          const char *server_name, const struct net_stream_limits *limits,
                          const struct net_stream_owner *owner, struct net_stream **ret)
{
        struct net_stream *stream = stream_alloc(context, limits, owner);
        struct net_address peer = {.length = sizeof(peer.local)};
        int r = 0;

        if (!stream)
                return -ENOMEM;
        /* Not connected yet: the address stays unknown, which is all it is for. */
        if (getpeername(fd, &peer.any, &peer.length) == 0)
                net_peer_init(&stream->peer, &peer);
        net_transport_init_plain(&stream->transport, fd);
        if (tls)
                r = pay_for_tls(stream);
        if (tls && r == 0)
                r = net_transport_init_tls_client(&stream->transport, fd, tls, server_name);
        if (r == 0)
                r = stream_start(stream, STREAM_CONNECTING);
        if (r < 0) {
                stream_discard_unstarted(stream);
                return r;
        }
        *ret = stream;
        return 0;
}

void net_stream_pause(struct net_stream *stream)
{
        stream->paused = true;
}

void net_stream_resume(struct net_stream *stream)
{
        if (!stream->paused || stream->state == STREAM_CLOSED)
                return;
        stream->paused = stream->parked = false;
        stream->again = true;
        loop_task_post(&stream->task);
}

bool net_stream_is_paused(const struct net_stream *stream)
{
        return stream->paused;
}

void net_stream_again(struct net_stream *stream)
{
        if (stream->state == STREAM_CLOSED)
                return;
        stream->again = true;
        loop_task_post(&stream->task);
}

const char *net_stream_tail(const struct net_stream *stream, size_t *ret_count)
{
        *ret_count = buffer_length(&stream->tail);
        return buffer_data(&stream->tail);
}

void net_stream_set_input_limit(struct net_stream *stream, size_t bytes)
{
        stream->tail.max = limit_clamp(bytes) + (uint32_t)NET_SCRATCH_SIZE;
}

static void finish(struct net_stream *stream, bool patient)
{
        int r;

        if (stream->finishing || stream->state >= STREAM_LINGERING)
                return;
        if (stream->state != STREAM_OPEN && buffer_length(&stream->output) == 0) {
                net_stream_close(stream);
                return;
        }
        r = stream_set_deadline(stream, FINISH_MS);
        if (r < 0) {
                stream_close(stream, r);
                return;
        }
        stream->deadline->pending = (uint32_t)buffer_length(&stream->output);
        stream->deadline->patient = patient;
        stream->finishing = true;
        stream->again = false;
        stream_drop_tail(stream);
        loop_task_post(&stream->task);
}

void net_stream_finish(struct net_stream *stream)
{
        finish(stream, false);
}

void net_stream_finish_patiently(struct net_stream *stream)
{
        finish(stream, true);
}

const char *net_stream_failure(const struct net_stream *stream)
{
        if (stream->transport.failure)
                return stream->transport.failure;
        return stream->reason == 0 ? "closed" : strerror(-stream->reason);
}

const struct net_peer *net_stream_peer(const struct net_stream *stream)
{
        return &stream->peer;
}

int net_stream_fd(const struct net_stream *stream)
{
        return stream->transport.fd;
}

uint64_t net_stream_active_ms(const struct net_stream *stream)
{
        return stream->active_ms;
}

int net_stream_user(const struct net_stream *stream, uid_t *ret)
{
        socklen_t length = sizeof(struct ucred);
        struct ucred credentials;

        if (stream->peer.any.sa_family != AF_UNIX)
                return -ENOTSUP;
        if (getsockopt(stream->transport.fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
                return -errno;
        *ret = credentials.uid;
        return 0;
}
