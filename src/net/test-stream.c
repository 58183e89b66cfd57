#include "net/stream.h"

#include "base/attributes.h"
#include "net/stream-internal.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* A stream on one end of a connection, the test on the other, and an owner that
 * does as the test says. */
struct fixture {
        struct loop *loop;
        struct net_context *context;
        struct net_stream *stream; /* NULL once closed */
        int far;

        size_t consume_most; /* of each call */
        bool consume_lines;  /* whole lines only */
        void (*react)(struct fixture *fixture);

        char seen[256]; /* the first bytes consumed */
        size_t consumed;
        size_t calls, last_count;
        unsigned ends, drains, closings;
        int reason;
};

static size_t on_bytes(void *owner, const char *bytes, size_t count)
{
        struct fixture *f = owner;
        size_t take = count;

        f->calls++;
        f->last_count = count;
        if (f->consume_lines) {
                const char *newline = memrchr(bytes, '\n', count);

                take = newline ? (size_t)(newline - bytes) + 1 : 0;
        }
        if (take > f->consume_most)
                take = f->consume_most;
        for (size_t i = 0; i < take && f->consumed + i < sizeof(f->seen) - 1; i++)
                f->seen[f->consumed + i] = bytes[i];
        f->consumed += take;
        if (f->react)
                f->react(f);
        /* Whatever the owner did, the bytes stay until it returns. */
        CHECK(count == 0 || memchr(bytes, '\f', count) == NULL);
        return take;
}

static void on_end(void *owner)
{
        struct fixture *f = owner;

        f->ends++;
}

static void on_drained(void *owner)
{
        struct fixture *f = owner;

        f->drains++;
}

static void on_closed(void *owner, int reason)
{
        struct fixture *f = owner;

        CHECK(f->stream != NULL);
        CHECK(strlen(net_stream_failure(f->stream)) > 0);
        f->closings++;
        f->reason = reason;
        f->stream = NULL;
}

static int fixture_try_to_attach(struct fixture *f, int near, int far, size_t memory)
{
        struct net_stream_limits limits = {
                .input = 16 * MIB, .output = 4 * MIB, .output_high = 256 * KIB};
        struct net_stream_owner owner = {.owner = f,
                                         .on_bytes = on_bytes,
                                         .on_end = on_end,
                                         .on_drained = on_drained,
                                         .on_closed = on_closed};
        struct net_address peer = {0};
        int r;

        *f = (struct fixture){.far = far, .consume_most = SIZE_MAX};
        r = loop_new_virtual(1000, &f->loop);
        if (r == 0)
                r = net_context_new(f->loop, memory, &f->context);
        if (r == 0)
                r = net_stream_new(f->context, near, NULL, &peer, &limits, &owner, &f->stream);
        return r;
}

static void fixture_attach(struct fixture *f, int near, int far, size_t memory)
{
        CHECK_EQ(fixture_try_to_attach(f, near, far, memory), 0);
}

static void fixture_init(struct fixture *f)
{
        int fds[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fixture_attach(f, fds[0], fds[1], 64 * MIB);
}

/* The same over TCP, where there are resets and urgent data. */
static void fixture_init_tcp(struct fixture *f)
{
        AUTO_CLOSE int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof(address);
        int far, near;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK_EQ(bind(listener, (struct sockaddr *)&address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *)&address, &length), 0);
        far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(far, (struct sockaddr *)&address, length), 0);
        near = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(near >= 0);
        fixture_attach(f, near, far, 64 * MIB);
}

static void fixture_rounds(struct fixture *f, unsigned rounds)
{
        for (unsigned i = 0; i < rounds; i++)
                loop_run_once(f->loop, 0);
}

static void fixture_send(struct fixture *f, const char *bytes, size_t count)
{
        CHECK_EQ(send(f->far, bytes, count, MSG_NOSIGNAL), count);
}

static void fixture_say(struct fixture *f, const char *text)
{
        fixture_send(f, text, strlen(text));
        fixture_rounds(f, 2);
}

/* What the stream wrote, as text of at most 255 bytes; "" when nothing waits. */
static const char *fixture_hear(struct fixture *f)
{
        static char text[256];
        ssize_t n = recv(f->far, text, sizeof(text) - 1, MSG_DONTWAIT);

        text[n > 0 ? n : 0] = '\0';
        return text;
}

static size_t fixture_drain(struct fixture *f)
{
        static char bytes[64 * KIB];
        size_t total = 0;
        ssize_t n;

        while ((n = recv(f->far, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                total += (size_t)n;
        return total;
}

static void fixture_done(struct fixture *f)
{
        net_stream_close(f->stream);
        fixture_rounds(f, 2);
        CHECK_EQ(f->closings, 1);
        CHECK_EQ(net_context_budget(f->context)->used, 0);
        net_context_free(f->context);
        loop_free(f->loop);
        if (f->far >= 0)
                close(f->far);
}

static void reset(int fd)
{
        struct linger linger = {.l_onoff = 1};

        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
        close(fd);
}

/* ---- input ---- */

TEST(bytes_arrive_and_an_idle_stream_holds_no_buffers)
{
        struct fixture f;

        fixture_init(&f);
        fixture_say(&f, "hello");
        CHECK_TEXT(f.seen, "hello");
        CHECK_EQ(net_stream_bytes_in(f.stream), 5);
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        CHECK_EQ(f.stream->tail.capacity, 0);
        CHECK_EQ(f.stream->output.capacity, 0);
        fixture_done(&f);
        CHECK_EQ(f.reason, 0);
}

TEST(an_unfinished_tail_comes_again_in_front_of_what_arrives_next)
{
        struct fixture f;
        size_t count;

        fixture_init(&f);
        f.consume_lines = true;
        fixture_say(&f, "one\ntw");
        CHECK_EQ(f.consumed, 4);
        CHECK(memcmp(net_stream_tail(f.stream, &count), "tw", 2) == 0);
        CHECK_EQ(count, 2);
        CHECK(net_context_budget(f.context)->used > 0);
        fixture_say(&f, "o");
        CHECK_EQ(f.last_count, 3);
        fixture_say(&f, "\nthree\n");
        CHECK_TEXT(f.seen, "one\ntwo\nthree\n");
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(a_slow_writer_byte_by_byte_is_understood)
{
        static const char text[] = "a line that takes its time\nand another\n";
        struct fixture f;

        fixture_init(&f);
        f.consume_lines = true;
        for (size_t i = 0; i < sizeof(text) - 1; i++) {
                fixture_send(&f, text + i, 1);
                fixture_rounds(&f, 1);
        }
        CHECK_TEXT(f.seen, text);
        CHECK_EQ(f.calls, sizeof(text) - 1);
        fixture_done(&f);
}

/* Feeds a line of `size` bytes in pieces; how many bytes were copied shows in
 * the budget's peak and the number of calls. */
TEST(a_long_line_takes_few_reads_and_about_twice_its_memory)
{
        enum { SIZE = 15 * MIB };
        struct fixture f;
        char *line = malloc(SIZE);
        size_t sent = 0;

        CHECK(line != NULL);
        memset(line, 'x', SIZE);
        line[SIZE - 1] = '\n';
        fixture_init_tcp(&f);
        f.consume_lines = true;
        for (unsigned i = 0; i < 100000 && f.consumed == 0; i++) {
                ssize_t n = send(f.far, line + sent, SIZE - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0)
                        sent += (size_t)n;
                loop_run_once(f.loop, 100);
        }
        CHECK_EQ(f.consumed, SIZE);
        CHECK(net_context_budget(f.context)->peak <= 17 * MIB);
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        free(line);
        fixture_done(&f);
}

TEST(after_a_long_line_the_memory_goes_back_though_a_tail_is_left)
{
        enum { SIZE = 2 * MIB };
        struct fixture f;
        char *line = malloc(SIZE);
        size_t sent = 0;

        CHECK(line != NULL);
        memset(line, 'x', SIZE);
        line[SIZE - 10] = '\n';
        fixture_init_tcp(&f);
        f.consume_lines = true;
        for (unsigned i = 0; i < 100000 && f.last_count < 9; i++) {
                ssize_t n = send(f.far, line + sent, SIZE - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0)
                        sent += (size_t)n;
                loop_run_once(f.loop, 100);
        }
        for (unsigned i = 0; i < 1000 && sent < SIZE; i++) {
                ssize_t n = send(f.far, line + sent, SIZE - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0)
                        sent += (size_t)n;
                loop_run_once(f.loop, 100);
        }
        fixture_rounds(&f, 100);
        CHECK_EQ(f.consumed, SIZE - 9);
        CHECK(net_context_budget(f.context)->used <= 16 * KIB);
        free(line);
        fixture_done(&f);
}

TEST(a_tail_over_the_limit_closes)
{
        struct fixture f;

        fixture_init(&f);
        f.consume_lines = true;
        net_stream_set_input_limit(f.stream, 8);
        fixture_say(&f, "12345678");
        CHECK_EQ(f.closings, 0);
        fixture_say(&f, "9");
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, -EMSGSIZE);
        fixture_done(&f);
}

TEST(a_limit_below_what_is_there_closes_with_the_next_byte)
{
        static char bytes[100 * KIB];
        struct fixture f;

        fixture_init(&f);
        f.consume_most = 0;
        fixture_send(&f, bytes, sizeof(bytes));
        fixture_rounds(&f, 8);
        CHECK_EQ(f.last_count, sizeof(bytes));
        net_stream_set_input_limit(f.stream, 10);
        fixture_say(&f, "x");
        CHECK_EQ(f.reason, -EMSGSIZE);
        fixture_done(&f);
}

TEST(a_line_of_just_the_limit_passes)
{
        enum { SIZE = 2 * MIB };
        struct fixture f;
        char *line = malloc(SIZE);
        size_t sent = 0;

        CHECK(line != NULL);
        memset(line, 'x', SIZE);
        line[SIZE - 1] = '\n';
        fixture_init_tcp(&f);
        f.consume_lines = true;
        net_stream_set_input_limit(f.stream, SIZE - 1);
        for (unsigned i = 0; i < 100000 && f.consumed == 0 && f.closings == 0; i++) {
                ssize_t n = send(f.far, line + sent, SIZE - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0)
                        sent += (size_t)n;
                loop_run_once(f.loop, 100);
        }
        CHECK_EQ(f.consumed, SIZE);
        free(line);
        fixture_done(&f);
}

static void pause_stream(struct fixture *f)
{
        net_stream_pause(f->stream);
}

TEST(a_paused_stream_reads_nothing_and_keeps_what_it_has_whatever_the_limit)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_set_input_limit(f.stream, 4);
        f.consume_most = 3;
        f.react = pause_stream;
        fixture_say(&f, "abcdefghi");
        CHECK(net_stream_is_paused(f.stream));
        CHECK_EQ(f.calls, 1);
        fixture_say(&f, "jkl");
        CHECK_EQ(f.calls, 1);
        f.react = NULL;
        f.consume_most = SIZE_MAX;
        net_stream_resume(f.stream);
        CHECK_EQ(f.calls, 1);
        fixture_rounds(&f, 2);
        CHECK_TEXT(f.seen, "abcdefghijkl");
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(resuming_presents_the_tail_although_nothing_arrives)
{
        struct fixture f;

        fixture_init(&f);
        f.consume_most = 3;
        f.react = pause_stream;
        fixture_say(&f, "abcdef");
        f.react = NULL;
        net_stream_resume(f.stream);
        fixture_rounds(&f, 1);
        CHECK_TEXT(f.seen, "abcdef");
        fixture_done(&f);
}

TEST(pausing_and_resuming_within_a_round_leaves_no_trace)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_pause(f.stream);
        net_stream_resume(f.stream);
        net_stream_resume(f.stream);
        fixture_say(&f, "abc");
        CHECK_TEXT(f.seen, "abc");
        CHECK_EQ(f.calls, 1);
        fixture_done(&f);
}

/* A loop that has nothing to do waits; one that spins comes back at once. */
static bool fixture_sleeps(struct fixture *f)
{
        struct pollfd watch = {.events = POLLIN};

        fixture_rounds(f, 4);
        watch.fd = uv_backend_fd(loop_uv(f->loop));
        return poll(&watch, 1, 0) == 0 && uv_backend_timeout(loop_uv(f->loop)) != 0;
}

TEST(a_paused_stream_does_not_spin_on_input_or_half_close)
{
        struct fixture f;

        fixture_init_tcp(&f);
        net_stream_pause(f.stream);
        CHECK(fixture_sleeps(&f));
        fixture_say(&f, "abc");
        CHECK(fixture_sleeps(&f));
        CHECK_EQ(shutdown(f.far, SHUT_WR), 0);
        CHECK(fixture_sleeps(&f));
        CHECK_EQ(f.ends, 0);
        net_stream_resume(f.stream);
        fixture_rounds(&f, 4);
        CHECK_TEXT(f.seen, "abc");
        CHECK_EQ(f.ends, 1);
        CHECK(fixture_sleeps(&f));
        fixture_done(&f);
}

TEST(a_paused_stream_notices_a_reset)
{
        for (unsigned with_input = 0; with_input < 2; with_input++) {
                struct fixture f;

                fixture_init_tcp(&f);
                net_stream_pause(f.stream);
                fixture_rounds(&f, 2);
                if (with_input)
                        fixture_say(&f, "abc");
                reset(TAKE_FD(f.far));
                fixture_rounds(&f, 4);
                CHECK_EQ(f.closings, 1);
                CHECK_EQ(f.reason, -ECONNRESET);
                fixture_done(&f);
        }
}

TEST(a_reset_is_told)
{
        struct fixture f;

        fixture_init_tcp(&f);
        reset(TAKE_FD(f.far));
        fixture_rounds(&f, 2);
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, -ECONNRESET);
        CHECK_EQ(f.ends, 0);
        fixture_done(&f);
}

TEST(a_half_closed_peer_still_gets_answers)
{
        struct fixture f;

        fixture_init(&f);
        fixture_send(&f, "question", 8);
        CHECK_EQ(shutdown(f.far, SHUT_WR), 0);
        fixture_rounds(&f, 3);
        CHECK_EQ(f.consumed, 8);
        CHECK_EQ(f.ends, 1);
        CHECK_EQ(f.closings, 0);
        CHECK(fixture_sleeps(&f));
        CHECK_EQ(net_stream_write(f.stream, "answer", 6), 0);
        fixture_rounds(&f, 1);
        CHECK_TEXT(fixture_hear(&f), "answer");
        fixture_done(&f);
}

static void ask_again(struct fixture *f)
{
        if (f->consumed < 9)
                net_stream_again(f->stream);
}

TEST(again_presents_the_rest_although_nothing_arrives)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_set_input_limit(f.stream, 2);
        f.consume_most = 3;
        f.react = ask_again;
        fixture_send(&f, "abcdefghi", 9);
        fixture_rounds(&f, 4);
        CHECK_TEXT(f.seen, "abcdefghi");
        CHECK_EQ(f.calls, 3);
        CHECK(fixture_sleeps(&f));
        fixture_done(&f);
}

static void ask_again_always(struct fixture *f)
{
        net_stream_again(f->stream);
}

TEST(while_again_is_asked_for_nothing_is_read)
{
        static char flood[60 * KIB];
        struct fixture f;

        fixture_init(&f);
        net_stream_set_input_limit(f.stream, 10);
        f.consume_most = 1;
        f.react = ask_again_always;
        fixture_send(&f, flood, sizeof(flood));
        fixture_rounds(&f, 1);
        for (unsigned i = 0; i < 20; i++) {
                fixture_send(&f, flood, KIB);
                fixture_rounds(&f, 1);
        }
        CHECK_EQ(net_stream_bytes_in(f.stream), sizeof(flood));
        CHECK(f.consumed >= 20);
        f.react = NULL;
        f.consume_most = SIZE_MAX;
        fixture_rounds(&f, 4);
        CHECK_EQ(f.consumed, sizeof(flood) + 20 * KIB);
        fixture_done(&f);
}

static void pause_and_ask_again(struct fixture *f)
{
        net_stream_again(f->stream);
        net_stream_pause(f->stream);
}

TEST(again_waits_while_paused_without_spinning)
{
        struct fixture f;

        fixture_init(&f);
        f.consume_most = 1;
        f.react = pause_and_ask_again;
        fixture_say(&f, "abc");
        CHECK(fixture_sleeps(&f));
        CHECK_EQ(f.calls, 1);
        f.react = NULL;
        f.consume_most = SIZE_MAX;
        net_stream_resume(f.stream);
        fixture_rounds(&f, 2);
        CHECK_TEXT(f.seen, "abc");
        fixture_done(&f);
}

/* Two streams, one of which has very much to say. */
TEST(a_stream_that_asks_again_and_again_does_not_hold_up_another)
{
        static char flood[32 * KIB];
        struct fixture busy, quick;
        struct net_context *context;
        struct net_stream_limits limits = {.input = MIB, .output = MIB, .output_high = MIB};
        struct net_stream_owner owner = {
                .owner = &quick, .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
        struct net_address peer = {0};
        int fds[2];

        fixture_init(&busy);
        context = busy.context;
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        quick = (struct fixture){.loop = busy.loop, .far = fds[1], .consume_most = SIZE_MAX};
        CHECK_EQ(net_stream_new(context, fds[0], NULL, &peer, &limits, &owner, &quick.stream), 0);

        busy.consume_most = 1;
        busy.react = pause_stream;
        fixture_send(&busy, flood, sizeof(flood));
        fixture_rounds(&busy, 1);
        busy.react = NULL;
        busy.consume_most = 100;
        net_stream_resume(busy.stream);
        net_stream_again(busy.stream);
        fixture_send(&quick, "quick", 5);
        fixture_rounds(&busy, 1);
        CHECK_TEXT(quick.seen, "quick");
        CHECK(busy.consumed < 1000);
        net_stream_close(quick.stream);
        fixture_done(&busy);
        close(quick.far);
}

/* ---- output ---- */

TEST(output_leaves_once_at_the_end_of_the_round)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, "one ", 4), 0);
        CHECK_EQ(net_stream_write(f.stream, "", 0), 0);
        CHECK_EQ(net_stream_write(f.stream, "two", 3), 0);
        CHECK_EQ(net_stream_pending(f.stream), 7);
        CHECK_TEXT(fixture_hear(&f), "");
        fixture_rounds(&f, 1);
        CHECK_TEXT(fixture_hear(&f), "one two");
        CHECK_EQ(net_stream_pending(f.stream), 0);
        CHECK_EQ(net_stream_bytes_out(f.stream), 7);
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(the_next_reply_finds_the_last_ones_buffer)
{
        struct fixture f;
        char *memory;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, "x", 1), 0);
        memory = f.stream->output.memory;
        fixture_rounds(&f, 1);
        CHECK_EQ(f.context->spares_count, 1);
        CHECK_EQ(net_stream_write(f.stream, "y", 1), 0);
        CHECK(f.stream->output.memory == memory);
        CHECK_EQ(f.context->spares_count, 0);
        CHECK_EQ(net_context_budget(f.context)->used, f.stream->output.capacity);
        fixture_done(&f);
}

TEST(a_slow_reader_gets_all_and_the_owner_hears_when_it_drained)
{
        static char block[64 * KIB];
        struct fixture f;
        size_t written = 0, heard = 0;

        fixture_init(&f);
        while (!net_stream_is_congested(f.stream)) {
                CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), 0);
                written += sizeof(block);
        }
        CHECK_EQ(written, 5 * sizeof(block));
        fixture_rounds(&f, 3);
        CHECK(net_stream_pending(f.stream) > 0);
        CHECK(fixture_sleeps(&f));
        for (unsigned i = 0; i < 100 && heard < written; i++) {
                heard += fixture_drain(&f);
                fixture_rounds(&f, 1);
                CHECK_EQ(f.drains, net_stream_pending(f.stream) <= 128 * KIB);
        }
        CHECK_EQ(heard, written);
        CHECK_EQ(f.drains, 1);
        CHECK(!net_stream_is_congested(f.stream));
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(output_over_its_limit_closes)
{
        static char block[MIB];
        struct fixture f;

        fixture_init(&f);
        for (unsigned i = 0; i < 4; i++)
                CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), 0);
        CHECK_EQ(net_stream_write(f.stream, "x", 1), -EMSGSIZE);
        CHECK_EQ(net_stream_write(f.stream, "x", 1), -EPIPE);
        fixture_rounds(&f, 2);
        CHECK_EQ(f.reason, -EMSGSIZE);
        fixture_done(&f);
}

TEST(writing_to_a_peer_that_is_gone_closes)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_pause(f.stream);
        close(TAKE_FD(f.far));
        CHECK_EQ(net_stream_write(f.stream, "x", 1), 0);
        fixture_rounds(&f, 3);
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, -EPIPE);
        fixture_done(&f);
}

TEST(an_exhausted_budget_closes_the_stream_that_needs_more)
{
        static char block[32 * KIB];
        struct fixture f;
        int fds[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fixture_attach(&f, fds[0], fds[1], 16 * KIB);
        CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), -ENOBUFS);
        fixture_rounds(&f, 2);
        CHECK_EQ(f.reason, -ENOBUFS);
        CHECK_EQ(net_context_budget(f.context)->refused, 1);
        fixture_done(&f);

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        fixture_attach(&f, fds[0], fds[1], 16 * KIB);
        f.consume_most = 0;
        fixture_send(&f, block, sizeof(block));
        fixture_rounds(&f, 2);
        CHECK_EQ(f.reason, -ENOBUFS);
        fixture_done(&f);
}

/* ---- the end ---- */

static void close_stream(struct fixture *f)
{
        net_stream_close(f->stream);
        net_stream_close(f->stream);
}

TEST(closed_inside_on_bytes_it_makes_no_more_calls)
{
        struct fixture f;

        fixture_init(&f);
        f.consume_most = 1;
        f.react = close_stream;
        fixture_say(&f, "abc");
        CHECK_EQ(f.calls, 1);
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, 0);
        fixture_done(&f);
}

static void answer_and_finish(struct fixture *f)
{
        net_stream_write(f->stream, "bye", 3);
        net_stream_finish(f->stream);
        CHECK_EQ(net_stream_write(f->stream, "late", 4), -EPIPE);
}

TEST(finish_writes_out_ends_and_waits_for_the_peer)
{
        struct fixture f;
        char byte;

        fixture_init(&f);
        f.consume_most = 1;
        f.react = answer_and_finish;
        fixture_say(&f, "abc");
        CHECK_TEXT(fixture_hear(&f), "bye");
        CHECK_EQ(recv(f.far, &byte, 1, MSG_DONTWAIT), 0);
        CHECK_EQ(f.closings, 0);
        close(TAKE_FD(f.far));
        fixture_rounds(&f, 3);
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, 0);
        CHECK_EQ(f.calls, 1);
        fixture_done(&f);
}

TEST(finish_inside_on_bytes_leaves_a_long_tail_in_place_until_it_returns)
{
        static char bytes[100 * KIB];
        struct fixture f;

        memset(bytes, 'x', sizeof(bytes));
        fixture_init(&f);
        f.consume_lines = true;
        fixture_send(&f, bytes, sizeof(bytes));
        fixture_rounds(&f, 8);
        f.react = answer_and_finish;
        fixture_say(&f, "\n");
        CHECK_TEXT(fixture_hear(&f), "bye");
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(finish_closes_a_second_after_the_last_byte_when_the_peer_stays)
{
        struct fixture f;

        fixture_init(&f);
        net_stream_finish(f.stream);
        fixture_rounds(&f, 2);
        CHECK(fixture_sleeps(&f));
        loop_advance_ms(f.loop, 999);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.closings, 0);
        loop_advance_ms(f.loop, 1);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, 0);
        fixture_done(&f);
}

TEST(finish_cuts_off_a_peer_that_does_not_read)
{
        static char block[MIB];
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), 0);
        net_stream_finish(f.stream);
        fixture_rounds(&f, 3);
        CHECK(fixture_sleeps(&f));
        loop_advance_ms(f.loop, 4999);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.closings, 0);
        loop_advance_ms(f.loop, 1);
        fixture_rounds(&f, 1);
        CHECK_EQ(f.reason, -ETIMEDOUT);
        fixture_done(&f);
}

TEST(finish_with_the_peers_end_already_in_closes_at_once)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(shutdown(f.far, SHUT_WR), 0);
        fixture_rounds(&f, 2);
        CHECK_EQ(f.ends, 1);
        answer_and_finish(&f);
        fixture_rounds(&f, 2);
        CHECK_EQ(f.closings, 1);
        CHECK_TEXT(fixture_hear(&f), "bye");
        fixture_done(&f);
}

/* The peer is still sending a line that is too long when our refusal goes out:
 * over TCP, closing then would reset the connection and destroy the refusal. */
TEST(the_last_reply_survives_input_that_nobody_reads)
{
        static char flood[MIB];
        struct fixture f;
        size_t sent = 0;

        fixture_init_tcp(&f);
        f.react = answer_and_finish;
        for (unsigned i = 0; i < 64; i++) {
                ssize_t n = send(f.far, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0)
                        sent += (size_t)n;
                loop_run_once(f.loop, 0);
        }
        CHECK(sent > 4 * MIB);
        CHECK_EQ(f.calls, 1);
        CHECK_EQ(shutdown(f.far, SHUT_WR), 0);
        for (unsigned i = 0; i < 1000 && f.closings == 0; i++)
                loop_run_once(f.loop, 10);
        CHECK_EQ(f.closings, 1);
        CHECK_TEXT(fixture_hear(&f), "bye");
        fixture_done(&f);
}

TEST(activity_is_noted_by_the_loops_clock)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(net_stream_active_ms(f.stream), 1000);
        loop_advance_ms(f.loop, 50);
        fixture_say(&f, "x");
        CHECK_EQ(net_stream_active_ms(f.stream), 1050);
        loop_advance_ms(f.loop, 50);
        CHECK_EQ(net_stream_write(f.stream, "y", 1), 0);
        fixture_rounds(&f, 1);
        CHECK_EQ(net_stream_active_ms(f.stream), 1100);
        fixture_done(&f);
}

TEST(a_descriptor_that_cannot_be_watched_stays_the_callers)
{
        AUTO(loop) struct loop *loop = NULL;
        AUTO(net_context) struct net_context *context = NULL;
        struct net_stream_limits limits = {0};
        struct net_stream_owner owner = {0};
        struct net_stream *stream = NULL;
        struct net_address peer = {0};

        CHECK_EQ(loop_new(&loop), 0);
        CHECK_EQ(net_context_new(loop, MIB, &context), 0);
        CHECK_EQ(net_stream_new(context, -1, NULL, &peer, &limits, &owner, &stream), -EBADF);
        CHECK_NULL(stream);
        net_stream_close(NULL);
}

/* Whatever fails, the stream ends with -ENOMEM or all goes well, and nothing is
 * left behind. */
TEST(a_lack_of_memory_closes_and_leaks_nothing)
{
        static char block[20 * KIB];
        bool failed;
        size_t n = 0;

        memset(block, 'x', sizeof(block));
        do {
                struct fixture f;
                int fds[2], r;

                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                allocation_fail_at(++n);
                r = fixture_try_to_attach(&f, fds[0], fds[1], 64 * MIB);
                if (r < 0) {
                        CHECK_EQ(r, -ENOMEM);
                        close(fds[0]);
                }
                if (f.stream) {
                        f.consume_lines = true;
                        fixture_send(&f, block, sizeof(block));
                        fixture_rounds(&f, 2);
                }
                if (f.stream) {
                        fixture_send(&f, block, sizeof(block));
                        fixture_rounds(&f, 2);
                }
                if (f.stream) {
                        net_stream_write(f.stream, block, sizeof(block));
                        fixture_rounds(&f, 2);
                }
                failed = allocation_end();
                CHECK_EQ(failed, r == -ENOMEM || f.reason == -ENOMEM);
                net_stream_close(f.stream);
                if (f.loop)
                        fixture_rounds(&f, 2);
                net_context_free(f.context);
                loop_free(f.loop);
                close(fds[1]);
        } while (failed);
        CHECK(n > 5);
}

TEST(an_idle_stream_is_small)
{
        CHECK(sizeof(struct net_stream) <= 768);
}
