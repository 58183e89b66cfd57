/* command/registry-fixture.h - a registry with a few commands and one session, for tests. */
#pragma once

#include "command/registry.h"
#include "support/test.h"

#include <stdio.h>

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct command_session session;
        struct command_request *held; /* by the command "wait" */
        char reply[4096];
        unsigned replies;
        bool success;
        const char *ran;
};

/* ping, auth, wait (held, for 500 ms at most), fault (-EIO), led_on (updatable, with `pin`). */
enum { FIXTURE_COMMANDS = 5 };
extern const struct command fixture_commands[FIXTURE_COMMANDS];

/* Those commands, and an administrator's session. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Keeps the last reply in the fixture, its owner. */
void fixture_on_reply(void *owner, const char *json, size_t length, bool success);
/* A command that says it ran as "other". */
int run_other(void *owner, struct command_request *request);

/* Calls; the reply is in the fixture, or comes later to the request that is returned. */
struct command_request *ask(struct fixture *f, const char *json);
/* The reply is an error with that code, and has `words` in it. */
void check_refused(struct fixture *f, const char *json, const char *code, const char *words);
