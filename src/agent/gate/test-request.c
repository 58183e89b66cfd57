/* Requests and their replies. */
#include "agent/gate/gate-fixture.h"
#include "agent/gate/gate-internal.h"
#include "support/allocation.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PONG "{\"success\":true,\"type\":\"pong\",\"timestamp\":"
#define PING "'{\"command\":\"ping\"}'"

/* `a`, that follows its replies. */
static void begin(struct fixture *f)
{
        fixture_open(f);
        conversation_run(&f->talk, "a> " LOGIN_5("a") "a< " WELCOME_5
                                                      "a> 82{0001 () [pi/rpc/response/a/#] 02}\n"
                                                      "a< 90{0001 () 02}\n");
}

TEST(a_reply_goes_to_the_response_topic_with_the_correlation_data)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk,
                         "a> 30{[pi/rpc/request] (08[pi/rpc/response/a/1] 09 0003 00FF01) " PING
                         "}\n");
        CHECK_EQ(f.pings, 1);
        /* Byte for byte what the command server sends, but for its newline. */
        conversation_run(&f.talk, "a< 30{[pi/rpc/response/a/1] (09 0003 00FF01) '" PONG "1.000}'}\n"
                                  "a<\n");
        CHECK_EQ(f.gate->counts.requests, 1);
        CHECK_EQ(f.gate->counts.errors, 0);
        fixture_close(&f);
}

TEST(a_reply_has_the_qos_of_its_request_and_at_most_1)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk,
                         "a> 32{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) " PING "}\n");
        conversation_run(&f.talk, "a< 32\n");
        CHECK(heard(&f, 'a', PONG));
        conversation_run(&f.talk, "a~\n"
                                  "a> 40{0001}\n"
                                  "a> 34{[pi/rpc/request] 0002 (08[pi/rpc/response/a]) " PING "}\n"
                                  "a< 32\n");
        CHECK(heard(&f, 'a', PONG));
        /* It comes again: acknowledged again, not carried out again. */
        conversation_run(&f.talk, "a~\n"
                                  "a> 3C{[pi/rpc/request] 0002 (08[pi/rpc/response/a]) " PING "}\n"
                                  "a< 50{0002}\n"
                                  "a> 62{0002}\n"
                                  "a< 70{0002}\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}

TEST(a_reply_comes_after_execution)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\",\"id\":\"x\"}'}\n"
                                  "a< 40{0001}\n"
                                  "a<\n");
        release_held(&f, 0);
        CHECK(heard(&f, 'a', "\"type\":\"hold\""));
        CHECK(heard(&f, 'a', "\"id\":\"x\""));
        fixture_close(&f);
}

TEST(a_payload_may_say_that_it_wants_a_reply)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(
                &f.talk,
                "a> " CONNECT_311("a") "a< " WELCOME_311 "a> 82{0001 [pi/rpc/response/a] 00}\n"
                                       "a< 90{0001 00}\n"
                                       "a> 30{[pi/rpc/request/led1] "
                                       "'{\"command\":\"ping\",\"id\":7,\"reply\":true}'}\n");
        CHECK(heard(&f, 'a', "pi/rpc/response/a{\"success\":true,\"type\":\"pong\""));
        CHECK(heard(&f, 'a', "\"id\":7"));
        /* Neither is known to the command, which takes no arguments. */
        conversation_run(&f.talk,
                         "a~\n"
                         "a> 30{[pi/rpc/request] '{\"command\":\"ping\",\"reply\":false}'}\n"
                         "a> 30{[pi/rpc/request] '{\"command\":\"ping\",\"id\":7}'}\n"
                         "a<\n");
        CHECK_EQ(f.pings, 3);
        fixture_close(&f);
}

TEST(who_wants_no_reply_gets_none)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 () " PING "}\n"
                                  "a< 40{0001}\n"
                                  "a> 32{[pi/rpc/request] 0002 () 'nonsense'}\n"
                                  "a< 40{0002}\n"
                                  "a<\n");
        CHECK_EQ(f.pings, 1);
        CHECK_EQ(f.gate->counts.errors, 1);
        fixture_close(&f);
}

TEST(a_response_topic_that_is_not_the_clients_is_no_request)
{
        static const char *const topics[] = {
                "pi/rpc/response/b", "pi/rpc/response/", "pi/gpio/17/set",
                "pi/rpc/request",    "$SYS/x",           "pi/rpc/response/ab"};
        struct fixture f;
        char script[512];

        begin(&f);
        for (size_t i = 0; i < ARRAY_SIZE(topics); i++) {
                snprintf(script, sizeof(script),
                         "a> 32{[pi/rpc/request] 0001 (08[%s]) " PING "}\n"
                         "a> 30{[pi/rpc/request] (08[%s]) " PING "}\n"
                         "a< 40{0001 87}\n"
                         "a<\n",
                         topics[i], topics[i]);
                f.talk.name = topics[i];
                conversation_run(&f.talk, script);
        }
        CHECK_EQ(f.pings, 0);
        /* Outside of ours, an operator may. */
        conversation_run(&f.talk, "a> 82{0002 () [answers] 00}\n"
                                  "a< 90{0002 () 00}\n"
                                  "a> 30{[pi/rpc/request] (08[answers]) " PING "}\n");
        CHECK(heard(&f, 'a', PONG));
        CHECK_EQ(f.pings, 1);
        f.anybody.role = COMMAND_ROLE_VIEWER;
        conversation_run(&f.talk,
                         "b> " LOGIN_5("b") "b< " WELCOME_5
                                            "b> 32{[pi/rpc/request] 0001 (08[answers]) " PING "}\n"
                                            "b< 40{0001 87}\n");
        CHECK_EQ(f.pings, 1);
        fixture_close(&f);
}

TEST(a_client_id_that_is_no_level_gets_replies_elsewhere)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(
                &f.talk,
                "a> " LOGIN_5("x/y") "a< " WELCOME_5
                                     "a> 32{[pi/rpc/request] 0001 (08[pi/rpc/response/x/y]) " PING
                                     "}\n"
                                     "a< 40{0001 87}\n"
                                     "a> 32{[pi/rpc/request] 0002 () "
                                     "'{\"command\":\"ping\",\"reply\":true}'}\n"
                                     "a< 40{0002 87}\n");
        CHECK_EQ(f.pings, 0);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0003 (08[x/y]) " PING "}\n"
                                  "a< 40{0003}\n");
        CHECK_EQ(f.pings, 1);
        fixture_close(&f);
}

TEST(a_retained_request_is_not_carried_out)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 33{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) " PING "}\n"
                                  "a< 40{0001 87}\n"
                                  "a> 31{[pi/rpc/request] (08[pi/rpc/response/a]) " PING "}\n"
                                  "a<\n");
        CHECK_EQ(f.pings, 0);
        fixture_close(&f);
}

TEST(a_request_that_has_expired_is_not_carried_out)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] (02 00000000 08[pi/rpc/response/a]) "
                                  "'{\"command\":\"ping\",\"id\":3}'}\n");
        CHECK_EQ(f.pings, 0);
        CHECK(heard(&f, 'a', "\"id\":3,"));
        CHECK(heard(&f, 'a', "\"code\":\"EXPIRED\""));
        conversation_run(&f.talk,
                         "a~\n"
                         "a> 30{[pi/rpc/request] (02 00000001 08[pi/rpc/response/a]) " PING "}\n");
        CHECK_EQ(f.pings, 1);
        fixture_close(&f);
}

TEST(what_is_no_request_is_told_so_as_by_the_command_server)
{
        static const struct {
                const char *payload, *words;
        } cases[] = {
                {"", "\"code\":\"BAD_JSON\""},
                {"{", "\"code\":\"BAD_JSON\""},
                {"{\"a\":1}{", "\"code\":\"BAD_JSON\""},
                {"7", "\"code\":\"BAD_REQUEST\""},
                {"{}", "`command` is missing"},
                {"{\"command\":7}", "\"code\":\"BAD_REQUEST\""},
                {"{\"command\":\"pong\"}", "did you mean ping?"},
                {"{\"command\":\"ping\",\"command\":\"ping\"}", "\"code\":\"BAD_REQUEST\""},
                {"{\"command\":\"ping\",\"more\":1}", "\"code\":\"BAD_PARAMS\""},
                {"{\"command\":\"ping\",\"reply\":\"x\"}", "\"code\":\"BAD_PARAMS\""},
                {"{\"command\":\"ping\",\"token\":\"x\",\"lease_token\":\"y\"}",
                 "\"code\":\"BAD_REQUEST\""},
                {"{\"command\":\"ping\",\"token\":7}", "\"code\":\"BAD_REQUEST\""},
                {"{\"command\":\"ping\",\"token\":\"x\",\"token\":\"admin\"}",
                 "\"code\":\"BAD_REQUEST\""},
        };
        struct fixture f;
        char script[512];

        begin(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                snprintf(script, sizeof(script),
                         "a~\n"
                         "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) '%s'}\n",
                         cases[i].payload);
                conversation_run(&f.talk, script);
                if (!heard(&f, 'a', "{\"success\":false") || !heard(&f, 'a', cases[i].words))
                        FAIL("%s", cases[i].payload);
        }
        CHECK_EQ(f.pings, 0);
        CHECK_TEXT(f.token, ""); /* nobody was asked whose a token is */
        CHECK_EQ(f.gate->counts.errors, ARRAY_SIZE(cases));
        fixture_close(&f);
}

TEST(a_payload_is_bounded_and_its_depth_is)
{
        struct fixture f;
        char script[4096], text[1100];

        begin(&f);
        memset(text, ' ', sizeof(text));
        text[1025] = '\0';
        snprintf(script, sizeof(script), "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) '%s'}\n",
                 text);
        conversation_run(&f.talk, script);
        CHECK(heard(&f, 'a', "\"code\":\"TOO_LARGE\""));
        conversation_run(&f.talk, "a~\n");
        memset(text, '[', 40);
        text[40] = '\0';
        snprintf(script, sizeof(script), "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) '%s'}\n",
                 text);
        conversation_run(&f.talk, script);
        CHECK(heard(&f, 'a', "\"code\":\"BAD_JSON\""));
        fixture_close(&f);
}

TEST(a_token_in_a_request_is_a_leases_and_changes_nobody)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"ping\",\"token\":\"admin\"}'}\n");
        CHECK_EQ(f.pings, 1);
        CHECK_TEXT(f.lease_token, "admin");
        CHECK_TEXT(f.token, ""); /* nobody was asked whose it is */
        fixture_close(&f);
}

TEST(roles_hold_as_for_every_other_caller)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(
                &f.talk,
                "a> " LOGIN_5_AS("a", "viewer",
                                 "viewer") "a< " WELCOME_5 "a> 82{0001 () [#] 00}\n"
                                           "a< 90{0001 () 00} 31{[pi/status] () 'online'}\n"
                                           "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                           "'{\"command\":\"change\"}'}\n");
        CHECK(heard(&f, 'a', "\"code\":\"FORBIDDEN\""));
        CHECK_EQ(f.changes, 0);
        conversation_run(&f.talk, "a~\n"
                                  "a> 32{[anything] 0002 () 'm'}\n"
                                  "a< 40{0002 87}\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) " PING "}\n");
        CHECK(heard(&f, 'a', PONG));
        conversation_run(
                &f.talk,
                "b> " LOGIN_5_AS(
                        "b", "operator",
                        "operator") "b< " WELCOME_5
                                    "b> 32{[pi/rpc/request] 0001 () '{\"command\":\"change\"}'}\n"
                                    "b< 40{0001}\n"
                                    "b> 32{[anything] 0002 () 'm'}\n"
                                    "b< 40{0002}\n"
                                    "b> 32{[pi/status] 0003 () 'm'}\n"
                                    "b< 40{0003 87}\n"
                                    "b> 32{[pi/rpc/response/a] 0004 () 'forged'}\n"
                                    "b< 40{0004 87}\n");
        CHECK_EQ(f.changes, 1);
        CHECK(!heard(&f, 'a', "forged"));
        fixture_close(&f);
}

TEST(replies_are_seen_by_their_client_only)
{
        struct fixture f;

        begin(&f);
        conversation_run(
                &f.talk,
                "b> " LOGIN_5_AS("b", "admin",
                                 "admin") "b< " WELCOME_5 "b> 82{0001 () [pi/rpc/response/a] 00}\n"
                                          "b< 90{0001 () 87}\n"
                                          "b> 82{0002 () [#] 00}\n"
                                          "b< 90{0002 () 00} 31{[pi/status] () 'online'}\n"
                                          "b> 82{0003 () [+/rpc/response/a] 00}\n"
                                          "b< 90{0003 () 00}\n"
                                          "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) " PING
                                          "}\n");
        CHECK(heard(&f, 'a', PONG));
        CHECK(!heard(&f, 'b', PONG));
        /* Requests it sees, since it reads all and is an administrator. */
        conversation_run(&f.talk, "b< 30{[pi/rpc/request] () " PING "}\n"
                                  "b<\n");
        fixture_close(&f);
}

TEST(requests_are_seen_by_administrators_only)
{
        struct fixture f;

        begin(&f);
        conversation_run(
                &f.talk,
                "a> 82{0002 () [#] 00}\n"
                "a< 90{0002 () 00} 31{[pi/status] () 'online'}\n"
                "b> " LOGIN_5_AS("b", "admin", "admin") "b< " WELCOME_5
                                                        "b> 82{0001 () [pi/rpc/request/#] 00}\n"
                                                        "b< 90{0001 () 00}\n"
                                                        "a> 30{[pi/rpc/request/led1] () " PING "}\n"
                                                        "b< 30{[pi/rpc/request/led1] () " PING "}\n"
                                                        "a<\n");
        fixture_close(&f);
}

/* A request with `method`, and what stands in its reply. */
static void check_method(struct fixture *f, const char *payload, const char *words)
{
        char script[1024];

        snprintf(script, sizeof(script),
                 "a~\n"
                 "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) '%s'}\n",
                 payload);
        f->talk.name = payload;
        conversation_run(&f->talk, script);
        if (!heard(f, 'a', words))
                FAIL("%s: no %s", payload, words);
}

TEST(a_method_without_a_device_is_the_command_of_that_name)
{
        struct fixture f;

        begin(&f);
        check_method(&f,
                     "{\"v\":1,\"id\":\"c-1\",\"method\":\"ping\",\"params\":{},\"token\":\"t\"}",
                     "{\"v\":1,\"id\":\"c-1\",\"ok\":true,"
                     "\"result\":{\"type\":\"pong\",\"timestamp\":");
        CHECK_EQ(f.pings, 1);
        CHECK_TEXT(f.lease_token, "t");
        CHECK_TEXT(f.token, "");
        check_method(&f, "{\"method\":\"ping\"}", "{\"v\":1,\"ok\":true,\"result\":{");
        check_method(&f, "{\"method\":\"ping\",\"params\":null,\"id\":7}",
                     "{\"v\":1,\"id\":7,\"ok\":true");
        check_method(&f, "{\"method\":\"echo\",\"params\":{\"reply\":true,\"method\":[1]}}",
                     "\"result\":{\"type\":\"echo\",\"timestamp\":1,"
                     "\"said\":{\"reply\":true,\"method\":[1]}}}");
        CHECK_EQ(f.gate->counts.errors, 0);
        fixture_close(&f);
}

TEST(a_method_is_answered_after_its_execution)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 32{[pi/rpc/request] 0001 (08[pi/rpc/response/a]) "
                                  "'{\"method\":\"hold\",\"id\":\"x\"}'}\n"
                                  "a< 40{0001}\n"
                                  "a<\n");
        release_held(&f, 0);
        CHECK(heard(&f, 'a', "{\"v\":1,\"id\":\"x\",\"ok\":true,\"result\":{\"type\":\"hold\","));
        /* 3.1.1's way to ask for a reply is the same. */
        conversation_run(&f.talk, "a~\n"
                                  "a> 30{[pi/rpc/request] () "
                                  "'{\"method\":\"ping\",\"reply\":true}'}\n");
        CHECK(heard(&f, 'a', "\"ok\":true"));
        fixture_close(&f);
}

#define NO "\"ok\":false,\"error\":{\"code\":"

TEST(a_method_that_cannot_be_carried_out_is_told_in_its_envelope)
{
        static const struct {
                const char *payload, *words;
        } cases[] = {
                {"{\"v\":1,\"id\":\"c-1\",\"device\":\"led1\",\"method\":\"on\"}",
                 "{\"v\":1,\"id\":\"c-1\"," NO "\"NO_DEVICE\","
                 "\"number\":4040,\"type\":\"GPIOZeroError\",\"message\":\""},
                {"{\"method\":\"pong\"}", "{\"v\":1," NO "\"NO_METHOD\",\"number\":4041,"},
                {"{\"method\":7}", NO "\"BAD_REQUEST\",\"number\":4001,\"type\":\"ValueError\""},
                {"{\"method\":\"ping\",\"method\":\"ping\"}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"params\":{},\"params\":{}}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"v\":2}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"v\":\"1\"}", NO "\"BAD_REQUEST\""},
                /* What is not understood is not left out either: */
                {"{\"method\":\"ping\",\"dry_run\":true}", "`dry_run`"},
                {"{\"method\":\"ping\",\"pin\":17}", "`pin`"},
                {"{\"method\":\"ping\",\"params\":[]}", NO "\"BAD_PARAMS\",\"number\":4002"},
                {"{\"method\":\"ping\",\"params\":{\"more\":1}}", NO "\"BAD_PARAMS\""},
                /* The wire's members have no second place. */
                {"{\"method\":\"ping\",\"params\":{\"token\":\"admin\"}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"params\":{\"lease_token\":\"x\"}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"params\":{\"command\":\"change\"}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"params\":{\"id\":1}}", NO "\"BAD_PARAMS\""},
                {"{\"method\":\"ping\",\"token\":\"a\",\"token\":\"b\"}", NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"id\":[1]}", "{\"v\":1," NO "\"BAD_REQUEST\""},
                {"{\"method\":\"ping\",\"id\":1,\"id\":2}", NO "\"BAD_REQUEST\""},
        };
        struct fixture f;

        begin(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                check_method(&f, cases[i].payload, cases[i].words);
        CHECK_EQ(f.pings, 0);
        CHECK_EQ(f.changes, 0);
        CHECK_TEXT(f.token, "");
        CHECK_EQ(f.gate->counts.errors, ARRAY_SIZE(cases));
        conversation_run(&f.talk, "a~\n"
                                  "a> 30{[pi/rpc/request] (02 00000000 08[pi/rpc/response/a]) "
                                  "'{\"device\":\"led1\",\"method\":\"on\"}'}\n");
        CHECK(heard(&f, 'a', "\"code\":\"EXPIRED\",\"number\":4080,\"type\":\"TimeoutError\""));
        fixture_close(&f);
}

TEST(the_id_of_a_method_is_bounded_like_that_of_a_command)
{
        enum { LONG = 70000 };
        char *script = malloc(LONG + 200);
        struct fixture f;

        begin(&f);
        f.gate->options.request_bytes = 1 << 20;
        snprintf(script, LONG + 200,
                 "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                 "'{\"method\":\"ping\",\"id\":\"%0*d\"}'}\n",
                 LONG, 0);
        conversation_run(&f.talk, script);
        CHECK(heard(&f, 'a', "{\"v\":1," NO "\"BAD_REQUEST\""));
        conversation_run(&f.talk, "a~\n"
                                  "a> C000\n"
                                  "a< D000\n");
        free(script);
        fixture_close(&f);
}

TEST(the_requests_of_a_client_under_way_are_bounded)
{
        struct fixture f;

        begin(&f);
        for (unsigned i = 0; i < GATE_PENDING_MAX; i++)
                conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                          "'{\"command\":\"hold\"}'}\n");
        CHECK_EQ(f.held_count, GATE_PENDING_MAX);
        conversation_run(&f.talk, "a<\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\",\"id\":9}'}\n");
        CHECK_EQ(f.held_count, GATE_PENDING_MAX);
        CHECK(heard(&f, 'a', "\"id\":9,"));
        CHECK(heard(&f, 'a', "\"code\":\"BUSY\""));
        /* Others are not. */
        conversation_run(&f.talk, "b> " LOGIN_5("b") "b< " WELCOME_5
                                                     "b> 30{[pi/rpc/request] () " PING "}\n");
        CHECK_EQ(f.pings, 1);
        release_held(&f, 0);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] () " PING "}\n");
        CHECK_EQ(f.pings, 2);
        fixture_close(&f);
}

TEST(who_asks_a_lot_at_once_lets_others_go_between)
{
        static const char one[] = "\x30\x26\0\x0epi/rpc/request\0{\"command\":\"ping\"}   ";
        enum { MANY = 400 };
        static char all[MANY * (sizeof(one) - 1)];
        struct fixture f;
        unsigned before, rounds = 0;

        begin(&f);
        conversation_run(&f.talk, "b> " LOGIN_5("b") "b< " WELCOME_5);
        for (unsigned i = 0; i < MANY; i++)
                memcpy(all + i * (sizeof(one) - 1), one, sizeof(one) - 1);
        CHECK_EQ(write(f.talk.fds[0], all, sizeof(all)), sizeof(all));
        loop_run_once(f.talk.loop, 0);
        /* The rest of the round: one more of each. */
        CHECK(f.pings >= 64 && f.pings <= GATE_REQUESTS_PER_ROUND + 1);
        CHECK_EQ(write(f.talk.fds[1], one, sizeof(one) - 1), sizeof(one) - 1);
        do {
                before = f.pings;
                loop_run_once(f.talk.loop, 0);
                rounds++;
        } while (f.pings > before);
        CHECK_EQ(f.pings, MANY + 1);
        CHECK(rounds >= 3);
        fixture_close(&f);
}

TEST(a_client_that_goes_before_its_reply_is_not_answered)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n"
                                  "a.\n");
        CHECK_EQ(f.gate->requests_count, 0);
        release_held(&f, 0);
        CHECK_EQ(f.gate->counts.bytes_out, 0);
        fixture_close(&f);
}

TEST(who_takes_a_session_over_gets_no_replies_of_the_one_before)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n"
                                  "b> " LOGIN_5("a") "b< " WELCOME_5 "a< E0018E\n"
                                                     "a|\n"
                                                     "b> 82{0001 () [pi/rpc/response/a/#] 00}\n"
                                                     "b< 90{0001 () 00}\n");
        release_held(&f, 0);
        conversation_run(&f.talk, "b<\n");
        CHECK_EQ(f.gate->counts.connections, 1);
        fixture_close(&f);
}

TEST(a_client_id_is_its_users)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "b> " LOGIN_5_AS("a", "admin", "admin") "b< 20{00 87 ()}\n"
                                                                          "b|\n"
                                                                          "a> C000\n"
                                                                          "a< D000\n");
        fixture_close(&f);
}

TEST(a_gate_that_stops_answers_what_is_under_way)
{
        struct fixture f;

        begin(&f);
        conversation_run(&f.talk, "a> 82{0002 () [pi/status] 01}\n"
                                  "a< 90{0002 () 01} 33{[pi/status] 0001 () 'online'}\n"
                                  "a> 40{0001}\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) "
                                  "'{\"command\":\"hold\"}'}\n");
        gate_stop(f.gate, on_stopped, &f);
        conversation_settle(&f.talk);
        conversation_run(&f.talk, "a< 32{[pi/status] 0002 () 'offline'}\n"
                                  "a> 40{0002}\n"
                                  "a> 30{[pi/rpc/request] (08[pi/rpc/response/a]) " PING "}\n");
        CHECK(heard(&f, 'a', "\"code\":\"NOT_READY\""));
        CHECK(!f.stopped);
        conversation_run(&f.talk, "a~\n");
        release_held(&f, 0);
        CHECK(heard(&f, 'a', "\"type\":\"hold\""));
        conversation_run(&f.talk, "a~\n"
                                  "+0\n"
                                  "a< E0018B\n"
                                  "a.\n"
                                  "+1000\n"
                                  "+10\n");
        CHECK(f.stopped);
        fixture_close(&f);
}

TEST(a_gate_without_requests_stops_at_once)
{
        struct fixture f;

        fixture_open(&f);
        gate_stop(f.gate, on_stopped, &f);
        CHECK(!f.stopped);
        loop_advance_ms(f.talk.loop, 0);
        CHECK(f.stopped);
        fixture_close(&f);
}

/* Whatever fails: no crash, no leak, and the client has a reply, an acknowledgement with a
 * reason, or the end of its connection; or its reply is counted as dropped. */
static void ask_without_memory(const char *payload, const char *reply)
{
        char packet[512];
        bool failed;
        size_t n = 0;

        snprintf(packet, sizeof(packet),
                 "32{[pi/rpc/request] 0001 (08[pi/rpc/response/a] 09 0001 41) '%s'}", payload);
        do {
                struct fixture f;
                size_t count;
                uint8_t *bytes;
                char byte;

                begin(&f);
                conversation_run(&f.talk,
                                 "b> " LOGIN_5_AS("b", "admin",
                                                  "admin") "b< " WELCOME_5
                                                           "b> 82{0001 () [pi/rpc/request] 00}\n"
                                                           "b< 90{0001 () 00}\n");
                bytes = conversation_bytes(packet, &count);
                CHECK_EQ(write(f.talk.fds[0], bytes, count), count);
                free(bytes);
                allocation_fail_at(++n);
                for (unsigned i = 0; i < 4; i++)
                        loop_run_once(f.talk.loop, 0);
                failed = allocation_end();
                conversation_settle(&f.talk);
                if (!heard(&f, 'a', "{\"success\":") && !heard(&f, 'a', "{\"v\":1,") &&
                    !heard(&f, 'a', "\x40\x03") && !heard(&f, 'a', "\xe0") &&
                    recv(f.talk.fds[0], &byte, 1, MSG_DONTWAIT) != 0 &&
                    conversation_count(&f.talk, MQTT_COUNT_DROPPED_MEMORY) == 0)
                        FAIL("nothing was said at allocation %zu", n);
                if (!failed)
                        CHECK(heard(&f, 'a', reply));
                fixture_close(&f);
        } while (failed);
        CHECK(n > 10);
}

TEST(without_memory_a_request_is_answered_refused_or_cut_off)
{
        cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
        ask_without_memory("{\"command\":\"ping\",\"token\":\"t\",\"reply\":true}", PONG);
        ask_without_memory("{\"v\":1,\"id\":1,\"method\":\"echo\",\"params\":{\"a\":[7],\"b\":2}}",
                           "\"said\":{\"a\":[7],\"b\":2}");
}
