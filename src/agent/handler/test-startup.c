/* Modules that are in place when the agent starts. The disk is real; hosts are the test's. */
#include "agent/handler/handler-fixture.h"

#include "agent/handler/handler-internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define A "a.py"
#define ONE "def handle_one(r): return 1"

/* With `count` modules in place, m0.py with the command c0 and so on; stopped. */
static void prepare(struct handler_fixture *f, unsigned count)
{
        handler_fixture_init(f);
        handler_fixture_start(f);
        for (unsigned i = 0; i < count; i++) {
                char filename[16], command[16], code[64];

                snprintf(filename, sizeof(filename), "m%u.py", i);
                snprintf(command, sizeof(command), "c%u", i);
                snprintf(code, sizeof(code), "def handle_c%u(r): return {}", i);
                handler_fixture_deploy(f, filename, code, command);
        }
        handler_fixture_stop(f);
        f->said[0] = '\0';
}

static void await_open(struct handler_fixture *f)
{
        HANDLER_FIXTURE_AWAIT(f, startup_is_done(f->handler->startup));
}

TEST(an_empty_folder_is_a_start_like_any_other)
{
        struct handler_fixture f;

        handler_fixture_init(&f);
        handler_fixture_start(&f);
        await_open(&f);
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_done(&f);
}

TEST(what_was_deployed_is_in_service_after_a_restart)
{
        struct handler_fixture f;

        prepare(&f, 1);
        handler_fixture_start(&f);
        await_open(&f);
        handler_fixture_loads(&f, "m0.py", "c0");
        handler_fixture_await_event(&f, "loaded m0.py: ");
        CHECK(handler_fixture_serves(&f, "c0"));
        /* It was checked when it was deployed. */
        CHECK(!sandbox_fixture_has(VALIDATOR));
        handler_fixture_done(&f);
}

TEST(a_few_hosts_load_at_once_and_the_next_when_one_has)
{
        enum { COUNT = HANDLER_LOADING_MAX + 2 };
        struct handler_fixture f;

        prepare(&f, COUNT);
        handler_fixture_start(&f);
        await_open(&f);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture.programs_count == HANDLER_LOADING_MAX);
        for (unsigned i = 0; i < 20; i++)
                loop_run_once(f.loop, 0);
        CHECK_EQ(sandbox_fixture.programs_count, HANDLER_LOADING_MAX);
        for (unsigned i = 0; i < COUNT; i++) {
                const char *name;
                char command[16];

                HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture.programs_count > i);
                name = sandbox_fixture.programs[i].name;
                snprintf(command, sizeof(command), "c%c", name[1]);
                handler_fixture_loads(&f, name, command);
        }
        for (unsigned i = 0; i < COUNT; i++) {
                char event[32];

                snprintf(event, sizeof(event), "loaded m%u.py: ", i);
                handler_fixture_await_event(&f, event);
        }
        handler_fixture_done(&f);
}

TEST(one_that_never_loads_does_not_keep_the_others)
{
        enum { COUNT = HANDLER_LOADING_MAX + 1 };
        struct handler_fixture f;

        prepare(&f, COUNT);
        handler_fixture_start(&f);
        await_open(&f);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture.programs_count == HANDLER_LOADING_MAX);
        sandbox_fixture_end(0, SIGKILL, 0);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture.programs_count > HANDLER_LOADING_MAX);
        handler_fixture_done(&f);
}

TEST(lazy_modules_start_with_their_first_call)
{
        struct handler_fixture f;

        prepare(&f, 1);
        f.config.start = HANDLER_START_LAZY;
        handler_fixture_start(&f);
        await_open(&f);
        /* Its commands are known since it was deployed. */
        CHECK(handler_fixture_serves(&f, "c0"));
        CHECK(!sandbox_fixture_has("m0.py"));
        handler_fixture_ask(&f, "{\"command\":\"c0\"}");
        handler_fixture_loads(&f, "m0.py", "c0");
        handler_fixture_await_event(&f, "loaded m0.py: ");
        handler_fixture_done(&f);
}

TEST(code_that_is_gone_disables_its_module_and_no_other)
{
        struct handler_fixture f;
        char command[160];

        prepare(&f, 2);
        /* In the store, and the copy for people. */
        snprintf(command, sizeof(command), "grep -rl handle_c0 %s | xargs rm", f.state);
        CHECK_EQ(system(command), 0);
        handler_fixture_start(&f);
        await_open(&f);
        handler_fixture_loads(&f, "m1.py", "c1");
        handler_fixture_await_event(&f, "loaded m1.py: ");
        handler_fixture_await_event(&f, "disabled m0.py: ");
        CHECK(!sandbox_fixture_has("m0.py"));
        CHECK(!strstr(f.said, "disabled m1.py"));
        handler_fixture_done(&f);
}

TEST(a_file_that_somebody_put_there_is_deployed_like_any_other)
{
        struct handler_fixture f;

        prepare(&f, 1);
        handler_fixture_write(&f, "handlers/new.py", ONE);
        handler_fixture_start(&f);
        await_open(&f);
        handler_fixture_loads(&f, "m0.py", "c0");
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, "new.py", "fresh");
        handler_fixture_await_event(&f, "deployed new.py: ");
        handler_fixture_await_event(&f, "from=handlers/");
        CHECK(handler_fixture_serves(&f, "fresh"));
        handler_fixture_done(&f);
}

TEST(changes_wait_until_all_that_is_in_place_was_read)
{
        struct handler_fixture f;

        prepare(&f, 2);
        handler_fixture_start(&f);
        /* Nothing was read yet: the disk has not been asked. */
        handler_fixture_update(&f, A, ONE);
        CHECK(!sandbox_fixture_has(VALIDATOR));
        handler_fixture_judge(&f, VALID);
        CHECK(f.handler->open);
        handler_fixture_loads(&f, A, "one");
        handler_fixture_check_reply(&f, 2, "\"success\":true");
        handler_fixture_done(&f);
}

TEST(a_store_that_cannot_be_used_closes_the_room_and_says_why)
{
        struct handler_fixture f;

        handler_fixture_init(&f);
        handler_fixture_write(&f, "handler-store", "a file where a folder has to be");
        handler_fixture_start(&f);
        await_open(&f);
        handler_fixture_await_event(&f, "trouble: ");
        handler_fixture_update(&f, A, ONE);
        handler_fixture_check_reply(&f, 0, "modules cannot be changed");
        CHECK(!sandbox_fixture_has(VALIDATOR));
        /* Nor told of; with each the store thread has been asked. */
        handler_fixture_ask(&f, "{\"command\":\"remove_handler\",\"filename\":\"a.py\"}");
        handler_fixture_check_reply(&f, 1, "modules cannot be changed");
        handler_fixture_ask(&f, "{\"command\":\"update_log\"}");
        handler_fixture_check_reply(&f, 2, "\"success\":false");
        handler_fixture_ask(&f, "{\"command\":\"list_backups\"}");
        handler_fixture_check_reply(&f, 3, "\"success\":false");
        handler_fixture_done(&f);
}

TEST(without_the_folder_for_people_what_is_in_place_serves)
{
        struct handler_fixture f;
        char command[192];

        prepare(&f, 1);
        snprintf(command, sizeof(command), "rm -r %s/handlers && touch %s/handlers", f.state,
                 f.state);
        CHECK_EQ(system(command), 0);
        handler_fixture_start(&f);
        await_open(&f);
        handler_fixture_await_event(&f, "no module can be changed");
        handler_fixture_loads(&f, "m0.py", "c0");
        handler_fixture_await_event(&f, "loaded m0.py: ");
        handler_fixture_update(&f, "m0.py", "def handle_one(r): return 2");
        handler_fixture_judge(&f, VALID);
        handler_fixture_check_reply(&f, 1, "\"success\":false");
        CHECK(handler_fixture_serves(&f, "c0"));
        handler_fixture_done(&f);
}

TEST(an_agent_that_stops_while_it_reads_ends_well)
{
        struct handler_fixture f;

        prepare(&f, 3);
        for (unsigned rounds = 0; rounds < 6; rounds++) {
                handler_fixture_start(&f);
                for (unsigned i = 0; i < rounds; i++)
                        loop_run_once(f.loop, 1);
                handler_fixture_stop(&f);
        }
        handler_fixture_done(&f);
}
