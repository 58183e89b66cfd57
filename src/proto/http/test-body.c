/* Bodies: where they end, and what is no chunk. */
#include "base/attributes.h"
#include "proto/http/body.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX = 64 };

static struct http_body begin(enum http_framing framing, uint64_t length)
{
        struct http_request request = {.framing = framing, .content_length = length};
        struct http_body body;

        CHECK_EQ(http_body_begin(&body, &request, MAX), 0);
        return body;
}

/* All data of `text` presented in pieces of `step` bytes, in memory of exactly their size.
 * The last outcome; *ret_used: bytes that were taken. */
static int drain(struct http_body *body, const char *text, size_t step, char data[MAX + 1],
                 size_t *ret_used)
{
        size_t count = strlen(text), shown = 0, length = 0;
        int r = HTTP_BODY_NEED_MORE;

        *ret_used = 0;
        do {
                shown = shown + step < count ? shown + step : count;
                do {
                        size_t left = shown - *ret_used, consumed;
                        struct http_text piece;
                        char *copy = malloc(left > 0 ? left : 1);

                        CHECK(copy != NULL);
                        memcpy(copy, text + *ret_used, left);
                        r = http_body_next(body, copy, left, &piece, &consumed);
                        CHECK(r < 0 || consumed <= left);
                        if (r == HTTP_BODY_DATA) {
                                CHECK(piece.length > 0 && length + piece.length <= MAX);
                                memcpy(data + length, piece.bytes, piece.length);
                                length += piece.length;
                        }
                        if (r >= 0)
                                *ret_used += consumed;
                        free(copy);
                } while (r == HTTP_BODY_DATA);
        } while (r == HTTP_BODY_NEED_MORE && shown < count);
        data[length] = '\0';
        return r;
}

TEST(a_length_says_where_the_body_ends)
{
        for (size_t step = 1; step <= 8; step++) {
                struct http_body body = begin(HTTP_FRAMING_LENGTH, 5);
                char data[MAX + 1];
                size_t used;

                CHECK_EQ(drain(&body, "abc", step, data, &used), HTTP_BODY_NEED_MORE);
                CHECK_TEXT(data, "abc");
                CHECK_EQ(drain(&body, "deGET /", step, data, &used), HTTP_BODY_END);
                CHECK_TEXT(data, "de");
                CHECK_EQ(used, 2);
        }
}

TEST(without_a_body_the_end_is_there_at_once)
{
        struct http_body body = begin(HTTP_FRAMING_NONE, 0);
        char data[MAX + 1];
        size_t used;

        CHECK_EQ(drain(&body, "GET /", 5, data, &used), HTTP_BODY_END);
        CHECK_EQ(used, 0);
}

TEST(a_length_beyond_the_limit_is_refused_before_a_byte_of_it)
{
        struct http_request request = {.framing = HTTP_FRAMING_LENGTH, .content_length = MAX + 1};
        struct http_body body;

        CHECK_EQ(http_body_begin(&body, &request, MAX), -EMSGSIZE);
        request.content_length = MAX;
        CHECK_EQ(http_body_begin(&body, &request, MAX), 0);
}

static const struct {
        const char *clause, *text, *data;
        int outcome;
        size_t rest; /* bytes that are not of the body */
} chunked[] = {
        {"7.1: chunks and their end", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "abcde", HTTP_BODY_END,
         3},
        {"7.1: hexadecimal, in both cases", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
         "01234567890123456789", HTTP_BODY_END, 0},
        {"7.1: leading zeros", "003\r\nabc\r\n000\r\n\r\n", "abc", HTTP_BODY_END, 0},
        {"7.1: nothing at all", "0\r\n\r\n", "", HTTP_BODY_END, 0},
        {"7.1.1: extensions mean nothing", "3;a=b;c=\"d\"\r\nabc\r\n0;x\r\n\r\n", "abc",
         HTTP_BODY_END, 0},
        {"7.1.2: a trailer is dropped", "1\r\na\r\n0\r\nX-Sum: 5\r\nb:\r\n\r\nG", "a",
         HTTP_BODY_END, 1},
        {"7.1: a line end may be data", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", HTTP_BODY_END, 0},
        {"7.1: not whole yet", "3\r\nab", "ab", HTTP_BODY_NEED_MORE, 0},
        {"7.1: the end has an empty line", "0\r\n", "", HTTP_BODY_NEED_MORE, 0},

        {"7.1: no size", "\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: no digits", "x\r\n", "", -EPROTO, 0},
        {"7.1: a prefix", "0x3\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a sign", "+3\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a negative size", "-1\r\n", "", -EPROTO, 0},
        {"7.1: a space before", " 3\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a space behind", "3 \r\nabc\r\n", "", -EPROTO, 0},
        {"7.1.1: a space before an extension", "3 ;a\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a bare line feed behind the size", "3\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a bare carriage return there", "3\rabc\r\n0\r\n\r\n", "", -EPROTO, 0},
        {"7.1.1: one in an extension", "3;a\rb\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1.1: a line feed in an extension", "3;a\nb\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a bare line feed behind the data", "3\r\nabc\n0\r\n\r\n", "abc", -EPROTO, 0},
        {"7.1: no line end behind the data", "3\r\nabc0\r\n\r\n", "abc", -EPROTO, 0},
        {"7.1: half of one", "3\r\nabc\rX", "abc", -EPROTO, 0},
        {"7.1: more digits than numbers have", "0000000000000003\r\nabc\r\n", "", -EPROTO, 0},
        {"7.1: a size that wraps around", "ffffffffffffffff\r\n", "", -EPROTO, 0},
        {"7.1.2: a trailer that is no field", "0\r\nGET / HTTP/1.1\r\n\r\n", "", -EPROTO, 0},
        {"7.1.2: with a space before its colon", "0\r\na : b\r\n\r\n", "", -EPROTO, 0},
        {"7.1.2: ended by a bare line feed", "0\r\n\n", "", -EPROTO, 0},
        {"more than the limit", "41\r\n", "", -EMSGSIZE, 0},
        {"more than the limit, together",
         "3f\r\n"
         "012345678901234567890123456789012345678901234567890123456789012\r\n2\r\n",
         "012345678901234567890123456789012345678901234567890123456789012", -EMSGSIZE, 0},
};

TEST(a_chunked_body_is_read_strictly_however_it_comes)
{
        for (size_t i = 0; i < ARRAY_SIZE(chunked); i++) {
                for (size_t step = 1; step <= 16; step++) {
                        struct http_body body = begin(HTTP_FRAMING_CHUNKED, 0);
                        char data[MAX + 1];
                        size_t used;
                        int r = drain(&body, chunked[i].text, step, data, &used);

                        if (r != chunked[i].outcome || strcmp(data, chunked[i].data) != 0 ||
                            (r == HTTP_BODY_END &&
                             used != strlen(chunked[i].text) - chunked[i].rest))
                                FAIL("%s, %zu at a time: %d after \"%s\"", chunked[i].clause, step,
                                     r, data);
                }
        }
}

TEST(lines_of_chunks_and_trailers_have_a_limit)
{
        char text[HTTP_TRAILER_MAX + 64] = "3;";
        struct http_body body = begin(HTTP_FRAMING_CHUNKED, 0);
        struct http_text data;
        size_t consumed;

        memset(text + 2, 'x', sizeof(text) - 2);
        CHECK_EQ(http_body_next(&body, text, HTTP_CHUNK_LINE_MAX - 1, &data, &consumed), 0);
        CHECK_EQ(http_body_next(&body, text, HTTP_CHUNK_LINE_MAX, &data, &consumed), -EPROTO);
        body = begin(HTTP_FRAMING_CHUNKED, 0);
        memcpy(text, "0\r\na:", 5);
        for (size_t i = 3; i + 64 <= sizeof(text); i += 64)
                memcpy(text + i,
                       "a:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n", 64);
        CHECK_EQ(http_body_next(&body, text, sizeof(text) - 1, &data, &consumed), -EPROTO);
}
