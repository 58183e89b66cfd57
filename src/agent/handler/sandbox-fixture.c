#include "agent/handler/sandbox-fixture.h"

#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct sandbox {
        int wake;
        struct sandbox_event events[SANDBOX_FIXTURE_EVENTS];
        size_t first, count;
};

struct sandbox_fixture sandbox_fixture;

void sandbox_fixture_init(void)
{
        memset(&sandbox_fixture, 0, sizeof(sandbox_fixture));
}

void sandbox_fixture_say(struct sandbox_event event)
{
        struct sandbox *sandbox = sandbox_fixture.made;

        CHECK(sandbox != NULL && sandbox->count < SANDBOX_FIXTURE_EVENTS);
        sandbox->events[(sandbox->first + sandbox->count++) % SANDBOX_FIXTURE_EVENTS] = event;
        CHECK_EQ(eventfd_write(sandbox->wake, 1), 0);
}

static void program_close(struct sandbox_fixture_program *program)
{
        int *const ends[] = {&program->report, &program->object, &program->conversation};

        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                if (*ends[i] >= 0)
                        close(*ends[i]);
                *ends[i] = -1;
        }
        program->alive = false;
}

void sandbox_fixture_end(size_t index, int wait_status, unsigned children)
{
        struct sandbox_fixture_program *program = &sandbox_fixture.programs[index];

        if (!program->alive)
                return;
        program_close(program);
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_ENDED,
                                                   .id = program->id,
                                                   .wait_status = wait_status,
                                                   .children_killed = children});
}

bool sandbox_fixture_has(const char *name)
{
        for (size_t i = 0; i < sandbox_fixture.programs_count; i++)
                if (sandbox_fixture.programs[i].alive &&
                    strcmp(sandbox_fixture.programs[i].name, name) == 0)
                        return true;
        return false;
}

size_t sandbox_fixture_find(const char *name)
{
        size_t i = sandbox_fixture.programs_count;

        CHECK(sandbox_fixture_has(name));
        do
                i--;
        while (!sandbox_fixture.programs[i].alive ||
               strcmp(sandbox_fixture.programs[i].name, name) != 0);
        return i;
}

/* --- sandbox/sandbox.h ------------------------------------------------------------------- */

int sandbox_new(const struct sandbox_options *options, struct sandbox **ret, struct error *error)
{
        struct sandbox *sandbox;

        (void)options;
        (void)error;
        sandbox_fixture.news++;
        if (sandbox_fixture.refuse_new < 0)
                return sandbox_fixture.refuse_new;
        sandbox = calloc(1, sizeof(*sandbox));
        CHECK(sandbox != NULL);
        sandbox->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
        sandbox_fixture.made = sandbox;
        if (!sandbox_fixture.silent)
                sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_READY});
        *ret = sandbox;
        return 0;
}

struct sandbox *sandbox_free(struct sandbox *sandbox)
{
        if (!sandbox)
                return NULL;
        for (size_t i = 0; i < sandbox_fixture.programs_count; i++)
                program_close(&sandbox_fixture.programs[i]);
        close(sandbox->wake);
        free(sandbox);
        sandbox_fixture.made = NULL;
        return NULL;
}

int sandbox_descriptor(const struct sandbox *sandbox)
{
        return sandbox->wake;
}

static int copy_of(int fd)
{
        return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int sandbox_start(struct sandbox *sandbox, uint64_t id, const struct sandbox_program *what)
{
        struct sandbox_fixture_program *program;

        (void)sandbox;
        if (sandbox_fixture.refuse_start < 0)
                return sandbox_fixture.refuse_start;
        CHECK(sandbox_fixture.programs_count < SANDBOX_FIXTURE_PROGRAMS);
        program = &sandbox_fixture.programs[sandbox_fixture.programs_count++];
        *program = (struct sandbox_fixture_program){.id = id,
                                                    .report = copy_of(what->descriptors[1]),
                                                    .conversation = copy_of(what->descriptors[3]),
                                                    .object = copy_of(what->descriptors[4]),
                                                    .alive = true};
        snprintf(program->name, sizeof(program->name), "%s", what->name);
        if (!sandbox_fixture.silent)
                sandbox_fixture_say(
                        (struct sandbox_event){.kind = SANDBOX_STARTED, .id = id, .pid = 100});
        return 0;
}

int sandbox_kill(struct sandbox *sandbox, uint64_t id)
{
        (void)sandbox;
        if (sandbox_fixture.refuse_kill < 0)
                return sandbox_fixture.refuse_kill;
        sandbox_fixture.kills++;
        sandbox_fixture.killed = id;
        for (size_t i = 0; i < sandbox_fixture.programs_count && !sandbox_fixture.dying; i++)
                if (sandbox_fixture.programs[i].id == id)
                        sandbox_fixture_end(i, SIGKILL, 2);
        return 0;
}

int sandbox_forget(struct sandbox *sandbox, const char *name)
{
        (void)sandbox;
        snprintf(sandbox_fixture.forgotten, sizeof(sandbox_fixture.forgotten), "%s", name);
        return 0;
}

int sandbox_ask_usage(struct sandbox *sandbox, uint64_t id)
{
        (void)sandbox;
        (void)id;
        return 0;
}

int sandbox_receive(struct sandbox *sandbox, struct sandbox_event *ret)
{
        eventfd_t ignored;

        if (sandbox->count == 0)
                return 0;
        CHECK_EQ(eventfd_read(sandbox->wake, &ignored), 0);
        *ret = sandbox->events[sandbox->first];
        sandbox->first = (sandbox->first + 1) % SANDBOX_FIXTURE_EVENTS;
        sandbox->count--;
        return 1;
}
