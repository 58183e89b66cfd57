/* agent/handler/handler-fixture.h - for tests: the whole room, on a real disk in memory and on a
 * clock that is moved by hand, with a sandbox in which the test plays every program
 * (sandbox-fixture.h). */
#pragma once

#include "agent/handler/handler.h"
#include "agent/handler/sandbox-fixture.h"
#include "command/registry.h"
#include "support/test.h"

#include <stdio.h>

#define VALIDATOR "0-validator"
#define COMPILER "0-compiler"
#define VALID "{\"valid\":true}"

enum { HANDLER_FIXTURE_REPLIES = 64, HANDLER_FIXTURE_SAID = 65536 };

struct handler_fixture {
        char state[64]; /* a folder of its own */
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct command_subscription *events;
        struct handler_config config;
        struct handler *handler;
        struct command_session session;
        char *replies[HANDLER_FIXTURE_REPLIES]; /* in the order in which they came */
        size_t replies_count;
        char said[HANDLER_FIXTURE_SAID]; /* events, "deployed a.py: ..." a line each */
};

/* Makes the folder; the room is opened by handler_fixture_start(), also again after _stop(). */
void handler_fixture_init(struct handler_fixture *f);
void handler_fixture_done(struct handler_fixture *f);
void handler_fixture_start(struct handler_fixture *f);
void handler_fixture_stop(struct handler_fixture *f);

/* Asks; whether a reply has come shows replies_count. */
void handler_fixture_ask(struct handler_fixture *f, const char *json);
void handler_fixture_update(struct handler_fixture *f, const char *filename, const char *code);
/* Fails the test when it does not come to be within 20 s of real time. */
#define HANDLER_FIXTURE_AWAIT(f, condition)                                                        \
        do {                                                                                       \
                for (unsigned tries_ = 0; !(condition); tries_++) {                                \
                        if (tries_ == 2000)                                                        \
                                FAIL("never: %s; said: %s", #condition, (f)->said);                \
                        loop_run_once((f)->loop, 10);                                              \
                }                                                                                  \
        } while (0)
/* The reply to the `index`-th request of all has come and has all of `words` in it. */
void handler_fixture_check_reply(struct handler_fixture *f, size_t index, const char *words);
/* What happened has `words` in it by now, or soon. */
void handler_fixture_await_event(struct handler_fixture *f, const char *words);

/* The validator of the newest change says that, and ends. */
void handler_fixture_judge(struct handler_fixture *f, const char *report);
/* The newest host of that module says this frame. */
void handler_fixture_host_says(struct handler_fixture *f, const char *filename, const char *json);
/* It has loaded, with this one command. */
void handler_fixture_loads(struct handler_fixture *f, const char *filename, const char *command);
/* All of the above, until the reply says that it is in service. */
void handler_fixture_deploy(struct handler_fixture *f, const char *filename, const char *code,
                            const char *command);
/* A file in the state directory. */
void handler_fixture_write(const struct handler_fixture *f, const char *path, const char *text);
bool handler_fixture_serves(const struct handler_fixture *f, const char *command);
