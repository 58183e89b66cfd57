#include "net/transport.h"

#include "loop/io.h"
#include "net/context.h"
#include "net/websocket-frames.h"

#include <errno.h>
#include <string.h>

enum { TOGETHER_MAX = 4096 }; /* a header and so much of its payload leave in one write */

/* RFC 6455, 7.4.1. */
enum close_code {
        CLOSE_NORMAL = 1000,
        CLOSE_PROTOCOL_ERROR = 1002,
        CLOSE_UNSUPPORTED_DATA = 1003,
};

/* There may be ten thousands that are silent: what those do not need is in `frames`. */
struct net_websocket {
        struct net_transport inner;
        struct net_context *context;
        struct websocket_frames *frames; /* NULL: none is on its way */
        size_t raw_left;                 /* output from before the upgrade */
        int read_result; /* -EAGAIN until the inner transport says 0, the end, or -errno */
        int failure;     /* -errno that reading ends with; 0: none */
        bool close_sent;
        bool in_message; /* fragments of one are coming */
        bool ended;      /* the peer closed */
        bool more;       /* the last read stopped before all was read */
};

static struct net_websocket *websocket_of(const struct net_transport *transport)
{
        return transport->session;
}

static ssize_t on_receive(uint8_t *bytes, size_t count, int flags, void *owner)
{
        struct websocket_frames *frames = owner;
        struct net_websocket *websocket = frames->websocket;
        ssize_t n;

        (void)flags;
        /* It says so once; what came with it is to be read first. */
        if (websocket->read_result != -EAGAIN || frames->drained)
                return -1;
        if (frames->allowance == 0) {
                websocket->more = true;
                return -1;
        }
        if (count > frames->allowance)
                count = frames->allowance;
        n = websocket->inner.type->read(&websocket->inner, bytes, count);
        if (n <= 0) {
                websocket->read_result = (int)n;
                return -1;
        }
        /* Of a socket; TLS brings a record at a time. */
        frames->drained = (size_t)n < count && !websocket->inner.type->tls(&websocket->inner);
        frames->allowance -= (size_t)n;
        frames->unread += (size_t)n;
        return n;
}

static ssize_t write_inner(struct websocket_frames *frames, const void *bytes, size_t count)
{
        struct net_transport *inner = &frames->websocket->inner;
        ssize_t n = inner->type->write(inner, bytes, count);

        frames->write_result = n > 0 ? -EAGAIN : (int)n;
        return n > 0 ? n : -1;
}

/* A header that payload follows waits for it, so that they leave in one packet. */
static ssize_t on_send(const uint8_t *bytes, size_t count, int flags, void *owner)
{
        struct websocket_frames *frames = owner;
        uint8_t together[TOGETHER_MAX];
        size_t held = frames->held_length, part;
        ssize_t n;

        if (flags & WSLAY_MSG_MORE) {
                memcpy(frames->held + held, bytes, count);
                frames->held_length += count;
                return (ssize_t)count;
        }
        if (held == 0)
                return write_inner(frames, bytes, count);
        part = count < TOGETHER_MAX - held ? count : TOGETHER_MAX - held;
        memcpy(together, frames->held, held);
        memcpy(together + held, bytes, part);
        n = write_inner(frames, together, held + part);
        if (n < 0)
                return n;
        if ((size_t)n <= held) {
                frames->held_length = held - (size_t)n;
                memmove(frames->held, frames->held + n, frames->held_length);
                return -1;
        }
        frames->held_length = 0;
        return n - (ssize_t)held;
}

/* At the begin of each operation. -ENOMEM. */
static int use_frames(struct net_websocket *websocket)
{
        static const struct wslay_frame_callbacks callbacks = {.send_callback = on_send,
                                                               .recv_callback = on_receive};
        struct net_context *context = websocket->context;

        if (!context->frames)
                context->frames = websocket_frames_new(&callbacks);
        if (!context->frames)
                return -ENOMEM;
        websocket->frames = context->frames;
        websocket->frames->websocket = websocket;
        return 0;
}

/* Others get another. Who cannot pay ends. */
static void keep_frames(struct net_websocket *websocket)
{
        int r = net_budget_take(&websocket->context->budget, NET_FRAMES_SIZE);

        websocket->context->frames = NULL;
        websocket->frames->paid = r == 0;
        if (r < 0 && websocket->failure == 0)
                websocket->failure = r;
}

static void stop_paying(struct net_websocket *websocket)
{
        if (websocket->frames->paid)
                net_budget_give(&websocket->context->budget, NET_FRAMES_SIZE);
        websocket->frames->paid = false;
}

static void return_frames(struct net_websocket *websocket)
{
        stop_paying(websocket);
        net_context_return_frames(websocket->context, websocket->frames);
}

static bool is_between_frames(const struct net_websocket *websocket)
{
        return websocket->raw_left == 0 && (!websocket->frames || websocket->frames->out_left == 0);
}

static bool owes_control(const struct net_websocket *websocket)
{
        const struct websocket_frames *frames = websocket->frames;

        return frames && (frames->pong.due || frames->close.due) && is_between_frames(websocket);
}

/* At the end of each operation: who is in the middle of a frame keeps what it needs. And what
 * the stream has to know; why it failed, the inner transport knows. */
static void finish_operation(struct net_transport *transport)
{
        struct net_websocket *websocket = websocket_of(transport);
        struct websocket_frames *frames = websocket->frames;
        bool kept = frames != websocket->context->frames;

        if (frames && websocket->failure == 0 && websocket_frames_are_over(frames)) {
                if (kept)
                        return_frames(websocket);
                websocket->frames = NULL;
        } else if (frames && !kept) {
                keep_frames(websocket);
        }
        transport->read_waits_for = websocket->inner.read_waits_for;
        transport->write_waits_for = websocket->inner.write_waits_for;
        transport->owes = owes_control(websocket);
        if (!websocket->inner.failure)
                return;
        free(transport->failure);
        transport->failure = TAKE(websocket->inner.failure);
}

/* Replaces one that is not begun: only the last ping wants its pong, 5.5.3. */
static void prepare_pong(struct net_websocket *websocket, const void *bytes, size_t length)
{
        struct websocket_frames *frames = websocket->frames;

        if (!frames->pong.begun && !frames->close.due && !websocket->close_sent)
                websocket_control_prepare(&frames->pong, WSLAY_PONG, bytes, length);
}

static void prepare_close(struct net_websocket *websocket, const void *bytes, size_t length)
{
        struct websocket_frames *frames = websocket->frames;

        if (!frames->close.due && !websocket->close_sent)
                websocket_control_prepare(&frames->close, WSLAY_CONNECTION_CLOSE, bytes, length);
}

static void prepare_close_code(struct net_websocket *websocket, enum close_code code)
{
        const uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};

        prepare_close(websocket, bytes, sizeof(bytes));
}

/* Between frames only. 0: nothing is due any more; -EAGAIN, -errno. */
static int send_controls(struct net_websocket *websocket)
{
        struct websocket_frames *frames = websocket->frames;
        int r = websocket_frames_send_control(frames, &frames->pong);

        if (r < 0 || !frames->close.due)
                return r;
        r = websocket_frames_send_control(frames, &frames->close);
        websocket->close_sent = r == 0;
        return r;
}

static ssize_t write_raw(struct net_websocket *websocket, const void *bytes, size_t count)
{
        ssize_t n = websocket->inner.type->write(&websocket->inner, bytes,
                                                 count < websocket->raw_left ? count
                                                                             : websocket->raw_left);

        if (n > 0)
                websocket->raw_left -= (size_t)n;
        return n;
}

static ssize_t write_framed(struct net_websocket *websocket, const void *bytes, size_t count)
{
        ssize_t n = 0;

        if (!websocket->frames)
                n = use_frames(websocket);
        else if (is_between_frames(websocket))
                n = send_controls(websocket);
        /* Nothing follows a close, 5.5.1. */
        if (n == 0 && count > 0)
                n = websocket->close_sent ? (ssize_t)count
                                          : websocket_frames_send(websocket->frames, bytes, count);
        return n;
}

static ssize_t websocket_write(struct net_transport *transport, const void *bytes, size_t count)
{
        struct net_websocket *websocket = websocket_of(transport);
        ssize_t n = websocket->raw_left > 0 ? write_raw(websocket, bytes, count)
                                            : write_framed(websocket, bytes, count);

        finish_operation(transport);
        return n;
}

static int websocket_end(struct net_transport *transport)
{
        struct net_websocket *websocket = websocket_of(transport);
        int r = websocket->frames ? 0 : use_frames(websocket);

        if (r < 0)
                return r;
        prepare_close_code(websocket, CLOSE_NORMAL);
        r = send_controls(websocket);
        if (r == 0)
                r = websocket->inner.type->end(&websocket->inner);
        finish_operation(transport);
        return r;
}

/* Reading ends here; the peer is told why. */
static void refuse(struct net_websocket *websocket, enum close_code code)
{
        websocket->failure = -EPROTO;
        prepare_close_code(websocket, code);
}

/* A frame begins, 5.2, 5.4 and 5.5; the library has looked at lengths and fragments of
 * control frames. */
static void check_frame(struct net_websocket *websocket, const struct wslay_frame_iocb *frame)
{
        bool continues = frame->opcode == WSLAY_CONTINUATION_FRAME;

        if (!frame->mask || frame->rsv != 0)
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else if (frame->opcode == WSLAY_TEXT_FRAME)
                refuse(websocket, CLOSE_UNSUPPORTED_DATA);
        else if (frame->opcode > WSLAY_PONG ||
                 (frame->opcode > WSLAY_BINARY_FRAME && frame->opcode < WSLAY_CONNECTION_CLOSE))
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else if (!wslay_is_ctrl_frame(frame->opcode) && continues != websocket->in_message)
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
}

/* What an endpoint may send, 7.4: codes of the standard and its registry, of libraries and of
 * applications. */
static bool is_close_code(unsigned code)
{
        return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
               (code >= 3000 && code <= 4999);
}

/* Its code comes back, 5.5.1, without the reason. */
static void on_close(struct net_websocket *websocket, size_t length)
{
        const uint8_t *code = websocket->frames->heard;

        if (length > 0 && (length < 2 || !is_close_code((unsigned)code[0] << 8 | code[1]))) {
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
                return;
        }
        prepare_close(websocket, code, length > 0 ? 2 : 0);
        websocket->ended = true;
}

static void on_control(struct net_websocket *websocket, uint8_t opcode, size_t length)
{
        if (opcode == WSLAY_PING)
                prepare_pong(websocket, websocket->frames->heard, length);
        else if (opcode == WSLAY_CONNECTION_CLOSE)
                on_close(websocket, length);
}

/* 5.2: one with a mask, as all have that are not refused. The library takes no length in a
 * longer form than it needs. */
static size_t frame_length(const struct wslay_frame_iocb *frame)
{
        size_t extended = frame->payload_length < 126 ? 0 : frame->payload_length < 65536 ? 2 : 8;

        return 6 + extended + (size_t)frame->payload_length;
}

/* A part of a frame; data goes to `rest`. */
static void take_part(struct net_websocket *websocket, const struct wslay_frame_iocb *part)
{
        struct websocket_frames *frames = websocket->frames;

        if (frames->in_read == 0)
                check_frame(websocket, part);
        if (websocket->failure < 0)
                return;
        if (wslay_is_ctrl_frame(part->opcode)) {
                memcpy(frames->heard + frames->in_read, part->data, part->data_length);
        } else {
                frames->rest = part->data;
                frames->rest_length = part->data_length;
        }
        frames->in_read += part->data_length;
        if (frames->in_read < part->payload_length)
                return;
        frames->in_read = 0;
        frames->unread -= frame_length(part); /* both modulo the size, for a frame of any length */
        if (wslay_is_ctrl_frame(part->opcode))
                on_control(websocket, part->opcode, (size_t)part->payload_length);
        else
                websocket->in_message = !part->fin;
}

static size_t take_rest(struct websocket_frames *frames, uint8_t *bytes, size_t count)
{
        size_t taken = count < frames->rest_length ? count : frames->rest_length;

        if (taken == 0)
                return 0;
        memcpy(bytes, frames->rest, taken);
        frames->rest += taken;
        frames->rest_length -= taken;
        return taken;
}

/* 1: a frame, or a part of one. 0: the end; -EAGAIN, -errno. */
static int take_frame(struct net_websocket *websocket)
{
        struct wslay_frame_iocb part = {0};
        ssize_t n = wslay_frame_recv(websocket->frames->library, &part);

        if (n == WSLAY_ERR_WANT_READ)
                return websocket->read_result;
        if (n < 0)
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else
                take_part(websocket, &part);
        return 1;
}

/* Takes no more from the inner transport than it was given room for: frames may hold nothing,
 * and one who sends them without end is to have no more than a share of the round. */
static ssize_t websocket_read(struct net_transport *transport, void *bytes, size_t count)
{
        struct net_websocket *websocket = websocket_of(transport);
        size_t taken = 0;
        int r = websocket->frames ? 0 : use_frames(websocket);

        if (r < 0)
                return r;
        websocket->frames->allowance = count;
        websocket->frames->drained = false;
        websocket->more = false;
        for (r = 1; r > 0 && taken < count;) {
                taken += take_rest(websocket->frames, (uint8_t *)bytes + taken, count - taken);
                if (websocket->failure < 0)
                        r = websocket->failure;
                else if (websocket->ended)
                        r = 0;
                else if (taken < count)
                        r = take_frame(websocket);
        }
        if (taken == count)
                websocket->more = true;
        /* The stream that this ends will not write again. */
        if (r < 0 && websocket->failure < 0 && is_between_frames(websocket))
                (void)send_controls(websocket);
        finish_operation(transport);
        return taken > 0 ? (ssize_t)taken : r;
}

static bool websocket_has_more(const struct net_transport *transport)
{
        const struct net_websocket *websocket = websocket_of(transport);

        return websocket->more || websocket->failure < 0 || websocket->ended ||
               websocket->read_result != -EAGAIN ||
               websocket->inner.type->has_more(&websocket->inner);
}

static struct ssl_st *websocket_tls(const struct net_transport *transport)
{
        const struct net_websocket *websocket = websocket_of(transport);

        return websocket->inner.type->tls(&websocket->inner);
}

static void websocket_done(struct net_transport *transport)
{
        struct net_websocket *websocket = TAKE(transport->session);

        websocket->inner.type->done(&websocket->inner);
        free(websocket->inner.failure);
        if (websocket->frames)
                stop_paying(websocket);
        websocket_frames_free(websocket->frames);
        free(websocket);
}

/* It is open already. */
static int websocket_handshake(struct net_transport *transport)
{
        (void)transport;
        return 0;
}

static const struct net_transport_type websocket_type = {
        .handshake = websocket_handshake,
        .read = websocket_read,
        .write = websocket_write,
        .end = websocket_end,
        .has_more = websocket_has_more,
        .tls = websocket_tls,
        .done = websocket_done,
};

int net_transport_wrap_websocket(struct net_transport *transport, struct net_context *context,
                                 size_t written)
{
        struct net_websocket *websocket = calloc(1, sizeof(*websocket));

        if (!websocket)
                return -ENOMEM;
        websocket->inner = *transport;
        websocket->context = context;
        websocket->raw_left = written;
        websocket->read_result = -EAGAIN;
        transport->type = &websocket_type;
        transport->session = websocket;
        transport->failure = NULL;
        return 0;
}
