#include "cli/message-text.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <string.h>

static const struct client_message plain = {
        .topic = "a/b",
        .payload = "on\n\x1b[2J",
        .payload_length = 7,
        .qos = 1,
};

/* What a message comes out as; a NUL behind it. */
static const char *text_of(struct buffer *out, const struct client_message *message,
                           enum message_shape shape, bool printable)
{
        buffer_truncate(out, 0);
        CHECK_EQ(message_text_append(out, message, shape, printable, INT64_C(1500000000)), 0);
        CHECK_EQ(buffer_append(out, "", 1), 0);
        return buffer_data(out);
}

TEST(a_payload_is_a_line_and_on_a_terminal_harmless)
{
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_TEXT(text_of(&out, &plain, MESSAGE_PAYLOAD, false), "on\n\x1b[2J\n");
        CHECK_TEXT(text_of(&out, &plain, MESSAGE_PAYLOAD, true), "on\\n\\x1b[2J\n");
        CHECK_TEXT(text_of(&out, &plain, MESSAGE_VERBOSE, false), "a/b on\n\x1b[2J\n");
        CHECK_TEXT(text_of(&out, &plain, MESSAGE_VERBOSE, true), "a/b on\\n\\x1b[2J\n");
        CHECK_TEXT(text_of(&out, &plain, MESSAGE_RAW, true), "on\n\x1b[2J");
        buffer_done(&out);
}

TEST(a_message_without_a_payload_is_an_empty_line_or_nothing)
{
        static const struct client_message empty = {.topic = "t"};
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_TEXT(text_of(&out, &empty, MESSAGE_PAYLOAD, true), "\n");
        CHECK_TEXT(text_of(&out, &empty, MESSAGE_VERBOSE, false), "t \n");
        CHECK_TEXT(text_of(&out, &empty, MESSAGE_RAW, false), "");
        CHECK_TEXT(text_of(&out, &empty, MESSAGE_JSON, false),
                   "{\"time\":1.5,\"topic\":\"t\",\"qos\":0,\"retain\":false,\"payload\":\"\","
                   "\"properties\":{}}\n");
        buffer_done(&out);
}

TEST(bytes_that_are_no_text_are_base64_in_json)
{
        static const struct {
                const char *payload;
                size_t length;
                const char *member;
        } cases[] = {
                {"\xff", 1, "\"payload_base64\":\"/w==\""},
                {"a\0b", 3, "\"payload_base64\":\"YQBi\""},
                {"\xc3", 1, "\"payload_base64\":\"ww==\""},
                {"\xc3\xa4", 2, "\"payload\":\"\xc3\xa4\""},
                {"\"\\", 2, "\"payload\":\"\\\"\\\\\""},
        };
        struct buffer out;

        buffer_init(&out, 4096);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct client_message message = {.topic = "t",
                                                       .payload = cases[i].payload,
                                                       .payload_length = cases[i].length};

                CHECK(strstr(text_of(&out, &message, MESSAGE_JSON, false), cases[i].member));
        }
        buffer_done(&out);
}

static const struct client_pair pairs[] = {{"k", "v"}, {"k", "\xe2\x80\xae"}};
static const struct client_message whole = {
        .topic = "t",
        .payload = "x",
        .payload_length = 1,
        .qos = 2,
        .retain = true,
        .is_text = true,
        .has_expiry = true,
        .expiry_seconds = 7,
        .content_type = "c",
        .response_topic = "r",
        .correlation = "\0\1",
        .correlation_length = 2,
        .pairs = pairs,
        .pair_count = ARRAY_SIZE(pairs),
};

TEST(json_has_the_properties_that_there_are)
{
        struct buffer out;

        buffer_init(&out, 4096);
        CHECK_TEXT(text_of(&out, &whole, MESSAGE_JSON, true),
                   "{\"time\":1.5,\"topic\":\"t\",\"qos\":2,\"retain\":true,\"payload\":\"x\","
                   "\"properties\":{\"payload_format\":1,\"expiry\":7,\"content_type\":\"c\","
                   "\"response_topic\":\"r\",\"correlation_base64\":\"AAE=\","
                   "\"user\":[[\"k\",\"v\"],[\"k\",\"\\u202e\"]]}}\n");
        buffer_done(&out);
}

TEST(what_does_not_fit_leaves_the_buffer_as_it_was)
{
        static const enum message_shape shapes[] = {MESSAGE_PAYLOAD, MESSAGE_VERBOSE, MESSAGE_RAW,
                                                    MESSAGE_JSON};

        for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
                struct buffer out;

                buffer_init(&out, 7);
                CHECK_EQ(buffer_append(&out, "before", 6), 0);
                CHECK_EQ(message_text_append(&out, &plain, shapes[i], true, 0), -EMSGSIZE);
                CHECK_EQ(buffer_length(&out), 6);
                buffer_done(&out);
        }
}

TEST(a_message_is_printed_whole_or_not_at_all)
{
        size_t n = 0;
        bool failed;

        do {
                struct buffer out;
                int r;

                buffer_init(&out, 4096);
                allocation_fail_at(++n);
                r = message_text_append(&out, &whole, MESSAGE_JSON, true, 0);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(buffer_length(&out) == 0, failed);
                buffer_done(&out);
        } while (failed);
        CHECK(n > 2);
}
