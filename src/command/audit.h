/* command/audit.h - who changed what: an event for every command that changes
 * something, whether it succeeded or was refused. */
#pragma once

#include "command/bus.h"
#include "command/command.h"
#include "command/session.h"

struct command_audit {
        char command[COMMAND_NAME_MAX + 1];
        char who[COMMAND_PRINCIPAL_NAME_MAX];
        enum command_role role;
        char transport[16];
        char origin[COMMAND_ORIGIN_MAX];
        char outcome[24]; /* "ok" or the failure's code */
        uint64_t duration_us;
};

extern const struct command_event_type command_audit_event; /* "command.audit" */
