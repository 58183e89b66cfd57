/* command/reply.h - how a command answers.
 *
 *     struct json_writer *w = command_reply_open(request, "pong");
 *     json_write_double(w, "uptime", ...);
 *     return command_reply_send(request);
 *
 * The reply is written once, straight into the bytes that leave. `success`,
 * `type`, `timestamp` and the request's `id` are the registry's to write.
 * Exactly one of send, fail and tree ends a request; what comes after (the
 * deadline has passed and answered in the command's place) is dropped. */
#pragma once

#include "base/attributes.h"
#include "command/code.h"
#include "command/command.h"
#include "data/json-writer.h"

/* `type` NULL: the command's name. The writer stands inside the open object,
 * and is valid until the next call for this request and until `run` returns; to
 * be used without a pause, since one buffer serves all commands. */
struct json_writer *command_reply_open(struct command_request *request, const char *type);
/* Returns 0: `return command_reply_send(request)` ends a `run`. */
int command_reply_send(struct command_request *request);

/* A failure: a sentence a person can act on. Returns 0, like send. */
int command_reply_fail(struct command_request *request, enum command_code code, const char *format,
                       ...) PRINTF_LIKE(3, 4);
/* A failure with more members: open, write them, then send. */
struct json_writer *command_reply_open_failure(struct command_request *request,
                                               enum command_code code, const char *format, ...)
        PRINTF_LIKE(3, 4);
/* The same with a type of its own in place of "error". */
struct json_writer *command_reply_open_refusal(struct command_request *request, const char *type,
                                               enum command_code code, const char *format, ...)
        PRINTF_LIKE(4, 5);

/* An object made elsewhere (a module's result): sent as it is, but `success`,
 * `type` and `timestamp` are added where they are missing. */
int command_reply_tree(struct command_request *request, const cJSON *object);
