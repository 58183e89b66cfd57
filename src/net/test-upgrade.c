/* WebSockets as RFC 6455 has them, byte by byte: the test masks its frames by hand. */
#include "net/test-peer.h"
#include "net/upgrade.h"

#include "support/allocation.h"

#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>

static void turn(struct fixture *f)
{
        for (int i = 0; i < 20; i++)
                loop_run_once(f->loop, 0);
}

/* A stream that is a WebSocket already. */
static void open_websocket(struct fixture *f)
{
        fixture_init(f);
        CHECK_EQ(net_stream_become_websocket(f->stream), 0);
}

/* Sends "81 85 ...": hexadecimal bytes, as they are. */
static void say(struct fixture *f, const char *hex)
{
        unsigned char bytes[1024];
        size_t count = 0;
        unsigned byte;
        int length;

        for (; sscanf(hex, " %2x%n", &byte, &length) == 1; hex += length)
                bytes[count++] = (unsigned char)byte;
        CHECK_EQ(send(f->far, bytes, count, MSG_NOSIGNAL), count);
        turn(f);
}

/* What came, as hexadecimal digits; "EOF" at its end. */
static const char *hear(struct fixture *f)
{
        static char text[8192];
        unsigned char bytes[2048];
        size_t length = 0;
        ssize_t got;

        turn(f);
        got = recv(f->far, bytes, sizeof(bytes), MSG_DONTWAIT);
        text[0] = '\0';
        for (ssize_t i = 0; i < got; i++)
                length += (size_t)sprintf(text + length, "%s%02x", i > 0 ? " " : "", bytes[i]);
        if (got == 0 || recv(f->far, bytes, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
                strcpy(text + length, length > 0 ? " EOF" : "EOF");
        return text;
}

static void close_fixture(struct fixture *f)
{
        net_stream_close(f->stream);
        turn(f);
        close(f->far);
        CHECK_EQ(net_context_budget(f->context)->used, 0);
        net_context_free(f->context);
        loop_free(f->loop);
}

TEST(payload_of_binary_frames_is_input)
{
        struct fixture f;

        open_websocket(&f);
        say(&f, "82 83 00 00 00 00 61 62 63");
        CHECK_TEXT(f.seen, "abc");
        /* Masked, 5.3; and two in one packet. */
        say(&f, "82 82 01 02 03 04 65 67 82 81 ff ff ff ff 99");
        CHECK_TEXT(f.seen, "abcdef");
        /* An empty one, and one of 126 bytes' form. */
        say(&f, "82 80 00 00 00 00 82 fe 00 7e 00 00 00 00");
        for (int i = 0; i < 126; i++)
                say(&f, "78");
        CHECK_EQ(f.consumed, 6 + 126);
        CHECK_TEXT(hear(&f), "");
        close_fixture(&f);
}

TEST(a_message_may_come_in_fragments_with_pings_between)
{
        struct fixture f;

        open_websocket(&f);
        say(&f, "02 82 00 00 00 00 61 62");
        say(&f, "89 82 00 00 00 00 68 69");
        say(&f, "00 81 00 00 00 00 63");
        say(&f, "80 81 00 00 00 00 64");
        CHECK_TEXT(f.seen, "abcd");
        CHECK_TEXT(hear(&f), "8a 02 68 69");
        say(&f, "82 81 00 00 00 00 65");
        CHECK_TEXT(f.seen, "abcde");
        close_fixture(&f);
}

TEST(frames_that_come_byte_by_byte_are_the_same)
{
        static const char *const bytes[] = {"82", "84", "01", "02", "03", "04", "60", "60",
                                            "60", "60", "89", "80", "00", "00", "00", "00"};
        struct fixture f;

        open_websocket(&f);
        for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
                say(&f, bytes[i]);
        CHECK_TEXT(f.seen, "abcd");
        CHECK_TEXT(hear(&f), "8a 00");
        close_fixture(&f);
}

TEST(output_is_a_frame_for_each_round)
{
        struct fixture f;

        open_websocket(&f);
        CHECK_EQ(net_stream_write(f.stream, "ab", 2), 0);
        CHECK_EQ(net_stream_write(f.stream, "c", 1), 0);
        CHECK_TEXT(hear(&f), "82 03 61 62 63");
        CHECK_EQ(net_stream_write(f.stream, "d", 1), 0);
        CHECK_TEXT(hear(&f), "82 01 64");
        close_fixture(&f);
}

TEST(what_was_written_before_goes_out_as_it_is)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, "101", 3), 0);
        CHECK_EQ(net_stream_become_websocket(f.stream), 0);
        CHECK_EQ(net_stream_write(f.stream, "a", 1), 0);
        CHECK_TEXT(hear(&f), "31 30 31 82 01 61");
        close_fixture(&f);
}

/* Everything goes out though the peer takes it in small parts, and pongs stand between
 * frames only. */
TEST(long_output_is_whole_frames_for_a_slow_reader)
{
        enum { LENGTH = 3 * MIB };
        static unsigned char got[LENGTH + 65536];
        static char bytes[LENGTH];
        size_t count = 0, payload = 0, pongs = 0;
        struct fixture f;

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char)(i * 7 >> 3);
        open_websocket(&f);
        CHECK_EQ(net_stream_write(f.stream, bytes, sizeof(bytes)), 0);
        turn(&f);
        say(&f, "89 81 00 00 00 00 31");
        for (int silent = 0; silent < 3;) {
                ssize_t n = recv(f.far, got + count, sizeof(got) - count, MSG_DONTWAIT);

                silent = n > 0 ? 0 : silent + 1;
                count += n > 0 ? (size_t)n : 0;
                turn(&f);
        }
        CHECK_EQ(net_stream_write(f.stream, "z", 1), 0);
        turn(&f);
        count += (size_t)recv(f.far, got + count, sizeof(got) - count, MSG_DONTWAIT);
        for (size_t at = 0; at < count;) {
                size_t length = got[at + 1], header = 2;

                if (length == 126) {
                        length = (size_t)got[at + 2] << 8 | got[at + 3];
                        header = 4;
                } else if (length == 127) {
                        length = 0;
                        for (size_t i = 0; i < 8; i++)
                                length = length << 8 | got[at + 2 + i];
                        header = 10;
                }
                at += header;
                if (got[at - header] == 0x8a) {
                        pongs++;
                } else {
                        CHECK_EQ(got[at - header], 0x82);
                        for (size_t i = 0; i < length && payload + i < LENGTH; i++)
                                if (got[at + i] != (unsigned char)bytes[payload + i])
                                        FAIL("byte %zu is another", payload + i);
                        payload += length;
                }
                at += length;
        }
        CHECK_EQ(payload, LENGTH + 1);
        CHECK_EQ(pongs, 1);
        close_fixture(&f);
}

static const struct {
        const char *clause, *frames, *answer;
        int reason;
} ends[] = {
        {"5.1: a frame without a mask", "82 01 61", "88 02 03 ea EOF", -EPROTO},
        {"5.2: reserved bits", "c2 81 00 00 00 00 61", "88 02 03 ea EOF", -EPROTO},
        {"5.2: a reserved opcode", "83 81 00 00 00 00 61", "88 02 03 ea EOF", -EPROTO},
        {"5.2: a reserved control opcode", "8b 80 00 00 00 00", "88 02 03 ea EOF", -EPROTO},
        {"5.4: a continuation of nothing", "80 81 00 00 00 00 61", "88 02 03 ea EOF", -EPROTO},
        {"5.4: a message inside of another", "02 81 00 00 00 00 61 82 81 00 00 00 00 62",
         "88 02 03 ea EOF", -EPROTO},
        {"5.5: a fragmented ping", "09 80 00 00 00 00", "88 02 03 ea EOF", -EPROTO},
        {"5.5: a long ping", "89 fe 00 7e 00 00 00 00", "88 02 03 ea EOF", -EPROTO},
        {"[MQTT-6.0.0-1]: text", "81 81 00 00 00 00 61", "88 02 03 eb EOF", -EPROTO},
        {"5.5.1: half of a code", "88 81 00 00 00 00 03", "88 02 03 ea EOF", -EPROTO},
        {"7.4.1: a code that is never sent", "88 82 00 00 00 00 03 ed", "88 02 03 ea EOF", -EPROTO},
        {"7.4.2: a code of nobody", "88 82 00 00 00 00 13 88", "88 02 03 ea EOF", -EPROTO},
        {"7.4.2: a code of the application's", "88 82 00 00 00 00 0f a0", "88 02 0f a0", 0},
        {"5.5.1: a close with its code", "88 82 00 00 00 00 03 e8", "88 02 03 e8", 0},
        {"5.5.1: with a reason", "88 84 00 00 00 00 03 e9 62 79", "88 02 03 e9", 0},
        {"5.5.1: without a code", "88 80 00 00 00 00", "88 00", 0},
};

TEST(who_closes_or_breaks_the_protocol_is_told)
{
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                const char *answer;
                struct fixture f;

                open_websocket(&f);
                say(&f, ends[i].frames);
                answer = hear(&f);
                if (strcmp(answer, ends[i].answer) != 0 || f.closings != (ends[i].reason < 0) ||
                    f.reason != ends[i].reason || f.ends != (ends[i].reason == 0))
                        FAIL("%s: %s, %d", ends[i].clause, answer, f.reason);
                close_fixture(&f);
        }
}

/* Frames of one byte until the kernel takes no more of them, or `most`. How many it took. */
static unsigned fill(struct fixture *f, unsigned most)
{
        unsigned taken = 0;

        while (taken < most) {
                CHECK_EQ(net_stream_write(f->stream, "x", 1), 0);
                turn(f);
                if (net_stream_pending(f->stream) > 0)
                        break;
                taken++;
        }
        return taken;
}

/* The kernel is full to the last frame, but the stream has nothing to write. */
static unsigned open_full_websocket(struct fixture *f)
{
        unsigned frames;

        open_websocket(f);
        frames = fill(f, UINT_MAX);
        close_fixture(f);
        open_websocket(f);
        CHECK_EQ(fill(f, frames), frames);
        CHECK_EQ(net_stream_pending(f->stream), 0);
        return frames;
}

static void read_frames(struct fixture *f, unsigned count)
{
        unsigned char frame[3];

        for (unsigned i = 0; i < count; i++)
                CHECK_EQ(recv(f->far, frame, sizeof(frame), MSG_DONTWAIT), sizeof(frame));
}

TEST(a_pong_that_found_no_room_goes_out_when_there_is_some)
{
        struct fixture f;
        unsigned frames = open_full_websocket(&f);

        say(&f, "89 82 00 00 00 00 68 69");
        read_frames(&f, frames);
        CHECK_TEXT(hear(&f), "8a 02 68 69");
        CHECK(fixture_sleeps(&f));
        close_fixture(&f);
}

TEST(a_close_is_answered_behind_a_pong_that_found_no_room)
{
        struct fixture f;
        unsigned frames = open_full_websocket(&f);

        say(&f, "89 82 00 00 00 00 68 69 89 80 00 00 00 00 88 82 00 00 00 00 03 e9");
        CHECK_EQ(f.ends, 1);
        read_frames(&f, frames);
        CHECK_TEXT(hear(&f), "8a 00 88 02 03 e9");
        close_fixture(&f);

        frames = open_full_websocket(&f);
        say(&f, "89 82 00 00 00 00 68 69");
        say(&f, "89 80 00 00 00 00 88 82 00 00 00 00 03 e9");
        net_stream_finish(f.stream);
        read_frames(&f, frames);
        CHECK_TEXT(hear(&f), "8a 02 68 69 88 02 03 e9 EOF");
        close_fixture(&f);
}

TEST(pings_have_no_more_than_their_share_of_a_round)
{
        static const char ping[] = {'\x89', '\x80', 0, 0, 0, 0};
        static char pings[30000 * sizeof(ping)];
        struct fixture f;
        int left;

        for (size_t i = 0; i < sizeof(pings); i++)
                pings[i] = ping[i % sizeof(ping)];
        open_websocket(&f);
        CHECK_EQ(send(f.far, pings, sizeof(pings), MSG_NOSIGNAL | MSG_DONTWAIT), sizeof(pings));
        loop_run_once(f.loop, 0);
        CHECK_EQ(ioctl(net_stream_fd(f.stream), FIONREAD, &left), 0);
        CHECK(left > 0);
        say(&f, "82 81 00 00 00 00 61");
        CHECK_TEXT(f.seen, "a");
        close_fixture(&f);
}

TEST(a_stream_that_ends_says_farewell_in_its_protocol)
{
        struct fixture f;

        open_websocket(&f);
        CHECK_EQ(net_stream_write(f.stream, "a", 1), 0);
        net_stream_finish(f.stream);
        CHECK_TEXT(hear(&f), "82 01 61 88 02 03 e8 EOF");
        close_fixture(&f);
}

static char other_seen[64];

static size_t take_all(void *owner, const char *bytes, size_t count)
{
        snprintf(owner, sizeof(other_seen), "%.*s", (int)count, bytes);
        return count;
}

static void do_nothing(void *owner)
{
        (void)owner;
}

static void note_closed(void *owner, int reason)
{
        (void)reason;
        strcpy(owner, "closed");
}

static void hand_over(struct fixture *f)
{
        static const struct net_stream_calls calls = {
                .on_bytes = take_all, .on_end = do_nothing, .on_closed = note_closed};
        static const struct net_stream_limits limits = {
                .input = 16, .output = MIB, .output_high = MIB};
        const struct net_stream_owner owner = {other_seen, &calls};

        net_stream_hand_over(f->stream, &limits, &owner);
}

TEST(another_owner_gets_what_the_first_did_not_consume)
{
        struct fixture f;

        fixture_init(&f);
        f.react = hand_over;
        f.consume_most = 1;
        CHECK_EQ(send(f.far, "abc", 3, MSG_NOSIGNAL), 3);
        turn(&f);
        CHECK_TEXT(f.seen, "a");
        CHECK_TEXT(other_seen, "bc");
        CHECK_EQ(f.calls, 1);
        net_stream_close(f.stream);
        turn(&f);
        CHECK_TEXT(other_seen, "closed");
        CHECK_EQ(f.closings, 0);
        f.stream = NULL;
        close_fixture(&f);
}

TEST(a_key_is_answered_as_in_the_standard)
{
        char accept[NET_WEBSOCKET_ACCEPT_SIZE];

        /* RFC 6455, 1.3. */
        CHECK_EQ(net_websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", 24, accept), 0);
        CHECK_TEXT(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(without_memory_the_stream_stays_what_it_was)
{
        struct fixture f;

        fixture_init(&f);
        allocation_fail_at(1);
        CHECK_EQ(net_stream_become_websocket(f.stream), -ENOMEM);
        CHECK(allocation_end());
        CHECK_EQ(net_stream_write(f.stream, "a", 1), 0);
        CHECK_TEXT(hear(&f), "61");
        close_fixture(&f);
}

TEST(a_stream_that_is_closed_becomes_nothing)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_close(f.stream);
        CHECK_EQ(net_stream_become_websocket(f.stream), -EPIPE);
        close_fixture(&f);
}

TEST(a_websocket_is_paid_for_from_the_budget)
{
        struct net_budget *budget;
        struct fixture f;

        fixture_init(&f);
        budget = net_context_budget(f.context);
        budget->limit = budget->used + NET_WEBSOCKET_SIZE - 1;
        CHECK_EQ(net_stream_become_websocket(f.stream), -ENOBUFS);
        CHECK_EQ(net_stream_write(f.stream, "a", 1), -ENOBUFS);
        close_fixture(&f);

        fixture_init(&f);
        budget = net_context_budget(f.context);
        CHECK_EQ(net_stream_become_websocket(f.stream), 0);
        CHECK_EQ(budget->used, NET_WEBSOCKET_SIZE);
        close_fixture(&f); /* which looks whether all of it is given back */
}

/* What is paid for beside the WebSocket itself: one that is silent needs nothing more. */
static size_t paid(struct fixture *f)
{
        return net_context_budget(f->context)->used - NET_WEBSOCKET_SIZE;
}

static const struct {
        const char *first, *then;
        size_t between;
} halves[] = {
        {"82", "81 00 00 00 00 61", NET_FRAMES_SIZE},
        {"82 81 00 00 00", "00 61", NET_FRAMES_SIZE},
        {"82 81 00 00 00 00", "61", NET_FRAMES_SIZE},
        {"82 82 00 00 00 00 61", "62", NET_FRAMES_SIZE},
        {"82 fe", "00 7e 00 00 00 00", NET_FRAMES_SIZE},
        {"82 81 00 00 00 00 61 82", "80 00 00 00 00", NET_FRAMES_SIZE},
        {"89 81 00 00 00 00", "70", NET_FRAMES_SIZE},
        /* Between the fragments of a message there is no frame. */
        {"02 81 00 00 00 00 61", "80 81 00 00 00 00 62", 0},
        {"82 81 00 00 00 00 61", "89 80 00 00 00 00", 0},
};

TEST(who_is_between_two_frames_keeps_nothing_of_them)
{
        for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
                bool is_long = strncmp(halves[i].first, "82 fe", 5) == 0;
                struct fixture f;

                open_websocket(&f);
                CHECK_EQ(paid(&f), 0);
                say(&f, halves[i].first);
                if (paid(&f) != halves[i].between)
                        FAIL("behind %s: %zu", halves[i].first, paid(&f));
                say(&f, halves[i].then);
                for (int k = 0; k < 126 && is_long; k++)
                        say(&f, "78");
                if (paid(&f) != 0)
                        FAIL("behind %s %s: %zu", halves[i].first, halves[i].then, paid(&f));
                CHECK_EQ(f.closings, 0);
                close_fixture(&f);
        }
}

TEST(who_waits_for_room_to_write_keeps_what_frames_need)
{
        struct fixture f;
        unsigned frames = open_full_websocket(&f);

        CHECK_EQ(paid(&f), 0);
        say(&f, "89 82 00 00 00 00 68 69");
        CHECK_EQ(paid(&f), NET_FRAMES_SIZE);
        read_frames(&f, frames);
        CHECK_TEXT(hear(&f), "8a 02 68 69");
        CHECK_EQ(paid(&f), 0);
        close_fixture(&f);
}

TEST(half_a_frame_that_cannot_be_paid_for_ends_the_stream)
{
        struct net_budget *budget;
        struct fixture f;

        open_websocket(&f);
        budget = net_context_budget(f.context);
        budget->limit = budget->used + NET_FRAMES_SIZE - 1;
        say(&f, "82 81 00 00 00 00 61");
        CHECK_TEXT(f.seen, "a");
        CHECK_EQ(f.closings, 0);
        say(&f, "82 82 00 00 00 00 62");
        CHECK_TEXT(f.seen, "ab");
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, -ENOBUFS);
        close_fixture(&f);
}

static void read_one(struct fixture *f)
{
        CHECK_EQ(send(f->far, "\x82\x81\0\0\0\0a", 7, MSG_NOSIGNAL), 7);
}

static void write_one(struct fixture *f)
{
        CHECK_EQ(net_stream_write(f->stream, "a", 1), 0);
}

static void finish(struct fixture *f)
{
        net_stream_finish(f->stream);
}

TEST(a_frame_that_there_is_no_memory_for_ends_the_stream)
{
        static const struct {
                void (*begin)(struct fixture *f);
                int reason;
        } cases[] = {{read_one, -ENOMEM}, {write_one, -ENOMEM}, {finish, 0}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;

                open_websocket(&f);
                cases[i].begin(&f);
                allocation_fail_at(1);
                turn(&f);
                CHECK(allocation_end());
                CHECK_EQ(f.closings, 1);
                CHECK_EQ(f.reason, cases[i].reason);
                close_fixture(&f);
        }
}

/* Each has its own frame half-way, and hears its own bytes. */
TEST(many_that_are_half_way_at_once_do_not_mix)
{
        enum { MANY = 12 };
        static const unsigned char frame[] = {0x82, 0x83, 1, 2, 3, 4};
        static char seen[MANY][64];
        struct net_stream *streams[MANY];
        static const struct net_stream_calls calls = {
                .on_bytes = take_all, .on_end = do_nothing, .on_closed = note_closed};
        static const struct net_stream_limits limits = {
                .input = 16, .output = MIB, .output_high = MIB};
        struct net_address peer = {0};
        int far[MANY];
        struct fixture f;

        fixture_init(&f);
        for (int i = 0; i < MANY; i++) {
                struct net_stream_owner owner = {seen[i], &calls};
                int fds[2];

                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                far[i] = fds[1];
                CHECK_EQ(net_stream_new(f.context, fds[0], NULL, &peer, &limits, &owner,
                                        &streams[i]),
                         0);
                CHECK_EQ(net_stream_become_websocket(streams[i]), 0);
        }
        for (size_t at = 0; at < sizeof(frame) + 3; at++) {
                for (int i = 0; i < MANY; i++) {
                        char payload[] = {(char)('a' + i), 'y', (char)('a' + i)};
                        unsigned char byte =
                                at < sizeof(frame)
                                        ? frame[at]
                                        : (unsigned char)(payload[at - sizeof(frame)] ^
                                                          frame[2 + (at - sizeof(frame)) % 4]);

                        CHECK_EQ(send(far[i], &byte, 1, MSG_NOSIGNAL), 1);
                }
                turn(&f);
                CHECK_EQ(net_context_budget(f.context)->used,
                         MANY * (at + 1 < sizeof(frame) + 3
                                         ? (size_t)NET_WEBSOCKET_SIZE + NET_FRAMES_SIZE
                                         : (size_t)NET_WEBSOCKET_SIZE));
        }
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(seen[i][0], 'a' + i);
                net_stream_close(streams[i]);
                close(far[i]);
        }
        close_fixture(&f);
}
