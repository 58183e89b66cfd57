/* Heads as the clauses of RFC 9112 and 9110 judge them, the known tricks of request
 * smuggling among them. */
#include "base/attributes.h"
#include "proto/http/head.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX = 8192 };

static int next(struct http_head_scanner *scanner, const char *bytes, size_t count, size_t max,
                struct http_request *ret, size_t *ret_consumed, struct http_refusal *refusal)
{
        size_t skip, length;
        int r = http_head_find(scanner, bytes, count, max, &skip, &length, refusal);

        if (r != HTTP_HEAD_FOUND)
                return r;
        *ret_consumed = skip + length;
        r = http_head_parse(bytes + skip, length, ret, refusal);
        return r < 0 ? r : HTTP_HEAD_FOUND;
}

/* In memory of exactly its size, so that a byte beyond is found. The texts of *ret point
 * into what *ret_copy owns. */
static int parse(const char *text, struct http_request *ret, size_t *ret_consumed,
                 struct http_refusal *refusal, char **ret_copy)
{
        struct http_head_scanner scanner = {0};
        size_t length = strlen(text);

        *ret_copy = malloc(length > 0 ? length : 1);
        CHECK(*ret_copy != NULL);
        memcpy(*ret_copy, text, length);
        return next(&scanner, *ret_copy, length, MAX, ret, ret_consumed, refusal);
}

static bool is(struct http_text text, const char *expected)
{
        return http_text_equals(text, (struct http_text){expected, strlen(expected)});
}

TEST(a_head_is_its_line_and_its_fields)
{
        static const char text[] = "POST /api/devices?limit=5 HTTP/1.1\r\n"
                                   "Host: pi-17.local:8080\r\n"
                                   "Content-Length: 12\r\n"
                                   "x-empty:\r\n"
                                   "X-Spaces: \t a  b \t\r\n"
                                   "\r\n"
                                   "{\"a\":1}";
        struct http_refusal refusal;
        struct http_request request;
        size_t consumed;
        char *copy;

        CHECK_EQ(parse(text, &request, &consumed, &refusal, &copy), HTTP_HEAD_FOUND);
        CHECK_EQ(consumed, strlen(text) - 7);
        CHECK_EQ(request.method, HTTP_POST);
        CHECK_EQ(request.minor, 1);
        CHECK(is(request.target, "/api/devices?limit=5"));
        CHECK(is(request.path, "/api/devices"));
        CHECK(is(request.query, "limit=5"));
        CHECK(is(request.host, "pi-17.local:8080"));
        CHECK_EQ(request.framing, HTTP_FRAMING_LENGTH);
        CHECK_EQ(request.content_length, 12);
        CHECK(request.persistent && !request.wants_upgrade && !request.expects_continue);
        CHECK_EQ(request.fields_count, 4);
        CHECK(is(*http_request_field(&request, HTTP_TEXT("X-EMPTY")), ""));
        CHECK(is(*http_request_field(&request, HTTP_TEXT("x-spaces")), "a  b"));
        CHECK_NULL(http_request_field(&request, HTTP_TEXT("x-space")));
        free(copy);
}

#define HOST "Host: a\r\n"

/* What is refused, with the status that says so, and by which clause. */
static const struct {
        const char *clause, *text;
        int status;
} refused[] = {
        {"9112 2.2: a bare line feed ends no line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"9112 2.2: nor does one end the fields", "GET / HTTP/1.1\r\n" HOST "\n", 400},
        {"9112 2.2: a line feed alone", "\n", 400},
        {"9112 2.2: a bare carriage return in a value", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
         400},
        {"9112 2.2: one in a name", "GET / HTTP/1.1\r\n" HOST "A\rb: c\r\n\r\n", 400},
        {"9112 2.2: one in the target", "GET /\r/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 2.2: two empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 2.2: space before the fields", "GET / HTTP/1.1\r\n " HOST "\r\n", 400},
        {"9112 2.3: a version in small letters", "GET / http/1.1\r\n" HOST "\r\n", 400},
        {"9112 2.3: another protocol", "GET / RTSP/1.0\r\n\r\n", 400},
        {"9112 2.3: no minor", "GET / HTTP/1\r\n" HOST "\r\n", 400},
        {"9112 2.3: two digits", "GET / HTTP/1.10\r\n" HOST "\r\n", 400},
        {"9110 15.6.6: another major", "GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"9113 3.4: the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 505},
        {"9112 3: HTTP/0.9", "GET /\r\n\r\n", 400},
        {"9112 3: no target", "GET HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3: two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3: two spaces behind", "GET /  HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3: a tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3: a space at the beginning", " GET / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3: a space at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
        {"9112 3: four words", "GET / / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.1: a method in small letters", "get / HTTP/1.1\r\n" HOST "\r\n", 501},
        {"9112 3.1: one that is not known", "BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
        {"9112 3.1: a tunnel", "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 501},
        {"9112 3.1: no token", "G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.2: a target without a slash", "GET index HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.2: a byte beyond ASCII", "GET /\xc3\xb6 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.2: a fragment", "GET /#a HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.2: no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"9112 3.2: two of them", "GET / HTTP/1.1\r\n" HOST "host: b\r\n\r\n", 400},
        {"9112 3.2: the same twice", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"9112 3.2: two in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
        {"9112 3.2: with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"9112 3.2: with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"9112 3.2: with a port that is none", "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n", 400},
        {"9112 3.2: brackets that stay open", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"9112 3.2.2: an absolute target needs it too", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
        {"9112 3.2.2: a target's host that is none", "GET http:/// HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.2.2: with a user", "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 3.2.4: the star is for OPTIONS", "GET * HTTP/1.1\r\n" HOST "\r\n", 400},
        {"9112 5.1: a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        {"9112 5.1: a tab before it", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", 400},
        {"9112 5.1: so hidden lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n",
         400},
        {"9112 5: no colon", "GET / HTTP/1.1\r\n" HOST "abc\r\n\r\n", 400},
        {"9112 5: no name", "GET / HTTP/1.1\r\n" HOST ": abc\r\n\r\n", 400},
        {"9110 5.1: a name with a slash", "GET / HTTP/1.1\r\n" HOST "a/b: c\r\n\r\n", 400},
        {"9112 5.2: a folded line", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400},
        {"9112 5.2: folded by a tab", "GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n", 400},
        {"9110 5.5: a control character", "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n", 400},
        {"9110 5.5: DEL", "GET / HTTP/1.1\r\n" HOST "A: b\x7f\r\n\r\n", 400},
        {"9112 6.1: both lengths",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"9112 6.1: in the other order",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
        {"9112 6.1: a coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"9112 6.1: another one", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n",
         501},
        {"9112 6.1: one before it",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        {"9112 6.1: one behind it",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n", 501},
        {"9112 6.1: chunked twice",
         "POST / HTTP/1.1\r\n" HOST
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"9112 6.1: one that is nearly it",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
        {"9112 6.1: in quotes", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n",
         501},
        {"9112 6.1: with a vertical tab",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \vchunked\r\n\r\n", 400},
        {"9112 6.1: with a byte beyond ASCII",
         "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \xa0"
         "chunked\r\n\r\n",
         501},
        {"9112 6.1: with nothing in it", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n",
         501},
        {"9112 6.3: two lengths",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
        {"9112 6.3: the same twice",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
        {"9112 6.3: a list", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\n", 400},
        {"9110 8.6: a sign", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", 400},
        {"9110 8.6: a negative one", "POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", 400},
        {"9110 8.6: hexadecimal", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", 400},
        {"9110 8.6: a space inside", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 2\r\n\r\n", 400},
        {"9110 8.6: an underscore", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1_0\r\n\r\n", 400},
        {"9110 8.6: empty", "POST / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n", 400},
        {"9110 8.6: more than 64 bits",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551621\r\n\r\n", 400},
        {"9110 10.1.1: another expectation", "POST / HTTP/1.1\r\n" HOST "Expect: cake\r\n\r\n",
         417},
};

TEST(what_could_be_read_in_two_ways_is_refused)
{
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                struct http_refusal refusal = {0};
                struct http_request request;
                size_t consumed;
                char *copy;
                int r = parse(refused[i].text, &request, &consumed, &refusal, &copy);

                free(copy);
                if (r != -EPROTO || refusal.status != refused[i].status)
                        FAIL("%s: %d with %d (%s)", refused[i].clause, r, refusal.status,
                             refusal.why ? refusal.why : "");
        }
}

TEST(a_zero_byte_is_refused_wherever_it_stands)
{
        static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";

        for (size_t at = 0; at < sizeof(text) - 5; at++) {
                struct http_head_scanner scanner = {0};
                char bytes[sizeof(text) - 1];
                struct http_refusal refusal;
                struct http_request request;
                size_t consumed;

                memcpy(bytes, text, sizeof(bytes));
                bytes[at] = '\0';
                CHECK_EQ(next(&scanner, bytes, sizeof(bytes), MAX, &request, &consumed, &refusal),
                         -EPROTO);
        }
}

static const struct {
        const char *clause, *text, *path, *query, *host;
        bool persistent, upgrade, waits;
        enum http_framing framing;
} accepted[] = {
        {"9112 2.2: one empty line before", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "/", NULL, "a",
         .persistent = true},
        {"9110 2.5: a newer minor is 1.1", "GET / HTTP/1.2\r\n" HOST "\r\n", "/", NULL, "a",
         .persistent = true},
        {"9112 3.2.1: an empty query", "GET /? HTTP/1.1\r\n" HOST "\r\n", "/", "", "a",
         .persistent = true},
        {"9112 3.2.1: a second question mark", "GET /a?b?c HTTP/1.1\r\n" HOST "\r\n", "/a", "b?c",
         "a", .persistent = true},
        {"9112 3.2.2: the target's host counts", "GET HTTP://b:80/c?d HTTP/1.1\r\n" HOST "\r\n",
         "/c", "d", "b:80", .persistent = true},
        {"9112 3.2.2: without a path", "GET https://b HTTP/1.1\r\n" HOST "\r\n", "/", NULL, "b",
         .persistent = true},
        {"9112 3.2.2: with a query only", "GET http://b?c HTTP/1.1\r\n" HOST "\r\n", "/", "c", "b",
         .persistent = true},
        {"9112 3.2.4: the server as a whole", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "*", NULL, "a",
         .persistent = true},
        {"9112 3.2: an IPv6 address", "GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n", "/", NULL,
         "[fe80::1]:80", .persistent = true},
        {"9110 7.2: an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "/", NULL, "",
         .persistent = true},
        {"9112 3.2: 1.0 has none", "GET / HTTP/1.0\r\n\r\n", "/", NULL, ""},
        {"9112 9.3: 1.0 stays when it asks", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
         "/", NULL, "", .persistent = true},
        {"9112 9.6: 1.1 goes when it says so",
         "GET / HTTP/1.1\r\n" HOST "Connection: x, CLOSE\r\n\r\n", "/", NULL, "a"},
        {"9112 9.6: close outweighs",
         "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", "/", NULL,
         "a"},
        {"9110 7.8: an upgrade",
         "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\n\r\n", "/", NULL, "a",
         .persistent = true, .upgrade = true},
        {"9110 7.8: not in 1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\n\r\n", "/", NULL, ""},
        {"9112 6.1: chunked, in any case",
         "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: CHUNKED\r\n\r\n", "/", NULL, "a",
         .persistent = true, .framing = HTTP_FRAMING_CHUNKED},
        {"9110 8.6: a body of nothing", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 000\r\n\r\n",
         "/", NULL, "a", .persistent = true},
        {"9110 8.6: leading zeros", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 0010\r\n\r\n", "/",
         NULL, "a", .persistent = true, .framing = HTTP_FRAMING_LENGTH},
        {"9110 10.1.1: a body that waits",
         "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n", "/", NULL,
         "a", .persistent = true, .waits = true, .framing = HTTP_FRAMING_LENGTH},
        {"9110 10.1.1: without one it does not",
         "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", "/", NULL, "a",
         .persistent = true},
        {"9110 10.1.1: nor in 1.0", "PUT / HTTP/1.0\r\nContent-Length: 1\r\nExpect: cake\r\n\r\n",
         "/", NULL, "", .framing = HTTP_FRAMING_LENGTH},
        {"9110 5.5: bytes beyond ASCII in a value", "GET / HTTP/1.1\r\n" HOST "A: \xc3\xb6\r\n\r\n",
         "/", NULL, "a", .persistent = true},
};

TEST(what_the_standards_allow_is_understood)
{
        for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
                struct http_refusal refusal = {0};
                struct http_request request;
                size_t consumed = 0;
                char *copy;
                int r = parse(accepted[i].text, &request, &consumed, &refusal, &copy);

                if (r != HTTP_HEAD_FOUND || consumed != strlen(accepted[i].text) ||
                    !is(request.path, accepted[i].path) || !is(request.host, accepted[i].host) ||
                    (request.query.bytes != NULL) != (accepted[i].query != NULL) ||
                    (accepted[i].query && !is(request.query, accepted[i].query)) ||
                    request.persistent != accepted[i].persistent ||
                    request.wants_upgrade != accepted[i].upgrade ||
                    request.expects_continue != accepted[i].waits ||
                    request.framing != accepted[i].framing)
                        FAIL("%s: %d (%s)", accepted[i].clause, r, refusal.why ? refusal.why : "");
                free(copy);
        }
}

TEST(a_head_that_comes_byte_by_byte_is_the_same_and_each_is_looked_at_once)
{
        static const char text[] = "\r\nGET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\nnext";
        struct http_head_scanner scanner = {0};
        struct http_refusal refusal;
        struct http_request request;
        size_t consumed, end = sizeof(text) - 5;

        for (size_t count = 0; count < end; count++) {
                CHECK_EQ(next(&scanner, text, count, MAX, &request, &consumed, &refusal),
                         HTTP_HEAD_NEED_MORE);
                CHECK_EQ(scanner.scanned, count > 2 ? count - 2 : 0);
        }
        CHECK_EQ(next(&scanner, text, end, MAX, &request, &consumed, &refusal), HTTP_HEAD_FOUND);
        CHECK_EQ(consumed, end);
        CHECK_EQ(scanner.scanned, 0);
        CHECK_EQ(scanner.line, 0);
}

TEST(a_head_beyond_the_limit_is_refused_before_it_ends)
{
        static const char line[] = "GET /aaaaaaaaaaaaaaaaaaaaaaa",
                          fields[] = "GET / HTTP/1.1\r\nHost: aaaaa";
        static const char whole[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        struct http_head_scanner scanner = {0};
        struct http_refusal refusal;
        struct http_request request;
        size_t consumed;

        CHECK_EQ(next(&scanner, line, 20, 20, &request, &consumed, &refusal), 0);
        CHECK_EQ(next(&scanner, line, 21, 20, &request, &consumed, &refusal), -EPROTO);
        CHECK_EQ(refusal.status, 414);
        scanner = (struct http_head_scanner){0};
        CHECK_EQ(next(&scanner, fields, 21, 20, &request, &consumed, &refusal), -EPROTO);
        CHECK_EQ(refusal.status, 431);
        /* What comes behind the head does not count. */
        scanner = (struct http_head_scanner){0};
        CHECK_EQ(next(&scanner, whole, sizeof(whole) - 1, sizeof(whole) - 1, &request, &consumed,
                      &refusal),
                 HTTP_HEAD_FOUND);
        CHECK_EQ(next(&scanner, whole, sizeof(whole) - 1, sizeof(whole) - 2, &request, &consumed,
                      &refusal),
                 -EPROTO);
}

TEST(more_fields_than_fit_are_refused)
{
        for (size_t extra = HTTP_FIELDS_MAX - 1; extra <= HTTP_FIELDS_MAX; extra++) {
                struct http_head_scanner scanner = {0};
                struct http_refusal refusal;
                struct http_request request;
                char text[2048];
                size_t consumed;
                int length = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n"), r;

                for (size_t i = 0; i < extra; i++)
                        length +=
                                snprintf(text + length, sizeof(text) - (size_t)length, "A: b\r\n");
                length += snprintf(text + length, sizeof(text) - (size_t)length, "\r\n");
                r = next(&scanner, text, (size_t)length, MAX, &request, &consumed, &refusal);
                CHECK_EQ(r, extra < HTTP_FIELDS_MAX ? HTTP_HEAD_FOUND : -EPROTO);
                if (r < 0)
                        CHECK_EQ(refusal.status, 431);
        }
}
