/* The wire, through real sockets and a virtual clock. */
#include "agent/ndjson/server.h"

#include "command/reply.h"
#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELD_MAX = 512, ROUNDS = 50 };

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct net_context *net;
        struct log *log;
        struct ndjson_config config;
        struct ndjson_server *server;
        enum command_role role;
        struct command_request *held[HELD_MAX];
        size_t held_count;
        unsigned pings;
        bool stopped;
        command_identified_fn *identified; /* of a token that is being verified */
        void *context;
};

static int run_ping(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->pings++;
        command_reply_open(request, "pong");
        return command_reply_send(request);
}

static int run_hold(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        CHECK(f->held_count < HELD_MAX);
        f->held[f->held_count++] = request;
        return COMMAND_PENDING;
}

static int run_fill(void *owner, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);
        char text[4096];

        (void)owner;
        memset(text, 'x', sizeof(text));
        json_write_text(writer, "text", text, sizeof(text));
        return command_reply_send(request);
}

static void identify(void *owner, const struct command_session *session, const char *token,
                     command_identified_fn *identified, void *context)
{
        struct fixture *f = owner;

        (void)session;
        (void)token;
        f->identified = identified;
        f->context = context;
}

static const struct command commands[] = {
        {.name = "auth", .role = COMMAND_ROLE_NONE, .run = run_ping, .authenticates = true},
        {.name = "ping", .role = COMMAND_ROLE_VIEWER, .run = run_ping},
        {.name = "hold", .role = COMMAND_ROLE_VIEWER, .run = run_hold, .timeout_ms = 3600000},
        {.name = "fill", .role = COMMAND_ROLE_VIEWER, .run = run_fill},
};

static void admit(void *owner, int fd, const struct net_address *peer,
                  struct command_principal *ret)
{
        struct fixture *f = owner;

        (void)fd;
        (void)peer;
        *ret = (struct command_principal){.role = f->role};
}

static void fixture_open(struct fixture *f)
{
        struct ndjson_setup setup;

        *f = (struct fixture){.role = COMMAND_ROLE_ADMIN};
        f->config = (struct ndjson_config){.idle_timeout = 30, .max_line = 1 << 20};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(log_new("/dev/null", LOG_LEVEL_DEBUG, &f->log), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, commands, ARRAY_SIZE(commands), "test", f, NULL),
                 0);
        CHECK_EQ(net_context_new(f->loop, 64 << 20, &f->net), 0);
        setup = (struct ndjson_setup){.registry = f->registry,
                                      .net = f->net,
                                      .log = f->log,
                                      .connections_max = 3,
                                      .admit = admit,
                                      .admit_owner = f};
        CHECK_EQ(ndjson_server_new(&f->config, &setup, &f->server), 0);
}

static void fixture_close(struct fixture *f)
{
        for (size_t i = 0; i < f->held_count; i++) {
                if (f->held[i])
                        command_reply_fail(f->held[i], COMMAND_NOT_READY, "the test is over");
        }
        ndjson_server_free(f->server);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        net_context_free(f->net);
        loop_free(f->loop);
        log_free(f->log);
}

static int fixture_connect(struct fixture *f)
{
        struct net_address peer;
        int pair[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        CHECK_EQ(net_address_parse("127.0.0.1", 4711, &peer, NULL), 0);
        ndjson_server_adopt(f->server, "tcp", pair[0], &peer);
        return pair[1];
}

static void turn(struct fixture *f)
{
        for (unsigned i = 0; i < ROUNDS; i++)
                loop_run_once(f->loop, 0);
}

static void say(struct fixture *f, int fd, const char *text)
{
        CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        turn(f);
}

/* All that came, as text; "EOF" at its end when the connection is closed. */
static const char *hear(struct fixture *f, int fd)
{
        static char text[1 << 20];
        size_t length = 0;
        ssize_t n;

        turn(f);
        while ((n = read(fd, text + length, sizeof(text) - 8 - length)) > 0) {
                length += (size_t)n;
                turn(f);
        }
        if (n == 0)
                length += (size_t)sprintf(text + length, "EOF");
        text[length] = '\0';
        return text;
}

static size_t count_lines(const char *text)
{
        size_t count = 0;

        for (; *text; text++)
                count += *text == '\n';
        return count;
}

static void release_held(struct fixture *f, size_t index)
{
        struct command_request *request = f->held[index];

        f->held[index] = NULL;
        command_reply_open(request, NULL);
        command_reply_send(request);
}

TEST(a_line_is_answered_with_a_line)
{
        struct fixture f;
        const char *text;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd, "{\"command\":\"ping\"}\n");
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 1);
        CHECK(strstr(text, "\"pong\"") != NULL);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(bytes_may_come_one_by_one_and_lines_many_at_once)
{
        static const char request[] = "{\"command\":\"ping\"}\r\n";
        char many[1000 * (sizeof(request) - 1)];
        struct fixture f;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        for (const char *c = request; *c; c++) {
                CHECK_EQ(write(fd, c, 1), 1);
                loop_run_once(f.loop, 0);
        }
        CHECK_EQ(count_lines(hear(&f, fd)), 1);
        for (unsigned i = 0; i < 1000; i++)
                memcpy(many + i * (sizeof(request) - 1), request, sizeof(request) - 1);
        CHECK_EQ(write(fd, many, sizeof(many)), (ssize_t)sizeof(many));
        CHECK_EQ(count_lines(hear(&f, fd)), 1000);
        CHECK_EQ(f.pings, 1001);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(every_bad_line_is_answered_and_the_connection_goes_on)
{
        static const struct {
                const char *line;
                size_t length;
                const char *code;
        } cases[] = {
                {"nonsense\n", 9, "BAD_JSON"},
                {"{\"command\":\"ping\"\n", 18, "BAD_JSON"},
                {"{\"command\":\"ping\"} x\n", 21, "BAD_JSON"},
                {"{\"command\":\"pi\0ng\"}\n", 20, "BAD_JSON"},
                {"{\"command\":\"pi\\u0000ng\"}\n", 25, "BAD_JSON"},
                {"{\"command\":\"\xff\"}\n", 16, "BAD_JSON"},
                {"[]\n", 3, "BAD_REQUEST"},
                {"\"ping\"\n", 7, "BAD_REQUEST"},
                {"{}\n", 3, "BAD_REQUEST"},
                {"{\"command\":7}\n", 14, "BAD_REQUEST"},
                {"{\"command\":\"pong\"}\n", 19, "NO_METHOD"},
        };
        struct fixture f;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *text;

                CHECK_EQ(write(fd, cases[i].line, cases[i].length), (ssize_t)cases[i].length);
                text = hear(&f, fd);
                CHECK_EQ(count_lines(text), 1);
                if (!strstr(text, cases[i].code))
                        FAIL("%s -> %s", cases[i].line, text);
        }
        say(&f, fd, "\n  \t\r\n{\"command\":\"ping\"}\n");
        CHECK_EQ(count_lines(hear(&f, fd)), 1);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(nesting_that_is_too_deep_is_refused)
{
        struct fixture f;
        char line[256] = "{\"command\":\"ping\",\"x\":";
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        for (unsigned i = 0; i < NDJSON_DEPTH_MAX; i++)
                strcat(line, "[");
        for (unsigned i = 0; i < NDJSON_DEPTH_MAX; i++)
                strcat(line, "]");
        strcat(line, "}\n");
        say(&f, fd, line);
        CHECK(strstr(hear(&f, fd), "BAD_JSON") != NULL);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

static char *line_of(size_t length)
{
        char *line = malloc(length + 2);

        CHECK(line != NULL);
        memset(line, ' ', length);
        memcpy(line, "{\"command\":\"ping\"}", 18);
        line[length] = '\n';
        line[length + 1] = '\0';
        return line;
}

static void send_all(struct fixture *f, int fd, const char *bytes, size_t length)
{
        while (length > 0) {
                ssize_t n = write(fd, bytes, length);

                if (n > 0) {
                        bytes += n;
                        length -= (size_t)n;
                } else if (errno == EPIPE || errno == ECONNRESET) {
                        return;
                } else {
                        CHECK_EQ(errno, EAGAIN);
                }
                loop_run_once(f->loop, 0);
        }
}

TEST(a_line_at_the_limit_passes_and_one_byte_more_closes)
{
        static const struct {
                enum command_role role;
                size_t limit;
        } cases[] = {{COMMAND_ROLE_NONE, NDJSON_LINE_BEFORE_AUTH}, {COMMAND_ROLE_ADMIN, 1 << 20}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                char *line = line_of(cases[i].limit + 1);
                const char *text;
                int fd;

                fixture_open(&f);
                f.role = cases[i].role;
                fd = fixture_connect(&f);
                send_all(&f, fd, line, cases[i].limit);
                send_all(&f, fd, "\n", 1);
                text = hear(&f, fd);
                CHECK_EQ(count_lines(text), 1);
                CHECK_NULL(strstr(text, "TOO_LARGE"));
                send_all(&f, fd, line, cases[i].limit + 2);
                text = hear(&f, fd);
                CHECK(strstr(text, "TOO_LARGE") != NULL);
                CHECK_TEXT(text + strlen(text) - 3, "EOF");
                free(line);
                close(fd);
                turn(&f);
                fixture_close(&f);
        }
}

TEST(replies_keep_the_order_of_their_requests)
{
        struct fixture f;
        const char *text;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd, "{\"command\":\"hold\"}\n{\"command\":\"ping\"}\n{\"command\":\"hold\"}\n");
        CHECK_TEXT(hear(&f, fd), "");
        release_held(&f, 1);
        CHECK_TEXT(hear(&f, fd), "");
        release_held(&f, 0);
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 3);
        CHECK(strstr(text, "hold") < strstr(text, "pong"));
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(a_request_with_an_id_overtakes)
{
        struct fixture f;
        const char *text;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd,
            "{\"command\":\"hold\",\"id\":1}\n{\"command\":\"hold\"}\n"
            "{\"command\":\"ping\",\"id\":2}\n{\"command\":\"ping\"}\n");
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 1);
        CHECK(strstr(text, "\"id\":2") != NULL);
        release_held(&f, 1);
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 2);
        CHECK_NULL(strstr(text, "\"id\""));
        release_held(&f, 0);
        CHECK(strstr(hear(&f, fd), "\"id\":1") != NULL);
        close(fd);
        turn(&f);
        fixture_close(&f);
}

TEST(what_follows_a_slow_auth_waits_for_who_it_is_from)
{
        static const struct command_principal viewer = {COMMAND_ROLE_VIEWER, "slow"};
        struct fixture f;
        const char *text;
        int fd;

        fixture_open(&f);
        f.role = COMMAND_ROLE_NONE;
        command_registry_set_identify(f.registry, identify, &f);
        fd = fixture_connect(&f);
        say(&f, fd,
            "{\"command\":\"auth\",\"token\":\"hunter22\"}\n{\"command\":\"ping\",\"id\":1}\n");
        CHECK_TEXT(hear(&f, fd), "");
        f.identified(f.context, 0, &viewer, NULL, 0);
        text = hear(&f, fd);
        CHECK_EQ(count_lines(text), 2);
        CHECK_NULL(strstr(text, "UNAUTHORIZED"));
        close(fd);
        turn(&f);
        fixture_close(&f);
}

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
                int pair[2], fd;

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
                fd = fixture_connect(&f);
                say(&f, fd, "{\"command\":\"ping\"}\n");
                CHECK_EQ(count_lines(hear(&f, fd)), 1);
                close(fd);
                turn(&f);
                fixture_close(&f);
        } while (failed);
        CHECK(n > 4);
}
