#include "net/websocket-frames.h"

#include <errno.h>
#include <string.h>

struct websocket_frames *websocket_frames_new(const struct wslay_frame_callbacks *callbacks)
{
        struct websocket_frames *frames = calloc(1, sizeof(*frames));

        if (frames && wslay_frame_context_init(&frames->library, callbacks, frames) != 0)
                free(TAKE(frames));
        return frames;
}

struct websocket_frames *websocket_frames_free(struct websocket_frames *frames)
{
        if (!frames)
                return NULL;
        wslay_frame_context_free(frames->library);
        free(frames);
        return NULL;
}

/* What the library says of a write, as an errno: most of the time that it has to wait. */
static int result_of(const struct websocket_frames *frames, ssize_t n)
{
        return n == WSLAY_ERR_WANT_WRITE ? frames->write_result : -EPROTO;
}

void websocket_control_prepare(struct websocket_control *control, uint8_t opcode, const void *bytes,
                               size_t length)
{
        control->opcode = opcode;
        control->length = length;
        control->due = true;
        memcpy(control->bytes, bytes, length);
}

int websocket_frames_send_control(struct websocket_frames *frames,
                                  struct websocket_control *control)
{
        while (control->due) {
                struct wslay_frame_iocb frame = {
                        .fin = 1,
                        .opcode = control->opcode,
                        .payload_length = control->length,
                        .data = control->bytes + control->sent,
                        .data_length = control->length - control->sent,
                };
                ssize_t n = wslay_frame_send(frames->library, &frame);

                control->begun = true;
                if (n < 0)
                        return result_of(frames, n);
                control->sent += (size_t)n;
                control->due = control->sent < control->length;
        }
        control->begun = false;
        control->sent = 0;
        return 0;
}

ssize_t websocket_frames_send(struct websocket_frames *frames, const void *bytes, size_t count)
{
        struct wslay_frame_iocb frame = {.fin = 1, .opcode = WSLAY_BINARY_FRAME, .data = bytes};
        ssize_t n;

        if (frames->out_left == 0)
                frames->out_length = frames->out_left = count;
        frame.payload_length = frames->out_length;
        frame.data_length = count < frames->out_left ? count : frames->out_left;
        n = wslay_frame_send(frames->library, &frame);
        if (n < 0)
                return result_of(frames, n);
        frames->out_left -= (size_t)n;
        return n;
}
