/* Changes of modules, from the request to the reply. The disk is real; validator and hosts are the
 * test's. */
#include "agent/handler/handler-fixture.h"

#include "agent/handler/deployments.h"
#include "agent/handler/handler-internal.h"

#include <signal.h>
#include <string.h>

#define A "a.py"
#define ONE "def handle_one(r): return 1"
#define TWO "def handle_one(r): return 2"

static void begin(struct handler_fixture *f)
{
        handler_fixture_init(f);
        handler_fixture_start(f);
}

TEST(a_module_is_in_service_once_checks_host_and_disk_agree)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_update(&f, A, ONE);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture_has(VALIDATOR) && sandbox_fixture_has(A));
        CHECK(!handler_fixture_serves(&f, "one"));
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, A, "one");
        handler_fixture_check_reply(&f, 0, "\"success\":true");
        handler_fixture_check_reply(&f, 0, "\"commands\":[\"one\"]");
        CHECK(handler_fixture_serves(&f, "one"));
        handler_fixture_await_event(&f, "deployed a.py: ");
        handler_fixture_done(&f);
}

TEST(whoever_refuses_leaves_all_as_before)
{
        static const struct {
                const char *report; /* of the validator */
                const char *host;   /* what the host says then; NULL: it is not asked */
                const char *words;  /* in the reply */
        } cases[] = {
                {"{\"valid\":false,\"layer\":\"syntax\",\"findings\":[{\"line\":1,\"message\":\"no "
                 "colon\"}]}",
                 NULL, "no colon"},
                {"nonsense", NULL, "could not be checked"},
                {VALID,
                 "{\"load_failed\":{\"type\":\"ValueError\",\"message\":\"bad\",\"line\":7}}",
                 "Import failed at line 7: ValueError: bad"},
                {VALID, "{\"loaded\":{\"protocol\":1,\"commands\":[],\"self_test\":null}}",
                 "exports no command"},
                {VALID,
                 "{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"One\",\"description\":\"\"}"
                 "],\"self_test\":null}}",
                 "is no name for a command"},
                {VALID,
                 "{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"two\",\"description\":\"\"}"
                 ",{\"name\":\"two\",\"description\":\"\"}],\"self_test\":null}}",
                 "stands there twice"},
                {VALID,
                 "{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"update_handler\","
                 "\"description\":\"\"}],\"self_test\":null}}",
                 "Protected command"},
                {VALID, "{\"what\":1}", "Import failed"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct handler_fixture f;

                begin(&f);
                handler_fixture_deploy(&f, A, ONE, "one");
                handler_fixture_update(&f, A, TWO);
                handler_fixture_judge(&f, cases[i].report);
                if (cases[i].host) {
                        size_t candidate = sandbox_fixture_find(A);

                        CHECK(candidate > 0);
                        handler_fixture_host_says(&f, A, cases[i].host);
                }
                handler_fixture_check_reply(&f, 1, "\"success\":false");
                handler_fixture_check_reply(&f, 1, cases[i].words);
                CHECK(handler_fixture_serves(&f, "one"));
                /* The same is no change of what is in place. */
                handler_fixture_update(&f, A, ONE);
                handler_fixture_check_reply(&f, 2, "\"success\":true");
                handler_fixture_done(&f);
        }
}

TEST(a_candidate_that_dies_is_refused)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_update(&f, A, ONE);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture_has(A));
        handler_fixture_judge(&f, VALID);
        sandbox_fixture_end(sandbox_fixture_find(A), SIGSEGV, 0);
        handler_fixture_check_reply(&f, 0, "\"success\":false");
        handler_fixture_check_reply(&f, 0, "Import failed");
        CHECK(!handler_fixture_serves(&f, "one"));
        handler_fixture_done(&f);
}

TEST(without_a_process_nothing_is_tried_out)
{
        struct handler_fixture f;

        begin(&f);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture.made);
        loop_run_once(f.loop, 0);
        sandbox_fixture.refuse_start = -EAGAIN;
        handler_fixture_update(&f, A, ONE);
        handler_fixture_check_reply(&f, 0, "NOT_READY");
        sandbox_fixture.refuse_start = 0;
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_done(&f);
}

TEST(a_name_that_is_none_is_refused_before_anything_runs)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_update(&f, "../a.py", ONE);
        handler_fixture_check_reply(&f, 0, "\"success\":false");
        CHECK(!sandbox_fixture_has(VALIDATOR));
        handler_fixture_done(&f);
}

TEST(a_dry_run_changes_nothing)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_ask(&f, "{\"command\":\"update_handler\",\"filename\":\"a.py\",\"code\":"
                                "\"" ONE "\",\"dry_run\":true}");
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, A, "one");
        handler_fixture_check_reply(&f, 0, "\"success\":true");
        CHECK(!handler_fixture_serves(&f, "one"));
        HANDLER_FIXTURE_AWAIT(&f, !sandbox_fixture_has(A));
        handler_fixture_done(&f);
}

TEST(changes_of_one_module_come_one_after_the_other)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_update(&f, A, ONE);
        handler_fixture_update(&f, A, TWO);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture_has(A));
        CHECK_EQ(sandbox_fixture.programs_count, 2);
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, A, "one");
        handler_fixture_check_reply(&f, 0, "\"success\":true");
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, A, "one");
        handler_fixture_check_reply(&f, 1, "\"success\":true");
        handler_fixture_done(&f);
}

TEST(two_that_want_the_same_command_are_not_both_served)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_update(&f, "b.py", TWO);
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, "b.py", "one");
        handler_fixture_check_reply(&f, 1, "The command one belongs to ");
        handler_fixture_done(&f);
}

TEST(a_rollback_puts_the_version_before_into_service)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_deploy(&f, A, TWO, "two");
        CHECK(!handler_fixture_serves(&f, "one"));
        handler_fixture_ask(&f, "{\"command\":\"rollback_handler\",\"filename\":\"a.py\"}");
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, A, "one");
        handler_fixture_check_reply(&f, 2, "\"success\":true");
        CHECK(handler_fixture_serves(&f, "one"));
        CHECK(!handler_fixture_serves(&f, "two"));
        handler_fixture_done(&f);
}

/* Who mends a module does so while it fails. */
TEST(a_way_back_that_waited_behind_a_better_version_is_not_gone)
{
        static const char fails[] = "{\"reply\":%u,\"error\":{\"type\":\"E\",\"message\":\"m\"}}";
        struct handler_fixture f;
        size_t serving;

        begin(&f);
        f.config.auto_rollback = true;
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_deploy(&f, A, TWO, "two");
        serving = sandbox_fixture_find(A);
        handler_fixture_update(&f, A, "# three");
        for (unsigned i = 1; i <= 6; i++) {
                unsigned char header[4] = {0};
                char json[128];
                int fd = sandbox_fixture.programs[serving].conversation;

                handler_fixture_ask(&f, "{\"command\":\"two\"}");
                header[3] = (unsigned char)snprintf(json, sizeof(json), fails, i);
                CHECK_EQ(write(fd, header, sizeof(header)), sizeof(header));
                CHECK_EQ(write(fd, json, strlen(json)), strlen(json));
                handler_fixture_check_reply(&f, 1 + i, "two failed");
        }
        handler_fixture_await_event(&f, "two failed 6 times");
        handler_fixture_judge(&f, VALID);
        handler_fixture_loads(&f, A, "three");
        handler_fixture_check_reply(&f, 8, "\"success\":true");
        handler_fixture_await_event(&f, "a.py has another version in place by now");
        CHECK(handler_fixture_serves(&f, "three"));
        CHECK(!sandbox_fixture_has(VALIDATOR));
        handler_fixture_done(&f);
}

/* What the table on the disk says of the module, once what was noted so far is there. */
static const char *disabled_on_disk(struct handler_fixture *f)
{
        size_t index = f->replies_count;

        handler_fixture_ask(f, "{\"command\":\"list_backups\"}");
        handler_fixture_check_reply(f, index, "\"success\":true");
        return handler_repository_find(f->handler->repository, A)->disabled;
}

TEST(a_version_that_is_given_up_does_not_take_the_next_one_with_it)
{
        const struct handler_origin origin = {.who = "me", .from = "here"};
        struct handler_fixture f;
        struct runner *runner;
        struct error error;
        uint64_t change;

        begin(&f);
        handler_fixture_deploy(&f, A, ONE, "one");
        runner = handler_runner(f.handler, A);
        handler_disable(f.handler, runner, "it crashes");
        CHECK_TEXT(disabled_on_disk(&f), "it crashes");
        /* The disk has the next one already, of which the loop has not heard yet. */
        CHECK_EQ(handler_repository_stage(f.handler->repository, HANDLER_UPDATE, A, TWO,
                                          strlen(TWO), &origin, &change, &error),
                 0);
        CHECK_EQ(handler_repository_commit(f.handler->repository, change, NULL, &error), 0);
        handler_disable(f.handler, runner, "it crashes");
        CHECK_TEXT(disabled_on_disk(&f), "");
        handler_fixture_done(&f);
}

TEST(what_is_not_there_cannot_be_rolled_back_reloaded_or_removed)
{
        static const char *const commands[] = {"rollback_handler", "reload_handler",
                                               "remove_handler"};
        struct handler_fixture f;

        begin(&f);
        for (size_t i = 0; i < 3; i++) {
                char json[128];

                snprintf(json, sizeof(json), "{\"command\":\"%s\",\"filename\":\"a.py\"}",
                         commands[i]);
                handler_fixture_ask(&f, json);
                handler_fixture_check_reply(&f, i, "NO_DEVICE");
        }
        handler_fixture_done(&f);
}

TEST(a_removed_module_serves_no_more_and_can_come_back)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_ask(&f, "{\"command\":\"remove_handler\",\"filename\":\"a.py\"}");
        handler_fixture_check_reply(&f, 1, "\"success\":true");
        CHECK(!handler_fixture_serves(&f, "one"));
        handler_fixture_await_event(&f, "removed a.py: ");
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_done(&f);
}

TEST(who_waits_when_the_agent_stops_is_told)
{
        struct handler_fixture f;

        begin(&f);
        handler_fixture_deploy(&f, A, ONE, "one");
        handler_fixture_update(&f, A, TWO);
        HANDLER_FIXTURE_AWAIT(&f, sandbox_fixture_has(VALIDATOR));
        handler_stop(f.handler);
        handler_fixture_check_reply(&f, 1, "NOT_READY");
        handler_fixture_done(&f);
}

TEST(what_waits_has_a_bound)
{
        struct handler_fixture f;
        int r = 0;
        unsigned count = 0;

        begin(&f);
        HANDLER_FIXTURE_AWAIT(&f, f.handler->open);
        while (r == 0) {
                struct deployment_order order = {.kind = DEPLOYMENT_RELOAD, .who = "test"};

                snprintf(order.filename, sizeof(order.filename), A);
                r = deployments_submit(f.handler->deployments, &order);
                count += r == 0;
        }
        CHECK_EQ(r, -EAGAIN);
        CHECK(count >= DEPLOYMENTS_WAITING_MAX &&
              count <= DEPLOYMENTS_WAITING_MAX + DEPLOYMENTS_RUNNING_MAX);
        handler_fixture_done(&f);
}
