/* Fuzzes what a host says: frames that come in pieces are the same as those of the whole, and
 * what is taken for a message has all that its kind promises.
 *
 * The input's first byte says how the rest is cut. */
#include "agent/handler/host-protocol.h"
#include "fuzz/fuzz.h"

#include <string.h>

enum { INPUT_MAX = 64 << 10 };

static void look_at_commands(const struct host_message *message)
{
        for (size_t i = 0; i < message->loaded.commands_count; i++) {
                const char *name, *description;

                host_message_command(message, i, &name, &description);
                MUST(name != NULL && description != NULL);
        }
}

static void look_at(const char *json, size_t length)
{
        struct host_message message;
        struct error error;
        int r = host_message_decode(json, length, &message, &error);

        if (r < 0) {
                MUST(error.code == r && error.text[0] != '\0');
                return;
        }
        switch (message.kind) {
        case HOST_LOADED:
                MUST(message.loaded.self_test_reason != NULL);
                look_at_commands(&message);
                break;
        case HOST_REPLY:
                MUST(cJSON_IsObject(message.reply.result));
                break;
        case HOST_LOAD_FAILED:
        case HOST_CALL_FAILED:
                MUST(message.failed.type && message.failed.message && message.failed.traceback);
                MUST(message.failed.line >= 0);
                break;
        }
        host_message_done(&message);
}

/* Takes what frames there are; how many, or -1 when one was refused. */
static int take_frames(struct buffer *in, bool look)
{
        int count = 0;

        for (;;) {
                const char *json;
                size_t length;
                int r = host_frame_next(in, &json, &length);

                if (r <= 0)
                        return r < 0 ? -1 : count;
                MUST(HOST_FRAME_HEADER + length <= buffer_length(in) && length > 0);
                if (look)
                        look_at(json, length);
                buffer_consume(in, HOST_FRAME_HEADER + length);
                count++;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count)
{
        struct buffer whole, pieces;
        int at_once, in_pieces = 0;

        if (count < 1 || count > INPUT_MAX)
                return 0;
        buffer_init(&whole, INPUT_MAX);
        buffer_init(&pieces, INPUT_MAX);
        MUST(buffer_append(&whole, input + 1, count - 1) == 0);
        at_once = take_frames(&whole, true);
        for (size_t at = 1; at < count && in_pieces >= 0;) {
                size_t piece = (size_t)input[0] % 19 + 1;
                int taken;

                if (piece > count - at)
                        piece = count - at;
                MUST(buffer_append(&pieces, input + at, piece) == 0);
                at += piece;
                taken = take_frames(&pieces, false);
                in_pieces = taken < 0 ? -1 : in_pieces + taken;
        }
        MUST(at_once == in_pieces);
        buffer_done(&whole);
        buffer_done(&pieces);
        return 0;
}
