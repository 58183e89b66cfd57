#include "agent/access/access-event.h"

#include "base/attributes.h"

_Static_assert(sizeof(struct access_denied) <= COMMAND_EVENT_PAYLOAD_MAX, "fits the bus");
_Static_assert(sizeof(struct access_granted) <= COMMAND_EVENT_PAYLOAD_MAX, "fits the bus");

const char *access_denied_reason_name(enum access_denied_reason reason)
{
        static const char *const names[] = {
                [ACCESS_DENIED_UNKNOWN] = "unknown",       [ACCESS_DENIED_DAMAGED] = "damaged",
                [ACCESS_DENIED_LENGTH] = "length",         [ACCESS_DENIED_SLOWED] = "slowed",
                [ACCESS_DENIED_OVERLOADED] = "overloaded",
        };

        return (size_t)reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

static void write_denied(const void *payload, struct json_writer *writer)
{
        const struct access_denied *denied = payload;

        json_write_string(writer, "reason", access_denied_reason_name(denied->reason));
        json_write_string(writer, "transport", denied->transport);
        json_write_string(writer, "origin", denied->origin);
        json_write_integer(writer, "retry_ms", (int64_t)denied->retry_ms);
}

static void write_granted(const void *payload, struct json_writer *writer)
{
        const struct access_granted *granted = payload;

        json_write_string(writer, "name", granted->principal.name);
        json_write_string(writer, "role", command_role_name(granted->principal.role));
        json_write_string(writer, "transport", granted->transport);
        json_write_string(writer, "origin", granted->origin);
}

const struct command_event_type access_denied_event = {
        .name = "access.denied",
        .size = sizeof(struct access_denied),
        .write = write_denied,
};

const struct command_event_type access_granted_event = {
        .name = "access.granted",
        .size = sizeof(struct access_granted),
        .write = write_granted,
};
