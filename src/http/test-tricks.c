/* Each trick of tests/http/tricks against a server: whole, in two pieces, byte by byte. However
 * it comes, it is the same number of requests, with the same answers. */
#include "base/attributes.h"
#include "base/cleanup.h"
#include "http/server-fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES_MAX = 4096, TEXT_MAX = 2048 };

#define PING "{\"command\":\"ping\"}"

struct trick {
        char name[TEXT_MAX], heard[128];
        char bytes[BYTES_MAX];
        size_t count;
};

static const struct {
        const char *word, *text;
} words[] = {
        {"$POST", "POST /api/command HTTP/1.1\r\nHost: localhost\r\n"
                  "Content-Type: application/json\r\n"},
        {"$PING", PING},
        {"$GET", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"},
};

static void append(struct trick *trick, const char *bytes, size_t count)
{
        CHECK(trick->count + count < BYTES_MAX);
        memcpy(trick->bytes + trick->count, bytes, count);
        trick->count += count;
}

/* One word, escape or byte of a line; how many bytes of the line it was. */
static size_t append_part(struct trick *trick, const char *line)
{
        static const char escapes[] = "rnt\\", meant[] = "\r\n\t\\";
        const char *escape;
        unsigned byte;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                size_t length = strlen(words[i].word);

                if (strncmp(line, words[i].word, length) == 0) {
                        append(trick, words[i].text, strlen(words[i].text));
                        return length;
                }
        }
        CHECK(line[0] != '$');
        if (line[0] != '\\') {
                append(trick, line, 1);
                return 1;
        }
        escape = line[1] ? strchr(escapes, line[1]) : NULL;
        if (escape) {
                append(trick, &meant[escape - escapes], 1);
                return 2;
        }
        CHECK_EQ(sscanf(line, "\\x%2x", &byte), 1);
        append(trick, &(const char){(char)byte}, 1);
        return 4;
}

/* The next of the file; false: there are no more. */
static bool read_trick(FILE *file, struct trick *trick)
{
        char line[TEXT_MAX];

        *trick = (struct trick){.count = 0};
        while (fgets(line, sizeof(line), file)) {
                line[strcspn(line, "\n")] = '\0';
                if (strncmp(line, "name ", 5) == 0) {
                        strcpy(trick->name, line + 5);
                } else if (strncmp(line, "send ", 5) == 0) {
                        for (const char *at = line + 5; *at;)
                                at += append_part(trick, at);
                } else if (strncmp(line, "hear ", 5) == 0) {
                        snprintf(trick->heard, sizeof(trick->heard), "%.100s", line + 5);
                        return true;
                } else {
                        CHECK(line[0] == '#' || line[0] == '\0');
                }
        }
        return false;
}

static void on_command(void *owner, struct http_exchange *exchange)
{
        struct http_text body = http_exchange_body(exchange);

        (void)owner;
        http_exchange_answer(exchange, http_text_equals(body, HTTP_TEXT(PING)) ? 200 : 400,
                             "text/plain", "done", 4);
}

static void on_metrics(void *owner, struct http_exchange *exchange)
{
        (void)owner;
        http_exchange_answer(exchange, 200, "text/plain", "1", 1);
}

static const struct http_route routes[] = {
        {.method = HTTP_POST, .pattern = "/api/command", .handler = on_command, .body_max = 65536},
        {.method = HTTP_GET, .pattern = "/metrics", .handler = on_metrics},
};

/* "200 400 end" */
static void summarize(const char *answers, char summary[128])
{
        size_t length = strlen(answers), used = 0;
        bool ended = length >= 3 && strcmp(answers + length - 3, "EOF") == 0;

        while ((answers = strstr(answers, "HTTP/1.1 "))) {
                answers += 9;
                if (answers[0] < '1' || answers[0] > '5')
                        continue; /* a sentence that tells of the version */
                CHECK(used < 100);
                used += (size_t)snprintf(summary + used, 128 - used, "%.3s ", answers);
        }
        snprintf(summary + used, 128 - used, "%s", ended ? "end" : "open");
}

/* Sends it in two pieces, the first of so many bytes; or, with 0, byte by byte. */
static void try(const struct trick *trick, size_t first)
{
        size_t step = first > 0 ? first : 1, sent = 0;
        char summary[128];
        struct fixture f;
        int fd;

        fixture_open(&f, NULL);
        CHECK_EQ(http_router_add(f.router, routes, ARRAY_SIZE(routes), NULL), 0);
        fd = fixture_connect(&f);
        while (sent < trick->count) {
                size_t count = step < trick->count - sent ? step : trick->count - sent;

                /* What comes behind the end is for nobody. */
                if (send(fd, trick->bytes + sent, count, MSG_NOSIGNAL) < 0)
                        CHECK(errno == EPIPE || errno == ECONNRESET);
                sent += count;
                step = first > 0 ? trick->count : 1;
                loop_run_once(f.loop, 0);
        }
        turn(&f);
        summarize(hear(&f, fd), summary);
        if (strcmp(summary, trick->heard) != 0)
                FAIL("%s (first piece: %zu of %zu): %s, not %s", trick->name, first, trick->count,
                     summary, trick->heard);
        fixture_end(&f, fd);
}

TEST(no_trick_makes_another_number_of_requests)
{
        const char *path = getenv("PIFLEET_HTTP_TRICKS");
        FILE *file = path ? fopen(path, "re") : NULL;
        struct trick trick;
        size_t count = 0;

        if (!file)
                FAIL("PIFLEET_HTTP_TRICKS must name tests/http/tricks");
        while (read_trick(file, &trick)) {
                try(&trick, trick.count);
                try(&trick, 0);
                try(&trick, trick.count / 2);
                try(&trick, trick.count - 1);
                count++;
        }
        fclose(file);
        CHECK(count > 100);
}
