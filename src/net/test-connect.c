#include "net/connect.h"

#include "base/cleanup.h"
#include "net/address.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_somewhere(int backlog, uint16_t *ret_port)
{
        struct net_address address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_EQ(net_address_parse("127.0.0.1", 0, &address, NULL), 0);
        CHECK_EQ(bind(fd, &address.any, address.length), 0);
        if (backlog >= 0)
                CHECK_EQ(listen(fd, backlog), 0);
        address.length = sizeof(address.local);
        CHECK_EQ(getsockname(fd, &address.any, &address.length), 0);
        *ret_port = net_address_port(&address);
        return fd;
}

TEST(a_listening_port_is_reached_by_address_and_by_name)
{
        static const char *const hosts[] = {"127.0.0.1", "localhost"};
        uint16_t port;
        AUTO_CLOSE int listener = listen_somewhere(4, &port);

        for (size_t i = 0; i < 2; i++) {
                AUTO_CLOSE int fd = -1;
                struct error error = {0};

                CHECK_EQ(net_connect(hosts[i], port, 5000, &fd, &error), 0);
                CHECK(fd >= 0);
                CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
                CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        }
}

TEST(a_port_where_nothing_listens_is_explained)
{
        uint16_t port;
        AUTO_CLOSE int bound = listen_somewhere(-1, &port);
        struct error error = {0};
        char expected[100];
        int fd = -1;

        snprintf(expected, sizeof(expected),
                 "nothing listens at 127.0.0.1:%u: is pifleet-agent running?", port);
        CHECK_EQ(net_connect("127.0.0.1", port, 5000, &fd, &error), -ECONNREFUSED);
        CHECK_TEXT(error.text, expected);
        CHECK_EQ(fd, -1);
}

/* A backlog of 0 holds one connection; the next one's SYN is dropped. */
TEST(a_peer_that_does_not_answer_is_given_up_in_time)
{
        uint16_t port;
        AUTO_CLOSE int listener = listen_somewhere(0, &port);
        AUTO_CLOSE int first = -1, second = -1;
        struct error error = {0};
        int fd = -1;

        CHECK_EQ(net_connect("127.0.0.1", port, 5000, &first, &error), 0);
        /* Whether a second one fits is up to the kernel. */
        (void)net_connect("127.0.0.1", port, 30, &second, &error);
        CHECK_EQ(net_connect("127.0.0.1", port, 30, &fd, &error), -ETIMEDOUT);
        CHECK(strstr(error.text, "did not answer within 30 ms") != NULL);
        CHECK_EQ(fd, -1);
}

TEST(a_host_that_is_none_is_explained)
{
        struct error error = {0};
        int fd = -1;

        CHECK_EQ(net_connect("not a host name", 1, 1000, &fd, &error), -ENOENT);
        CHECK(strstr(error.text, "\"not a host name\" cannot be found") != NULL);
}

TEST(unix_sockets_are_reached_or_explained)
{
        char path[64];
        struct net_address address;
        struct error error = {0};
        AUTO_CLOSE int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        AUTO_CLOSE int fd = -1;
        char long_path[200];

        snprintf(path, sizeof(path), "/tmp/connect-%d.sock", (int)getpid());
        CHECK_EQ(net_connect_local(path, &fd, &error), -ENOENT);
        CHECK(strstr(error.text, "is pifleet-agent running?") != NULL);
        CHECK_EQ(net_address_local(path, &address), 0);
        CHECK_EQ(bind(listener, &address.any, address.length), 0);
        CHECK_EQ(net_connect_local(path, &fd, &error), -ECONNREFUSED);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(net_connect_local(path, &fd, &error), 0);
        CHECK(fd >= 0);
        unlink(path);

        memset(long_path, 'x', sizeof(long_path) - 1);
        long_path[sizeof(long_path) - 1] = '\0';
        CHECK_EQ(net_connect_local(long_path, &fd, &error), -ENAMETOOLONG);
}
