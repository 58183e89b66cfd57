/* agent/handler/host-protocol.h - what agent and host say to each other: frames of
 * JSON on a stream. Page: docs/host-protocol.md.
 *
 * A frame is its length in four bytes, most significant first, and that many bytes
 * of UTF-8: one JSON object. To the host:
 *
 *     {"load":{"module":"camera_handlers.py","self_test":true}}
 *     {"call":17,"command":"camera_status","request":{...}}
 *
 * and back:
 *
 *     {"loaded":{"protocol":1,"commands":[{"name":"...","description":"..."}],"self_test":null}}
 *     {"load_failed":{"type":"ValueError","message":"...","line":12,"traceback":"..."}}
 *     {"reply":17,"result":{...}}
 *     {"reply":17,"error":{"type":"KeyError","message":"...","line":40,"traceback":"..."}}
 *
 * A host runs strangers' code, so whatever it says may be made up: anything else
 * than the above is an error, after which nothing of it is believed. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

#include "data/json.h"
#include <stdbool.h>
#include <stdint.h>

/* Types of load_failed that say more than that loading failed. */
#define HOST_FAILURE_BAD_COMMAND_NAME "BadCommandName"
#define HOST_FAILURE_TOO_MANY_COMMANDS "TooManyCommands"

enum {
        HOST_PROTOCOL_VERSION = 1,
        HOST_FRAME_HEADER = 4,
        HOST_FRAME_FROM_MAX = 1 << 20, /* bytes of JSON from a host */
        HOST_FRAME_TO_MAX = 16 << 20,  /* to it */
        HOST_COMMANDS_MAX = 256,
        HOST_COMMAND_NAME_MAX = 64,
        HOST_JSON_DEPTH = 40, /* levels of a frame; of a result 32, which hosts look to */
};

enum host_message_kind { HOST_LOADED, HOST_LOAD_FAILED, HOST_REPLY, HOST_CALL_FAILED };

enum host_self_test { HOST_SELF_TEST_NONE, HOST_SELF_TEST_PASSED, HOST_SELF_TEST_FAILED };

/* Texts point into `tree`, and are "" where the host said nothing. */
struct host_message {
        enum host_message_kind kind;
        cJSON *tree; /* owned */
        union {
                struct {
                        const cJSON *commands; /* an array of objects; see below */
                        size_t commands_count;
                        enum host_self_test self_test;
                        const char *self_test_reason;
                } loaded;
                struct {
                        uint64_t call;
                        const cJSON *result; /* an object */
                } reply;
                struct {
                        uint64_t call; /* HOST_CALL_FAILED */
                        const char *type, *message, *traceback;
                        int64_t line; /* of the module; 0: not known */
                } failed;
        };
};

/* Exactly one frame's JSON. -EBADMSG and others of json_parse() with a sentence:
 * not of the protocol; -EPROTONOSUPPORT: of another version; -ENOMEM. */
int host_message_decode(const char *json, size_t length, struct host_message *ret,
                        struct error *error);
void host_message_done(struct host_message *message);
/* One of `loaded.commands`: names are not looked at but for their length. */
void host_message_command(const struct host_message *message, size_t index, const char **name,
                          const char **description);

/* 1: *json is the frame at the front of `in`, HOST_FRAME_HEADER + *length bytes to be
 * consumed; 0: more bytes are needed; -EMSGSIZE: it announces too much; -EBADMSG:
 * nothing. */
int host_frame_next(const struct buffer *in, const char **json, size_t *length);

/* Append a frame. -EMSGSIZE: beyond HOST_FRAME_TO_MAX or what the buffer takes, and
 * nothing was appended; -ENOMEM. */
int host_frame_load(struct buffer *out, const char *module, bool self_test);
/* `arguments`: an object, that of the request without the wire's members; `id`, which the
 * caller may have sent as an argument of the command, or NULL. */
int host_frame_call(struct buffer *out, uint64_t call, const char *command, const cJSON *arguments,
                    const cJSON *id);
