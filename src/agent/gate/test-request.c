/* Requests and their replies. */
#include "agent/gate/request-fixture.h"

#include <stdio.h>
#include <unistd.h>

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
