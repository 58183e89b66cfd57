/* The test is the sandbox: it says when a spawner is there, what it takes, and when it dies. */
#include "agent/handler/spawner.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum { EVENTS_MAX = 8 };

struct sandbox {
        int wake;
        struct sandbox_event events[EVENTS_MAX];
        size_t first, count;
};

/* What was asked of the sandboxes of one test, and what they say to it. */
static struct {
        struct sandbox *made;
        int refuse_new, refuse_start, refuse_kill;
        unsigned news, kills;
        uint64_t killed;
        char forgotten[SANDBOX_NAME_MAX];
} world;

static void say(struct sandbox_event event)
{
        struct sandbox *sandbox = world.made;

        sandbox->events[(sandbox->first + sandbox->count++) % EVENTS_MAX] = event;
        CHECK_EQ(eventfd_write(sandbox->wake, 1), 0);
}

int sandbox_new(const struct sandbox_options *options, struct sandbox **ret, struct error *error)
{
        (void)options;
        (void)error;
        world.news++;
        if (world.refuse_new < 0)
                return world.refuse_new;
        world.made = calloc(1, sizeof(*world.made));
        world.made->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
        *ret = world.made;
        return 0;
}

struct sandbox *sandbox_free(struct sandbox *sandbox)
{
        if (sandbox)
                close(sandbox->wake);
        free(sandbox);
        return NULL;
}

int sandbox_descriptor(const struct sandbox *sandbox)
{
        return sandbox->wake;
}

int sandbox_start(struct sandbox *sandbox, uint64_t id, const struct sandbox_program *program)
{
        (void)sandbox;
        (void)id;
        (void)program;
        return world.refuse_start;
}

int sandbox_kill(struct sandbox *sandbox, uint64_t id)
{
        (void)sandbox;
        if (world.refuse_kill < 0)
                return world.refuse_kill;
        world.kills++;
        world.killed = id;
        return 0;
}

int sandbox_forget(struct sandbox *sandbox, const char *name)
{
        (void)sandbox;
        snprintf(world.forgotten, sizeof(world.forgotten), "%s", name);
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
        sandbox->first = (sandbox->first + 1) % EVENTS_MAX;
        sandbox->count--;
        return 1;
}

/* --- the fixture ------------------------------------------------------------------------- */

struct fixture {
        struct loop *loop;
        struct spawner *spawner;
        struct sandbox_options options;
        unsigned ups, downs;
        struct spawner_program program;
        unsigned told;
        enum sandbox_event_kind last;
};

static void on_state(void *owner, bool up, const char *why)
{
        struct fixture *f = owner;

        (void)why;
        f->ups += up;
        f->downs += !up;
}

static void on_event(struct spawner_program *program, const struct sandbox_event *event)
{
        struct fixture *f = container_of(program, struct fixture, program);

        f->told++;
        f->last = event->kind;
}

static void settle(struct fixture *f)
{
        for (unsigned i = 0; i < 4; i++)
                loop_run_once(f->loop, 0);
}

static void fixture_init(struct fixture *f, int refuse_new)
{
        *f = (struct fixture){0};
        memset(&world, 0, sizeof(world));
        world.refuse_new = refuse_new;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(spawner_new(f->loop, &f->options, on_state, f, &f->spawner), 0);
        if (refuse_new == 0) {
                say((struct sandbox_event){.kind = SANDBOX_READY, .walls = {.set = 3}});
                settle(f);
        }
}

static void fixture_done(struct fixture *f)
{
        f->spawner = spawner_free(f->spawner);
        settle(f);
        loop_free(f->loop);
}

static void start(struct fixture *f)
{
        const struct sandbox_program program = {.name = "a"};

        CHECK_EQ(spawner_start(f->spawner, &f->program, &program, on_event), 0);
}

/* --- the tests --------------------------------------------------------------------------- */

TEST(what_a_spawner_says_goes_to_the_program_it_is_of)
{
        struct fixture f;

        fixture_init(&f, 0);
        CHECK(spawner_is_up(f.spawner));
        CHECK_EQ(spawner_walls(f.spawner)->set, 3);
        start(&f);
        say((struct sandbox_event){.kind = SANDBOX_STARTED, .id = f.program.id + 1});
        settle(&f);
        CHECK_EQ(f.told, 0);
        say((struct sandbox_event){.kind = SANDBOX_STARTED, .id = f.program.id});
        say((struct sandbox_event){.kind = SANDBOX_ENDED, .id = f.program.id});
        settle(&f);
        CHECK_EQ(f.told, 2);
        CHECK_EQ(f.last, SANDBOX_ENDED);
        CHECK_EQ(f.program.id, 0);
        spawner_kill(&f.program);
        CHECK_EQ(world.kills, 0);
        spawner_forget_name(f.spawner, "a");
        CHECK_TEXT(world.forgotten, "a");
        fixture_done(&f);
}

TEST(a_start_that_is_refused_leaves_the_program_alone)
{
        const struct sandbox_program program = {.name = "a"};
        struct fixture f;

        fixture_init(&f, 0);
        world.refuse_start = -EAGAIN;
        CHECK_EQ(spawner_start(f.spawner, &f.program, &program, on_event), -EAGAIN);
        CHECK_EQ(f.program.id, 0);
        fixture_done(&f);
}

TEST(a_spawner_that_ends_is_replaced_at_once_and_its_programs_are_told)
{
        struct fixture f;

        fixture_init(&f, 0);
        start(&f);
        say((struct sandbox_event){.kind = SANDBOX_STARTED, .id = f.program.id});
        say((struct sandbox_event){.kind = SANDBOX_GONE, .error = -EPIPE});
        settle(&f);
        CHECK_EQ(f.last, SANDBOX_GONE);
        CHECK_EQ(f.program.id, 0);
        CHECK_EQ(f.downs, 1);
        CHECK(!spawner_is_up(f.spawner));
        loop_advance_ms(f.loop, 0);
        settle(&f);
        CHECK_EQ(world.news, 2);
        say((struct sandbox_event){.kind = SANDBOX_READY});
        settle(&f);
        CHECK_EQ(f.ups, 2);
        fixture_done(&f);
}

TEST(one_that_cannot_be_had_is_tried_again_more_and_more_seldom)
{
        static const uint64_t waits_ms[] = {0, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
        const struct sandbox_program program = {.name = "a"};
        struct fixture f;

        fixture_init(&f, -ENOENT);
        CHECK_EQ(world.news, 1);
        CHECK_EQ(spawner_start(f.spawner, &f.program, &program, on_event), -EPIPE);
        spawner_forget_name(f.spawner, "a");
        CHECK_TEXT(world.forgotten, "");
        for (unsigned i = 0; i < ARRAY_SIZE(waits_ms); i++) {
                if (waits_ms[i] > 0) {
                        loop_advance_ms(f.loop, waits_ms[i] - 1);
                        CHECK_EQ(world.news, i + 1);
                        loop_advance_ms(f.loop, 1);
                } else {
                        loop_advance_ms(f.loop, 0);
                        settle(&f);
                }
                CHECK_EQ(world.news, i + 2);
        }
        fixture_done(&f);
}

TEST(a_kill_that_was_not_taken_is_asked_for_again_also_of_what_is_forgotten)
{
        struct fixture f;
        uint64_t id;

        fixture_init(&f, 0);
        start(&f);
        id = f.program.id;
        world.refuse_kill = -EAGAIN;
        spawner_kill(&f.program);
        loop_advance_ms(f.loop, SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(world.kills, 0);
        world.refuse_kill = 0;
        loop_advance_ms(f.loop, SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(world.kills, 1);
        CHECK_EQ(world.killed, id);
        loop_advance_ms(f.loop, 10 * SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(world.kills, 1);
        world.refuse_kill = -EAGAIN;
        spawner_forget(&f.program);
        CHECK_EQ(f.program.id, 0);
        world.refuse_kill = 0;
        loop_advance_ms(f.loop, SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(world.kills, 2);
        CHECK_EQ(f.told, 0);
        fixture_done(&f);
}

TEST(a_refusal_says_about_what_and_what_can_be_done)
{
        static const struct {
                enum sandbox_step step;
                int error;
                const char *where, *words;
        } cases[] = {
                {SANDBOX_STEP_DIRECTORIES, -EACCES, "/opt/x", "--allow-shared"},
                {SANDBOX_STEP_DIRECTORIES, -EACCES, "/opt/x", "ReadWritePaths="},
                {SANDBOX_STEP_DIRECTORIES, -EROFS, "/opt/x", "ReadWritePaths="},
                {SANDBOX_STEP_DEVICES, -EACCES, "/dev/x", "--allow-device"},
                {SANDBOX_STEP_IDENTITY, -EACCES, "wheel", "--allow-group"},
                {SANDBOX_STEP_IDENTITY, -EUSERS, "x.py", "no user id is left"},
                {SANDBOX_STEP_EXEC, -ENOENT, "", "No such file"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct sandbox_event event = {
                        .kind = SANDBOX_FAILED, .step = cases[i].step, .error = cases[i].error};
                char text[SPAWNER_WHY_MAX + 1];

                snprintf(event.where, sizeof(event.where), "%s", cases[i].where);
                spawner_failure_text(&event, text, sizeof(text));
                CHECK(strstr(text, cases[i].words) != NULL);
                CHECK(strstr(text, cases[i].where) != NULL);
        }
}
