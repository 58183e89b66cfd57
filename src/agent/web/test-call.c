/* POST /api/command: whose it is, what it may be, and what its answer says. */
#include "agent/web/web-fixture.h"
#include "base/attributes.h"

#include <stdlib.h>
#include <sys/socket.h>

#define PING "{\"command\":\"ping\",\"id\":7}"

/* The status line of what came. */
static const char *status_of(const char *answer)
{
        static char line[64];

        snprintf(line, sizeof(line), "%.*s", (int)strcspn(answer, "\r"), answer);
        return line;
}

TEST(a_command_is_answered_by_the_reply_of_the_command_server)
{
        struct fixture f = {0};

        fixture_open(&f);
        CHECK_TEXT(call(&f, AS("viewer") JSON, PING),
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Cache-Control: no-store\r\nContent-Length: 56\r\n\r\n"
                   "{\"success\":true,\"type\":\"pong\",\"id\":7}\n");
        CHECK_EQ(f.pings, 1);
        CHECK_TEXT(f.who, "viewer");
        CHECK_EQ(f.asked, 1);
        fixture_close(&f);
}

TEST(one_connection_carries_many_commands)
{
        struct fixture f = {0};
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        for (unsigned i = 1; i <= 3; i++) {
                call_on(&f, fd, AS("admin") JSON, "{\"command\":\"ping\"}");
                CHECK_TEXT(status_of(hear(&f, fd)), "HTTP/1.1 200 OK");
                CHECK_EQ(f.pings, i);
        }
        close(fd);
        fixture_close(&f);
}

static const struct {
        const char *fields, *body, *status, *words;
} failures[] = {
        {JSON, PING, "401 Unauthorized", "\"code\":\"UNAUTHORIZED\""},
        {AS("wrong") JSON, PING, "401 Unauthorized", "not known"},
        {AS("") JSON, PING, "401 Unauthorized", "Bearer TOKEN"},
        {"Authorization: Basic dXNlcjphZG1pbg==\r\n" JSON, PING, "401 Unauthorized", "Bearer"},
        {AS("admin") AS("admin") JSON, PING, "401 Unauthorized", "twice"},
        {AS("slowed") JSON, PING, "429 Too Many Requests", "Retry-After: 2"},
        {AS("viewer") JSON, "{\"command\":\"change\"}", "403 Forbidden", "\"code\":\"FORBIDDEN\""},
        {AS("admin") JSON, "{\"command\":\"pong\"}", "404 Not Found", "did you mean ping"},
        {AS("admin") JSON, "{\"command\":\"ping\"", "400 Bad Request", "\"code\":\"BAD_JSON\""},
        {AS("admin") JSON, "[]", "400 Bad Request", "\"code\":\"BAD_REQUEST\""},
        {AS("admin") JSON, "", "400 Bad Request", "\"code\":\"BAD_JSON\""},
        {AS("admin") JSON, "{\"command\":\"fault\"}", "500 Internal Server Error", "HARDWARE"},
        {AS("admin"), PING, "415 Unsupported Media Type", "application/json"},
        {AS("admin") "Content-Type: text/plain\r\n", PING, "415 Unsupported Media Type", ""},
        {AS("admin") "Content-Type: application/x-www-form-urlencoded\r\n", PING,
         "415 Unsupported Media Type", ""},
        {AS("admin") "Content-Type: application/jsonp\r\n", PING, "415 Unsupported Media Type", ""},
        {AS("admin") JSON "Origin: http://evil.example\r\n", PING, "403 Forbidden", "origin"},
        {AS("admin") JSON "Origin: null\r\n", PING, "403 Forbidden", "origin"},
        {AS("admin") JSON "Origin: http://127.0.0.1:3000\r\n", PING, "403 Forbidden", "origin"},
};

TEST(a_failure_has_its_status_and_its_words)
{
        for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
                struct fixture f = {0};
                const char *answer;

                fixture_open(&f);
                answer = call(&f, failures[i].fields, failures[i].body);
                if (strcmp(status_of(answer) + 9, failures[i].status) != 0 ||
                    !strstr(answer, failures[i].words))
                        FAIL("%s%s: %s", failures[i].fields, failures[i].body, answer);
                CHECK_EQ(f.pings, 0);
                fixture_close(&f);
        }
}

TEST(a_refusal_says_how_to_show_a_token)
{
        struct fixture f = {0};

        fixture_open(&f);
        CHECK(strstr(call(&f, JSON, PING), "\r\nWWW-Authenticate: Bearer\r\n") != NULL);
        fixture_close(&f);
}

static const struct {
        const char *fields;
} good[] = {
        {AS("admin") "Content-Type: application/json; charset=utf-8\r\n"},
        {AS("admin") "content-type: Application/JSON\r\n"},
        {"authorization: bearer   admin\r\n" JSON},
        {AS("admin") JSON "Origin: http://127.0.0.1\r\n"},
        {AS("admin") JSON "Expect: 100-continue\r\n"},
};

TEST(what_means_the_same_is_taken)
{
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                struct fixture f = {0};

                fixture_open(&f);
                if (!strstr(call(&f, good[i].fields, PING), "HTTP/1.1 200 OK"))
                        FAIL("%s", good[i].fields);
                CHECK_TEXT(f.who, "admin");
                fixture_close(&f);
        }
}

/* Where nobody needs a token, a name that points here must be ours. */
static const struct {
        const char *host, *fields;
        bool passes;
} hosts[] = {
        {"127.0.0.1:8080", "", true},
        {"localhost", "", true},
        {"[::1]:8080", "", true},
        {"garden.example", "", true},
        {"GARDEN.example:8080", "Origin: http://garden.example:8080\r\n", true},
        {"evil.example:8080", "", false},
        {"evil.example:8080", "Origin: http://evil.example:8080\r\n", false},
        {"garden.example.evil", "", false},
        {"127.0.0.1.evil.example", "", false},
        {"evil.example", AS("admin"), true},
};

TEST(in_open_mode_a_name_has_to_be_ours)
{
        char *names[] = {(char *)"garden.example"};

        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
                struct fixture f = {.anybody = {.role = COMMAND_ROLE_ADMIN, .name = "open"},
                                    .config.names = {names, 1}};
                char text[512];
                int fd;

                fixture_open(&f);
                fd = fixture_connect(&f);
                snprintf(text, sizeof(text),
                         "POST /api/command HTTP/1.1\r\nHost: %s\r\n%s" JSON
                         "Content-Length: 25\r\n\r\n" PING,
                         hosts[i].host, hosts[i].fields);
                say(&f, fd, text);
                if (strstr(hear(&f, fd), hosts[i].passes ? " 200 OK" : " 403 Forbidden") == NULL ||
                    f.pings != hosts[i].passes)
                        FAIL("%s %s", hosts[i].host, hosts[i].fields);
                close(fd);
                fixture_close(&f);
        }
}

TEST(this_machines_own_name_is_ours)
{
        struct fixture f = {.anybody = {.role = COMMAND_ROLE_ADMIN, .name = "open"}};
        char name[200], text[512];

        CHECK_EQ(gethostname(name, sizeof(name)), 0);
        fixture_open(&f);
        for (int i = 0; i < 2; i++) {
                int fd = fixture_connect(&f);

                snprintf(text, sizeof(text),
                         "POST /api/command HTTP/1.1\r\nHost: %s%s:80\r\n" JSON
                         "Content-Length: 25\r\n\r\n" PING,
                         name, i ? ".local" : "");
                say(&f, fd, text);
                CHECK_TEXT(status_of(hear(&f, fd)), "HTTP/1.1 200 OK");
                close(fd);
        }
        fixture_close(&f);
}

TEST(whose_token_is_known_later_waits_and_is_asked_for_once)
{
        struct fixture f = {.slow = true};
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        say(&f, fd,
            "POST /api/command HTTP/1.1\r\n" HOST AS("operator") JSON
            "Content-Length: 20\r\n\r\n{\"command\":\"change\"}");
        CHECK_TEXT(hear(&f, fd), "");
        fixture_identify(&f);
        CHECK_TEXT(status_of(hear(&f, fd)), "HTTP/1.1 200 OK");
        CHECK_EQ(f.asked, 1);
        close(fd);
        fixture_close(&f);
}

TEST(a_token_may_be_known_before_the_body_is_whole)
{
        static const char *const tokens[] = {"operator", "wrong"};

        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
                struct fixture f = {.slow = true};
                char head[256];
                int fd;

                fixture_open(&f);
                fd = fixture_connect(&f);
                snprintf(head, sizeof(head),
                         "POST /api/command HTTP/1.1\r\n" HOST "Authorization: Bearer %s\r\n" JSON
                         "Content-Length: 20\r\n\r\n{\"command\"",
                         tokens[i]);
                say(&f, fd, head);
                fixture_identify(&f);
                CHECK_TEXT(hear(&f, fd), "");
                say(&f, fd, ":\"change\"}");
                CHECK_TEXT(status_of(hear(&f, fd)),
                           i == 0 ? "HTTP/1.1 200 OK" : "HTTP/1.1 401 Unauthorized");
                close(fd);
                fixture_close(&f);
        }
}

TEST(who_goes_is_not_waited_for)
{
        /* While the token is looked at, after it is known, and while the command runs. */
        for (int when = 0; when < 3; when++) {
                struct fixture f = {.slow = when < 2};
                int fd;

                fixture_open(&f);
                fd = fixture_connect(&f);
                say(&f, fd,
                    "POST /api/command HTTP/1.1\r\n" HOST AS("admin") JSON
                    "Content-Length: 18\r\n\r\n{\"command\":\"hold\"");
                if (when == 1)
                        fixture_identify(&f);
                if (when == 2)
                        say(&f, fd, "}");
                close(fd);
                turn(&f);
                if (when == 0)
                        fixture_identify(&f);
                CHECK_EQ(f.held_count, when == 2);
                if (when == 2)
                        release_held(&f, 0);
                fixture_close(&f);
        }
}

TEST(a_stranger_sends_no_more_than_a_little)
{
        static const struct {
                const char *fields;
                size_t length;
                const char *status;
        } cases[] = {
                {JSON, WEB_BODY_BEFORE_AUTH + 1, "HTTP/1.1 413 Content Too Large"},
                {AS("wrong") JSON, 20, "HTTP/1.1 401 Unauthorized"},
                {AS("viewer") JSON, 200001, "HTTP/1.1 413 Content Too Large"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f = {0};
                char text[512];
                int fd;

                fixture_open(&f);
                fd = fixture_connect(&f);
                snprintf(text, sizeof(text),
                         "POST /api/command HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n",
                         cases[i].fields, cases[i].length);
                say(&f, fd, text);
                /* Before a byte of it came. */
                CHECK_TEXT(status_of(hear(&f, fd)), cases[i].status);
                close(fd);
                fixture_close(&f);
        }
}

TEST(a_large_request_of_somebody_known_is_taken)
{
        struct fixture f = {0};
        char *body = malloc(150001);

        CHECK(body != NULL);
        memset(body, ' ', 150000);
        memcpy(body, PING, sizeof(PING) - 1);
        body[150000] = '\0';
        fixture_open(&f);
        CHECK(strstr(call(&f, AS("viewer") JSON, body), "HTTP/1.1 200 OK") != NULL);
        free(body);
        fixture_close(&f);
}

TEST(an_answer_has_its_time)
{
        struct fixture f = {0};
        const char *answer;
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        call_on(&f, fd, AS("admin") JSON, "{\"command\":\"hold\"}");
        advance(&f, 299999);
        CHECK_TEXT(hear(&f, fd), "");
        advance(&f, 1);
        answer = hear(&f, fd);
        CHECK_TEXT(status_of(answer), "HTTP/1.1 504 Gateway Timeout");
        CHECK(strstr(answer, "\"code\":\"EXPIRED\"") != NULL);
        /* The command goes on; what it says then nobody hears. */
        release_held(&f, 0);
        CHECK_TEXT(hear(&f, fd), "");
        close(fd);
        fixture_close(&f);
}

TEST(a_token_that_nobody_answers_for_has_its_time_too)
{
        struct fixture f = {.slow = true};
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        call_on(&f, fd, AS("admin") JSON, "{\"command\":\"ping\"}");
        advance(&f, 300000);
        CHECK_TEXT(status_of(hear(&f, fd)), "HTTP/1.1 504 Gateway Timeout");
        close(fd);
        fixture_identify(&f);
        CHECK_EQ(f.pings, 0);
        fixture_close(&f);
}

TEST(a_reply_of_megabytes_arrives)
{
        struct fixture f = {0};
        const char *answer;

        fixture_open(&f);
        answer = call(&f, AS("admin") JSON, "{\"command\":\"fill\",\"count\":3000000}");
        CHECK(strlen(answer) > 3000000);
        fixture_close(&f);
}

TEST(what_is_under_way_is_answered_before_the_end)
{
        struct fixture f = {0};
        int fd, idle;

        fixture_open(&f);
        fd = fixture_connect(&f);
        idle = fixture_connect(&f);
        call_on(&f, fd, AS("admin") JSON, "{\"command\":\"hold\"}");
        web_stop(f.web, NULL, NULL);
        CHECK_TEXT(hear(&f, idle), "EOF");
        release_held(&f, 0);
        CHECK(strstr(hear(&f, fd), "HTTP/1.1 200 OK\r\nConnection: close\r\n") != NULL);
        close(fd);
        close(idle);
        fixture_close(&f);
}

TEST(the_end_does_not_wait_for_tokens)
{
        struct fixture f = {.slow = true};
        int fd;

        fixture_open(&f);
        fd = fixture_connect(&f);
        call_on(&f, fd, AS("admin") JSON, "{\"command\":\"ping\"}");
        fixture_close(&f);
        CHECK_EQ(f.pings, 0);
        close(fd);
}
