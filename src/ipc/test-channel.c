#include "ipc/channel.h"

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VERSION = 7, TYPE = 3 };

static struct ipc_channel ours, theirs;

static void open_pair(void)
{
        CHECK_EQ(ipc_channel_pair(VERSION, &ours, &theirs), 0);
}

static void close_pair(void)
{
        ipc_channel_close(&ours);
        ipc_channel_close(&theirs);
}

/* How many descriptors this process has: what is forgotten shows. */
static unsigned count_descriptors(void)
{
        unsigned count = 0;

        for (int fd = 0; fd < 256; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

/* A message as a stranger would make it. */
struct raw {
        uint16_t version, type, length, descriptors_count;
        char payload[IPC_PAYLOAD_MAX + 1];
};

static void send_raw(const struct raw *raw, size_t count, size_t descriptors)
{
        struct iovec part = {(void *)raw, count};
        union {
                struct cmsghdr alignment;
                unsigned char bytes[CMSG_SPACE(sizeof(int) * 2 * IPC_DESCRIPTORS_MAX)];
        } control = {0};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

        if (descriptors > 0) {
                const int fds[2 * IPC_DESCRIPTORS_MAX] = {0};

                message.msg_control = control.bytes;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
                *CMSG_FIRSTHDR(&message) =
                        (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS,
                                         .cmsg_len = CMSG_LEN(sizeof(int) * descriptors)};
                memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, sizeof(int) * descriptors);
        }
        CHECK_EQ(sendmsg(theirs.fd, &message, 0), (ssize_t)count);
}

TEST(a_message_arrives_whole_with_its_type_and_descriptors)
{
        struct ipc_message message;
        int pipe_fds[2];
        char byte = 0;

        open_pair();
        CHECK_EQ(pipe(pipe_fds), 0);
        CHECK_EQ(ipc_send(&ours, TYPE, "hello", 5, pipe_fds, 2), 0);
        CHECK_EQ(ipc_receive(&theirs, &message), 1);
        CHECK_EQ(message.type, TYPE);
        CHECK_EQ(message.length, 5);
        CHECK_EQ(memcmp(message.payload, "hello", 5), 0);
        CHECK_EQ(message.descriptors_count, 2);
        /* The other end's are duplicates: the same pipe by other numbers. */
        CHECK_EQ(write(message.descriptors[1], "x", 1), 1);
        CHECK_EQ(read(pipe_fds[0], &byte, 1), 1);
        CHECK_EQ(byte, 'x');
        CHECK_EQ(fcntl(message.descriptors[0], F_GETFD), FD_CLOEXEC);
        ipc_message_discard(&message);
        CHECK_EQ(message.descriptors_count, 0);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        close_pair();
}

TEST(messages_keep_their_borders_and_their_order)
{
        struct ipc_message message;

        open_pair();
        CHECK_EQ(ipc_send(&ours, 1, NULL, 0, NULL, 0), 0);
        CHECK_EQ(ipc_send(&ours, 2, "ab", 2, NULL, 0), 0);
        CHECK_EQ(ipc_receive(&theirs, &message), 1);
        CHECK_EQ(message.type, 1);
        CHECK_EQ(message.length, 0);
        CHECK_EQ(ipc_receive(&theirs, &message), 1);
        CHECK_EQ(message.type, 2);
        CHECK_EQ(ipc_receive(&theirs, &message), -EAGAIN);
        close_pair();
}

TEST(the_largest_message_fits_and_one_byte_more_is_refused)
{
        static const char payload[IPC_PAYLOAD_MAX + 1];
        const int descriptors[IPC_DESCRIPTORS_MAX + 1] = {0};
        struct ipc_message message;

        open_pair();
        CHECK_EQ(ipc_send(&ours, TYPE, payload, IPC_PAYLOAD_MAX + 1, NULL, 0), -EMSGSIZE);
        CHECK_EQ(ipc_send(&ours, TYPE, payload, 1, descriptors, IPC_DESCRIPTORS_MAX + 1),
                 -EMSGSIZE);
        CHECK_EQ(ipc_send(&ours, TYPE, payload, IPC_PAYLOAD_MAX, descriptors, IPC_DESCRIPTORS_MAX),
                 0);
        CHECK_EQ(ipc_receive(&theirs, &message), 1);
        CHECK_EQ(message.length, IPC_PAYLOAD_MAX);
        CHECK_EQ(message.descriptors_count, IPC_DESCRIPTORS_MAX);
        ipc_message_discard(&message);
        close_pair();
}

TEST(a_peer_that_is_gone_is_an_end_after_what_it_said)
{
        struct ipc_message message;

        open_pair();
        CHECK_EQ(ipc_send(&theirs, TYPE, "last", 4, NULL, 0), 0);
        ipc_channel_close(&theirs);
        CHECK_EQ(ipc_receive(&ours, &message), 1);
        CHECK_EQ(ipc_receive(&ours, &message), 0);
        CHECK_EQ(ipc_send(&ours, TYPE, "x", 1, NULL, 0), -EPIPE);
        close_pair();
        CHECK_EQ(ipc_send(&ours, TYPE, "x", 1, NULL, 0), -EPIPE);
        CHECK_EQ(ipc_receive(&ours, &message), 0);
}

TEST(a_peer_that_went_without_reading_is_gone_too)
{
        struct ipc_message message;

        open_pair();
        CHECK_EQ(ipc_send(&ours, TYPE, "unread", 6, NULL, 0), 0);
        ipc_channel_close(&theirs);
        CHECK_EQ(ipc_receive(&ours, &message), 0);
        CHECK_EQ(ipc_send(&ours, TYPE, "x", 1, NULL, 0), -EPIPE);
        close_pair();
}

TEST(a_peer_that_does_not_read_is_not_waited_for)
{
        static const char payload[IPC_PAYLOAD_MAX];
        int r = 0;
        unsigned sent = 0;

        open_pair();
        while (r == 0 && sent++ < 100000)
                r = ipc_send(&ours, TYPE, payload, sizeof(payload), NULL, 0);
        CHECK_EQ(r, -EAGAIN);
        close_pair();
}

TEST(what_is_not_as_announced_is_refused_and_its_descriptors_closed)
{
        static const struct {
                const char *name;
                struct raw raw;
                size_t count, descriptors;
        } cases[] = {
                {"half a header", {VERSION, TYPE, 0, 0, ""}, 4, 0},
                {"another version", {VERSION + 1, TYPE, 0, 0, ""}, 8, 0},
                {"shorter than it says", {VERSION, TYPE, 5, 0, "abcd"}, 12, 0},
                {"longer than it says", {VERSION, TYPE, 3, 0, "abcd"}, 12, 0},
                {"beyond the limit",
                 {VERSION, TYPE, IPC_PAYLOAD_MAX + 1, 0, ""},
                 sizeof(struct raw),
                 0},
                {"descriptors not announced", {VERSION, TYPE, 0, 0, ""}, 8, 2},
                {"descriptors announced and not there", {VERSION, TYPE, 0, 2, ""}, 8, 0},
                {"fewer descriptors", {VERSION, TYPE, 0, 3, ""}, 8, 2},
                {"too many descriptors",
                 {VERSION, TYPE, 0, 2 * IPC_DESCRIPTORS_MAX, ""},
                 8,
                 2 * IPC_DESCRIPTORS_MAX},
                {"nothing but descriptors", {0}, 0, 1},
        };

        /* An emulator of user space takes more descriptors than there is room for, and
         * keeps what it cannot pass on: the kernel's own limit is the kernel's to show. */
        const bool emulated = getenv("MESON_EXE_WRAPPER");

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct ipc_message message;
                unsigned before;
                int r;

                if (emulated && cases[i].descriptors > IPC_DESCRIPTORS_MAX)
                        continue;
                open_pair();
                before = count_descriptors();
                send_raw(&cases[i].raw, cases[i].count, cases[i].descriptors);
                r = ipc_receive(&ours, &message);
                if (r != -EPROTO)
                        FAIL("%s: %d", cases[i].name, r);
                CHECK_EQ(message.descriptors_count, 0);
                CHECK_EQ(count_descriptors(), before);
                close_pair();
        }
}

TEST(one_descriptor_is_taken_by_whoever_expects_one)
{
        struct ipc_message message;
        const int descriptors[2] = {0, 0};
        int fd;

        open_pair();
        CHECK_EQ(ipc_send(&ours, TYPE, NULL, 0, descriptors, 1), 0);
        CHECK_EQ(ipc_receive(&theirs, &message), 1);
        fd = ipc_message_take_descriptor(&message);
        CHECK(fd > 2);
        ipc_message_discard(&message);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        CHECK_EQ(close(fd), 0);
        CHECK_EQ(ipc_message_take_descriptor(&message), -EPROTO);

        CHECK_EQ(ipc_send(&ours, TYPE, NULL, 0, descriptors, 2), 0);
        CHECK_EQ(ipc_receive(&theirs, &message), 1);
        CHECK_EQ(ipc_message_take_descriptor(&message), -EPROTO);
        ipc_message_discard(&message);
        close_pair();
}

TEST(only_an_end_of_such_a_pair_is_adopted)
{
        struct ipc_channel adopted;
        int fds[2];

        CHECK_EQ(ipc_channel_adopt(-1, VERSION, &adopted), -EBADF);
        CHECK_EQ(pipe(fds), 0);
        CHECK_EQ(ipc_channel_adopt(fds[0], VERSION, &adopted), -ENOTSOCK);
        close(fds[0]);
        close(fds[1]);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        CHECK_EQ(ipc_channel_adopt(fds[0], VERSION, &adopted), -EPROTOTYPE);
        close(fds[0]);
        close(fds[1]);

        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        CHECK_EQ(ipc_channel_adopt(fds[0], VERSION, &adopted), 0);
        CHECK_EQ(adopted.fd, fds[0]);
        CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
        CHECK(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        ipc_channel_close(&adopted);
        close(fds[1]);
}
