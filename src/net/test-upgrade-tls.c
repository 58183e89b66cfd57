/* WebSockets inside of TLS, which has bytes and waits of its own. */
#include "net/test-tls-peer.h"
#include "net/upgrade.h"

#include <openssl/ssl.h>

static void open_websocket(struct fixture *f)
{
        fixture_init(f);
        CHECK_EQ(net_stream_become_websocket(f->server.stream), 0);
}

/* A masked frame of 126 bytes or more whose mask changes nothing; its whole length. */
static size_t make_frame(char *bytes, char payload, size_t length)
{
        const char header[] = {'\x82', '\xfe', (char)(length >> 8), (char)length, 0, 0, 0, 0};

        memcpy(bytes, header, sizeof(header));
        memset(bytes + sizeof(header), payload, length);
        return sizeof(header) + length;
}

TEST(frames_that_came_in_one_record_are_all_read)
{
        enum { LENGTH = 1500, FRAMES = 10 };
        char bytes[FRAMES * (LENGTH + 8)];
        unsigned long sum = 0;
        size_t count = 0;
        struct fixture f;

        for (int i = 0; i < FRAMES; i++) {
                count += make_frame(bytes + count, (char)('a' + i), LENGTH);
                for (size_t k = 0; k < LENGTH; k++)
                        sum = sum * 31 + (unsigned char)('a' + i);
        }
        open_websocket(&f);
        CHECK_EQ(net_stream_write(f.client.stream, bytes, count), 0);
        fixture_rounds(&f, 8);
        CHECK_EQ(f.server.consumed, LENGTH * FRAMES);
        CHECK(f.server.sum == sum);
        fixture_done(&f);
}

TEST(an_owner_that_pauses_gets_the_frames_that_came_meanwhile)
{
        enum { LENGTH = 12000, FRAMES = 8 };
        static char bytes[FRAMES * (LENGTH + 8)];
        size_t count = 0;
        struct fixture f;

        for (int i = 0; i < FRAMES; i++)
                count += make_frame(bytes + count, 'a', LENGTH);
        open_websocket(&f);
        f.server.pause = true;
        CHECK_EQ(net_stream_write(f.client.stream, bytes, count), 0);
        fixture_rounds(&f, 8);
        CHECK_EQ(f.server.consumed, 10);
        f.server.pause = false;
        net_stream_resume(f.server.stream);
        fixture_rounds(&f, 20);
        CHECK_EQ(f.server.consumed, LENGTH * FRAMES);
        fixture_done(&f);
}

/* A client may wait for our farewell before it closes its socket, which then tells nothing. */
TEST(a_farewell_right_behind_a_frame_is_heard)
{
        char bytes[256];
        size_t count = make_frame(bytes, 'a', 126);
        struct fixture f;
        SSL *session;

        open_websocket(&f);
        session = f.client.stream->transport.session;
        CHECK_EQ(SSL_write(session, bytes, (int)count), count);
        CHECK_EQ(SSL_shutdown(session), 0);
        fixture_rounds(&f, 8);
        CHECK_EQ(f.server.consumed, 126);
        CHECK_EQ(f.server.ends, 1);
        fixture_done(&f);
}

/* OpenSSL wants the same bytes again after it had to wait: header, payload and pong. */
TEST(long_frames_arrive_unchanged_though_the_reader_is_slow)
{
        enum { LENGTH = 4 * MIB };
        static const char header[] = {'\x82', '\x7f', 0, 0, 0, 0, 0, 64, 0, 0};
        static const char behind[] = {'\x8a', 1, 'p', '\x82', 1, 'z'};
        char *bytes = calloc(1, LENGTH);
        unsigned long sum = 0;
        struct fixture f;

        CHECK(bytes != NULL);
        for (size_t i = 0; i < sizeof(header); i++)
                sum = sum * 31 + (unsigned char)header[i];
        for (size_t i = 0; i < LENGTH; i++) {
                bytes[i] = (char)(i * 7 + i / 251);
                sum = sum * 31 + (unsigned char)bytes[i];
        }
        for (size_t i = 0; i < sizeof(behind); i++)
                sum = sum * 31 + (unsigned char)behind[i];
        open_websocket(&f);
        net_stream_pause(f.client.stream);
        CHECK_EQ(net_stream_write(f.server.stream, bytes, LENGTH), 0);
        CHECK_EQ(net_stream_write(f.client.stream, "\x89\x81\0\0\0\0p", 7), 0);
        fixture_rounds(&f, 8);
        CHECK(net_stream_pending(f.server.stream) > 0);
        CHECK_EQ(net_stream_write(f.server.stream, "z", 1), 0);
        net_stream_resume(f.client.stream);
        for (unsigned i = 0; i < 10000 && f.client.consumed < sizeof(header) + LENGTH + 6; i++)
                loop_run_once(f.loop, 0);
        CHECK_EQ(f.client.consumed, sizeof(header) + LENGTH + sizeof(behind));
        CHECK(f.client.sum == sum);
        fixture_done(&f);
        free(bytes);
}
