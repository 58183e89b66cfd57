#include "agent/handler/host-protocol.h"

#include "base/attributes.h"
#include "base/text-copy.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

static int decode(const char *json, struct host_message *message)
{
        struct error error;

        return host_message_decode(json, strlen(json), message, &error);
}

/* The JSON of the only frame in the buffer. */
static char *frame_text(const struct buffer *buffer)
{
        const unsigned char *bytes = (const unsigned char *)buffer_data(buffer);
        size_t length = (size_t)bytes[2] << 8 | bytes[3];

        CHECK_EQ(bytes[0] | bytes[1], 0);
        CHECK_EQ(buffer_length(buffer), HOST_FRAME_HEADER + length);
        return text_copy((const char *)bytes + HOST_FRAME_HEADER, length);
}

TEST(orders_are_frames_of_json)
{
        AUTO_JSON cJSON *arguments = cJSON_Parse("{\"name\":\"door\",\"x\":[1]}");
        AUTO_JSON cJSON *id = cJSON_CreateNumber(7);
        struct buffer out;
        char *text;

        buffer_init(&out, 1 << 20);
        CHECK_EQ(host_frame_load(&out, "camera.py", true), 0);
        text = frame_text(&out);
        CHECK_TEXT(text, "{\"load\":{\"module\":\"camera.py\",\"self_test\":true}}");
        free(text);
        buffer_consume(&out, buffer_length(&out));
        CHECK_EQ(host_frame_call(&out, 17, "status", arguments, id), 0);
        text = frame_text(&out);
        CHECK_TEXT(text, "{\"call\":17,\"command\":\"status\",\"request\":{\"command\":\"status\","
                         "\"id\":7,\"name\":\"door\",\"x\":[1]}}");
        free(text);
        buffer_done(&out);
}

TEST(an_order_that_does_not_fit_leaves_nothing_behind)
{
        AUTO_JSON cJSON *arguments = cJSON_Parse("{\"name\":\"a name that is too long\"}");
        struct buffer out;

        buffer_init(&out, 40);
        CHECK_EQ(host_frame_call(&out, 1, "status", arguments, NULL), -EMSGSIZE);
        CHECK_EQ(buffer_length(&out), 0);
        buffer_done(&out);
}

TEST(frames_are_taken_from_the_front)
{
        static const char two[] = "\0\0\0\2{}\0\0\0\3[1]";
        struct buffer in;
        const char *json;
        size_t length;

        buffer_init(&in, 1 << 20);
        for (size_t i = 0; i + 1 < sizeof(two); i++) {
                bool whole = i == 6 || i == 13;

                CHECK_EQ(host_frame_next(&in, &json, &length), whole);
                if (whole)
                        buffer_consume(&in, HOST_FRAME_HEADER + length);
                buffer_append(&in, &two[i], 1);
        }
        CHECK_EQ(host_frame_next(&in, &json, &length), 1);
        CHECK_EQ(length, 3);
        buffer_consume(&in, buffer_length(&in));
        buffer_append(&in, "\0\0\0\0", 4);
        CHECK_EQ(host_frame_next(&in, &json, &length), -EBADMSG);
        buffer_consume(&in, 4);
        buffer_append(&in, "\0\x10\0\1", 4);
        CHECK_EQ(host_frame_next(&in, &json, &length), -EMSGSIZE);
        buffer_done(&in);
}

TEST(what_a_host_says_is_understood)
{
        struct host_message message;
        const char *name, *description;

        CHECK_EQ(decode("{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"a\",\"description\":"
                        "\"b\"}],\"self_test\":\"no camera\"}}",
                        &message),
                 0);
        CHECK_EQ(message.kind, HOST_LOADED);
        CHECK_EQ(message.loaded.commands_count, 1);
        host_message_command(&message, 0, &name, &description);
        CHECK_TEXT(name, "a");
        CHECK_TEXT(description, "b");
        CHECK_EQ(message.loaded.self_test, HOST_SELF_TEST_FAILED);
        CHECK_TEXT(message.loaded.self_test_reason, "no camera");
        host_message_done(&message);

        CHECK_EQ(decode("{\"load_failed\":{\"type\":\"ValueError\",\"message\":\"m\",\"line\":12,"
                        "\"traceback\":\"t\"}}",
                        &message),
                 0);
        CHECK_EQ(message.kind, HOST_LOAD_FAILED);
        CHECK_TEXT(message.failed.type, "ValueError");
        CHECK_EQ(message.failed.line, 12);
        host_message_done(&message);

        CHECK_EQ(decode("{\"reply\":3,\"result\":{\"x\":1}}", &message), 0);
        CHECK_EQ(message.kind, HOST_REPLY);
        CHECK_EQ(message.reply.call, 3);
        host_message_done(&message);

        CHECK_EQ(decode("{\"reply\":3,\"error\":{\"type\":\"KeyError\",\"line\":null}}", &message),
                 0);
        CHECK_EQ(message.kind, HOST_CALL_FAILED);
        CHECK_EQ(message.failed.line, 0);
        CHECK_TEXT(message.failed.message, "");
        host_message_done(&message);
}

TEST(anything_else_is_refused)
{
        static const struct {
                const char *json;
                int result;
        } cases[] = {
                {"", -EBADMSG},
                {"[]", -EBADMSG},
                {"{}", -EBADMSG},
                {"{\"reply\":1}", -EBADMSG},
                {"{\"reply\":-1,\"result\":{}}", -EBADMSG},
                {"{\"reply\":\"1\",\"result\":{}}", -EBADMSG},
                {"{\"reply\":1,\"result\":[]}", -EBADMSG},
                {"{\"reply\":1,\"result\":{},\"error\":{}}", -EBADMSG},
                {"{\"reply\":1,\"error\":\"x\"}", -EBADMSG},
                {"{\"reply\":1,\"result\":{\"x\":NaN}}", -EBADMSG},
                {"{\"reply\":1,\"result\":{\"x\":\"\xff\"}}", -EILSEQ},
                {"{\"reply\":1,\"result\":{\"x\":9007199254740993}}", -ERANGE},
                {"{\"loaded\":{}}", -EBADMSG},
                {"{\"loaded\":{\"protocol\":2,\"commands\":[]}}", -EPROTONOSUPPORT},
                {"{\"loaded\":{\"protocol\":1}}", -EBADMSG},
                {"{\"loaded\":{\"protocol\":1,\"commands\":[1]}}", -EBADMSG},
                {"{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"a\"}]}}", -EBADMSG},
                {"{\"loaded\":{\"protocol\":1,\"commands\":[],\"self_test\":1}}", -EBADMSG},
                {"{\"load_failed\":1}", -EBADMSG},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct host_message message;

                CHECK_EQ(decode(cases[i].json, &message), cases[i].result);
        }
}
