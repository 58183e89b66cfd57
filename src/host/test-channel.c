#include "host/channel.h"

#include "base/cleanup.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
        struct host_channel channel;
        int agent;
};

static struct pair pair_new(void)
{
        struct pair pair;
        int ends[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
        CHECK_EQ(host_channel_init(&pair.channel, ends[0]), 0);
        CHECK_EQ(fcntl(ends[0], F_GETFD), -1);
        pair.agent = ends[1];
        return pair;
}

static void pair_done(struct pair *pair)
{
        host_channel_done(&pair->channel);
        close(pair->agent);
}

static void tell(struct pair *pair, const void *bytes, size_t count)
{
        CHECK_EQ(send(pair->agent, bytes, count, 0), count);
}

TEST(the_descriptor_is_moved_up_and_no_child_inherits_it)
{
        struct pair pair = pair_new();

        CHECK(pair.channel.fd > 200);
        CHECK_EQ(fcntl(pair.channel.fd, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(fcntl(pair.channel.fd, F_GETFL) & O_NONBLOCK, 0);
        pair_done(&pair);
}

TEST(a_descriptor_that_is_none_is_refused)
{
        struct host_channel channel;

        CHECK_EQ(host_channel_init(&channel, -1), -EBADF);
}

TEST(frames_come_one_by_one_as_they_were_sent)
{
        struct pair pair = pair_new();
        const char *json = NULL;
        size_t length = 0;

        tell(&pair, "\0\0\0\2{}\0\0\0\0\0\0\0\3[1]\0\0", 19);
        CHECK_EQ(host_channel_receive(&pair.channel, &json, &length), 1);
        CHECK_EQ(length, 2);
        assert_memory_equal(json, "{}", 2);
        CHECK_EQ(host_channel_receive(&pair.channel, &json, &length), 1);
        CHECK_EQ(length, 0);
        CHECK_EQ(host_channel_receive(&pair.channel, &json, &length), 1);
        assert_memory_equal(json, "[1]", 3);
        shutdown(pair.agent, SHUT_WR);
        CHECK_EQ(host_channel_receive(&pair.channel, &json, &length), 0);
        pair_done(&pair);
}

TEST(a_frame_of_more_than_the_limit_is_refused_by_its_length)
{
        struct pair pair = pair_new();
        const char *json;
        size_t length;

        tell(&pair, "\1\0\0\1", 4);
        CHECK_EQ(host_channel_receive(&pair.channel, &json, &length), -EMSGSIZE);
        pair_done(&pair);
}

TEST(an_answer_gets_its_length_in_front)
{
        struct pair pair = pair_new();
        struct buffer frame;
        char got[16];

        buffer_init(&frame, 64);
        CHECK_EQ(buffer_append(&frame, "....{}", 6), 0);
        CHECK_EQ(host_channel_send(&pair.channel, &frame), 0);
        CHECK_EQ(recv(pair.agent, got, sizeof(got), 0), 6);
        assert_memory_equal(got, "\0\0\0\2{}", 6);
        buffer_done(&frame);
        pair_done(&pair);
}

TEST(an_answer_over_the_limit_is_not_sent)
{
        struct pair pair = pair_new();
        struct buffer frame;

        buffer_init(&frame, HOST_SEND_MAX + 64);
        CHECK_EQ(buffer_reserve(&frame, HOST_FRAME_HEADER + HOST_SEND_MAX + 1), 0);
        memset(buffer_data(&frame), ' ', HOST_FRAME_HEADER + HOST_SEND_MAX + 1);
        buffer_commit(&frame, HOST_FRAME_HEADER + HOST_SEND_MAX + 1);
        CHECK_EQ(host_channel_send(&pair.channel, &frame), -EMSGSIZE);
        CHECK_EQ(recv(pair.agent, (char[1]){0}, 1, 0), -1);
        buffer_done(&frame);
        pair_done(&pair);
}

TEST(an_agent_that_is_gone_is_an_error_and_no_signal)
{
        struct pair pair = pair_new();
        struct buffer frame;

        close(pair.agent);
        buffer_init(&frame, 64);
        CHECK_EQ(buffer_append(&frame, "....{}", 6), 0);
        CHECK_EQ(host_channel_send(&pair.channel, &frame), -EPIPE);
        buffer_done(&frame);
        host_channel_done(&pair.channel);
}

TEST(without_memory_a_frame_is_not_received)
{
        struct pair pair = pair_new();
        const char *json;
        size_t length;
        int r;

        tell(&pair, "\0\0\0\2{}", 6);
        allocation_fail_at(1);
        r = host_channel_receive(&pair.channel, &json, &length);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_EQ(host_channel_receive(&pair.channel, &json, &length), 1);
        pair_done(&pair);
}
