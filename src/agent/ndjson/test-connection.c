/* The wire, through real sockets: lines in, lines out. */
#include "agent/ndjson/connection-fixture.h"

#include <errno.h>
#include <stdlib.h>

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

static void identify(void *owner, const struct command_session *session, const char *token,
                     command_identified_fn *identified, void *context)
{
        struct fixture *f = owner;

        (void)session;
        (void)token;
        f->identified = identified;
        f->context = context;
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
