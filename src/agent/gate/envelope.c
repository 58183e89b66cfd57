#include "agent/gate/envelope.h"

#include "base/attributes.h"
#include "data/json-writer.h"
#include "data/json.h"

#include <string.h>

const char *gate_envelope_type(enum command_code code)
{
        switch (code) {
        case COMMAND_BAD_JSON:
        case COMMAND_BAD_REQUEST:
        case COMMAND_BAD_PARAMS:
                return "ValueError";
        case COMMAND_BAD_VALUE:
                return "OutputDeviceBadValue";
        case COMMAND_UNAUTHORIZED:
        case COMMAND_FORBIDDEN:
                return "PermissionError";
        case COMMAND_NO_PIN:
                return "PinInvalidPin";
        case COMMAND_EXPIRED:
                return "TimeoutError";
        case COMMAND_LEASE_REQUIRED:
        case COMMAND_LEASE_HELD:
        case COMMAND_LEASE_STALE:
        case COMMAND_ESTOP:
        case COMMAND_INTERLOCK:
                return "LeaseError";
        case COMMAND_PIN_IN_USE:
                return "GPIOPinInUse";
        case COMMAND_HARDWARE:
        case COMMAND_UNSUPPORTED:
        case COMMAND_NOT_READY:
                return "PinError";
        default:
                return "GPIOZeroError";
        }
}

static bool is_one_of(const char *name, const char *const names[])
{
        for (; *names; names++) {
                if (strcmp(name, *names) == 0)
                        return true;
        }
        return false;
}

/* The members of a reply but for those named. */
static void write_rest(struct json_writer *writer, const char *key, const cJSON *reply,
                       const char *const but[])
{
        bool open = false;

        for (const cJSON *item = reply->child; item; item = item->next) {
                if (is_one_of(item->string, but))
                        continue;
                if (!open)
                        json_write_object(writer, key);
                open = true;
                json_write_tree(writer, item->string, item);
        }
        if (open)
                json_write_end(writer);
}

/* A module names its failures as it likes; here each has one of our codes. */
static void write_error(struct json_writer *writer, const cJSON *reply, bool with_id)
{
        const char *message = json_get_string(reply, "error");
        const char *name = json_get_string(reply, "code");
        enum command_code code = COMMAND_HARDWARE;
        bool known = name && command_code_parse(name, &code);
        const char *const but[] = {"success",
                                   "type",
                                   "timestamp",
                                   "error",
                                   "retry_ms",
                                   known ? "code" : "error",
                                   with_id ? "id" : NULL,
                                   NULL};
        int64_t retry_ms;

        json_write_object(writer, "error");
        json_write_string(writer, "code", command_code_name(code));
        json_write_integer(writer, "number", code);
        json_write_string(writer, "type", gate_envelope_type(code));
        json_write_string(writer, "message", message ? message : "the command failed");
        if (json_get_integer(reply, "retry_ms", &retry_ms))
                json_write_integer(writer, "retry_ms", retry_ms);
        write_rest(writer, "data", reply, but);
        json_write_end(writer);
}

static void write_result(struct json_writer *writer, const cJSON *reply, bool with_id)
{
        const char *const but[] = {"success", with_id ? "id" : NULL, NULL};

        write_rest(writer, "result", reply, but);
}

int gate_envelope_write(struct buffer *out, const char *reply, size_t length, bool with_id)
{
        AUTO_JSON cJSON *object = NULL;
        struct json_writer writer;
        bool ok;
        int r = json_parse(reply, length, JSON_DEPTH_MAX, &object, NULL);

        if (r < 0)
                return r;
        ok = cJSON_IsTrue(json_get(object, "success"));
        buffer_truncate(out, 0);
        json_writer_init(&writer, out);
        json_write_object(&writer, NULL);
        json_write_integer(&writer, "v", 1);
        if (with_id && json_get(object, "id"))
                json_write_tree(&writer, "id", json_get(object, "id"));
        json_write_bool(&writer, "ok", ok);
        if (ok)
                write_result(&writer, object, with_id);
        else
                write_error(&writer, object, with_id);
        json_write_end(&writer);
        return json_writer_error(&writer);
}
