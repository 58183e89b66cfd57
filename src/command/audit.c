#include "command/audit.h"

static void audit_write(const void *payload, struct json_writer *writer)
{
        const struct command_audit *audit = payload;

        json_write_string(writer, "command", audit->command);
        json_write_string(writer, "who", audit->who);
        json_write_string(writer, "role", command_role_name(audit->role));
        json_write_string(writer, "transport", audit->transport);
        json_write_string(writer, "origin", audit->origin);
        json_write_string(writer, "outcome", audit->outcome);
        json_write_double(writer, "duration", (double)audit->duration_us / 1e6);
}

const struct command_event_type command_audit_event = {
        .name = "command.audit",
        .size = sizeof(struct command_audit),
        .write = audit_write,
};
