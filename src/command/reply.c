#include "command/registry-internal.h"

#include "data/json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { REPLY_KEEP = 64 << 10 }; /* capacity kept between replies */

static struct json_writer *reply_begin(struct command_request *request, bool success)
{
        struct command_registry *registry = request->registry;

        buffer_truncate(&registry->reply, 0);
        buffer_shrink(&registry->reply, REPLY_KEEP);
        json_writer_init(&registry->writer, &registry->reply);
        json_write_object(&registry->writer, NULL);
        request->success = success;
        json_write_bool(&registry->writer, "success", success);
        return &registry->writer;
}

static void write_timestamp(struct command_request *request)
{
        const char *now = loop_wall_text(request->registry->loop);

        json_write_raw(&request->registry->writer, "timestamp", now, strlen(now));
}

static void write_id(struct command_request *request)
{
        if (request->id)
                json_write_tree(&request->registry->writer, "id", request->id);
}

/* Keeps how this reply begins for the next of its kind in this round: success, type
 * and timestamp are the same for all of them. */
static void keep_head(struct command_request *request, const char *type)
{
        struct command_registry *registry = request->registry;
        struct reply_head *head = &registry->head;

        head->length = buffer_length(&registry->reply);
        if (json_writer_error(&registry->writer) < 0 || head->length > sizeof(head->text))
                return;
        memcpy(head->text, buffer_data(&registry->reply), head->length);
        head->writer = registry->writer;
        head->entry = request->entry;
        head->type = type;
        head->round = loop_round(registry->loop);
}

static bool begin_with_head(struct command_request *request, const char *type)
{
        struct command_registry *registry = request->registry;
        const struct reply_head *head = &registry->head;

        if (head->entry != request->entry || head->type != type ||
            head->round != loop_round(registry->loop))
                return false;
        buffer_truncate(&registry->reply, 0);
        if (buffer_append(&registry->reply, head->text, head->length) < 0)
                return false;
        registry->writer = head->writer;
        request->success = true;
        return true;
}

struct json_writer *command_reply_open(struct command_request *request, const char *type)
{
        struct json_writer *writer = &request->registry->writer;

        if (!begin_with_head(request, type)) {
                reply_begin(request, true);
                json_write_string(writer, "type", type ? type : request->entry->definition.name);
                write_timestamp(request);
                keep_head(request, type);
        }
        write_id(request);
        return writer;
}

static struct json_writer *open_refusal(struct command_request *request, const char *type,
                                        enum command_code code, const char *sentence)
{
        struct json_writer *writer = reply_begin(request, false);

        request->code = code;
        json_write_string(writer, "type", type);
        write_timestamp(request);
        write_id(request);
        json_write_string(writer, "error", sentence);
        json_write_string(writer, "code", command_code_name(code));
        return writer;
}

static struct json_writer *open_failure(struct command_request *request, enum command_code code,
                                        const char *sentence)
{
        return open_refusal(request, "error", code, sentence);
}

struct json_writer *command_reply_open_refusal(struct command_request *request, const char *type,
                                               enum command_code code, const char *format, ...)
{
        char sentence[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        return open_refusal(request, type, code, sentence);
}

struct json_writer *command_reply_open_failure(struct command_request *request,
                                               enum command_code code, const char *format, ...)
{
        char sentence[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        return open_failure(request, code, sentence);
}

static int put_newline(struct buffer *reply)
{
        return buffer_append(reply, "\n", 1);
}

/* Closes the object. A reply that could not be written whole becomes a failure
 * that says so: a caller never sees half of one. */
static void reply_close(struct command_request *request)
{
        struct json_writer *writer = &request->registry->writer;
        int r;

        json_write_end(writer);
        r = json_writer_error(writer);
        if (r == 0)
                r = put_newline(&request->registry->reply);
        if (r == 0)
                return;
        if (r == -EMSGSIZE)
                open_failure(request, COMMAND_TOO_LARGE,
                             "the reply is larger than 16 MiB; ask for less at once");
        else
                open_failure(request, COMMAND_BUSY, "not enough memory; try again later");
        json_write_end(writer);
        /* Without memory for 200 bytes nothing can be said: the reply is empty. */
        if (json_writer_error(writer) < 0 || put_newline(&request->registry->reply) < 0)
                buffer_truncate(&request->registry->reply, 0);
}

int command_reply_send(struct command_request *request)
{
        assert(!request->ended);
        request->ended = true;
        if (request->answered) {
                command_request_release_if_done(request);
                return 0;
        }
        reply_close(request);
        command_request_answer(request);
        return 0;
}

int command_reply_fail(struct command_request *request, enum command_code code, const char *format,
                       ...)
{
        char sentence[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(sentence, sizeof(sentence), format, arguments);
        va_end(arguments);
        open_failure(request, code, sentence);
        return command_reply_send(request);
}

void command_reply_expire(struct command_request *request)
{
        char sentence[ERROR_TEXT_MAX];

        snprintf(sentence, sizeof(sentence),
                 "%s did not answer within %.3g s; it may still be at work",
                 request->entry->definition.name, (double)request->timeout_ms / 1000);
        open_failure(request, COMMAND_EXPIRED, sentence);
        reply_close(request);
        command_request_answer(request);
}

/* Written by us, whatever a module says of them besides. */
static bool is_reply_member(const struct command_request *request, const char *name)
{
        return strcmp(name, "success") == 0 || strcmp(name, "type") == 0 ||
               strcmp(name, "timestamp") == 0 || (request->id && strcmp(name, "id") == 0);
}

int command_reply_tree(struct command_request *request, const cJSON *object)
{
        const char *type = json_get_string(object, "type");
        const cJSON *timestamp = json_get(object, "timestamp");
        struct json_writer *writer = &request->registry->writer;

        buffer_truncate(&request->registry->reply, 0);
        buffer_shrink(&request->registry->reply, REPLY_KEEP);
        json_writer_init(writer, &request->registry->reply);
        json_write_object(writer, NULL);
        request->success = !cJSON_IsFalse(json_get(object, "success"));
        request->code = 0;
        json_write_bool(writer, "success", request->success);
        json_write_string(writer, "type", type ? type : request->entry->definition.name);
        if (cJSON_IsNumber(timestamp))
                json_write_tree(writer, "timestamp", timestamp);
        else
                write_timestamp(request);
        write_id(request);
        for (const cJSON *item = object->child; item; item = item->next) {
                if (!is_reply_member(request, item->string))
                        json_write_tree(writer, item->string, item);
        }
        return command_reply_send(request);
}
