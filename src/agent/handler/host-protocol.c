#include "agent/handler/host-protocol.h"

#include "base/cleanup.h"
#include "data/json-writer.h"
#include "data/json.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

/* --- frames ------------------------------------------------------------------------------ */

int host_frame_next(const struct buffer *in, const char **json, size_t *length)
{
        uint32_t announced;

        if (buffer_length(in) < HOST_FRAME_HEADER)
                return 0;
        memcpy(&announced, buffer_data(in), HOST_FRAME_HEADER);
        announced = be32toh(announced);
        if (announced == 0)
                return -EBADMSG;
        if (announced > HOST_FRAME_FROM_MAX)
                return -EMSGSIZE;
        if (buffer_length(in) - HOST_FRAME_HEADER < announced)
                return 0;
        *json = buffer_data(in) + HOST_FRAME_HEADER;
        *length = announced;
        return 1;
}

/* Room for the length; returns where the frame begins. */
static int frame_begin(struct buffer *out, struct json_writer *writer, size_t *start)
{
        static const char room[HOST_FRAME_HEADER];

        *start = buffer_length(out);
        json_writer_init(writer, out);
        return buffer_append(out, room, sizeof(room));
}

static int frame_end(struct buffer *out, const struct json_writer *writer, size_t start)
{
        size_t length = buffer_length(out) - start - HOST_FRAME_HEADER;
        int r = json_writer_error(writer);
        uint32_t header = htobe32((uint32_t)length);

        if (r == 0 && length > HOST_FRAME_TO_MAX)
                r = -EMSGSIZE;
        if (r < 0) {
                buffer_truncate(out, start);
                return r;
        }
        memcpy(buffer_data(out) + start, &header, HOST_FRAME_HEADER);
        return 0;
}

int host_frame_load(struct buffer *out, const char *module, bool self_test)
{
        struct json_writer writer;
        size_t start;
        int r;

        r = frame_begin(out, &writer, &start);
        if (r < 0)
                return r;
        json_write_object(&writer, NULL);
        json_write_object(&writer, "load");
        json_write_string(&writer, "module", module);
        json_write_bool(&writer, "self_test", self_test);
        json_write_end(&writer);
        json_write_end(&writer);
        return frame_end(out, &writer, start);
}

int host_frame_call(struct buffer *out, uint64_t call, const char *command, const cJSON *arguments,
                    const cJSON *id)
{
        struct json_writer writer;
        size_t start;
        int r;

        r = frame_begin(out, &writer, &start);
        if (r < 0)
                return r;
        json_write_object(&writer, NULL);
        json_write_integer(&writer, "call", (int64_t)call);
        json_write_string(&writer, "command", command);
        json_write_object(&writer, "request");
        json_write_string(&writer, "command", command);
        if (id)
                json_write_tree(&writer, "id", id);
        for (const cJSON *item = arguments->child; item; item = item->next)
                json_write_tree(&writer, item->string, item);
        json_write_end(&writer);
        json_write_end(&writer);
        return frame_end(out, &writer, start);
}

/* --- messages ---------------------------------------------------------------------------- */

static const char *text_of(const cJSON *object, const char *name)
{
        const char *text = json_get_string(object, name);

        return text ? text : "";
}

static int refuse(struct error *error, const char *what)
{
        return error_set(error, -EBADMSG, "%s", what);
}

static int decode_commands(const cJSON *loaded, struct host_message *ret, struct error *error)
{
        const cJSON *commands = json_get(loaded, "commands"), *item;
        size_t count = 0;

        if (!cJSON_IsArray(commands))
                return refuse(error, "`commands` is no list");
        cJSON_ArrayForEach(item, commands)
        {
                const char *name = json_get_string(item, "name");

                if (!name || !json_get_string(item, "description"))
                        return refuse(error, "a command needs name and description");
                count++;
        }
        ret->loaded.commands = commands;
        ret->loaded.commands_count = count;
        return 0;
}

static int decode_loaded(const cJSON *loaded, struct host_message *ret, struct error *error)
{
        const cJSON *self_test = json_get(loaded, "self_test");
        int64_t protocol;

        if (!json_get_integer(loaded, "protocol", &protocol))
                return refuse(error, "`protocol` is missing");
        if (protocol != HOST_PROTOCOL_VERSION)
                return error_set(error, -EPROTONOSUPPORT, "it speaks version %lld of the protocol",
                                 (long long)protocol);
        ret->kind = HOST_LOADED;
        ret->loaded.self_test_reason = "";
        if (!self_test || cJSON_IsNull(self_test)) {
                ret->loaded.self_test = HOST_SELF_TEST_NONE;
        } else if (cJSON_IsTrue(self_test)) {
                ret->loaded.self_test = HOST_SELF_TEST_PASSED;
        } else if (cJSON_IsFalse(self_test) || cJSON_IsString(self_test)) {
                ret->loaded.self_test = HOST_SELF_TEST_FAILED;
                if (cJSON_IsString(self_test))
                        ret->loaded.self_test_reason = self_test->valuestring;
        } else {
                return refuse(error, "`self_test` is neither null, a boolean nor text");
        }
        return decode_commands(loaded, ret, error);
}

static int decode_failure(const cJSON *failure, enum host_message_kind kind,
                          struct host_message *ret, struct error *error)
{
        if (!cJSON_IsObject(failure))
                return refuse(error, "a failure is an object");
        ret->kind = kind;
        ret->failed.type = text_of(failure, "type");
        ret->failed.message = text_of(failure, "message");
        ret->failed.traceback = text_of(failure, "traceback");
        ret->failed.line = 0;
        (void)json_get_integer(failure, "line", &ret->failed.line);
        if (ret->failed.line < 0)
                ret->failed.line = 0;
        return 0;
}

static int decode_reply(const cJSON *tree, struct host_message *ret, struct error *error)
{
        const cJSON *result = json_get(tree, "result"), *failure = json_get(tree, "error");
        int64_t call;
        int r;

        if (!json_get_integer(tree, "reply", &call) || call < 0)
                return refuse(error, "`reply` is no number of a call");
        if ((result != NULL) == (failure != NULL))
                return refuse(error, "a reply has either `result` or `error`");
        if (failure) {
                r = decode_failure(failure, HOST_CALL_FAILED, ret, error);
                if (r < 0)
                        return r;
                ret->failed.call = (uint64_t)call;
                return 0;
        }
        if (!cJSON_IsObject(result))
                return refuse(error, "`result` is no object");
        ret->kind = HOST_REPLY;
        ret->reply.call = (uint64_t)call;
        ret->reply.result = result;
        return 0;
}

int host_message_decode(const char *json, size_t length, struct host_message *ret,
                        struct error *error)
{
        struct host_message message = {0};
        AUTO_JSON cJSON *tree = NULL;
        const cJSON *item;
        int r;

        r = json_parse(json, length, HOST_JSON_DEPTH, &tree, error);
        if (r < 0)
                return r;
        if (!cJSON_IsObject(tree))
                return refuse(error, "not an object");
        if ((item = json_get(tree, "reply")))
                r = decode_reply(tree, &message, error);
        else if ((item = json_get(tree, "loaded")))
                r = decode_loaded(item, &message, error);
        else if ((item = json_get(tree, "load_failed")))
                r = decode_failure(item, HOST_LOAD_FAILED, &message, error);
        else
                r = refuse(error, "not one of the messages of a host");
        if (r < 0)
                return r;
        message.tree = TAKE(tree);
        *ret = message;
        return 0;
}

void host_message_done(struct host_message *message)
{
        cJSON_Delete(message->tree);
        message->tree = NULL;
}

void host_message_command(const struct host_message *message, size_t index, const char **name,
                          const char **description)
{
        const cJSON *item = cJSON_GetArrayItem(message->loaded.commands, (int)index);

        *name = json_get_string(item, "name");
        *description = json_get_string(item, "description");
}
