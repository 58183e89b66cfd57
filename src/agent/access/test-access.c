#include "agent/access/access-fixture.h"

#include "support/allocation.h"

#include <unistd.h>

TEST(each_token_gives_its_own_role_and_name)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        const struct {
                const char *token, *name;
                enum command_role role;
        } cases[] = {
                {SERVER_TOKEN, "server", COMMAND_ROLE_DEPLOYER},
                {ANN_SECRET, "ann", COMMAND_ROLE_OPERATOR},
                {f.made, "admin", COMMAND_ROLE_ADMIN},
                {DISPLAY_TOKEN, "display", COMMAND_ROLE_VIEWER},
                {BEN_SECRET, "ben", COMMAND_ROLE_ADMIN},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char expected[128];

                authenticate(&f, cases[i].token);
                CHECK_EQ(f.session.principal.role, cases[i].role);
                CHECK_TEXT(f.session.principal.name, cases[i].name);
                snprintf(expected, sizeof expected, "\"role\":\"%s\",\"name\":\"%s\"",
                         command_role_name(cases[i].role), cases[i].name);
                CHECK(replied(&f, "\"success\":true,\"type\":\"auth\""));
                CHECK(replied(&f, expected));
                CHECK_EQ(f.granted_count, i + 1);
                CHECK_TEXT(f.granted.principal.name, cases[i].name);
                CHECK_TEXT(f.granted.origin, "192.0.2.7:4000");
                CHECK_TEXT(f.granted.transport, "tcp");
        }
        CHECK_EQ(f.denied_count, 0);
        fixture_close(&f);
}

TEST(without_a_token_only_auth_is_there)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_NULL(ask(&f, "{\"command\":\"ping\"}"));
        CHECK(replied(&f, "UNAUTHORIZED"));
        CHECK_NULL(ask(&f, "{\"command\":\"auth\"}"));
        CHECK(replied(&f, "BAD_REQUEST"));
        CHECK(replied(&f, "send the token as `token`"));
        finish_round(&f);
        CHECK_EQ(f.granted_count, 0);
        fixture_close(&f);
}

TEST(auth_takes_nothing_but_a_token)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        ask(&f, "{\"command\":\"auth\",\"password\":\"the token of a server\"}");
        CHECK(replied(&f, "BAD_PARAMS"));
        ask(&f, "{\"command\":\"auth\",\"token\":17}");
        CHECK(replied(&f, "BAD_REQUEST"));
        fixture_close(&f);
}

TEST(auth_without_a_token_says_who_a_caller_is_already)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        authenticate(&f, SERVER_TOKEN);
        ask(&f, "{\"command\":\"auth\"}");
        CHECK(replied(&f, "\"role\":\"deployer\",\"name\":\"server\""));
        fixture_close(&f);
}

TEST(a_token_inside_a_request_counts_for_that_request_only)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_NULL(send_token(&f, "ping", DISPLAY_TOKEN));
        CHECK(replied(&f, "\"who\":\"display\""));
        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_NONE);
        send_token(&f, "restart_pi", DISPLAY_TOKEN);
        CHECK(replied(&f, "FORBIDDEN"));
        send_token(&f, "restart_pi", f.made);
        CHECK(replied(&f, "\"who\":\"admin\""));
        ask(&f, "{\"command\":\"ping\"}");
        CHECK(replied(&f, "UNAUTHORIZED"));
        finish_round(&f);
        CHECK_EQ(f.granted_count, 0);
        fixture_close(&f);
}

TEST(a_wrong_token_is_refused_and_told)
{
        struct fixture f;
        char made[TOKEN_MADE_LENGTH + 1], damaged[TOKEN_MADE_LENGTH + 1], longest[513 + 1];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_EQ(token_make(made), 0);
        memcpy(damaged, f.made, sizeof damaged);
        damaged[40] = damaged[40] == '0' ? '1' : '0';
        memset(longest, 'x', 513);
        longest[513] = '\0';
        const struct {
                const char *token, *words;
                enum access_denied_reason reason;
        } cases[] = {
                {"the token of nobody", "not known", ACCESS_DENIED_UNKNOWN},
                {made, "not known", ACCESS_DENIED_UNKNOWN},
                {damaged, "damaged", ACCESS_DENIED_DAMAGED},
                {"", "8 to 512", ACCESS_DENIED_LENGTH},
                {"7 bytes", "8 to 512", ACCESS_DENIED_LENGTH},
                {longest, "8 to 512", ACCESS_DENIED_LENGTH},
                {SERVER_HASH, "not known", ACCESS_DENIED_UNKNOWN},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                f.session.origin_key = 100 + i; /* each the first failure of its origin */
                authenticate(&f, cases[i].token);
                CHECK(replied(&f, "UNAUTHORIZED"));
                CHECK(replied(&f, cases[i].words));
                CHECK_EQ(f.denied_count, i + 1);
                CHECK_EQ(f.denied.reason, cases[i].reason);
                CHECK_TEXT(f.denied.transport, "tcp");
                CHECK_TEXT(f.denied.origin, "192.0.2.7:4000");
                CHECK_EQ(f.session.principal.role, COMMAND_ROLE_NONE);
                if (cases[i].token[0] != '\0')
                        CHECK(!replied(&f, cases[i].token));
        }
        CHECK_EQ(f.successes, 0);
        CHECK_EQ(f.granted_count, 0);
        fixture_close(&f);
}

TEST(a_failed_auth_leaves_the_session_who_it_was)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        authenticate(&f, SERVER_TOKEN);
        authenticate(&f, "the token of nobody");
        CHECK(replied(&f, "UNAUTHORIZED"));
        CHECK_TEXT(f.session.principal.name, "server");
        fixture_close(&f);
}

TEST(in_open_mode_everybody_has_the_open_role)
{
        struct fixture f = {0};

        fixture_open(&f, ACCESS_MODE_OPEN);
        CHECK(access_is_open(f.access));
        CHECK(!access_has_tokens(f.access));
        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_OPERATOR);
        CHECK_TEXT(f.session.principal.name, "open");
        ask(&f, "{\"command\":\"ping\"}");
        CHECK(replied(&f, "\"who\":\"open\""));
        ask(&f, "{\"command\":\"restart_pi\"}");
        CHECK(replied(&f, "FORBIDDEN"));
        fixture_close(&f);
}

TEST(in_open_mode_without_tokens_any_token_will_do_and_gives_nothing_more)
{
        struct fixture f = {0};

        fixture_open(&f, ACCESS_MODE_OPEN);
        for (int i = 0; i < 10; i++) {
                authenticate(&f, "any");
                CHECK(replied(&f, "\"role\":\"operator\",\"name\":\"open\""));
        }
        fixture_close(&f);
}

TEST(in_open_mode_with_tokens_a_token_still_has_to_be_right)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_OPEN);
        CHECK(access_has_tokens(f.access));
        authenticate(&f, f.made);
        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_ADMIN);
        send_token(&f, "ping", "a wrong one");
        run_until_replies(&f, 2);
        CHECK(replied(&f, "UNAUTHORIZED"));
        fixture_close(&f);
}

TEST(in_token_mode_without_tokens_every_token_is_wrong)
{
        struct fixture f = {0};

        fixture_open(&f, ACCESS_MODE_TOKEN);
        CHECK(!access_is_open(f.access));
        CHECK(!access_has_tokens(f.access));
        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_NONE);
        authenticate(&f, "any token");
        CHECK(replied(&f, "UNAUTHORIZED"));
        fixture_close(&f);
}

TEST(the_kernel_vouches_for_who_is_at_the_other_end_of_a_unix_socket)
{
        uid_t own = geteuid(), root = 0, stranger = own + 4711;
        char stranger_name[32];
        const struct {
                enum access_mode mode;
                const uid_t *uid;
                enum command_role role;
                const char *name;
        } cases[] = {
                {ACCESS_MODE_TOKEN, NULL, COMMAND_ROLE_NONE, ""},
                {ACCESS_MODE_TOKEN, &root, COMMAND_ROLE_ADMIN, "root"},
                {ACCESS_MODE_TOKEN, &own, COMMAND_ROLE_ADMIN, own == 0 ? "root" : "local"},
                {ACCESS_MODE_TOKEN, &stranger, COMMAND_ROLE_VIEWER, stranger_name},
                {ACCESS_MODE_OPEN, NULL, COMMAND_ROLE_OPERATOR, "open"},
                {ACCESS_MODE_OPEN, &root, COMMAND_ROLE_ADMIN, "root"},
                {ACCESS_MODE_OPEN, &own, COMMAND_ROLE_ADMIN, own == 0 ? "root" : "local"},
                {ACCESS_MODE_OPEN, &stranger, COMMAND_ROLE_OPERATOR, stranger_name},
        };

        snprintf(stranger_name, sizeof stranger_name, "uid:%u", (unsigned)stranger);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f = {0};
                struct command_principal principal;

                fixture_open(&f, cases[i].mode);
                access_initial_principal(f.access, cases[i].uid, &principal);
                CHECK_EQ(principal.role, cases[i].role);
                CHECK_TEXT(principal.name, cases[i].name);
                fixture_close(&f);
        }
}

TEST(attaching_checks_the_tokens_and_needs_the_name_auth)
{
        struct access_token token = {.name = (char *)"ann", .hash = (char *)"plain text"};
        struct access_config config = {.tokens = {.items = &token, .count = 1}};
        struct fixture f = {0};
        struct access *another = NULL;
        struct error error;

        fixture_open(&f, ACCESS_MODE_TOKEN);
        CHECK_EQ(access_attach(f.registry, f.work, &config, &another, &error), -EINVAL);
        CHECK(strstr(error.text, "(\"ann\")") != NULL);
        token.hash = (char *)SERVER_HASH;
        CHECK_EQ(access_attach(f.registry, f.work, &config, &another, &error), -EEXIST);
        CHECK_NULL(another);
        fixture_close(&f);
}

TEST(events_say_who_and_why_and_hold_no_token)
{
        struct access_denied denied = {.reason = ACCESS_DENIED_SLOWED,
                                       .retry_ms = 500,
                                       .transport = "tcp",
                                       .origin = "192.0.2.7:4000"};
        struct access_granted granted = {
                .principal = {COMMAND_ROLE_ADMIN, "ann"}, .transport = "tls", .origin = "[::1]:5"};
        struct buffer text;
        struct json_writer writer;

        buffer_init(&text, 4096);
        json_writer_init(&writer, &text);
        json_write_array(&writer, NULL);
        json_write_object(&writer, NULL);
        access_denied_event.write(&denied, &writer);
        json_write_end(&writer);
        json_write_object(&writer, NULL);
        access_granted_event.write(&granted, &writer);
        json_write_end(&writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(&text, "", 1), 0);
        CHECK_TEXT(buffer_data(&text),
                   "[{\"reason\":\"slowed\",\"transport\":\"tcp\",\"origin\":\"192.0.2.7:4000\","
                   "\"retry_ms\":500},"
                   "{\"name\":\"ann\",\"role\":\"admin\",\"transport\":\"tls\","
                   "\"origin\":\"[::1]:5\"}]");
        buffer_done(&text);
}

TEST(attaching_is_done_whole_or_not_at_all)
{
        struct access_token tokens[] = {
                {.name = (char *)"server", .hash = (char *)SERVER_HASH},
                {.name = (char *)"ann", .hash = (char *)ANN_HASH},
        };
        struct access_config config = {.tokens = {.items = tokens, .count = ARRAY_SIZE(tokens)}};
        struct fixture f = {0};
        size_t n = 0;
        bool failed;

        fixture_open(&f, ACCESS_MODE_TOKEN);
        access_free(f.access);
        do {
                struct access *access = NULL;
                struct error error = {0};
                int r;

                allocation_fail_at(++n);
                r = access_attach(f.registry, f.work, &config, &access, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(access != NULL, !failed);
                CHECK_EQ(error.text[0] != '\0', failed);
                CHECK_EQ(command_registry_find(f.registry, "auth") != NULL, !failed);
                f.access = access;
        } while (failed);
        CHECK(n > 5);
        authenticate(&f, ANN_SECRET);
        CHECK_TEXT(f.session.principal.name, "ann");
        fixture_close(&f);
}

TEST(without_memory_a_caller_is_told_to_come_again_and_nothing_counts_as_a_failure)
{
        struct fixture f;
        size_t n = 0;
        bool failed;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        do {
                allocation_fail_at(++n);
                send_token(&f, "auth", ANN_SECRET);
                failed = allocation_end();
                if (failed) {
                        CHECK_EQ(f.replies, n);
                        CHECK(replied(&f, "BUSY"));
                        CHECK_EQ(f.session.principal.role, COMMAND_ROLE_NONE);
                }
        } while (failed);
        run_until_replies(&f, n);
        CHECK_TEXT(f.session.principal.name, "ann");
        CHECK(n > 2); /* at least what carries the attempt, and what carries the work */
        fixture_close(&f);
}
