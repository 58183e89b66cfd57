#include "command/registry-fixture.h"

#include "command/audit.h"
#include "command/reply.h"
#include "data/json.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdlib.h>

TEST(a_command_runs_and_its_reply_has_the_three_members)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_NULL(ask(&f, "{\"command\":\"ping\"}"));
        CHECK(strncmp(f.reply, "{\"success\":true,\"type\":\"pong\",\"timestamp\":", 42) == 0);
        CHECK_TEXT(f.ran, "ping");
        fixture_close(&f);
}

TEST(the_id_is_repeated_as_it_came)
{
        struct fixture f;

        fixture_open(&f);
        ask(&f, "{\"command\":\"ping\",\"id\":\"a-1\"}");
        CHECK(strstr(f.reply, "\"id\":\"a-1\"") != NULL);
        ask(&f, "{\"id\":9007199254740992,\"command\":\"ping\"}");
        CHECK(strstr(f.reply, "\"id\":9007199254740992") != NULL);
        ask(&f, "{\"id\":null,\"command\":\"ping\"}");
        CHECK_NULL(strstr(f.reply, "\"id\""));
        ask(&f, "{\"id\":3,\"command\":\"nonsense\"}");
        CHECK(strstr(f.reply, "\"id\":3") != NULL);
        fixture_close(&f);
}

TEST(what_is_wrong_with_a_request_is_said)
{
        static const struct {
                const char *json, *code, *words;
        } cases[] = {
                {"[]", "BAD_REQUEST", "JSON object"},
                {"7", "BAD_REQUEST", "JSON object"},
                {"{}", "BAD_REQUEST", "`command` is missing"},
                {"{\"command\":1}", "BAD_REQUEST", "must be a string"},
                {"{\"command\":\"ping\",\"id\":1.5}", "BAD_REQUEST", "`id`"},
                {"{\"command\":\"ping\",\"id\":[]}", "BAD_REQUEST", "`id`"},
                {"{\"command\":\"ping\",\"token\":1}", "BAD_REQUEST", "`token`"},
                {"{\"command\":\"ping\",\"lease_token\":{}}", "BAD_REQUEST", "`lease_token`"},
                {"{\"command\":\"ping\",\"command\":\"wait\"}", "BAD_REQUEST", "once"},
                {"{\"command\":\"pin\"}", "NO_METHOD", "did you mean ping"},
                {"{\"command\":\"zzzzzzzz\"}", "NO_METHOD", "list_commands"},
                {"{\"command\":\"\"}", "NO_METHOD", "Unknown command"},
                {"{\"command\":\"led_on\"}", "BAD_PARAMS", "`pin` is missing"},
                {"{\"command\":\"led_on\",\"pin\":true}", "BAD_PARAMS", "`pin`"},
                {"{\"command\":\"fault\"}", "HARDWARE", "Input/output error"},
                {"{\"command\":\"ping\",\"token\":\"pf_x\"}", "UNAUTHORIZED", "pifleet setup"},
        };
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check_refused(&f, cases[i].json, cases[i].code, cases[i].words);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        fixture_close(&f);
}

TEST(a_role_opens_what_it_includes_and_no_more)
{
        struct fixture f;

        fixture_open(&f);
        f.session.principal.role = COMMAND_ROLE_NONE;
        check_refused(&f, "{\"command\":\"ping\"}", "UNAUTHORIZED", "needs a token");
        f.session.principal.role = COMMAND_ROLE_VIEWER;
        ask(&f, "{\"command\":\"ping\"}");
        CHECK(f.success);
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":1}", "FORBIDDEN",
                      "needs the role operator; this token has viewer");
        f.session.principal.role = COMMAND_ROLE_DEPLOYER;
        ask(&f, "{\"command\":\"led_on\",\"pin\":1}");
        CHECK(f.success);
        fixture_close(&f);
}

static void identify(void *owner, const struct command_session *session, const char *token,
                     command_identified_fn *identified, void *context)
{
        static const struct command_principal deployer = {COMMAND_ROLE_DEPLOYER, "node"};
        static const struct error wrong = {-EACCES, "this token is not known"};
        static const struct error slow = {-EAGAIN, "too many failed attempts"};

        (void)owner;
        (void)session;
        if (strcmp(token, "good") == 0)
                identified(context, 0, &deployer, NULL, 0);
        else if (strcmp(token, "later") == 0)
                identified(context, -EAGAIN, NULL, &slow, 1500);
        else
                identified(context, -EACCES, NULL, &wrong, 0);
}

TEST(a_token_counts_for_its_request_and_with_auth_for_the_session)
{
        struct fixture f;

        fixture_open(&f);
        f.session.principal = (struct command_principal){0};
        command_registry_set_identify(f.registry, identify, NULL);
        ask(&f, "{\"command\":\"ping\",\"token\":\"good\"}");
        CHECK(f.success);
        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_NONE);
        check_refused(&f, "{\"command\":\"ping\",\"token\":\"bad\"}", "UNAUTHORIZED", "not known");
        check_refused(&f, "{\"command\":\"auth\",\"token\":\"later\"}", "BUSY",
                      "\"retry_ms\":1500");
        ask(&f, "{\"command\":\"auth\",\"token\":\"good\"}");
        CHECK(f.success);
        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_DEPLOYER);
        CHECK_TEXT(f.session.principal.name, "node");
        fixture_close(&f);
}

TEST(a_command_may_reply_later)
{
        struct fixture f;
        struct command_request *pending;

        fixture_open(&f);
        pending = ask(&f, "{\"command\":\"wait\",\"id\":4}");
        CHECK(pending == f.held);
        CHECK_EQ(f.replies, 0);
        CHECK_EQ(command_registry_pending(f.registry), 1);
        command_reply_open(f.held, NULL);
        command_reply_send(f.held);
        CHECK_EQ(f.replies, 1);
        CHECK(strstr(f.reply, "\"id\":4") != NULL);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        fixture_close(&f);
}

TEST(a_deadline_answers_in_the_commands_place_and_the_late_reply_is_dropped)
{
        struct fixture f;

        fixture_open(&f);
        ask(&f, "{\"command\":\"wait\"}");
        loop_advance_ms(f.loop, 499);
        CHECK_EQ(f.replies, 0);
        loop_advance_ms(f.loop, 1);
        CHECK_EQ(f.replies, 1);
        CHECK(strstr(f.reply, "\"EXPIRED\"") != NULL);
        CHECK_EQ(command_registry_pending(f.registry), 1);
        command_reply_open(f.held, NULL);
        command_reply_send(f.held);
        CHECK_EQ(f.replies, 1);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        CHECK_EQ(command_entry_statistics(command_registry_find(f.registry, "wait"))->timeouts, 1);
        fixture_close(&f);
}

TEST(a_deadline_can_be_moved)
{
        struct fixture f;

        fixture_open(&f);
        ask(&f, "{\"command\":\"wait\"}");
        command_request_extend(f.held, 2000);
        loop_advance_ms(f.loop, 1999);
        CHECK_EQ(f.replies, 0);
        loop_advance_ms(f.loop, 1);
        CHECK_EQ(f.replies, 1);
        command_reply_fail(f.held, COMMAND_HARDWARE, "late");
        fixture_close(&f);
}

TEST(an_abandoned_request_ends_in_silence)
{
        struct fixture f;
        struct command_request *pending;

        fixture_open(&f);
        pending = ask(&f, "{\"command\":\"wait\"}");
        command_request_abandon(pending);
        CHECK_NULL(command_request_session(f.held));
        command_reply_open(f.held, NULL);
        command_reply_send(f.held);
        CHECK_EQ(f.replies, 0);
        CHECK_EQ(command_registry_pending(f.registry), 0);
        fixture_close(&f);
}

TEST(a_command_removed_while_it_runs_still_may_reply)
{
        struct fixture f;

        fixture_open(&f);
        ask(&f, "{\"command\":\"wait\"}");
        command_registry_remove(f.registry, "builtin");
        CHECK_NULL(command_registry_find(f.registry, "wait"));
        command_reply_open(f.held, NULL);
        command_reply_send(f.held);
        CHECK_EQ(f.replies, 1);
        fixture_close(&f);
}

static int guard(void *owner, struct command_request *request)
{
        const char *lease = command_request_lease_token(request);

        (void)owner;
        if (lease && strcmp(lease, "mine") == 0)
                return 0;
        command_reply_fail(request, COMMAND_LEASE_REQUIRED, "acquire the lease first");
        return 1;
}

TEST(a_guard_is_asked_after_the_arguments_and_before_the_command)
{
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(command_registry_add_guard(f.registry, guard, NULL), 0);
        check_refused(&f, "{\"command\":\"led_on\"}", "BAD_PARAMS", "pin");
        check_refused(&f, "{\"command\":\"led_on\",\"pin\":1}", "LEASE_REQUIRED", "acquire");
        ask(&f, "{\"command\":\"led_on\",\"pin\":1,\"lease_token\":\"mine\"}");
        CHECK(f.success);
        fixture_close(&f);
}

struct audited {
        struct command_audit last;
        unsigned count;
};

static void on_audit(void *owner, const struct command_event *event, uint64_t lost)
{
        struct audited *audited = owner;

        (void)lost;
        audited->last = *(const struct command_audit *)event->payload;
        audited->count++;
}

TEST(what_changes_something_is_audited_with_who_and_how_it_ended)
{
        struct command_subscription *subscription;
        struct audited audited = {0};
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(command_bus_subscribe(f.bus, &command_audit_event, 8, on_audit, &audited,
                                       &subscription),
                 0);
        ask(&f, "{\"command\":\"ping\"}");
        ask(&f, "{\"command\":\"led_on\",\"pin\":1}");
        loop_run_once(f.loop, 0);
        CHECK_EQ(audited.count, 1);
        CHECK_TEXT(audited.last.command, "led_on");
        CHECK_TEXT(audited.last.who, "somebody");
        CHECK_TEXT(audited.last.origin, "here");
        CHECK_TEXT(audited.last.outcome, "ok");
        ask(&f, "{\"command\":\"fault\"}");
        loop_run_once(f.loop, 0);
        CHECK_TEXT(audited.last.outcome, "HARDWARE");
        command_subscription_free(subscription);
        fixture_close(&f);
}

TEST(no_more_requests_run_at_once_than_the_registry_allows)
{
        struct fixture f;
        struct command_request **held =
                calloc(COMMAND_PENDING_MAX, sizeof(struct command_request *));

        fixture_open(&f);
        CHECK(held != NULL);
        for (size_t i = 0; i < COMMAND_PENDING_MAX; i++)
                held[i] = ask(&f, "{\"command\":\"wait\"}");
        check_refused(&f, "{\"command\":\"ping\"}", "BUSY", "too many requests");
        check_refused(&f, "{\"command\":\"ping\",\"id\":\"a\"}", "BUSY", "\"id\":\"a\"");
        check_refused(&f, "{\"command\":\"ping\",\"id\":[]}", "BUSY", "too many requests");
        for (size_t i = 0; i < COMMAND_PENDING_MAX; i++)
                command_reply_fail(held[i], COMMAND_BUSY, "enough");
        ask(&f, "{\"command\":\"ping\"}");
        CHECK(f.success);
        free(held);
        fixture_close(&f);
}

TEST(a_request_without_memory_is_answered_once_all_the_same)
{
        static const char *const requests[] = {
                "{\"command\":\"ping\",\"id\":1}",
                "{\"command\":\"led_on\",\"pin\":1}",
                "{\"command\":\"pin\"}",
        };
        struct fixture f;

        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
                bool failed;
                size_t n = 0;

                do {
                        struct command_call call = {
                                .session = &f.session, .on_reply = fixture_on_reply, .owner = &f};

                        fixture_open(&f);
                        CHECK_EQ(json_parse(requests[i], strlen(requests[i]), 32, &call.object,
                                            NULL),
                                 0);
                        allocation_fail_at(++n);
                        command_dispatch(f.registry, &call, NULL);
                        failed = allocation_end();
                        CHECK_EQ(f.replies, 1);
                        CHECK_EQ(command_registry_pending(f.registry), 0);
                        fixture_close(&f);
                } while (failed);
        }
}
