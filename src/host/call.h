/* host/call.h - one call of a handler: its request, its result, its failure. */
#pragma once

#include <pifleet/handler.h>

#include "base/buffer.h"
#include "base/error.h"
#include "data/json-writer.h"

#include <cjson/cJSON.h>

enum { HOST_RESULT_DEPTH = 32 }; /* levels of a frame, which is one around the result */

struct host_call {
        struct pifleet_call public; /* what the handler sees */
        const cJSON *request;       /* not owned */
        struct json_writer *writer; /* where the result goes; inside its object */
        unsigned outside;           /* levels of the frame that are not the handler's */
        struct buffer request_text; /* the request as JSON, once it was asked for */
        struct error bad_reply;     /* code is 0 while the result is fine */
        struct error failure;       /* what pifleet_fail() said; code is 0 while nothing */
        int failure_line;
};

/* What became of a call; a failure has type, text and perhaps a line (else 0). */
struct host_outcome {
        bool ok;
        const char *type;
        const char *message;
        int line;
};

/* Runs a handler. Its result is written as members of the object that is open in
 * `writer`. `outcome` points into `call`, which the caller ends with host_call_done(). */
void host_call_run(struct host_call *call, pifleet_handler *handler, const char *command,
                   const cJSON *request, struct json_writer *writer, struct host_outcome *outcome);
void host_call_done(struct host_call *call);
