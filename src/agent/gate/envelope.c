#include "agent/gate/envelope.h"

#include "data/json-writer.h"

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

int gate_envelope_write_failure(struct buffer *out, const cJSON *id, enum command_code code,
                                const char *message)
{
        struct json_writer writer;

        buffer_truncate(out, 0);
        json_writer_init(&writer, out);
        json_write_object(&writer, NULL);
        json_write_integer(&writer, "v", 1);
        if (id)
                json_write_tree(&writer, "id", id);
        json_write_bool(&writer, "ok", false);
        json_write_object(&writer, "error");
        json_write_string(&writer, "code", command_code_name(code));
        json_write_integer(&writer, "number", code);
        json_write_string(&writer, "type", gate_envelope_type(code));
        json_write_string(&writer, "message", message);
        json_write_end(&writer);
        json_write_end(&writer);
        return json_writer_error(&writer);
}
