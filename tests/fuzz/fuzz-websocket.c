/* Fuzzes the server's side of a WebSocket over a transport that reads and writes as little as
 * it likes, and often nothing: what comes in is what a plain reading of RFC 6455 makes of the
 * bytes, and what goes out, which is all of it again, is whole frames.
 *
 * The input's first byte says how much is read at once, its second how much is written. */
#include "fuzz/fuzz.h"
#include "loop/loop.h"
#include "net/context.h"
#include "net/transport.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { INPUT_MAX = 16 << 10, OUTPUT_MAX = 8 * INPUT_MAX, BEFORE = 3 };

enum verdict {
        VERDICT_OPEN,
        VERDICT_CLOSED,
        VERDICT_REFUSED,
};

/* What is written before the upgrade, then payload. */
struct payload {
        uint8_t bytes[BEFORE + INPUT_MAX];
        size_t count;
};

/* ---- what should come of it ---- */

struct frame {
        bool fin;
        uint8_t rsv, opcode;
        const uint8_t *mask; /* NULL: none */
        uint64_t length;
        const uint8_t *payload;
        size_t present; /* bytes of it */
};

/* 1: a frame of which something can be said; 0: not yet; -1: it is none. */
static int read_header(const uint8_t *bytes, size_t count, struct frame *ret)
{
        size_t extra, header = 2;

        if (count < 2)
                return 0;
        *ret = (struct frame){.fin = bytes[0] >> 7,
                              .rsv = bytes[0] >> 4 & 7,
                              .opcode = bytes[0] & 15,
                              .length = bytes[1] & 127};
        if (ret->opcode >= 8 && (!ret->fin || ret->length > 125))
                return -1;
        extra = ret->length == 126 ? 2 : ret->length == 127 ? 8 : 0;
        if (count < header + extra)
                return 0;
        if (extra > 0) {
                ret->length = 0;
                for (size_t i = 0; i < extra; i++)
                        ret->length = ret->length << 8 | bytes[2 + i];
                if (ret->length < (extra == 2 ? 126U : 65536U) || ret->length >> 63)
                        return -1;
        }
        header += extra;
        if (bytes[1] & 128) {
                if (count < header + 4)
                        return 0;
                ret->mask = bytes + header;
                header += 4;
        }
        ret->payload = bytes + header;
        ret->present = count - header < ret->length ? count - header : (size_t)ret->length;
        return ret->present > 0 || ret->length == 0;
}

static uint8_t payload_byte(const struct frame *frame, size_t at)
{
        return frame->payload[at] ^ frame->mask[at % 4];
}

static bool may_come(const struct frame *frame, bool in_message)
{
        if (!frame->mask || frame->rsv != 0)
                return false;
        if (frame->opcode >= 8)
                return frame->opcode <= 10;
        return frame->opcode == (in_message ? 0 : 2);
}

static enum verdict close_verdict(const struct frame *frame)
{
        unsigned code;

        if (frame->length == 0)
                return VERDICT_CLOSED;
        if (frame->length == 1)
                return VERDICT_REFUSED;
        code = (unsigned)payload_byte(frame, 0) << 8 | payload_byte(frame, 1);
        if (code < 1000 || (code > 1003 && code < 1007) || (code > 1014 && code < 3000) ||
            code > 4999)
                return VERDICT_REFUSED;
        return VERDICT_CLOSED;
}

static enum verdict expect(const uint8_t *bytes, size_t count, struct payload *ret)
{
        bool in_message = false;
        struct frame frame;
        int r;

        while ((r = read_header(bytes, count, &frame)) > 0) {
                size_t used = (size_t)(frame.payload - bytes) + frame.present;

                if (!may_come(&frame, in_message))
                        return VERDICT_REFUSED;
                for (size_t i = 0; frame.opcode < 8 && i < frame.present; i++)
                        ret->bytes[ret->count++] = payload_byte(&frame, i);
                if (frame.present < frame.length)
                        return VERDICT_OPEN;
                if (frame.opcode == 8)
                        return close_verdict(&frame);
                if (frame.opcode < 8)
                        in_message = !frame.fin;
                bytes += used;
                count -= used;
        }
        return r < 0 ? VERDICT_REFUSED : VERDICT_OPEN;
}

/* ---- a transport inside, of memory ---- */

struct memory {
        const uint8_t *input;
        size_t left;
        size_t read_most, write_most; /* at once */
        unsigned calls;
        uint8_t output[OUTPUT_MAX];
        size_t written;
};

static ssize_t memory_read(struct net_transport *transport, void *bytes, size_t count)
{
        struct memory *memory = transport->session;

        count = count < memory->read_most ? count : memory->read_most;
        count = count < memory->left ? count : memory->left;
        if (count == 0 || ++memory->calls % 3 == 0)
                return -EAGAIN;
        memcpy(bytes, memory->input, count);
        memory->input += count;
        memory->left -= count;
        return (ssize_t)count;
}

static ssize_t memory_write(struct net_transport *transport, const void *bytes, size_t count)
{
        struct memory *memory = transport->session;

        MUST(count > 0);
        count = count < memory->write_most ? count : memory->write_most;
        if (++memory->calls % 2 == 0)
                return -EAGAIN;
        MUST(count <= OUTPUT_MAX - memory->written);
        memcpy(memory->output + memory->written, bytes, count);
        memory->written += count;
        return (ssize_t)count;
}

static int memory_end(struct net_transport *transport)
{
        return 0;
}

static bool memory_has_more(const struct net_transport *transport)
{
        const struct memory *memory = transport->session;

        return memory->left > 0;
}

static void memory_done(struct net_transport *transport)
{
}

static struct ssl_st *memory_tls(const struct net_transport *transport)
{
        return NULL;
}

static const struct net_transport_type memory_type = {
        .read = memory_read,
        .write = memory_write,
        .end = memory_end,
        .has_more = memory_has_more,
        .tls = memory_tls,
        .done = memory_done,
};

/* ---- what came of it ---- */

static void write_some(struct net_transport *transport, const struct payload *payload,
                       size_t *written)
{
        size_t left = payload->count - *written;
        ssize_t n;

        if (left == 0 && !transport->owes)
                return;
        n = transport->type->write(transport, payload->bytes + *written, left);
        MUST(n == -EAGAIN || (n >= 0 && (size_t)n <= left));
        *written += n > 0 ? (size_t)n : 0;
}

/* As a stream does: reads while it can, writes what there is, and says farewell. */
static enum verdict echo(struct net_transport *transport, size_t room, struct payload *ret)
{
        enum verdict verdict = VERDICT_OPEN;
        size_t written = 0;
        int r;

        while (verdict == VERDICT_OPEN && transport->type->has_more(transport)) {
                ssize_t n = transport->type->read(transport, ret->bytes + ret->count, room);

                MUST(n >= -EPROTO && n <= (ssize_t)room);
                if (n > 0)
                        ret->count += (size_t)n;
                else if (n == 0)
                        verdict = VERDICT_CLOSED;
                else if (n != -EAGAIN)
                        return VERDICT_REFUSED;
                write_some(transport, ret, &written);
        }
        while (written < ret->count || transport->owes)
                write_some(transport, ret, &written);
        do
                r = transport->type->end(transport);
        while (r == -EAGAIN);
        MUST(r == 0);
        return verdict;
}

/* Frames of ours: binary ones with what came, pongs, and a close behind all others. */
static void check_output(const uint8_t *bytes, size_t count, const struct payload *payload,
                         enum verdict verdict)
{
        size_t echoed = BEFORE;
        struct frame frame;
        bool closed = false;

        if (count < BEFORE && verdict == VERDICT_REFUSED)
                return;
        MUST(count >= BEFORE && memcmp(bytes, payload->bytes, BEFORE) == 0);
        bytes += BEFORE;
        count -= BEFORE;
        while (read_header(bytes, count, &frame) > 0 && frame.present == frame.length) {
                size_t used = (size_t)(frame.payload - bytes) + frame.present;

                MUST(!closed && frame.fin && frame.rsv == 0 && !frame.mask);
                MUST(frame.opcode == 2 || frame.opcode == 8 || frame.opcode == 10);
                closed = frame.opcode == 8;
                if (frame.opcode == 2) {
                        MUST(frame.present <= payload->count - echoed);
                        MUST(memcmp(frame.payload, payload->bytes + echoed, frame.present) == 0);
                        echoed += frame.present;
                }
                bytes += used;
                count -= used;
        }
        /* Who is refused may be cut off, and who closed is told nothing behind its close. */
        if (verdict != VERDICT_REFUSED)
                MUST(closed && count == 0);
        if (verdict == VERDICT_OPEN)
                MUST(echoed == payload->count);
}

/* Frames that one input leaves there, the next begins with. */
static struct net_context *context_of_all(void)
{
        static struct net_context *context;
        static struct loop *loop;

        if (!context) {
                MUST(loop_new_virtual(1000, &loop) == 0);
                MUST(net_context_new(loop, NET_FRAMES_SIZE, &context) == 0);
        }
        return context;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t count)
{
        static struct payload expected, got;
        static struct memory memory;
        struct net_context *context = context_of_all();
        struct net_transport transport;
        enum verdict verdict;
        size_t room;

        if (count < 2 || count > INPUT_MAX)
                return 0;
        memcpy(expected.bytes, "101", BEFORE);
        memcpy(got.bytes, "101", BEFORE);
        expected.count = got.count = BEFORE;
        verdict = expect(input + 2, count - 2, &expected);

        memory.input = input + 2;
        memory.left = count - 2;
        memory.read_most = input[0] < 128 ? input[0] % 16 + 1U : INPUT_MAX;
        memory.write_most = input[1] < 128 ? input[1] % 16 + 1U : OUTPUT_MAX;
        memory.calls = 0;
        memory.written = 0;
        room = input[0] % 128 / 16 * 100 + 1;
        transport = (struct net_transport){.type = &memory_type, .session = &memory};
        MUST(net_transport_wrap_websocket(&transport, context, BEFORE) == 0);
        MUST(echo(&transport, room, &got) == verdict);
        MUST(got.count == expected.count && memcmp(got.bytes, expected.bytes, got.count) == 0);
        transport.type->done(&transport);
        MUST(net_context_budget(context)->used == 0);
        check_output(memory.output, memory.written, &got, verdict);
        return 0;
}
