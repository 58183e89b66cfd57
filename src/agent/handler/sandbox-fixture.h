/* agent/handler/sandbox-fixture.h - for tests: stands in for sandbox/sandbox.h.
 *
 * There is no spawner and no program: what is started stays here with its descriptors, and the test
 * says what becomes of it. One sandbox at a time. */
#pragma once

#include "sandbox/sandbox.h"

enum { SANDBOX_FIXTURE_PROGRAMS = 64, SANDBOX_FIXTURE_EVENTS = 256 };

struct sandbox_fixture_program {
        uint64_t id;
        char name[SANDBOX_NAME_MAX];
        int report;       /* our end of its standard output, -1: it has none */
        int object;       /* the fifth descriptor: what a compiler writes; -1: none */
        int conversation; /* the fourth: a host's end; -1: none */
        bool alive;
};

/* What the code under test has asked for, and what it is told. */
struct sandbox_fixture {
        struct sandbox *made; /* NULL: none is there */
        int refuse_new, refuse_start, refuse_kill;
        bool silent; /* a sandbox does not say that it is ready, nor a program that it was started
                      */
        bool dying;  /* those that are killed take their time */
        unsigned news, kills;
        uint64_t killed;
        char forgotten[SANDBOX_NAME_MAX];
        struct sandbox_fixture_program programs[SANDBOX_FIXTURE_PROGRAMS];
        size_t programs_count;
};
extern struct sandbox_fixture sandbox_fixture;

/* Before each test. */
void sandbox_fixture_init(void);
/* The spawner says this next. */
void sandbox_fixture_say(struct sandbox_event event);
/* The program at `index` ends like this; once. */
void sandbox_fixture_end(size_t index, int wait_status, unsigned children);
/* The newest of that name that is alive; the test fails when there is none. */
size_t sandbox_fixture_find(const char *name);
bool sandbox_fixture_has(const char *name); /* is one of them alive? */
