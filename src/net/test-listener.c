#include "net/listener.h"

#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCEPTED_MAX = 200 };

struct fixture {
        struct loop *loop;
        struct net_listener *listener;
        int accepted[ACCEPTED_MAX];
        size_t count;
        struct net_address peer; /* the last one */
        bool free_on_accept;
        unsigned exhausted;
        int error;
};

static void on_accept(void *owner, int fd, const struct net_address *peer)
{
        struct fixture *f = owner;

        CHECK(f->count < ACCEPTED_MAX);
        f->accepted[f->count++] = fd;
        f->peer = *peer;
        if (f->free_on_accept)
                f->listener = net_listener_free(f->listener);
}

static void on_exhausted(void *owner, int error)
{
        struct fixture *f = owner;

        f->exhausted++;
        f->error = error;
}

static void fixture_init(struct fixture *f)
{
        *f = (struct fixture){0};
        CHECK_EQ(loop_new_virtual(5000, &f->loop), 0);
}

static int fixture_listen(struct fixture *f, const struct net_address *address)
{
        struct net_listener_owner owner = {
                .owner = f, .on_accept = on_accept, .on_exhausted = on_exhausted};

        return net_listener_new(f->loop, address, 0640, &owner, &f->listener);
}

static void fixture_listen_tcp(struct fixture *f, const char *host)
{
        struct net_address address;

        CHECK_EQ(net_address_parse(host, 0, &address, NULL), 0);
        CHECK_EQ(fixture_listen(f, &address), 0);
}

static void fixture_close_accepted(struct fixture *f)
{
        while (f->count > 0)
                close(f->accepted[--f->count]);
}

static void fixture_done(struct fixture *f)
{
        fixture_close_accepted(f);
        net_listener_free(f->listener);
        loop_free(f->loop);
}

static int dial(const struct net_address *address)
{
        int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(fd >= 0);
        if (connect(fd, &address->any, address->length) < 0) {
                int r = -errno;

                close(fd);
                return r;
        }
        return fd;
}

TEST(tcp_connections_are_accepted_with_what_a_stream_needs)
{
        struct fixture f;
        int fd, on = 0;
        socklen_t length = sizeof(on);
        char text[NET_ADDRESS_TEXT_MAX];

        fixture_init(&f);
        fixture_listen_tcp(&f, "127.0.0.1");
        CHECK(net_address_port(net_listener_address(f.listener)) != 0);
        fd = dial(net_listener_address(f.listener));
        CHECK(fd >= 0);
        loop_run_once(f.loop, 1000);
        CHECK_EQ(f.count, 1);
        CHECK(fcntl(f.accepted[0], F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(f.accepted[0], F_GETFD) & FD_CLOEXEC);
        CHECK_EQ(getsockopt(f.accepted[0], IPPROTO_TCP, TCP_NODELAY, &on, &length), 0);
        CHECK(on != 0);
        CHECK(strncmp(net_address_text(&f.peer, text), "127.0.0.1:", 10) == 0);
        close(fd);
        fixture_done(&f);
}

TEST(the_unspecified_ipv6_address_takes_ipv4_too)
{
        struct fixture f;
        struct net_address address;
        char text[NET_ADDRESS_TEXT_MAX];
        int fd;

        fixture_init(&f);
        CHECK_EQ(net_address_parse("::", 0, &address, NULL), 0);
        if (fixture_listen(&f, &address) == -EAFNOSUPPORT) {
                loop_free(f.loop); /* a kernel without IPv6 */
                return;
        }
        CHECK_EQ(net_address_parse("127.0.0.1", net_address_port(net_listener_address(f.listener)),
                                   &address, NULL),
                 0);
        fd = dial(&address);
        CHECK(fd >= 0);
        loop_run_once(f.loop, 1000);
        CHECK_EQ(f.count, 1);
        CHECK(strncmp(net_address_text(&f.peer, text), "127.0.0.1:", 10) == 0);
        close(fd);
        fixture_done(&f);
}

TEST(one_that_is_of_ipv6_only_leaves_the_port_of_ipv4_to_others)
{
        struct fixture f;
        struct net_address address, other;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

        fixture_init(&f);
        CHECK(fd >= 0);
        CHECK_EQ(net_address_parse("127.0.0.1", 0, &other, NULL), 0);
        CHECK_EQ(bind(fd, &other.any, other.length), 0);
        CHECK_EQ(getsockname(fd, &other.any, &other.length), 0);
        CHECK_EQ(net_address_parse("::", net_address_port(&other), &address, NULL), 0);
        r = fixture_listen(&f, &address);
        if (r != -EAFNOSUPPORT) { /* a kernel without IPv6 */
                CHECK_EQ(r, -EADDRINUSE);
                address.v6_only = true;
                CHECK_EQ(fixture_listen(&f, &address), 0);
                net_listener_free(f.listener);
        }
        close(fd);
        loop_free(f.loop);
}

TEST(an_address_in_use_is_refused)
{
        struct fixture f;
        struct net_address address;
        struct net_listener *other = NULL;
        struct net_listener_owner owner = {.owner = &f, .on_accept = on_accept};

        fixture_init(&f);
        fixture_listen_tcp(&f, "127.0.0.1");
        address = *net_listener_address(f.listener);
        CHECK_EQ(net_listener_new(f.loop, &address, 0, &owner, &other), -EADDRINUSE);
        CHECK_NULL(other);
        fixture_done(&f);
}

TEST(freed_inside_on_accept_it_takes_no_more)
{
        struct fixture f;
        struct net_address address;
        int one, two;

        fixture_init(&f);
        f.free_on_accept = true;
        fixture_listen_tcp(&f, "127.0.0.1");
        address = *net_listener_address(f.listener);
        one = dial(&address);
        two = dial(&address);
        CHECK(one >= 0 && two >= 0);
        loop_run_once(f.loop, 1000);
        CHECK_EQ(f.count, 1);
        CHECK_NULL(f.listener);
        CHECK_EQ(dial(&address), -ECONNREFUSED);
        close(one);
        close(two);
        fixture_done(&f);
}

TEST(a_lack_of_memory_is_told_and_leaks_nothing)
{
        struct net_address address;
        struct fixture f;
        bool failed;
        size_t n = 0;

        fixture_init(&f);
        CHECK_EQ(net_address_parse("127.0.0.1", 0, &address, NULL), 0);
        do {
                int r;

                allocation_fail_at(++n);
                r = fixture_listen(&f, &address);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 1);
        fixture_done(&f);
}

/* ---- Unix sockets ---- */

struct directory {
        char path[32];
        struct net_address address; /* of a socket in it */
};

static void directory_init(struct directory *d)
{
        char path[64];

        strcpy(d->path, "/tmp/listener-XXXXXX");
        CHECK(mkdtemp(d->path) != NULL);
        snprintf(path, sizeof(path), "%s/socket", d->path);
        CHECK_EQ(net_address_local(path, &d->address), 0);
}

static void directory_done(struct directory *d)
{
        unlink(d->address.local.sun_path);
        CHECK_EQ(rmdir(d->path), 0);
}

TEST(a_unix_socket_has_its_mode_and_goes_with_its_listener)
{
        struct fixture f;
        struct directory d;
        struct stat status;
        int fd;

        fixture_init(&f);
        directory_init(&d);
        CHECK_EQ(fixture_listen(&f, &d.address), 0);
        CHECK_EQ(stat(d.address.local.sun_path, &status), 0);
        CHECK_EQ(status.st_mode & 07777, 0640);
        fd = dial(&d.address);
        CHECK(fd >= 0);
        loop_run_once(f.loop, 1000);
        CHECK_EQ(f.count, 1);
        CHECK_EQ(f.peer.any.sa_family, AF_UNIX);
        close(fd);
        fixture_done(&f);
        CHECK_EQ(stat(d.address.local.sun_path, &status), -1);
        CHECK_EQ(errno, ENOENT);
        directory_done(&d);
}

TEST(a_stale_path_is_taken_over_a_live_one_is_not)
{
        struct fixture f;
        struct directory d;
        struct net_listener *other = NULL;
        struct net_listener_owner owner = {.owner = &f, .on_accept = on_accept};
        int killed = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        fixture_init(&f);
        directory_init(&d);
        CHECK_EQ(bind(killed, &d.address.any, d.address.length), 0);
        close(killed);
        CHECK_EQ(fixture_listen(&f, &d.address), 0);
        CHECK_EQ(net_listener_new(f.loop, &d.address, 0600, &owner, &other), -EADDRINUSE);
        CHECK_NULL(other);
        fixture_done(&f);
        directory_done(&d);
}

TEST(a_file_that_is_no_socket_is_never_removed)
{
        struct fixture f;
        struct directory d;
        int fd;

        fixture_init(&f);
        directory_init(&d);
        fd = open(d.address.local.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
        CHECK_EQ(fixture_listen(&f, &d.address), -EADDRINUSE);
        CHECK_EQ(access(d.address.local.sun_path, F_OK), 0);
        fixture_done(&f);
        directory_done(&d);
}

TEST(a_path_that_is_somebody_elses_by_now_stays)
{
        struct fixture f;
        struct directory d;
        int successor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        fixture_init(&f);
        directory_init(&d);
        CHECK_EQ(fixture_listen(&f, &d.address), 0);
        CHECK_EQ(unlink(d.address.local.sun_path), 0);
        CHECK_EQ(bind(successor, &d.address.any, d.address.length), 0);
        fixture_done(&f);
        CHECK_EQ(access(d.address.local.sun_path, F_OK), 0);
        close(successor);
        directory_done(&d);
}

TEST(a_directory_that_is_missing_is_told)
{
        struct fixture f;
        struct net_address address;

        fixture_init(&f);
        CHECK_EQ(net_address_local("/nowhere/at/all/socket", &address), 0);
        CHECK_EQ(fixture_listen(&f, &address), -ENOENT);
        fixture_done(&f);
}

/* Here a connection waits when connect(2) returns; one of TCP may come a moment later. */
TEST(at_most_64_are_accepted_in_a_round)
{
        struct directory d;
        struct fixture f;
        int fds[70];

        fixture_init(&f);
        directory_init(&d);
        CHECK_EQ(fixture_listen(&f, &d.address), 0);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                CHECK((fds[i] = dial(&d.address)) >= 0);
        loop_run_once(f.loop, 0);
        CHECK_EQ(f.count, 64);
        loop_run_once(f.loop, 0);
        CHECK_EQ(f.count, 70);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                close(fds[i]);
        fixture_done(&f);
        directory_done(&d);
}

/* ---- no descriptors left ---- */

/* In a process of its own; its exit status says which step failed. */
static int run_out_of_descriptors(const struct net_address *address)
{
        struct rlimit limit = {.rlim_cur = 40, .rlim_max = 40};
        struct fixture f;
        int fds[8], hog;
        char byte;

        fixture_init(&f);
        if (fixture_listen(&f, address) < 0)
                return 9;
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                if ((fds[i] = dial(address)) < 0)
                        return 1;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 2;
        do
                hog = dup(0);
        while (hog >= 0);

        /* All are turned away in one round, and the owner hears of it once. */
        loop_run_once(f.loop, 0);
        if (f.count != 0 || f.exhausted != 1 || f.error != -EMFILE)
                return 3;
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                if (recv(fds[i], &byte, 1, MSG_DONTWAIT) != 0)
                        return 4;
        /* Nothing is left to do: no spinning. */
        loop_run_once(f.loop, 0);
        if (uv_backend_timeout(loop_uv(f.loop)) == 0)
                return 5;

        /* A second later the owner hears of it again; then descriptors are back. */
        close(TAKE_FD(fds[0]));
        fds[0] = dial(address);
        loop_run_once(f.loop, 0);
        if (f.exhausted != 1)
                return 6;
        close(TAKE_FD(fds[1]));
        fds[1] = dial(address);
        loop_advance_ms(f.loop, 1000);
        loop_run_once(f.loop, 0);
        if (f.exhausted != 2)
                return 7;
        close(TAKE_FD(fds[2]));
        close(TAKE_FD(fds[3]));
        fds[2] = dial(address);
        loop_run_once(f.loop, 0);
        if (f.count != 1)
                return 8;
        return 0;
}

TEST(without_descriptors_peers_see_an_end_and_the_loop_rests)
{
        struct directory d;
        int status;
        pid_t child;

        directory_init(&d);
        child = fork();
        CHECK(child >= 0);
        if (child == 0)
                _exit(run_out_of_descriptors(&d.address));
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK(WIFEXITED(status));
        CHECK_EQ(WEXITSTATUS(status), 0);
        directory_done(&d);
}
