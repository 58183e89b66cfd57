#include "cli/message-text.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "cli/printable.h"
#include "data/json-writer.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static int write_base64(struct json_writer *writer, const char *key, const void *bytes,
                        size_t length)
{
        size_t room = sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_ORIGINAL);
        AUTO_FREE char *text = malloc(room);

        if (!text)
                return -ENOMEM;
        sodium_bin2base64(text, room, bytes, length, sodium_base64_VARIANT_ORIGINAL);
        json_write_string(writer, key, text);
        return 0;
}

/* A NUL is well-formed UTF-8, but ends the text for many who read it. */
static bool is_text(const char *bytes, size_t length)
{
        return length == 0 ||
               (!memchr(bytes, '\0', length) && utf8_valid_prefix(bytes, length) == length);
}

static int write_properties(struct json_writer *writer, const struct client_message *message)
{
        int r = 0;

        json_write_object(writer, "properties");
        if (message->is_text)
                json_write_integer(writer, "payload_format", 1);
        if (message->has_expiry)
                json_write_integer(writer, "expiry", message->expiry_seconds);
        if (message->content_type)
                json_write_string(writer, "content_type", message->content_type);
        if (message->response_topic)
                json_write_string(writer, "response_topic", message->response_topic);
        if (message->correlation)
                r = write_base64(writer, "correlation_base64", message->correlation,
                                 message->correlation_length);
        if (message->pair_count > 0) {
                json_write_array(writer, "user");
                for (size_t i = 0; i < message->pair_count; i++) {
                        json_write_array(writer, NULL);
                        json_write_string(writer, NULL, message->pairs[i].name);
                        json_write_string(writer, NULL, message->pairs[i].value);
                        json_write_end(writer);
                }
                json_write_end(writer);
        }
        json_write_end(writer);
        return r;
}

static int write_json(struct buffer *out, const struct client_message *message, int64_t time_ns)
{
        struct json_writer writer;
        int r = 0;

        json_writer_init(&writer, out);
        json_write_object(&writer, NULL);
        json_write_double(&writer, "time", (double)(time_ns / 1000000) / 1000);
        json_write_string(&writer, "topic", message->topic);
        json_write_integer(&writer, "qos", message->qos);
        json_write_bool(&writer, "retain", message->retain);
        if (is_text(message->payload, message->payload_length))
                json_write_text(&writer, "payload", message->payload ? message->payload : "",
                                message->payload_length);
        else
                r = write_base64(&writer, "payload_base64", message->payload,
                                 message->payload_length);
        if (r == 0)
                r = write_properties(&writer, message);
        json_write_end(&writer);
        return r == 0 ? json_writer_error(&writer) : r;
}

static int append_json(struct buffer *out, const struct client_message *message, bool printable,
                       int64_t time_ns)
{
        struct buffer json;
        int r;

        if (!printable)
                return write_json(out, message, time_ns);
        buffer_init(&json, BUFFER_MAX);
        r = write_json(&json, message, time_ns);
        if (r == 0)
                r = printable_append_json(out, buffer_data(&json), buffer_length(&json));
        buffer_done(&json);
        return r;
}

static int append_bytes(struct buffer *out, const char *bytes, size_t length, bool printable)
{
        if (length == 0)
                return 0;
        return printable ? printable_append(out, bytes, length) : buffer_append(out, bytes, length);
}

static int append(struct buffer *out, const struct client_message *message,
                  enum message_shape shape, bool printable, int64_t time_ns)
{
        int r = 0;

        if (shape == MESSAGE_RAW)
                return append_bytes(out, message->payload, message->payload_length, false);
        if (shape == MESSAGE_JSON) {
                r = append_json(out, message, printable, time_ns);
                return r == 0 ? buffer_append(out, "\n", 1) : r;
        }
        if (shape == MESSAGE_VERBOSE) {
                r = append_bytes(out, message->topic, strlen(message->topic), printable);
                if (r == 0)
                        r = buffer_append(out, " ", 1);
        }
        if (r == 0)
                r = append_bytes(out, message->payload, message->payload_length, printable);
        return r == 0 ? buffer_append(out, "\n", 1) : r;
}

int message_text_append(struct buffer *out, const struct client_message *message,
                        enum message_shape shape, bool printable, int64_t time_ns)
{
        size_t before = buffer_length(out);
        int r = append(out, message, shape, printable, time_ns);

        if (r < 0)
                buffer_truncate(out, before);
        return r;
}
