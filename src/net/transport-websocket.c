#include "net/transport.h"

#include "base/cleanup.h"
#include "loop/io.h"

#include <errno.h>
#include <string.h>
#include <wslay/wslay.h>

enum {
        HEADER_MAX = 14,
        TOGETHER_MAX = 4096, /* a header and so much of its payload leave in one write */
        CONTROL_MAX = 125,   /* RFC 6455, 5.5 */
};

/* RFC 6455, 7.4.1. */
enum close_code {
        CLOSE_NORMAL = 1000,
        CLOSE_PROTOCOL_ERROR = 1002,
        CLOSE_UNSUPPORTED_DATA = 1003,
};

/* A frame of ours that is not payload: a pong, or the close. */
struct control {
        uint8_t opcode;
        uint8_t bytes[CONTROL_MAX];
        size_t length, sent;
        bool due;
        bool begun; /* the library has its header, so that it cannot become another */
};

struct websocket {
        struct net_transport inner;
        wslay_frame_context_ptr frames;

        int write_result;                /* what the inner transport last said */
        size_t raw_left;                 /* output from before the upgrade */
        size_t frame_length, frame_left; /* payload of the frame that is on its way out */
        uint8_t held[HEADER_MAX];        /* of its header, until payload goes with it */
        size_t held_length;
        struct control pong, close;
        bool close_sent;

        int read_result;     /* -EAGAIN until the inner transport says 0, the end, or -errno */
        size_t allowance;    /* bytes that this read may still take from it */
        const uint8_t *rest; /* payload that the caller had no room for */
        size_t rest_length;
        uint64_t frame_read;        /* bytes of the payload of the frame that is coming in */
        bool in_message;            /* fragments of one are coming */
        uint8_t heard[CONTROL_MAX]; /* payload of a control frame */
        int failure;                /* -errno that reading ends with; 0: none */
        bool ended;                 /* the peer closed */
        bool more;                  /* the last read stopped before all was read */
};

static struct websocket *websocket_of(const struct net_transport *transport)
{
        return transport->session;
}

static ssize_t on_receive(uint8_t *bytes, size_t count, int flags, void *owner)
{
        struct websocket *websocket = owner;
        ssize_t n;

        (void)flags;
        /* It says so once; what came with it is to be read first. */
        if (websocket->read_result != -EAGAIN)
                return -1;
        if (websocket->allowance == 0) {
                websocket->more = true;
                return -1;
        }
        if (count > websocket->allowance)
                count = websocket->allowance;
        n = websocket->inner.type->read(&websocket->inner, bytes, count);
        if (n <= 0) {
                websocket->read_result = (int)n;
                return -1;
        }
        websocket->allowance -= (size_t)n;
        return n;
}

static ssize_t write_inner(struct websocket *websocket, const void *bytes, size_t count)
{
        ssize_t n = websocket->inner.type->write(&websocket->inner, bytes, count);

        websocket->write_result = n > 0 ? -EAGAIN : (int)n;
        return n > 0 ? n : -1;
}

/* A header that payload follows waits for it, so that they leave in one packet. */
static ssize_t on_send(const uint8_t *bytes, size_t count, int flags, void *owner)
{
        struct websocket *websocket = owner;
        uint8_t together[TOGETHER_MAX];
        size_t held = websocket->held_length, part;
        ssize_t n;

        if (flags & WSLAY_MSG_MORE) {
                memcpy(websocket->held + held, bytes, count);
                websocket->held_length += count;
                return (ssize_t)count;
        }
        if (held == 0)
                return write_inner(websocket, bytes, count);
        part = count < TOGETHER_MAX - held ? count : TOGETHER_MAX - held;
        memcpy(together, websocket->held, held);
        memcpy(together + held, bytes, part);
        n = write_inner(websocket, together, held + part);
        if (n < 0)
                return n;
        if ((size_t)n <= held) {
                websocket->held_length = held - (size_t)n;
                memmove(websocket->held, websocket->held + n, websocket->held_length);
                return -1;
        }
        websocket->held_length = 0;
        return n - (ssize_t)held;
}

/* What the library says of a write, as an errno: most of the time that it has to wait. */
static int result_of(const struct websocket *websocket, ssize_t n)
{
        return n == WSLAY_ERR_WANT_WRITE ? websocket->write_result : -EPROTO;
}

static bool is_between_frames(const struct websocket *websocket)
{
        return websocket->raw_left == 0 && websocket->frame_left == 0;
}

/* What the stream has to know after each operation; why it failed, the inner one knows. */
static void tell_state(struct net_transport *transport)
{
        struct websocket *websocket = websocket_of(transport);

        transport->read_waits_for = websocket->inner.read_waits_for;
        transport->write_waits_for = websocket->inner.write_waits_for;
        transport->owes =
                is_between_frames(websocket) && (websocket->pong.due || websocket->close.due);
        if (!websocket->inner.failure)
                return;
        free(transport->failure);
        transport->failure = TAKE(websocket->inner.failure);
}

static void prepare_control(struct control *control, uint8_t opcode, const void *bytes,
                            size_t length)
{
        control->opcode = opcode;
        control->length = length;
        control->due = true;
        memcpy(control->bytes, bytes, length);
}

/* Replaces one that is not begun: only the last ping wants its pong, 5.5.3. */
static void prepare_pong(struct websocket *websocket, const void *bytes, size_t length)
{
        if (!websocket->pong.begun && !websocket->close.due && !websocket->close_sent)
                prepare_control(&websocket->pong, WSLAY_PONG, bytes, length);
}

static void prepare_close(struct websocket *websocket, const void *bytes, size_t length)
{
        if (!websocket->close.due && !websocket->close_sent)
                prepare_control(&websocket->close, WSLAY_CONNECTION_CLOSE, bytes, length);
}

static void prepare_close_code(struct websocket *websocket, enum close_code code)
{
        const uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};

        prepare_close(websocket, bytes, sizeof(bytes));
}

static int send_control(struct websocket *websocket, struct control *control)
{
        while (control->due) {
                struct wslay_frame_iocb frame = {
                        .fin = 1,
                        .opcode = control->opcode,
                        .payload_length = control->length,
                        .data = control->bytes + control->sent,
                        .data_length = control->length - control->sent,
                };
                ssize_t n = wslay_frame_send(websocket->frames, &frame);

                control->begun = true;
                if (n < 0)
                        return result_of(websocket, n);
                control->sent += (size_t)n;
                control->due = control->sent < control->length;
        }
        control->begun = false;
        control->sent = 0;
        return 0;
}

/* Between frames only. 0: nothing is due any more; -EAGAIN, -errno. */
static int send_controls(struct websocket *websocket)
{
        int r = send_control(websocket, &websocket->pong);

        if (r < 0 || !websocket->close.due)
                return r;
        r = send_control(websocket, &websocket->close);
        websocket->close_sent = r == 0;
        return r;
}

static ssize_t write_raw(struct websocket *websocket, const void *bytes, size_t count)
{
        ssize_t n = websocket->inner.type->write(&websocket->inner, bytes,
                                                 count < websocket->raw_left ? count
                                                                             : websocket->raw_left);

        if (n > 0)
                websocket->raw_left -= (size_t)n;
        return n;
}

/* All that there is to write is one frame, whatever comes behind it meanwhile. */
static ssize_t write_frame(struct websocket *websocket, const void *bytes, size_t count)
{
        struct wslay_frame_iocb frame = {.fin = 1, .opcode = WSLAY_BINARY_FRAME, .data = bytes};
        ssize_t n;

        if (websocket->frame_left == 0)
                websocket->frame_length = websocket->frame_left = count;
        frame.payload_length = websocket->frame_length;
        frame.data_length = count < websocket->frame_left ? count : websocket->frame_left;
        n = wslay_frame_send(websocket->frames, &frame);
        if (n < 0)
                return result_of(websocket, n);
        websocket->frame_left -= (size_t)n;
        return n;
}

static ssize_t websocket_write(struct net_transport *transport, const void *bytes, size_t count)
{
        struct websocket *websocket = websocket_of(transport);
        ssize_t n;

        if (websocket->raw_left > 0) {
                n = write_raw(websocket, bytes, count);
        } else {
                n = is_between_frames(websocket) ? send_controls(websocket) : 0;
                /* Nothing follows a close, 5.5.1. */
                if (n == 0 && count > 0)
                        n = websocket->close_sent ? (ssize_t)count
                                                  : write_frame(websocket, bytes, count);
        }
        tell_state(transport);
        return n;
}

static int websocket_end(struct net_transport *transport)
{
        struct websocket *websocket = websocket_of(transport);
        int r;

        prepare_close_code(websocket, CLOSE_NORMAL);
        r = send_controls(websocket);
        if (r == 0)
                r = websocket->inner.type->end(&websocket->inner);
        tell_state(transport);
        return r;
}

/* Reading ends here; the peer is told why. */
static void refuse(struct websocket *websocket, enum close_code code)
{
        websocket->failure = -EPROTO;
        prepare_close_code(websocket, code);
}

/* A frame begins, 5.2, 5.4 and 5.5; the library has looked at lengths and fragments of
 * control frames. */
static void check_frame(struct websocket *websocket, const struct wslay_frame_iocb *frame)
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
static void on_close(struct websocket *websocket, size_t length)
{
        const uint8_t *code = websocket->heard;

        if (length > 0 && (length < 2 || !is_close_code((unsigned)code[0] << 8 | code[1]))) {
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
                return;
        }
        prepare_close(websocket, code, length > 0 ? 2 : 0);
        websocket->ended = true;
}

static void on_control(struct websocket *websocket, uint8_t opcode, size_t length)
{
        if (opcode == WSLAY_PING)
                prepare_pong(websocket, websocket->heard, length);
        else if (opcode == WSLAY_CONNECTION_CLOSE)
                on_close(websocket, length);
}

/* A part of a frame; data goes to `rest`. */
static void take_part(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
        if (websocket->frame_read == 0)
                check_frame(websocket, frame);
        if (websocket->failure < 0)
                return;
        if (wslay_is_ctrl_frame(frame->opcode)) {
                memcpy(websocket->heard + websocket->frame_read, frame->data, frame->data_length);
        } else {
                websocket->rest = frame->data;
                websocket->rest_length = frame->data_length;
        }
        websocket->frame_read += frame->data_length;
        if (websocket->frame_read < frame->payload_length)
                return;
        websocket->frame_read = 0;
        if (wslay_is_ctrl_frame(frame->opcode))
                on_control(websocket, frame->opcode, (size_t)frame->payload_length);
        else
                websocket->in_message = !frame->fin;
}

static size_t take_rest(struct websocket *websocket, uint8_t *bytes, size_t count)
{
        size_t taken = count < websocket->rest_length ? count : websocket->rest_length;

        if (taken == 0)
                return 0;
        memcpy(bytes, websocket->rest, taken);
        websocket->rest += taken;
        websocket->rest_length -= taken;
        return taken;
}

/* 1: a frame, or a part of one. 0: the end; -EAGAIN, -errno. */
static int take_frame(struct websocket *websocket)
{
        struct wslay_frame_iocb frame = {0};
        ssize_t n = wslay_frame_recv(websocket->frames, &frame);

        if (n == WSLAY_ERR_WANT_READ)
                return websocket->read_result;
        if (n < 0)
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else
                take_part(websocket, &frame);
        return 1;
}

/* Takes no more from the inner transport than it was given room for: frames may hold nothing,
 * and one who sends them without end is to have no more than a share of the round. */
static ssize_t websocket_read(struct net_transport *transport, void *bytes, size_t count)
{
        struct websocket *websocket = websocket_of(transport);
        size_t taken = 0;
        int r = 1;

        websocket->allowance = count;
        websocket->more = false;
        while (r > 0 && taken < count) {
                taken += take_rest(websocket, (uint8_t *)bytes + taken, count - taken);
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
        tell_state(transport);
        return taken > 0 ? (ssize_t)taken : r;
}

static bool websocket_has_more(const struct net_transport *transport)
{
        const struct websocket *websocket = websocket_of(transport);

        return websocket->more || websocket->failure < 0 || websocket->ended ||
               websocket->read_result != -EAGAIN ||
               websocket->inner.type->has_more(&websocket->inner);
}

static struct ssl_st *websocket_tls(const struct net_transport *transport)
{
        const struct websocket *websocket = websocket_of(transport);

        return websocket->inner.type->tls(&websocket->inner);
}

static void websocket_done(struct net_transport *transport)
{
        struct websocket *websocket = TAKE(transport->session);

        websocket->inner.type->done(&websocket->inner);
        free(websocket->inner.failure);
        wslay_frame_context_free(websocket->frames);
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

int net_transport_wrap_websocket(struct net_transport *transport, size_t written)
{
        static const struct wslay_frame_callbacks callbacks = {.send_callback = on_send,
                                                               .recv_callback = on_receive};
        struct websocket *websocket = calloc(1, sizeof(*websocket));

        if (!websocket)
                return -ENOMEM;
        if (wslay_frame_context_init(&websocket->frames, &callbacks, websocket) != 0) {
                free(websocket);
                return -ENOMEM;
        }
        websocket->inner = *transport;
        websocket->raw_left = written;
        websocket->read_result = websocket->write_result = -EAGAIN;
        transport->type = &websocket_type;
        transport->session = websocket;
        transport->failure = NULL;
        return 0;
}
