#include "bench/http-reply.h"
#include "support/test.h"

#include <errno.h>
#include <string.h>

static const char whole[] = "HTTP/1.1 200 OK\r\nDate: x\r\ncontent-length: 12\r\n\r\n";

static long length_of(const char *text)
{
        return http_reply_length(text, strlen(text));
}

TEST(the_length_is_that_of_head_and_body)
{
        CHECK_EQ(length_of(whole), sizeof(whole) - 1 + 12);
        CHECK_EQ(length_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 38);
}

TEST(a_head_that_is_not_whole_has_none_yet)
{
        for (size_t count = 0; count < sizeof(whole) - 1; count++)
                CHECK_EQ(http_reply_length(whole, count), 0);
}

TEST(some_answers_have_no_body_whatever_they_say)
{
        CHECK_EQ(length_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n"), 49);
        CHECK_EQ(length_of("HTTP/1.1 204 No Content\r\n\r\n"), 27);
}

TEST(what_has_no_end_that_can_be_known_is_refused)
{
        static char long_head[HTTP_REPLY_HEAD_MAX + 2] = "HTTP/1.1 200 OK\r\nX: ";

        CHECK_EQ(length_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), -EPROTO);
        CHECK_EQ(length_of("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), -EPROTO);
        CHECK_EQ(length_of("HTTP/1.1 200 OK\r\nContent-Length: 12x\r\n\r\n"), -EPROTO);
        CHECK_EQ(length_of("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"),
                 -EPROTO);
        CHECK_EQ(length_of("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"),
                 -EPROTO);
        CHECK_EQ(length_of("SSH-2.0-x\r\n"), -EPROTO);
        memset(long_head + strlen(long_head), 'x', sizeof(long_head) - strlen(long_head));
        CHECK_EQ(http_reply_length(long_head, sizeof(long_head)), -EPROTO);
}
