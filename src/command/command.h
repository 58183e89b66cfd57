/* command/command.h - what a command is: a name, arguments, a result.
 *
 * A room describes its commands in a table and registers them with an owner:
 *
 *     static const struct command commands[] = {
 *             {.name = "ping", .role = COMMAND_ROLE_VIEWER, .run = run_ping,
 *              .description = "Answers at once: is the agent there?"},
 *     };
 *
 * `run` is called on the loop's thread with arguments that match the schema. It
 * replies before it returns, or returns COMMAND_PENDING and replies later, in
 * both cases through command/reply.h. It never blocks. */
#pragma once

#include "command/principal.h"

#include <stdbool.h>
#include <stdint.h>

struct command_request;

/* Results of `run` beside 0 (replied) and -errno (the registry replies for it). */
enum { COMMAND_PENDING = 1 };

typedef int command_run_fn(void *owner, struct command_request *request);

enum command_layer {
        COMMAND_LAYER_PROTECTED, /* nothing deployed may take its name */
        COMMAND_LAYER_UPDATABLE, /* a deployed module may stand in for it */
        COMMAND_LAYER_DEPLOYED,  /* from a module */
};

enum {
        COMMAND_NAME_MAX = 64,
        COMMAND_TIMEOUT_DEFAULT_MS = 10000,
};

struct command {
        const char *name; /* [a-z][a-z0-9_.]{0,63} */
        const char *description;
        const char *schema; /* JSON Schema of the arguments; NULL: any object */
        enum command_role role;
        enum command_layer layer;
        bool changes;        /* changes something: goes into the audit */
        bool authenticates;  /* a token that comes with it counts for the whole session */
        uint32_t timeout_ms; /* 0: COMMAND_TIMEOUT_DEFAULT_MS */
        command_run_fn *run;
};
