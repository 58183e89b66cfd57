/* Heads, chunks and events, as they are written. */
#include "base/attributes.h"
#include "proto/http/event-stream.h"
#include "proto/http/response.h"
#include "support/test.h"

#include <errno.h>

enum { OUT_MAX = 4096 };

/* What is in the buffer, which is emptied. */
static const char *take(struct buffer *out, char text[OUT_MAX + 1])
{
        size_t length = buffer_length(out);

        memcpy(text, buffer_data(out), length);
        text[length] = '\0';
        buffer_consume(out, length);
        return text;
}

TEST(a_response_is_a_head_and_a_length)
{
        struct http_request request = {.minor = 1, .persistent = true};
        struct http_response response;
        char text[OUT_MAX + 1];
        struct buffer out;

        buffer_init(&out, OUT_MAX);
        http_response_begin(&response, &out, 404);
        http_response_date(&response, 784111777);
        http_response_field(&response, "Content-Type", "application/json");
        http_response_number(&response, "Age", UINT64_MAX);
        http_response_connection(&response, &request, true);
        CHECK_EQ(http_response_end(&response, 7), 0);
        CHECK_TEXT(take(&out, text), "HTTP/1.1 404 Not Found\r\n"
                                     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                     "Content-Type: application/json\r\n"
                                     "Age: 18446744073709551615\r\n"
                                     "Content-Length: 7\r\n"
                                     "\r\n");
        http_response_begin(&response, &out, 304);
        CHECK_EQ(http_response_end_empty(&response), 0);
        CHECK_TEXT(take(&out, text), "HTTP/1.1 304 Not Modified\r\n\r\n");
        buffer_done(&out);
}

TEST(a_connection_is_spoken_of_where_the_peer_would_expect_otherwise)
{
        static const struct {
                uint8_t minor;
                bool asked, ours;
                const char *field;
        } cases[] = {
                {1, true, true, ""},
                {1, true, false, "Connection: close\r\n"},
                {1, false, true, "Connection: close\r\n"},
                {0, false, true, "Connection: close\r\n"},
                {0, true, true, "Connection: keep-alive\r\n"},
                {0, true, false, "Connection: close\r\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_request request = {.minor = cases[i].minor,
                                               .persistent = cases[i].asked};
                struct http_response response;
                char text[OUT_MAX + 1];
                struct buffer out;

                buffer_init(&out, OUT_MAX);
                http_response_begin(&response, &out, 200);
                http_response_connection(&response, &request, cases[i].ours);
                CHECK_EQ(http_response_end_empty(&response), 0);
                take(&out, text);
                CHECK_EQ(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
                text[strlen(text) - 2] = '\0';
                CHECK_TEXT(text + 17, cases[i].field);
                buffer_done(&out);
        }
}

TEST(a_value_cannot_bring_a_line_of_its_own)
{
        static const char *const values[] = {"a\r\nSet-Cookie: b", "a\nb", "a\rb", "\x01", "\x7f"};

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                struct http_response response;
                char text[OUT_MAX + 1];
                struct buffer out;

                buffer_init(&out, OUT_MAX);
                CHECK_EQ(buffer_append_text(&out, "before"), 0);
                http_response_begin(&response, &out, 200);
                http_response_field(&response, "A", values[i]);
                http_response_field(&response, "B", "fine");
                CHECK_EQ(http_response_end(&response, 5), -EINVAL);
                CHECK_TEXT(take(&out, text), "before");
                http_response_begin(&response, &out, 200);
                http_response_field(&response, "A:", "b");
                CHECK_EQ(http_response_end(&response, 5), -EINVAL);
                buffer_done(&out);
        }
}

TEST(a_response_that_does_not_fit_is_not_there)
{
        char text[OUT_MAX + 1];

        for (size_t max = 0;; max++) {
                struct http_response response;
                struct buffer out;
                int r;

                buffer_init(&out, max);
                http_response_begin(&response, &out, 200);
                http_response_field(&response, "A", "b");
                r = http_response_end_chunked(&response);
                if (r == 0) {
                        CHECK_TEXT(take(&out, text), "HTTP/1.1 200 OK\r\nA: b\r\n"
                                                     "Transfer-Encoding: chunked\r\n\r\n");
                        buffer_done(&out);
                        break;
                }
                CHECK_EQ(r, -EMSGSIZE);
                CHECK_EQ(buffer_length(&out), 0);
                buffer_done(&out);
        }
}

TEST(an_event_has_a_line_for_each_of_its_data)
{
        static const struct {
                const char *name, *id, *data, *written;
        } cases[] = {
                {NULL, NULL, "a", "data: a\n\n"},
                {"pin", "7", "{\"on\":true}", "event: pin\nid: 7\ndata: {\"on\":true}\n\n"},
                {NULL, NULL, "", "data: \n\n"},
                {NULL, NULL, "a\nb", "data: a\ndata: b\n\n"},
                {NULL, NULL, "a\r\nb\rc", "data: a\ndata: b\ndata: c\n\n"},
                {NULL, NULL, "a\n", "data: a\ndata: \n\n"},
                {NULL, NULL, "\n\n", "data: \ndata: \ndata: \n\n"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct http_text data = {cases[i].data, strlen(cases[i].data)};
                char text[OUT_MAX + 1];
                struct buffer out;

                buffer_init(&out, OUT_MAX);
                CHECK_EQ(http_event_write(&out, cases[i].name, cases[i].id, data), 0);
                CHECK_TEXT(take(&out, text), cases[i].written);
                buffer_done(&out);
        }
}

TEST(an_event_is_whole_or_not_there)
{
        char text[OUT_MAX + 1];
        struct buffer out;

        buffer_init(&out, 21);
        CHECK_EQ(http_event_write(&out, "a\nb", NULL, HTTP_TEXT("c")), -EINVAL);
        CHECK_EQ(http_event_write(&out, NULL, "a\rb", HTTP_TEXT("c")), -EINVAL);
        CHECK_EQ(http_event_write(&out, "a", NULL, HTTP_TEXT("more than fits")), -EMSGSIZE);
        CHECK_EQ(http_event_write(&out, "a", NULL, HTTP_TEXT("fits")), 0);
        CHECK_TEXT(take(&out, text), "event: a\ndata: fits\n\n");
        buffer_done(&out);
}
