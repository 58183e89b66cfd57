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
        size_t length;
        bool due;
        bool begun;
        size_t sent;
};

struct websocket {
        struct net_transport inner;
        wslay_frame_context_ptr frames;
        int result; /* what the inner transport last said: 0 the end, -EAGAIN, -errno */

        size_t raw_left;                 /* output from before the upgrade */
        size_t frame_length, frame_left; /* payload of the frame that is on its way out */
        uint8_t held[HEADER_MAX];        /* of its header, until payload goes with it */
        size_t held_length;
        struct control control;
        bool close_sent;

        const uint8_t *rest; /* payload that the caller had no room for */
        size_t rest_length;
        uint64_t frame_read;        /* bytes of the payload of the frame that is coming in */
        bool in_message;            /* fragments of one are coming */
        uint8_t heard[CONTROL_MAX]; /* payload of a control frame */
        int failure;                /* -errno that reading ends with; 0: none */
        bool ended;                 /* the peer closed */
        bool full;                  /* the last read stopped for want of room */
};

static struct websocket *websocket_of(const struct net_transport *transport)
{
        return transport->session;
}

static ssize_t note(struct websocket *websocket, ssize_t n)
{
        websocket->result = n > 0 ? -EAGAIN : (int)n;
        return n > 0 ? n : -1;
}

static ssize_t on_receive(uint8_t *bytes, size_t count, int flags, void *owner)
{
        struct websocket *websocket = owner;

        (void)flags;
        return note(websocket, websocket->inner.type->read(&websocket->inner, bytes, count));
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
                return note(websocket,
                            websocket->inner.type->write(&websocket->inner, bytes, count));
        part = count < TOGETHER_MAX - held ? count : TOGETHER_MAX - held;
        memcpy(together, websocket->held, held);
        memcpy(together + held, bytes, part);
        n = note(websocket, websocket->inner.type->write(&websocket->inner, together, held + part));
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

/* What the library says, as an errno: most of the time that it has to wait. */
static int result_of(const struct websocket *websocket, ssize_t n)
{
        return n == WSLAY_ERR_WANT_READ || n == WSLAY_ERR_WANT_WRITE ? websocket->result : -EPROTO;
}

/* The inner transport knows why. */
static void take_failure(struct net_transport *transport)
{
        struct websocket *websocket = websocket_of(transport);

        transport->read_waits_for = websocket->inner.read_waits_for;
        transport->write_waits_for = websocket->inner.write_waits_for;
        if (!websocket->inner.failure)
                return;
        free(transport->failure);
        transport->failure = TAKE(websocket->inner.failure);
}

/* Replaces one that nobody has seen anything of: only the last ping wants its pong, 5.5.3. */
static void prepare_control(struct websocket *websocket, uint8_t opcode, const void *bytes,
                            size_t length)
{
        if (websocket->control.begun || websocket->control.opcode == WSLAY_CONNECTION_CLOSE)
                return;
        websocket->control.opcode = opcode;
        websocket->control.length = length;
        websocket->control.due = true;
        memcpy(websocket->control.bytes, bytes, length);
}

static void prepare_close(struct websocket *websocket, unsigned code)
{
        const uint8_t bytes[2] = {(uint8_t)(code >> 8), (uint8_t)code};

        prepare_control(websocket, WSLAY_CONNECTION_CLOSE, bytes, sizeof(bytes));
}

/* Between frames only. 0: nothing is due any more; -EAGAIN, -errno. */
static int send_control(struct websocket *websocket)
{
        struct control *control = &websocket->control;

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
        if (control->begun && control->opcode == WSLAY_CONNECTION_CLOSE)
                websocket->close_sent = true;
        control->begun = false;
        control->sent = 0;
        return 0;
}

static bool is_between_frames(const struct websocket *websocket)
{
        return websocket->raw_left == 0 && websocket->frame_left == 0;
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
                n = is_between_frames(websocket) ? send_control(websocket) : 0;
                /* Nothing follows a close, 5.5.1. */
                if (n == 0)
                        n = websocket->close_sent ? (ssize_t)count
                                                  : write_frame(websocket, bytes, count);
        }
        take_failure(transport);
        return n;
}

static int websocket_end(struct net_transport *transport)
{
        struct websocket *websocket = websocket_of(transport);
        int r = 0;

        if (!websocket->close_sent) {
                prepare_close(websocket, CLOSE_NORMAL);
                r = send_control(websocket);
        }
        if (r == 0)
                r = websocket->inner.type->end(&websocket->inner);
        take_failure(transport);
        return r;
}

/* Reading ends here; the peer is told why. */
static void refuse(struct websocket *websocket, enum close_code code)
{
        websocket->failure = -EPROTO;
        prepare_close(websocket, code);
}

/* A frame begins, 5.2, 5.4 and 5.5; the library has looked at lengths and fragments of
 * control frames. */
static void check_frame(struct websocket *websocket, const struct wslay_frame_iocb *frame)
{
        bool fits = !wslay_is_ctrl_frame(frame->opcode) &&
                    (frame->opcode == WSLAY_CONTINUATION_FRAME) == websocket->in_message;

        if (!frame->mask || frame->rsv != 0)
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else if (frame->opcode == WSLAY_TEXT_FRAME)
                refuse(websocket, CLOSE_UNSUPPORTED_DATA);
        else if (frame->opcode > WSLAY_PONG ||
                 (frame->opcode > WSLAY_BINARY_FRAME && frame->opcode < WSLAY_CONNECTION_CLOSE))
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else if (!fits && !wslay_is_ctrl_frame(frame->opcode))
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
}

static void on_control(struct websocket *websocket, uint8_t opcode, size_t length)
{
        if (opcode == WSLAY_PING)
                prepare_control(websocket, WSLAY_PONG, websocket->heard, length);
        if (opcode != WSLAY_CONNECTION_CLOSE)
                return;
        /* Its code comes back, 5.5.1, without the reason. */
        prepare_control(websocket, WSLAY_CONNECTION_CLOSE, websocket->heard, length < 2 ? 0 : 2);
        websocket->ended = true;
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
                on_control(websocket, frame->opcode, frame->payload_length);
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
                return websocket->result;
        if (n < 0)
                refuse(websocket, CLOSE_PROTOCOL_ERROR);
        else
                take_part(websocket, &frame);
        return 1;
}

static ssize_t websocket_read(struct net_transport *transport, void *bytes, size_t count)
{
        struct websocket *websocket = websocket_of(transport);
        size_t taken = 0;
        int r = 1;

        while (r > 0 && taken < count) {
                taken += take_rest(websocket, (uint8_t *)bytes + taken, count - taken);
                if (websocket->failure < 0)
                        r = websocket->failure;
                else if (websocket->ended)
                        r = 0;
                else if (taken < count)
                        r = take_frame(websocket);
        }
        websocket->full = taken == count;
        /* What does not go out now goes in front of the next output. */
        if (is_between_frames(websocket) && !websocket->close_sent)
                (void)send_control(websocket);
        take_failure(transport);
        return taken > 0 ? (ssize_t)taken : r;
}

static bool websocket_has_more(const struct net_transport *transport)
{
        const struct websocket *websocket = websocket_of(transport);

        return websocket->full || websocket->failure < 0 || websocket->ended ||
               websocket->inner.type->has_more(&websocket->inner);
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
        websocket->result = -EAGAIN;
        transport->type = &websocket_type;
        transport->session = websocket;
        transport->failure = NULL;
        return 0;
}
