#include "base/attributes.h"
#include "proto/http/date.h"
#include "proto/http/status.h"
#include "proto/http/text.h"
#include "support/test.h"

#include <stdio.h>
#include <time.h>

static struct http_text text_of(const char *text)
{
        return (struct http_text){text, strlen(text)};
}

TEST(a_list_is_its_members)
{
        static const struct {
                const char *list, *joined;
        } cases[] = {
                {"", ""},
                {"a", "a|"},
                {"a,b", "a|b|"},
                {" a ,\tb ", "a|b|"},
                {",,a,,b,,", "a|b|"},
                {"\"a,b\", c", "\"a,b\"|c|"},
                {"\"a\\\",b\",c", "\"a\\\",b\"|c|"},
                {"\"a,b", "\"a,b|"},
                {"a b, c", "a b|c|"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_text rest = text_of(cases[i].list), member;
                char joined[64] = "";

                while (http_list_next(&rest, &member)) {
                        strncat(joined, member.bytes, member.length);
                        strcat(joined, "|");
                }
                CHECK_TEXT(joined, cases[i].joined);
        }
        CHECK(http_list_has(text_of("keep-alive, UPGRADE"), HTTP_TEXT("upgrade")));
        CHECK(!http_list_has(text_of("upgraded"), HTTP_TEXT("upgrade")));
}

TEST(tokens_and_values_are_what_the_standard_says)
{
        static const char tokens[] = "!#$%&'*+-.^_`|~09azAZ";

        for (int byte = 0; byte < 256; byte++) {
                bool token = byte != 0 &&
                             ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                              (byte >= 'A' && byte <= 'Z') || strchr(tokens, byte));

                CHECK_EQ(http_is_token_byte((unsigned char)byte), token);
                CHECK_EQ(http_is_value_byte((unsigned char)byte),
                         byte == '\t' || (byte >= ' ' && byte != 0x7f));
        }
        CHECK(!http_is_token(text_of("")));
        CHECK(http_is_value(text_of("")));
        CHECK(http_text_equals_ignoring_case(text_of("HoSt"), text_of("hOsT")));
        /* 0x20 apart, and no letters. */
        CHECK(!http_text_equals_ignoring_case(text_of("@["), text_of("`{")));
}

TEST(dates_are_those_of_the_c_library)
{
        /* Leap days, ends of centuries, and a step that hits all months and hours. */
        for (int64_t at = 0; at < INT64_C(253402300800); at += 40000003) {
                char text[HTTP_DATE_SIZE], expected[HTTP_DATE_SIZE];
                time_t time = (time_t)at;
                struct tm parts;

                if ((int64_t)time != at)
                        break; /* 32 bits end in 2038 */
                CHECK(gmtime_r(&time, &parts) != NULL);
                strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &parts);
                http_date_format(at, text);
                CHECK_TEXT(text, expected);
        }
}

TEST(dates_have_two_ends)
{
        char text[HTTP_DATE_SIZE];

        http_date_format(784111777, text);
        CHECK_TEXT(text, "Sun, 06 Nov 1994 08:49:37 GMT");
        http_date_format(951782400, text);
        CHECK_TEXT(text, "Tue, 29 Feb 2000 00:00:00 GMT");
        http_date_format(-5, text);
        CHECK_TEXT(text, "Thu, 01 Jan 1970 00:00:00 GMT");
        http_date_format(INT64_MAX, text);
        CHECK_TEXT(text, "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(a_status_has_its_phrase)
{
        CHECK_TEXT(http_status_phrase(200), "OK");
        CHECK_TEXT(http_status_phrase(505), "HTTP Version Not Supported");
        CHECK_TEXT(http_status_phrase(299), "Unknown");
}
