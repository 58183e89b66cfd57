/* The test is the sandbox (sandbox-fixture.h): it says when a spawner is there, what it takes, and
 * when it dies. */
#include "agent/handler/spawner.h"

#include "agent/handler/sandbox-fixture.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

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
        sandbox_fixture_init();
        sandbox_fixture.silent = true;
        sandbox_fixture.refuse_new = refuse_new;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(spawner_new(f->loop, &f->options, on_state, f, &f->spawner), 0);
        if (refuse_new == 0) {
                sandbox_fixture_say(
                        (struct sandbox_event){.kind = SANDBOX_READY, .walls = {.set = 3}});
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
        sandbox_fixture_say(
                (struct sandbox_event){.kind = SANDBOX_STARTED, .id = f.program.id + 1});
        settle(&f);
        CHECK_EQ(f.told, 0);
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_STARTED, .id = f.program.id});
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_ENDED, .id = f.program.id});
        settle(&f);
        CHECK_EQ(f.told, 2);
        CHECK_EQ(f.last, SANDBOX_ENDED);
        CHECK_EQ(f.program.id, 0);
        spawner_kill(&f.program);
        CHECK_EQ(sandbox_fixture.kills, 0);
        spawner_forget_name(f.spawner, "a");
        CHECK_TEXT(sandbox_fixture.forgotten, "a");
        fixture_done(&f);
}

TEST(a_start_that_is_refused_leaves_the_program_alone)
{
        const struct sandbox_program program = {.name = "a"};
        struct fixture f;

        fixture_init(&f, 0);
        sandbox_fixture.refuse_start = -EAGAIN;
        CHECK_EQ(spawner_start(f.spawner, &f.program, &program, on_event), -EAGAIN);
        CHECK_EQ(f.program.id, 0);
        fixture_done(&f);
}

TEST(a_spawner_that_ends_is_replaced_at_once_and_its_programs_are_told)
{
        struct fixture f;

        fixture_init(&f, 0);
        start(&f);
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_STARTED, .id = f.program.id});
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_GONE, .error = -EPIPE});
        settle(&f);
        CHECK_EQ(f.last, SANDBOX_GONE);
        CHECK_EQ(f.program.id, 0);
        CHECK_EQ(f.downs, 1);
        CHECK(!spawner_is_up(f.spawner));
        loop_advance_ms(f.loop, 0);
        settle(&f);
        CHECK_EQ(sandbox_fixture.news, 2);
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_READY});
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
        CHECK_EQ(sandbox_fixture.news, 1);
        CHECK_EQ(spawner_start(f.spawner, &f.program, &program, on_event), -EPIPE);
        spawner_forget_name(f.spawner, "a");
        CHECK_TEXT(sandbox_fixture.forgotten, "");
        for (unsigned i = 0; i < ARRAY_SIZE(waits_ms); i++) {
                if (waits_ms[i] > 0) {
                        loop_advance_ms(f.loop, waits_ms[i] - 1);
                        CHECK_EQ(sandbox_fixture.news, i + 1);
                        loop_advance_ms(f.loop, 1);
                } else {
                        loop_advance_ms(f.loop, 0);
                        settle(&f);
                }
                CHECK_EQ(sandbox_fixture.news, i + 2);
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
        sandbox_fixture.refuse_kill = -EAGAIN;
        spawner_kill(&f.program);
        loop_advance_ms(f.loop, SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(sandbox_fixture.kills, 0);
        sandbox_fixture.refuse_kill = 0;
        loop_advance_ms(f.loop, SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(sandbox_fixture.kills, 1);
        CHECK_EQ(sandbox_fixture.killed, id);
        loop_advance_ms(f.loop, 10 * SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(sandbox_fixture.kills, 1);
        sandbox_fixture.refuse_kill = -EAGAIN;
        spawner_forget(&f.program);
        CHECK_EQ(f.program.id, 0);
        sandbox_fixture.refuse_kill = 0;
        loop_advance_ms(f.loop, SPAWNER_KILL_RETRY_MS);
        CHECK_EQ(sandbox_fixture.kills, 2);
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
