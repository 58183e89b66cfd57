/* How connections end, or are made to wait: time, limits, the other side. */
#include "agent/ndjson/connection-fixture.h"

#include "support/allocation.h"

#include <errno.h>
#include <sys/socket.h>

TEST(a_silent_connection_is_closed_and_a_busy_one_is_not)
{
        struct fixture f;
        int silent, busy;

        fixture_open(&f);
        silent = fixture_connect(&f);
        busy = fixture_connect(&f);
        turn(&f);
        loop_advance_ms(f.loop, 29000);
        say(&f, busy, "{\"command\":\"ping\"}\n");
        CHECK_EQ(count_lines(hear(&f, busy)), 1);
        loop_advance_ms(f.loop, 999);
        CHECK_TEXT(hear(&f, silent), "");
        loop_advance_ms(f.loop, 1);
        CHECK_TEXT(hear(&f, silent), "EOF");
        CHECK_TEXT(hear(&f, busy), "");
        loop_advance_ms(f.loop, 29000);
        CHECK_TEXT(hear(&f, busy), "EOF");
        close(silent);
        close(busy);
        fixture_close(&f);
}

TEST(a_connection_that_waits_for_us_is_not_idle)
{
        struct fixture f;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd, "{\"command\":\"hold\"}\n");
        loop_advance_ms(f.loop, 120000);
        CHECK_TEXT(hear(&f, fd), "");
        release_held(&f, 0);
        CHECK_EQ(count_lines(hear(&f, fd)), 1);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(a_line_that_drips_is_cut_off)
{
        struct fixture f;
        const char *text = "";
        unsigned seconds = 0;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        while (seconds < 300 && !strstr(text, "EOF")) {
                (void)!send(fd, "x", 1, MSG_NOSIGNAL);
                loop_advance_ms(f.loop, 1000);
                text = hear(&f, fd);
                seconds++;
        }
        CHECK(seconds >= 30);
        CHECK(seconds <= 61);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(a_half_closed_connection_gets_its_replies_and_a_last_line_needs_no_newline)
{
        struct fixture f;
        const char *text;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd, "{\"command\":\"hold\"}\n{\"command\":\"ping\"}");
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        CHECK_TEXT(hear(&f, fd), "");
        release_held(&f, 0);
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 2);
        CHECK_TEXT(text + strlen(text) - 3, "EOF");
        close(fd);
        fixture_close(&f);
}

TEST(requests_of_a_vanished_client_run_to_their_end_unheard)
{
        struct fixture f;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd,
            "{\"command\":\"hold\"}\n{\"command\":\"hold\",\"id\":1}\n{\"command\":\"ping\"}\n");
        close(fd);
        turn(&f);
        loop_advance_ms(f.loop, 60000);
        CHECK_EQ(command_registry_pending(f.registry), 2);
        release_held(&f, 0);
        release_held(&f, 1);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        fixture_close(&f);
}

TEST(a_connection_has_no_more_requests_under_way_than_allowed)
{
        static const char request[] = "{\"command\":\"hold\"}\n";
        char many[(NDJSON_PENDING_MAX + 100) * (sizeof(request) - 1) + 1] = "";
        struct fixture f;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        for (unsigned i = 0; i < NDJSON_PENDING_MAX + 100; i++)
                memcpy(many + i * (sizeof(request) - 1), request, sizeof(request) - 1);
        say(&f, fd, many);
        CHECK_EQ(f.held_count, NDJSON_PENDING_MAX);
        loop_advance_ms(f.loop, 120000); /* our time, not the client's */
        CHECK_TEXT(hear(&f, fd), "");
        for (size_t i = 0; i < NDJSON_PENDING_MAX; i++)
                release_held(&f, i);
        CHECK_EQ(count_lines(hear(&f, fd)), NDJSON_PENDING_MAX);
        CHECK_EQ(f.held_count, NDJSON_PENDING_MAX + 100);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(a_client_that_does_not_read_is_paused_and_then_closed)
{
        struct fixture f;
        unsigned sent = 0;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        while (sent < 10000 && send(fd, "{\"command\":\"fill\"}\n", 19, MSG_NOSIGNAL) == 19) {
                loop_run_once(f.loop, 0);
                sent++;
        }
        CHECK(sent < 10000);
        CHECK(net_context_budget(f.net)->used < 2 * NDJSON_OUTPUT_HIGH + (1 << 20));
        loop_advance_ms(f.loop, 61000);
        turn(&f);
        CHECK_EQ(send(fd, "{\"command\":\"ping\"}\n", 19, MSG_NOSIGNAL), -1);
        CHECK_EQ(errno, EPIPE);
        CHECK_EQ(net_context_budget(f.net)->used, 0);
        close(fd);
        fixture_close(&f);
}

TEST(one_connection_too_many_is_told_so)
{
        struct fixture f;
        const char *text;
        int fds[4];

        fixture_open(&f);
        for (size_t i = 0; i < 4; i++)
                fds[i] = fixture_connect(&f);
        text = hear(&f, fds[3]);
        CHECK(strstr(text, "\"BUSY\"") != NULL);
        CHECK_TEXT(text + strlen(text) - 3, "EOF");
        say(&f, fds[2], "{\"command\":\"ping\"}\n");
        CHECK_EQ(count_lines(hear(&f, fds[2])), 1);
        for (size_t i = 0; i < 4; i++)
                close(fds[i]);
        turn(&f);
        fixture_close(&f);
}

static void on_stopped(void *owner)
{
        struct fixture *f = owner;

        f->stopped = true;
}

TEST(stopping_answers_what_is_under_way_and_takes_no_more)
{
        struct fixture f;
        const char *text;
        int fd, idle;

        fixture_open(&f);
        fd = fixture_connect(&f);
        idle = fixture_connect(&f);
        say(&f, fd, "{\"command\":\"hold\"}\n");
        ndjson_server_stop(f.server, on_stopped, &f);
        turn(&f);
        CHECK_TEXT(hear(&f, idle), "EOF");
        close(idle);
        say(&f, fd, "{\"command\":\"ping\"}\n");
        CHECK_EQ(f.pings, 0);
        CHECK(!f.stopped);
        release_held(&f, 0);
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 1);
        CHECK(strstr(text, "hold") != NULL);
        close(fd);
        turn(&f);
        CHECK(f.stopped);
        fixture_close(&f);
}

static void check_the_next_is_served(struct fixture *f)
{
        int fd = fixture_connect(f);

        say(f, fd, "{\"command\":\"ping\"}\n");
        CHECK_EQ(count_lines(hear(f, fd)), 1);
        close(fd);
        turn(f);
}

/* Whatever fails: the client has its replies, or an error, or an end; and the
 * next client is served. */
TEST(without_memory_a_connection_is_answered_or_closed)
{
        static const char requests[] = "{\"command\":\"hold\",\"id\":1}\n{\"command\":\"hold\"}\n"
                                       "{\"command\":\"ping\"}\nnonsense\n";
        bool failed;
        size_t n = 0;

        do {
                struct fixture f;
                struct net_address peer;
                int pair[2];

                fixture_open(&f);
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                         0);
                CHECK_EQ(net_address_parse("127.0.0.1", 4711, &peer, NULL), 0);
                allocation_fail_at(++n);
                ndjson_server_adopt(f.server, "tcp", pair[0], &peer);
                (void)!send(pair[1], requests, sizeof(requests) - 1, MSG_NOSIGNAL);
                turn(&f);
                for (size_t i = 0; i < f.held_count; i++)
                        release_held(&f, i);
                turn(&f);
                failed = allocation_end();
                if (!failed)
                        CHECK_EQ(count_lines(hear(&f, pair[1])), 4);
                close(pair[1]);
                turn(&f);
                CHECK_EQ(command_registry_pending(f.registry), 0);
                check_the_next_is_served(&f);
                fixture_close(&f);
        } while (failed);
        CHECK(n > 4);
}

TEST(a_request_whose_reply_there_is_no_memory_for_ends_its_connection)
{
        static const char *const holds[] = {"{\"command\":\"hold\",\"id\":1}\n",
                                            "{\"command\":\"hold\"}\n"};

        for (size_t i = 0; i < ARRAY_SIZE(holds); i++) {
                struct fixture f;
                int fd;

                fixture_open(&f);
                fd = fixture_connect(&f);
                say(&f, fd, holds[i]);
                say(&f, fd, "{\"command\":\"hold\"}\n");
                CHECK_EQ(f.held_count, 2);
                allocation_fail_from(1);
                release_held(&f, 0);
                CHECK(allocation_end());
                CHECK_TEXT(hear(&f, fd), "EOF");
                release_held(&f, 1);
                close(fd);
                check_the_next_is_served(&f);
                fixture_close(&f);
        }
}
