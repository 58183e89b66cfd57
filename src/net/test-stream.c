/* How a stream ends, and what it costs. */
#include "net/test-peer.h"
#include "support/allocation.h"

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

static void check_it_ends_in_5_s(struct fixture *f)
{
        loop_advance_ms(f->loop, 4999);
        fixture_rounds(f, 1);
        CHECK_EQ(f->closings, 0);
        loop_advance_ms(f->loop, 1);
        fixture_rounds(f, 1);
        CHECK_EQ(f->reason, -ETIMEDOUT);
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
        check_it_ends_in_5_s(&f);
        fixture_done(&f);
}

/* Advances to just before the end of each 5 s, having read so much in them; what came in all. */
static size_t read_slowly(struct fixture *f, unsigned times)
{
        size_t total = 0;

        for (unsigned i = 0; i < times && f->closings == 0; i++) {
                loop_advance_ms(f->loop, 4999);
                total += fixture_drain(f);
                fixture_rounds(f, 2);
                loop_advance_ms(f->loop, 1);
                fixture_rounds(f, 1);
        }
        return total;
}

TEST(who_goes_on_reading_an_answer_gets_all_of_it)
{
        static char block[2 * MIB];
        struct fixture f;

        for (unsigned patient = 0; patient < 2; patient++) {
                fixture_init(&f);
                CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), 0);
                (patient ? net_stream_finish_patiently : net_stream_finish)(f.stream);
                fixture_rounds(&f, 3);
                CHECK_EQ(read_slowly(&f, 200) + fixture_drain(&f) == sizeof(block), patient);
                CHECK_EQ(f.reason, patient ? 0 : -ETIMEDOUT);
                fixture_done(&f);
        }
}

TEST(who_stops_reading_an_answer_is_cut_off)
{
        static char block[2 * MIB];
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), 0);
        net_stream_finish_patiently(f.stream);
        fixture_rounds(&f, 3);
        read_slowly(&f, 2);
        CHECK_EQ(f.closings, 0);
        check_it_ends_in_5_s(&f);
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
        for (unsigned i = 0; i < 64 || (i < 100000 && sent <= 4 * MIB); i++) {
                ssize_t n = send(f.far, flood, sizeof(flood), MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n > 0)
                        sent += (size_t)n;
                loop_run_once(f.loop, 100);
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
        CHECK(sizeof(struct net_stream) <= 376);
}

TEST(the_user_at_the_other_end_of_a_unix_socket_is_known)
{
        const struct net_address local = {.any.sa_family = AF_UNIX,
                                          .length = sizeof(local.any.sa_family)};
        uid_t user = (uid_t)-1;
        struct fixture f;

        fixture_init(&f);
        /* Nobody has said that it is one. */
        CHECK_EQ(net_stream_user(f.stream, &user), -ENOTSUP);
        net_peer_init(&f.stream->peer, &local);
        CHECK_EQ(net_stream_user(f.stream, &user), 0);
        CHECK_EQ(user, getuid());
        fixture_done(&f);
}
