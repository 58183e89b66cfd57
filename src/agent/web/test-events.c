/* GET /api/events: who may read, what comes, and what becomes of those who read slowly. */
#include "agent/web/events.h"
#include "agent/web/web-fixture.h"

#include "base/attributes.h"
#include "http/event-reader.h"

#include <stdlib.h>
#include <sys/socket.h>

struct payload {
        char text[COMMAND_EVENT_PAYLOAD_MAX];
};

static void write_payload(const void *payload, struct json_writer *writer)
{
        json_write_string(writer, "text", ((const struct payload *)payload)->text);
}

static const struct command_event_type news = {"test.news", sizeof(struct payload), write_payload};
static const struct command_event_type secret = {"access.denied", sizeof(struct payload),
                                                 write_payload};

static void publish(struct fixture *f, const struct command_event_type *type, const char *text)
{
        struct payload payload = {{0}};

        snprintf(payload.text, sizeof(payload.text), "%s", text);
        command_bus_publish(f->bus, type, &payload);
        turn(f);
}

static int read_as(struct fixture *f, const char *fields)
{
        int fd = fixture_connect(f);
        char head[512];

        snprintf(head, sizeof(head), "GET /api/events HTTP/1.1\r\n" HOST "%s\r\n", fields);
        say(f, fd, head);
        return fd;
}

/* What came, without the sizes of chunks and the run in ids. */
static const char *hear_events(struct fixture *f, int fd)
{
        static char events[1 << 20];
        const char *text = hear(f, fd), *line = text;
        size_t length = 0;

        while (*line) {
                size_t count = strcspn(line, "\r\n");
                const char *dash = line;

                if (strncmp(line, "id: ", 4) == 0) {
                        dash = strchr(line, '-');
                        CHECK(dash != NULL);
                        length +=
                                (size_t)sprintf(events + length, "id: %.*s\n",
                                                (int)(count - (size_t)(dash - line) - 1), dash + 1);
                } else if (count > 4 || (count > 0 && line[0] == ':') || strcmp(line, "EOF") == 0) {
                        length += (size_t)sprintf(events + length, "%.*s\n", (int)count, line);
                }
                line += count;
                line += strspn(line, "\r\n");
        }
        events[length] = '\0';
        return events;
}

TEST(an_event_comes_with_its_name_and_its_number)
{
        struct fixture f = {0};
        int fd;

        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        CHECK_TEXT(hear_events(&f, fd), "HTTP/1.1 200 OK\nConnection: close\nContent-Type: "
                                        "text/event-stream\nCache-Control: no-store\n"
                                        "X-Content-Type-Options: nosniff\nX-Accel-Buffering: "
                                        "no\nTransfer-Encoding: chunked\nretry: 3000\n");
        publish(&f, &news, "one\ntwo");
        CHECK_TEXT(hear_events(&f, fd), "event: test.news\nid: 1\n"
                                        "data: {\"type\":\"test.news\",\"text\":\"one\\ntwo\"}\n");
        close(fd);
        fixture_close(&f);
}

TEST(who_may_not_read_is_told_so)
{
        static const struct {
                const char *fields, *status;
        } cases[] = {
                {"", "HTTP/1.1 401 "},
                {AS("wrong"), "HTTP/1.1 401 "},
                {AS("admin") "Origin: http://evil.example\r\n", "HTTP/1.1 403 "},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f = {0};

                fixture_open(&f);
                CHECK_EQ(strncmp(get(&f, "/api/events", cases[i].fields), cases[i].status,
                                 strlen(cases[i].status)),
                         0);
                fixture_close(&f);
        }
}

TEST(what_attackers_do_is_for_administrators)
{
        struct fixture f = {0};
        int viewer, admin;

        fixture_open(&f);
        viewer = read_as(&f, AS("viewer"));
        admin = read_as(&f, AS("admin"));
        hear(&f, viewer);
        hear(&f, admin);
        publish(&f, &secret, "x");
        CHECK_TEXT(hear_events(&f, viewer), "");
        CHECK(strstr(hear_events(&f, admin), "access.denied") != NULL);
        /* It was nothing that the viewer has missed. */
        publish(&f, &news, "y");
        CHECK_TEXT(hear_events(&f, viewer), "event: test.news\nid: 2\n"
                                            "data: {\"type\":\"test.news\",\"text\":\"y\"}\n");
        close(viewer);
        close(admin);
        fixture_close(&f);
}

TEST(a_reader_whose_token_is_known_later_waits)
{
        struct fixture f = {.slow = true};
        int fd;

        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        CHECK_TEXT(hear(&f, fd), "");
        fixture_identify(&f);
        CHECK(strstr(hear(&f, fd), "retry: 3000") != NULL);
        publish(&f, &news, "x");
        CHECK(strstr(hear(&f, fd), "test.news") != NULL);
        /* Its end is seen. */
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        CHECK(strstr(hear(&f, fd), "EOF") != NULL);
        close(fd);
        fixture_close(&f);
}

TEST(a_comment_comes_while_nothing_happens)
{
        struct fixture f = {0};
        int fd;

        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        hear(&f, fd);
        advance(&f, HTTP_EVENTS_KEEP_ALIVE_MS - 1);
        CHECK_TEXT(hear(&f, fd), "");
        advance(&f, 1);
        CHECK_TEXT(hear(&f, fd), "3\r\n:\n\n\r\n");
        close(fd);
        fixture_close(&f);
}

/* The id of the last event that came. */
static void last_id(const char *text, char id[64])
{
        id[0] = '\0';
        while ((text = strstr(text, "id: "))) {
                text += 4;
                snprintf(id, 64, "%.*s", (int)strcspn(text, "\n"), text);
        }
        CHECK(id[0] != '\0');
}

TEST(who_comes_again_is_told_how_many_it_missed)
{
        struct fixture f = {0};
        char id[64], fields[256];
        int fd, other;

        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        other = read_as(&f, AS("viewer"));
        publish(&f, &news, "1");
        last_id(hear(&f, fd), id);
        close(fd);
        turn(&f);
        publish(&f, &news, "2");
        publish(&f, &news, "3");
        snprintf(fields, sizeof(fields), AS("viewer") "Last-Event-ID: %s\r\n", id);
        fd = read_as(&f, fields);
        hear(&f, fd);
        publish(&f, &news, "4");
        CHECK_TEXT(hear_events(&f, fd), "event: missed\ndata: {\"type\":\"missed\",\"count\":2}\n"
                                        "event: test.news\nid: 4\n"
                                        "data: {\"type\":\"test.news\",\"text\":\"4\"}\n");
        close(fd);
        close(other);
        fixture_close(&f);
}

TEST(an_id_of_another_run_tells_that_something_is_missing)
{
        static const char *const ids[] = {
                "1-1", "x", "", "ffffffffffffffff-18446744073709551616",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                struct fixture f = {0};
                char fields[256];
                int fd;

                fixture_open(&f);
                snprintf(fields, sizeof(fields), AS("viewer") "Last-Event-ID: %s\r\n", ids[i]);
                fd = read_as(&f, fields);
                CHECK((strstr(hear_events(&f, fd), "\"count\":null") != NULL) == (ids[i][0] != 0));
                close(fd);
                fixture_close(&f);
        }
}

TEST(a_slow_reader_misses_events_and_costs_no_more_memory)
{
        static const int room = 4096;
        struct fixture f = {0};
        char text[400];
        const char *events, *missed;
        unsigned long count;
        int fd;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
        for (int i = 0; i < 2000; i++)
                publish(&f, &news, text);
        CHECK(net_context_budget(f.net)->peak < 3 * WEB_EVENTS_PENDING);
        events = hear(&f, fd);
        CHECK(strlen(events) > WEB_EVENTS_PENDING);
        publish(&f, &news, "at last");
        events = hear(&f, fd);
        missed = strstr(events, "\"type\":\"missed\",\"count\":");
        CHECK(missed != NULL);
        count = strtoul(missed + 24, NULL, 10);
        CHECK(count > 500 && count < 2000);
        CHECK(strstr(missed, "at last") != NULL);
        close(fd);
        fixture_close(&f);
}

TEST(a_reader_that_reads_nothing_is_let_go)
{
        struct fixture f = {0};
        char text[400];
        int fd;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        for (int i = 0; i < 2000; i++)
                publish(&f, &news, text);
        advance(&f, WEB_EVENTS_STALL_MS + 2 * HTTP_EVENTS_KEEP_ALIVE_MS);
        advance(&f, 10000);
        CHECK_EQ(net_context_budget(f.net)->used, 0);
        close(fd);
        fixture_close(&f);
}

TEST(no_reader_stays_for_ever)
{
        struct fixture f = {0};
        int fd;

        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        for (int i = 0; i < WEB_EVENTS_LIFE_MS / HTTP_EVENTS_KEEP_ALIVE_MS - 1; i++) {
                advance(&f, HTTP_EVENTS_KEEP_ALIVE_MS);
                CHECK(strstr(hear(&f, fd), "EOF") == NULL);
        }
        advance(&f, HTTP_EVENTS_KEEP_ALIVE_MS);
        CHECK_TEXT(hear(&f, fd), "0\r\n\r\nEOF");
        close(fd);
        fixture_close(&f);
}

TEST(there_is_room_for_so_many_readers)
{
        struct fixture f = {.config.event_streams = 2};
        int one, other;

        fixture_open(&f);
        one = read_as(&f, AS("viewer"));
        other = read_as(&f, AS("viewer"));
        CHECK(strstr(get(&f, "/api/events", AS("viewer")), "429 Too Many Requests") != NULL);
        close(one);
        turn(&f);
        one = read_as(&f, AS("viewer"));
        CHECK(strstr(hear(&f, one), "200 OK") != NULL);
        close(one);
        close(other);
        fixture_close(&f);
}

TEST(streams_end_with_the_agent)
{
        struct fixture f = {0};
        int fd;

        fixture_open(&f);
        fd = read_as(&f, AS("viewer"));
        hear(&f, fd);
        web_stop(f.web, NULL, NULL);
        publish(&f, &news, "x");
        CHECK(strstr(hear(&f, fd), "EOF") != NULL);
        close(fd);
        fixture_close(&f);
}
