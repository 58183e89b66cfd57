/* What a stream writes. */
#include "net/test-peer.h"

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
        CHECK_EQ(net_context_budget(f.context)->used, 0);
        fixture_done(&f);
}

TEST(output_may_be_filled_in_place)
{
        struct fixture f;
        char *bytes;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, "one ", 4), 0);
        bytes = net_stream_claim(f.stream, 3);
        CHECK(bytes != NULL);
        memcpy(bytes, "two", 3);
        CHECK_EQ(net_stream_pending(f.stream), 7);
        fixture_rounds(&f, 1);
        CHECK_TEXT(fixture_hear(&f), "one two");
        net_stream_finish(f.stream);
        CHECK_NULL(net_stream_claim(f.stream, 3));
        fixture_done(&f);
}

TEST(a_claim_beyond_the_limit_closes_the_stream)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_NULL(net_stream_claim(f.stream, 5 * MIB));
        fixture_rounds(&f, 2);
        CHECK_EQ(f.closings, 1);
        CHECK_EQ(f.reason, -EMSGSIZE);
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

TEST(large_buffers_that_are_gone_leave_no_holes)
{
        static char block[MIB];
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(net_stream_write(f.stream, block, sizeof(block)), 0);
        while (net_stream_pending(f.stream) > 0) {
                fixture_rounds(&f, 1);
                fixture_drain(&f);
        }
        loop_advance_ms(f.loop, 2 * LOOP_TRIM_AFTER_MS);
        CHECK_EQ(f.context->trim.trims, 1);
        CHECK(fixture_sleeps(&f));
        fixture_done(&f);
}
