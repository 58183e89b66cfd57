#include "bench/crowd.h"
#include "support/test.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const struct protocol ping = {"test", "ping\n", NULL, "pong", false};
static const struct protocol turns = {"turns", "tick\n", "tock\n", "pong", false};

struct fixture {
        int listener;
        int server; /* our end of the first connection */
        struct crowd *crowd;
};

/* The kernel completes connections before they are accepted, so one thread can
 * be both ends. */
static struct fixture fixture_with(const struct protocol *protocol, unsigned connections,
                                   unsigned in_flight)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof(address);
        struct fixture f = {.listener = socket(AF_INET, SOCK_STREAM, 0)};

        CHECK(f.listener >= 0);
        CHECK_EQ(bind(f.listener, (struct sockaddr *)&address, length), 0);
        CHECK_EQ(listen(f.listener, 64), 0);
        CHECK_EQ(getsockname(f.listener, (struct sockaddr *)&address, &length), 0);
        CHECK_EQ(crowd_new(&address, protocol, connections, in_flight, &f.crowd), 0);
        f.server = accept(f.listener, NULL, NULL);
        CHECK(f.server >= 0);
        CHECK_EQ(crowd_start(f.crowd), 0);
        return f;
}

static struct fixture fixture_of(unsigned connections, unsigned in_flight)
{
        return fixture_with(&ping, connections, in_flight);
}

static void fixture_done(struct fixture *f)
{
        crowd_free(f->crowd);
        if (f->server >= 0)
                close(f->server);
        close(f->listener);
}

static void say(const struct fixture *f, const char *bytes)
{
        CHECK_EQ(send(f->server, bytes, strlen(bytes), 0), strlen(bytes));
}

static size_t heard(const struct fixture *f, char *bytes, size_t max)
{
        ssize_t length = recv(f->server, bytes, max - 1, MSG_DONTWAIT);

        if (length < 0)
                length = 0;
        bytes[length] = '\0';
        return (size_t)length;
}

TEST(what_is_to_be_in_flight_leaves_in_one_write)
{
        struct fixture f = fixture_of(1, 3);
        char bytes[64];

        heard(&f, bytes, sizeof(bytes));
        CHECK_TEXT(bytes, "ping\nping\nping\n");
        fixture_done(&f);
}

TEST(requests_that_differ_in_length_are_refused)
{
        const struct protocol uneven = {"uneven", "a\n", "bb\n", "pong", false};
        const struct sockaddr_in nobody = {.sin_family = AF_INET};
        struct crowd *crowd;

        CHECK_EQ(crowd_new(&nobody, &uneven, 1, 1, &crowd), -EINVAL);
}

TEST(draining_waits_for_all_replies_and_asks_no_more)
{
        struct fixture f = fixture_of(1, 3);
        char bytes[64];

        heard(&f, bytes, sizeof(bytes));
        say(&f, "a pong\nanother po");
        say(&f, "ng\nthe third pong\n");
        CHECK_EQ(crowd_drain(f.crowd), 0);
        CHECK_EQ(heard(&f, bytes, sizeof(bytes)), 0);
        fixture_done(&f);
}

TEST(a_reply_other_than_the_expected_one_is_an_error)
{
        struct fixture f = fixture_of(1, 2);

        say(&f, "refused\npong\n");
        CHECK_EQ(crowd_drain(f.crowd), -EBADMSG);
        fixture_done(&f);
}

TEST(more_replies_than_requests_are_an_error)
{
        struct fixture f = fixture_of(1, 2);

        say(&f, "pong\npong\npong\n");
        CHECK_EQ(crowd_drain(f.crowd), -EPROTO);
        fixture_done(&f);
}

TEST(a_server_that_hangs_up_is_an_error)
{
        struct fixture f = fixture_of(1, 1);
        char bytes[64];

        heard(&f, bytes, sizeof(bytes)); /* unread bytes would turn FIN into RST */
        close(f.server);
        f.server = -1;
        CHECK_EQ(crowd_drain(f.crowd), -ECONNRESET);
        fixture_done(&f);
}

TEST(a_silent_server_is_an_error_and_not_a_hang)
{
        struct fixture f = fixture_of(1, 1);

        CHECK_EQ(crowd_drain(f.crowd), -ETIMEDOUT);
        fixture_done(&f);
}

TEST(numbers_beyond_the_limits_are_refused)
{
        const struct sockaddr_in nowhere = {.sin_family = AF_INET};
        struct crowd *crowd = NULL;

        CHECK_EQ(crowd_new(&nowhere, &ping, 0, 1, &crowd), -EINVAL);
        CHECK_EQ(crowd_new(&nowhere, &ping, 1, 0, &crowd), -EINVAL);
        CHECK_EQ(crowd_new(&nowhere, &ping, CROWD_CONNECTIONS_MAX + 1, 1, &crowd), -EINVAL);
        CHECK_EQ(crowd_new(&nowhere, &ping, 1, CROWD_IN_FLIGHT_MAX + 1, &crowd), -EINVAL);
        CHECK_NULL(crowd);
}

struct answers {
        int fd;
        uint64_t given;
        uint64_t out_of_turn; /* requests that are not the one whose turn it is */
};

static uint64_t after_20_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + 20000000;
}

/* Answers each request until the other end is closed. */
static void *answer_all(void *argument)
{
        struct answers *answers = argument;
        char bytes[4096];
        ssize_t length;

        while ((length = recv(answers->fd, bytes, sizeof(bytes), 0)) > 0)
                for (ssize_t i = 0; i < length; i++)
                        if (bytes[i] == '\n' && send(answers->fd, "pong\n", 5, MSG_NOSIGNAL) == 5)
                                answers->given++;
        return NULL;
}

/* The same, of `turns`: lines of five bytes. Replies leave two by two where there are
 * two, so that requests come back in batches of either length. */
static void *answer_in_turn(void *argument)
{
        struct answers *answers = argument;
        char bytes[5 * CROWD_IN_FLIGHT_MAX];
        ssize_t length;

        while ((length = recv(answers->fd, bytes, 5, MSG_WAITALL)) == 5) {
                ssize_t more = recv(answers->fd, bytes + 5, 5, MSG_DONTWAIT);

                length += more == 5 ? 5 : 0;
                for (ssize_t i = 0; i < length; i += 5)
                        answers->out_of_turn +=
                                memcmp(bytes + i, answers->given++ % 2 ? "tock\n" : "tick\n", 5) !=
                                0;
                if (send(answers->fd, "pong\npong\n", (size_t)length, MSG_NOSIGNAL) != length)
                        break;
        }
        return NULL;
}

TEST(two_requests_are_sent_in_turn_however_they_are_answered)
{
        struct fixture f = fixture_with(&turns, 1, 3);
        struct answers answers = {.fd = f.server};
        pthread_t thread;

        CHECK_EQ(pthread_create(&thread, NULL, answer_in_turn, &answers), 0);
        CHECK_EQ(crowd_run(f.crowd, after_20_ms(), NULL), 0);
        CHECK_EQ(crowd_drain(f.crowd), 0);
        f.crowd = crowd_free(f.crowd);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK(answers.given > 3);
        CHECK_EQ(answers.out_of_turn, 0);
        fixture_done(&f);
}

TEST(every_request_of_a_run_is_answered_and_no_latency_invented)
{
        static struct histogram latencies;
        struct fixture f = fixture_of(1, 16);
        struct answers answers = {.fd = f.server};
        pthread_t thread;

        histogram_reset(&latencies);
        CHECK_EQ(pthread_create(&thread, NULL, answer_all, &answers), 0);
        CHECK_EQ(crowd_run(f.crowd, after_20_ms(), &latencies), 0);
        CHECK_EQ(crowd_drain(f.crowd), 0);
        f.crowd = crowd_free(f.crowd);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        /* The run's, and those that were in flight at its end. */
        CHECK(latencies.count > 0);
        CHECK_EQ(answers.given, latencies.count + 16);
        CHECK(histogram_quantile_ns(&latencies, 500) > 0);
        fixture_done(&f);
}

/* A server of HTTP that answers every request, "x", with the same bytes, cut into pieces. */
struct pages {
        int listener;
        struct sockaddr_in address;
        const char *first, *others; /* answers; NULL: it hangs up */
        size_t piece;
        uint64_t given;
};

static const struct protocol page = {"page", "x", NULL, "HTTP/1.1 200 ", true};
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";

static void *serve_pages(void *argument)
{
        struct pages *pages = argument;
        int fd = accept(pages->listener, NULL, NULL);
        const int on = 1;
        char request;

        /* Or the kernel puts the pieces together, after a while. */
        CHECK_EQ(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
        while (recv(fd, &request, 1, 0) == 1) {
                const char *answer = pages->given++ == 0 ? pages->first : pages->others;
                size_t length = answer ? strlen(answer) : 0;

                if (!answer)
                        break;
                for (size_t at = 0; at < length; at += pages->piece) {
                        size_t count = length - at < pages->piece ? length - at : pages->piece;

                        if (send(fd, answer + at, count, MSG_NOSIGNAL) < 0)
                                break;
                }
        }
        close(fd);
        return NULL;
}

/* What crowd_new() or the run after it say. */
static int load_pages(struct pages *pages, struct histogram *latencies)
{
        socklen_t size = sizeof(pages->address);
        struct crowd *crowd = NULL;
        pthread_t thread;
        int r;

        pages->address = (struct sockaddr_in){.sin_family = AF_INET,
                                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        pages->listener = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(bind(pages->listener, (struct sockaddr *)&pages->address, size), 0);
        CHECK_EQ(listen(pages->listener, 1), 0);
        CHECK_EQ(getsockname(pages->listener, (struct sockaddr *)&pages->address, &size), 0);
        CHECK_EQ(pthread_create(&thread, NULL, serve_pages, pages), 0);
        histogram_reset(latencies);
        r = crowd_new(&pages->address, &page, 1, 3, &crowd);
        if (r == 0)
                r = crowd_start(crowd);
        while (r == 0 && latencies->count == 0)
                r = crowd_run(crowd, after_20_ms(), latencies);
        if (r == 0)
                r = crowd_drain(crowd);
        crowd_free(crowd);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        close(pages->listener);
        return r;
}

TEST(replies_of_one_length_are_counted_however_they_are_cut)
{
        static struct histogram latencies;

        for (size_t piece = 1; piece <= sizeof(ok); piece += 11) {
                struct pages pages = {.first = ok, .others = ok, .piece = piece};

                CHECK_EQ(load_pages(&pages, &latencies), 0);
                /* The one that told the length, and those in flight at the end. */
                CHECK_EQ(pages.given, latencies.count + 4);
        }
}

TEST(another_page_than_the_expected_one_is_an_error)
{
        static const char missing[] = "HTTP/1.1 404 No\r\nContent-Length: 6\r\n\r\nhello\n";
        static struct histogram latencies;
        struct pages pages = {.first = missing, .others = ok, .piece = sizeof(ok)};

        CHECK_EQ(load_pages(&pages, &latencies), -EBADMSG);
        pages = (struct pages){.first = ok, .others = missing, .piece = sizeof(ok)};
        CHECK_EQ(load_pages(&pages, &latencies), -EBADMSG);
        pages = (struct pages){.first = "HTTP/1.0 200 OK\r\n\r\n", .piece = sizeof(ok)};
        CHECK_EQ(load_pages(&pages, &latencies), -EPROTO);
        pages = (struct pages){.first = NULL, .piece = sizeof(ok)};
        CHECK_EQ(load_pages(&pages, &latencies), -ECONNRESET);
}
