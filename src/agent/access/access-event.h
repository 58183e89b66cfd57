/* agent/access/access-event.h - who came in, and who did not. Neither holds a
 * token or a part of one. */
#pragma once

#include "command/bus.h"
#include "command/principal.h"
#include "command/session.h"

#include <stdint.h>

enum { ACCESS_EVENT_TRANSPORT_MAX = 16 };

enum access_denied_reason {
        ACCESS_DENIED_UNKNOWN,    /* no such token; counted as a failed attempt */
        ACCESS_DENIED_DAMAGED,    /* it was one of ours once; counted */
        ACCESS_DENIED_LENGTH,     /* too short or too long; counted */
        ACCESS_DENIED_SLOWED,     /* came before the wait was over; not looked at */
        ACCESS_DENIED_OVERLOADED, /* could not be verified now */
};

struct access_denied {
        enum access_denied_reason reason;
        uint64_t retry_ms; /* the wait that the caller was told, or has to expect; 0: none */
        char transport[ACCESS_EVENT_TRANSPORT_MAX];
        char origin[COMMAND_ORIGIN_MAX];
};

struct access_granted {
        struct command_principal principal;
        char transport[ACCESS_EVENT_TRANSPORT_MAX];
        char origin[COMMAND_ORIGIN_MAX];
};

/* "access.denied": an attempt failed or was refused. A single caller can cause as
 * many as it has requests, so a subscriber that logs leaves the limit to its log. */
extern const struct command_event_type access_denied_event;
/* "access.granted": a session became somebody by `auth`. A token inside a request
 * is not told here: what the request changed is in the audit. */
extern const struct command_event_type access_granted_event;

const char *access_denied_reason_name(enum access_denied_reason reason); /* "unknown" */
