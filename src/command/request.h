/* command/request.h - one call of a command on its way.
 *
 * A transport makes one from a parsed object and hands it to the registry; the
 * reply comes back through `on_reply`, exactly once, at once or later. */
#pragma once

#include "base/attributes.h"
#include "command/code.h"
#include "command/session.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

struct command_request;
struct command_registry;

/* The whole reply, one JSON object on one line, valid during the call. Behind it,
 * not counted, stands a newline for transports that want one; a length of 0 means
 * that there was no memory for any reply, and the transport closes. Never called
 * after command_request_abandon(). */
typedef void command_on_reply_fn(void *owner, const char *json, size_t length, bool success);

struct command_call {
        struct command_session *session; /* the request copies what it keeps */
        /* The request object. Taken over in every case. */
        cJSON *object;
        uint64_t received_ms; /* loop time */
        command_on_reply_fn *on_reply;
        void *owner;
};

/* Takes `command`, `id` and the token members out of the object, checks access
 * and arguments and runs the command. The reply may come before this returns,
 * and then *pending (may be NULL) is NULL; else it is the request that runs on,
 * valid until its on_reply or its abandonment. */
void command_dispatch(struct command_registry *registry, const struct command_call *call,
                      struct command_request **pending);

/* For failures before a dispatch: malformed JSON, a line too long, too many at once. Repeats
 * the object's `id`, if there is an object and an id. */
void command_refuse(struct command_registry *registry, const struct command_call *call,
                    enum command_code code, const char *format, ...) PRINTF_LIKE(4, 5);

/* Nobody waits any more (the connection is gone). The command runs to its end,
 * its reply is dropped. */
void command_request_abandon(struct command_request *request);

/* For commands. */
const cJSON *command_request_arguments(const struct command_request *request);
/* The `id` that came with it; NULL: none. */
const cJSON *command_request_id(const struct command_request *request);
/* The `lease_token` that came with it, for guards; NULL: none. */
const char *command_request_lease_token(const struct command_request *request);
const char *command_request_name(const struct command_request *request);
const struct command_principal *command_request_principal(const struct command_request *request);
/* NULL once the caller is gone. */
struct command_session *command_request_session(const struct command_request *request);
struct command_registry *command_request_registry(const struct command_request *request);
/* Moves the deadline: `ms` from now. For commands that last as long as their
 * arguments say. */
void command_request_extend(struct command_request *request, uint64_t ms);
