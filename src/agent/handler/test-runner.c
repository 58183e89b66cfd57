/* The test is the spawner and the hosts (sandbox-fixture.h), and moves the clock. */
#include "agent/handler/runner.h"

#include "agent/handler/sandbox-fixture.h"
#include "agent/handler/source-text.h"
#include "base/attributes.h"
#include "base/text-copy.h"
#include "command/reply.h"
#include "command/request.h"
#include "data/json.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { REPLIES_MAX = 128 };

/* --- the fixture ------------------------------------------------------------------------- */

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct handler_config config;
        struct launch *launch;
        struct spawner *spawner;
        struct runner *runner;
        struct command_session session;
        char *replies[REPLIES_MAX];
        size_t replies_count;
        unsigned good, suggested, unfit, disabled, drained, children, learned;
};

static void on_good(void *owner, struct runner *runner)
{
        ((struct fixture *)owner)->good++;
        runner_set_good(runner);
}

static void on_suggestion(void *owner, struct runner *runner, const char *command, unsigned errors)
{
        ((struct fixture *)owner)->suggested++;
}

static void on_unfit(void *owner, struct runner *runner, const char *why)
{
        ((struct fixture *)owner)->unfit++;
}

static void on_disabled(void *owner, struct runner *runner, const char *why)
{
        ((struct fixture *)owner)->disabled++;
}

static void on_broken(void *owner, struct runner *runner, const char *why, uint64_t delay_ms)
{
}

static void on_loaded(void *owner, struct runner *runner)
{
}

static void on_learned(void *owner, struct runner *runner)
{
        ((struct fixture *)owner)->learned++;
}

static const struct runner_listener listener = {on_good,   on_suggestion, on_unfit,  on_disabled,
                                                on_broken, on_loaded,     on_learned};

static void on_spawner(void *owner, bool up, const char *why)
{
        struct fixture *f = owner;

        if (up && f->runner)
                runner_retry(f->runner);
}

/* Until nothing moves: all is local, so what is to come is there. */
static void settle(struct fixture *f)
{
        for (unsigned i = 0; i < 8; i++)
                loop_run_once(f->loop, 0);
}

static void say(size_t index, const char *json)
{
        unsigned char header[4] = {0, 0, (unsigned char)(strlen(json) >> 8),
                                   (unsigned char)strlen(json)};

        CHECK_EQ(write(sandbox_fixture.programs[index].conversation, header, 4), 4);
        CHECK_EQ(write(sandbox_fixture.programs[index].conversation, json, strlen(json)),
                 strlen(json));
}

static void load(struct fixture *f, size_t index)
{
        say(index, "{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"snap\",\"description\":"
                   "\"d\"}],\"self_test\":null}}");
        settle(f);
}

static void version(struct runner_version *ret, const char *sha256)
{
        static const char *const names[] = {"snap"}, *const descriptions[] = {"d"};

        *ret = (struct runner_version){.code_fd = -1};
        snprintf(ret->version.sha256, sizeof(ret->version.sha256), "%s", sha256);
        CHECK_EQ(source_text_seal("test", "x", 1, &ret->code_fd), 0);
        CHECK_EQ(module_commands_copy(names, descriptions, 1, &ret->commands), 0);
}

static void fixture_open(struct fixture *f)
{
        const struct config_section section = handler_config_section(&f->config);
        static const char *const hidden[] = {NULL};
        const struct launch_options options = {&f->config, hidden, "/tmp"};
        struct runner_setup setup = {.listener = &listener, .owner = f};
        struct runner_version first;

        sandbox_fixture_init();
        *f = (struct fixture){.session = {.id = 1,
                                          .transport = "test",
                                          .origin = "here",
                                          .principal = {.role = COMMAND_ROLE_ADMIN}}};
        CHECK_EQ(config_defaults(&section, 1), 0);
        free(f->config.spawner);
        f->config.spawner = NULL;
        f->config.timeout = 2;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(launch_new(f->loop, &options, &f->launch), 0);
        CHECK_EQ(spawner_new(f->loop, launch_spawner(f->launch), on_spawner, f, &f->spawner), 0);
        setup.loop = f->loop;
        setup.registry = f->registry;
        setup.spawner = f->spawner;
        setup.launch = f->launch;
        setup.config = &f->config;
        CHECK_EQ(runner_new(&setup, "camera.py", &f->runner), 0);
        version(&first, "1");
        CHECK_EQ(runner_install(f->runner, &first, NULL), 0);
        runner_version_done(&first);
        runner_start(f->runner);
        settle(f);
}

static void fixture_close(struct fixture *f)
{
        const struct config_section section = handler_config_section(&f->config);

        f->runner = runner_free(f->runner);
        spawner_free(f->spawner);
        launch_free(f->launch);
        CHECK_EQ(command_registry_pending(f->registry), 0);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
        config_done(&section, 1);
        for (size_t i = 0; i < f->replies_count; i++)
                free(f->replies[i]);
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;

        CHECK(f->replies_count < REPLIES_MAX);
        f->replies[f->replies_count++] = text_copy(json, length);
}

static void call(struct fixture *f)
{
        const struct command_call one = {.session = &f->session,
                                         .object = cJSON_Parse("{\"command\":\"snap\"}"),
                                         .on_reply = on_reply,
                                         .owner = f};

        command_dispatch(f->registry, &one, NULL);
        settle(f);
}

/* Its host is there, and has a call that it has not answered. */
static void fixture_open_calling(struct fixture *f)
{
        fixture_open(f);
        load(f, 0);
        call(f);
}

static void check_reply(struct fixture *f, size_t index, const char *words)
{
        CHECK(index < f->replies_count);
        if (!strstr(f->replies[index], words))
                FAIL("%s is not in %s", words, f->replies[index]);
}

static void on_drained(void *context, unsigned children_killed)
{
        struct fixture *f = context;

        f->drained++;
        f->children = children_killed;
}

/* --- tests ------------------------------------------------------------------------------- */

TEST(a_call_waits_for_the_host_and_is_answered)
{
        struct fixture f;

        fixture_open(&f);
        call(&f);
        call(&f);
        load(&f, 0);
        CHECK_EQ(f.replies_count, 0);
        say(0, "{\"reply\":1,\"result\":{\"n\":1}}");
        settle(&f);
        say(0, "{\"reply\":2,\"error\":{\"type\":\"KeyError\",\"message\":\"'x'\",\"line\":4}}");
        settle(&f);
        CHECK_EQ(f.replies_count, 2);
        check_reply(&f, 0, "\"success\":true,\"type\":\"snap\"");
        check_reply(&f, 0, "\"n\":1");
        check_reply(&f, 1, "snap failed: KeyError: 'x' (camera.py, line 4)");
        fixture_close(&f);
}

TEST(commands_that_were_not_known_are_told_and_others_are_not)
{
        struct runner_version unknown;
        struct fixture f;

        fixture_open(&f);
        load(&f, 0);
        CHECK_EQ(f.learned, 0);
        version(&unknown, "2");
        module_commands_done(&unknown.commands);
        CHECK_EQ(runner_switch(f.runner, &unknown, NULL, NULL, NULL, NULL), 0);
        settle(&f);
        load(&f, sandbox_fixture.programs_count - 1);
        CHECK_EQ(f.learned, 1);
        CHECK_EQ(runner_version(f.runner)->commands.count, 1);
        call(&f);
        say(sandbox_fixture.programs_count - 1, "{\"reply\":1,\"result\":{\"n\":1}}");
        settle(&f);
        check_reply(&f, 0, "\"success\":true");
        fixture_close(&f);
}

TEST(a_call_that_is_late_ends_its_host_and_the_next_gets_a_new_one)
{
        struct fixture f;

        fixture_open_calling(&f);
        loop_advance_ms(f.loop, 1999);
        settle(&f);
        CHECK_EQ(f.replies_count, 0);
        loop_advance_ms(f.loop, 1);
        settle(&f);
        check_reply(&f, 0, "snap did not answer within 2 s; its module camera.py was stopped");
        check_reply(&f, 0, "\"EXPIRED\"");
        CHECK_EQ(sandbox_fixture.programs_count, 2);
        load(&f, 1);
        call(&f);
        say(1, "{\"reply\":1,\"result\":{}}");
        settle(&f);
        check_reply(&f, 1, "\"success\":true");
        CHECK_EQ(f.unfit, 0);
        fixture_close(&f);
}

TEST(an_answer_to_another_call_ends_the_host)
{
        struct fixture f;

        fixture_open_calling(&f);
        say(0, "{\"reply\":7,\"result\":{}}");
        settle(&f);
        check_reply(&f, 0, "does not keep to the host protocol");
        CHECK_EQ(sandbox_fixture.programs_count, 2);
        fixture_close(&f);
}

TEST(a_host_that_takes_its_time_to_die_has_no_call_any_more)
{
        struct runner_version next;
        struct fixture f;

        fixture_open_calling(&f);
        sandbox_fixture.dying = true;
        say(0, "{\"reply\":7,\"result\":{}}");
        settle(&f);
        CHECK_EQ(f.replies_count, 1);
        version(&next, "2");
        CHECK_EQ(runner_switch(f.runner, &next, NULL, NULL, NULL, NULL), 0);
        fixture_close(&f);
        CHECK_EQ(f.replies_count, 1);

        fixture_open_calling(&f);
        sandbox_fixture.dying = true;
        say(0, "{\"reply\":7,\"result\":{}}");
        settle(&f);
        fixture_close(&f);
        CHECK_EQ(f.replies_count, 1);
}

/* The spawner's word of its end is there before the host's own last words. */
static void end_while_it_speaks(size_t index, int status, const char *json)
{
        sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_ENDED,
                                                   .id = sandbox_fixture.programs[index].id,
                                                   .wait_status = status});
        say(index, json);
        sandbox_fixture.programs[index].alive = false;
        close(sandbox_fixture.programs[index].conversation);
}

TEST(what_a_host_said_before_it_ended_counts)
{
        struct fixture f;

        fixture_open_calling(&f);
        end_while_it_speaks(0, 0, "{\"reply\":1,\"result\":{\"n\":1}}");
        settle(&f);
        check_reply(&f, 0, "\"n\":1");
        CHECK_EQ(sandbox_fixture.programs_count, 2);
        end_while_it_speaks(1, 0, "{\"load_failed\":{\"type\":\"KeyError\",\"message\":\"'x'\"}}");
        settle(&f);
        call(&f);
        check_reply(&f, 1, "could not be loaded: KeyError: 'x'");
        fixture_close(&f);
}

TEST(no_more_calls_wait_than_may)
{
        struct fixture f;

        fixture_open(&f);
        for (unsigned i = 0; i < RUNNER_QUEUE_MAX + 1; i++)
                call(&f);
        CHECK_EQ(f.replies_count, 1);
        check_reply(&f, 0, "\"BUSY\"");
        loop_advance_ms(f.loop, 2000);
        settle(&f);
        CHECK_EQ(f.replies_count, RUNNER_QUEUE_MAX + 1);
        check_reply(&f, 1, "\"EXPIRED\"");
        fixture_close(&f);
}

TEST(three_crashes_of_a_new_version_are_told_and_later_starts_wait)
{
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < 3; i++) {
                load(&f, i);
                call(&f);
                sandbox_fixture_end(i, SIGSEGV, 0);
                settle(&f);
                check_reply(&f, i, "snap failed: its module camera.py was killed by SIGSEGV");
                if (i < 2)
                        CHECK_EQ(f.unfit, 0);
                loop_advance_ms(f.loop, i == 0 ? 0 : 10000);
                settle(&f);
        }
        CHECK_EQ(f.unfit, 1);
        CHECK_EQ(sandbox_fixture.programs_count, 3);
        call(&f);
        check_reply(&f, 3, "\"NOT_READY\"");
        check_reply(&f, 3, "started again in");
        fixture_close(&f);
}

TEST(a_module_that_never_comes_up_is_disabled)
{
        static const uint64_t delays_ms[] = {0, 10000, 20000, 40000, 80000, 160000, 0};
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(delays_ms); i++) {
                CHECK_EQ(sandbox_fixture.programs_count, i + 1);
                sandbox_fixture_end(i, 1 << 8, 0);
                settle(&f);
                loop_advance_ms(f.loop, delays_ms[i]);
                settle(&f);
        }
        CHECK_EQ(f.disabled, 1);
        CHECK_EQ(sandbox_fixture.programs_count, 7);
        call(&f);
        check_reply(&f, 0, "camera.py is disabled: it exited with status 1, again and again");
        fixture_close(&f);
}

/* Without anybody's call: what a module does by itself must go on. */
TEST(a_host_that_cannot_be_started_for_want_of_memory_is_started_later)
{
        size_t n = 0;
        bool failed;

        do {
                bool started = false;
                struct fixture f;

                fixture_open(&f);
                load(&f, 0);
                allocation_fail_at(++n);
                sandbox_fixture_end(0, 1 << 8, 0);
                settle(&f);
                failed = allocation_end();
                for (unsigned i = 0; i < 24; i++) {
                        started |= sandbox_fixture_has(sandbox_fixture.programs[0].name);
                        loop_advance_ms(f.loop, 500);
                        settle(&f);
                }
                CHECK_TEXT(runner_disabled(f.runner), "");
                if (!started)
                        FAIL("without the allocation %zu there is no host", n);
                fixture_close(&f);
        } while (failed);
}

TEST(a_new_version_takes_over_and_the_old_call_ends_where_it_began)
{
        struct runner_version second;
        struct host *host = NULL;
        struct fixture f;

        fixture_open_calling(&f);
        version(&second, "2");
        CHECK_EQ(launch_host(f.launch, f.spawner, "camera.py", second.code_fd, NULL,
                             &(struct host_listener){0}, NULL, &host),
                 0);
        CHECK_EQ(runner_switch(f.runner, &second, host, on_drained, &f, NULL), 0);
        settle(&f);
        CHECK_EQ(host_load(host, false), 0);
        load(&f, 1);
        call(&f);
        say(1, "{\"reply\":1,\"result\":{\"v\":2}}");
        settle(&f);
        check_reply(&f, 0, "\"v\":2");
        CHECK_EQ(f.drained, 0);
        say(0, "{\"reply\":1,\"result\":{\"v\":1}}");
        settle(&f);
        check_reply(&f, 1, "\"v\":1");
        CHECK_EQ(f.drained, 1);
        CHECK_EQ(f.children, 2);
        fixture_close(&f);
}

TEST(a_version_that_serves_a_minute_is_good)
{
        struct fixture f;

        fixture_open(&f);
        load(&f, 0);
        loop_advance_ms(f.loop, 60000);
        CHECK_EQ(f.good, 1);
        loop_advance_ms(f.loop, 600000);
        CHECK_EQ(f.good, 1);
        fixture_close(&f);
}

TEST(whoever_waits_when_the_agent_stops_is_told)
{
        struct fixture f;

        fixture_open_calling(&f);
        call(&f);
        runner_stop(f.runner);
        check_reply(&f, 0, "the agent is stopping");
        CHECK_EQ(f.replies_count, 1);
        say(0, "{\"reply\":1,\"result\":{}}");
        settle(&f);
        check_reply(&f, 1, "\"success\":true");
        fixture_close(&f);
}

TEST(hosts_that_went_with_their_spawner_are_no_fault_of_the_module)
{
        struct fixture f;

        fixture_open(&f);
        for (unsigned i = 0; i < 5; i++) {
                load(&f, sandbox_fixture_find("camera.py"));
                call(&f);
                sandbox_fixture_say((struct sandbox_event){.kind = SANDBOX_GONE, .error = -EPIPE});
                settle(&f);
                check_reply(&f, i, "\"NOT_READY\"");
                loop_advance_ms(f.loop, SPAWNER_RETRY_MAX_MS);
                settle(&f);
        }
        CHECK_EQ(f.unfit + f.disabled, 0);
        load(&f, sandbox_fixture_find("camera.py"));
        fixture_close(&f);
}
