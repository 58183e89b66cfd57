/* What a stream reads. */
#include "net/test-peer.h"

#include <sys/ioctl.h>

TEST(bytes_arrive_and_an_idle_stream_holds_no_buffers)
{
        struct fixture f;

        fixture_init(&f);
        fixture_say(&f, "hello");
        CHECK_TEXT(f.seen, "hello");
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
        for (unsigned i = 0; i < 1000 && f.consumed < SIZE - 9; i++)
                loop_run_once(f.loop, 100);
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

TEST(a_paused_stream_does_not_spin_on_input_or_half_close)
{
        struct fixture f;

        fixture_init_tcp(&f);
        net_stream_pause(f.stream);
        CHECK(fixture_sleeps(&f));
        fixture_say(&f, "abc");
        fixture_await(&f, POLLIN);
        CHECK(fixture_sleeps(&f));
        CHECK_EQ(shutdown(f.far, SHUT_WR), 0);
        fixture_await(&f, POLLRDHUP);
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
                if (with_input) {
                        fixture_say(&f, "abc");
                        fixture_await(&f, POLLIN);
                }
                reset(TAKE_FD(f.far));
                fixture_await(&f, POLLERR);
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
        fixture_await(&f, POLLERR);
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

static int unread(const struct net_stream *stream)
{
        int count;

        CHECK_EQ(ioctl(net_stream_fd(stream), FIONREAD, &count), 0);
        return count;
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
        CHECK_EQ(unread(f.stream), 20 * KIB);
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
        static const struct net_stream_calls calls = {
                .on_bytes = on_bytes, .on_end = on_end, .on_closed = on_closed};
        struct net_stream_owner owner = {.owner = &quick, .calls = &calls};
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
