#include "proto/http/basic.h"

#include "support/test.h"

#include <errno.h>
#include <stdio.h>

/* The head of a request with these lines. */
static int read_lines(const char *lines, struct http_basic *ret)
{
        static char text[8192];
        struct http_request request = {0};
        struct http_refusal refusal;
        int length = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

        CHECK(length > 0 && (size_t)length < sizeof(text));
        CHECK_EQ(http_head_parse(text, (size_t)length, &request, &refusal), 0);
        return http_basic_read(&request, ret);
}

static bool is(struct http_text text, const char *expected)
{
        return text.length == strlen(expected) && memcmp(text.bytes, expected, text.length) == 0;
}

TEST(a_name_and_a_password_are_read)
{
        struct http_basic basic;

        CHECK_EQ(read_lines("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n", &basic), 0);
        CHECK(is(basic.user, "Aladdin"));
        CHECK(is(basic.password, "open sesame"));
        /* RFC 7617, 2.1: in UTF-8; the first colon is the one between them. */
        CHECK_EQ(read_lines("authorization: bASIC dGVzdDoxMjPCow==\r\n", &basic), 0);
        CHECK(is(basic.user, "test"));
        CHECK(is(basic.password, "123\xc2\xa3"));
        CHECK_EQ(read_lines("Authorization: Basic   YTpiOmM=  \r\n", &basic), 0);
        CHECK(is(basic.user, "a"));
        CHECK(is(basic.password, "b:c"));
        CHECK_EQ(read_lines("Authorization: Basic Og==\r\n", &basic), 0);
        CHECK_EQ(basic.user.length, 0);
        CHECK_EQ(basic.password.length, 0);
        http_basic_done(&basic);
        CHECK_EQ(basic.text[0], '\0');
}

TEST(what_is_none_is_told_from_what_is_wrong)
{
        static const struct {
                const char *lines;
                int r;
        } cases[] = {
                {"", -ENOENT},
                {"Authorization: Bearer abc\r\n", -ENOENT},
                {"Authorization: Basic\r\n", -ENOENT},
                {"Authorization: Basic \r\n", -ENOENT},
                {"Authorization: Basic !!!!\r\n", -EINVAL},
                {"Authorization: Basic YTpi YTpi\r\n", -EINVAL},
                {"Authorization: Basic YWI=\r\n", -EINVAL},     /* no colon */
                {"Authorization: Basic YTo=YTo=\r\n", -EINVAL}, /* bytes behind the end */
                {"Authorization: Basic YTr/\r\n", -EINVAL},     /* no UTF-8 */
                {"Authorization: Basic YTpiAA==\r\n", -EINVAL}, /* U+0000 */
                {"Authorization: Basic YQo6Yg==\r\n", -EINVAL}, /* a line end */
                {"Authorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\n", -EINVAL},
        };
        struct http_basic basic;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                CHECK_EQ(read_lines(cases[i].lines, &basic), cases[i].r);
}

TEST(both_together_are_bounded)
{
        char line[2048] = "Authorization: Basic ";
        struct http_basic basic;
        size_t length = strlen(line);

        /* 4 digits for 3 bytes: 1,023 of them fit, 1,026 do not. */
        memcpy(line + length, "YTph", 4);
        for (size_t i = 4; i < 4 * 341; i += 4)
                memcpy(line + length + i, "YWFh", 4);
        snprintf(line + length + 4 * 341, 3, "\r\n");
        CHECK_EQ(read_lines(line, &basic), 0);
        CHECK_EQ(basic.password.length, 1021);
        memcpy(line + length + 4 * 341, "YWFh", 4);
        snprintf(line + length + 4 * 342, 3, "\r\n");
        CHECK_EQ(read_lines(line, &basic), -EINVAL);
}
