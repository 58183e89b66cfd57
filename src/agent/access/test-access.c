#include "agent/access/access.h"

#include "agent/access/access-event.h"
#include "agent/access/slowdown.h"
#include "agent/access/verifier.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "data/json.h"
#include "proto/token.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define SERVER_TOKEN "the token of a server"
#define SERVER_HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"
#define DISPLAY_TOKEN "the token of a display"
#define DISPLAY_HASH "blake2b:6e4616ba485d7ff160dde955bb90a9f12f558d6df0e7c10ce84615a97cfe1f76"
/* The same cheap ones as in test-verifier.c. */
#define ANN_SECRET "first secret"
#define ANN_HASH                                                                                   \
        "$argon2id$v=19$m=8,t=1,p=1$e1EDx34TtomITuEBM97YAA$"                                       \
        "jkdTWcF0abDTO2jnUNAay6Is2vmdstxrKZaHaXCrM2Y"
#define BEN_SECRET "second secret"
#define BEN_HASH                                                                                   \
        "$argon2id$v=19$m=8,t=1,p=1$F5l9jv3jc+Bgs4CuHTH9EA$"                                       \
        "hDb3FW0QAd6RD4L4Z4mY5E85GbNsg9FvfuZAdWsJq1I"

enum { VIEWER, OPERATOR, DEPLOYER, ADMIN }; /* as the configuration counts roles */

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct loop_work *work;
        struct access *access;
        struct command_session session;
        struct command_subscription *denials;
        struct command_subscription *grants;
        struct access_token tokens[8];
        size_t tokens_count;
        char made[TOKEN_MADE_LENGTH + 1]; /* the admin's */
        char made_hash[TOKEN_HASH_SIZE];

        char reply[4096]; /* the last */
        unsigned replies, successes;
        struct access_denied denied; /* the last */
        unsigned denied_count;
        struct access_granted granted;
        unsigned granted_count;
};

static int run_ping(void *owner, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, "pong");

        (void)owner;
        json_write_string(writer, "who", command_request_principal(request)->name);
        return command_reply_send(request);
}

static const struct command other_commands[] = {
        {.name = "ping", .role = COMMAND_ROLE_VIEWER, .run = run_ping},
        {.name = "restart_pi", .role = COMMAND_ROLE_ADMIN, .run = run_ping},
};

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;

        CHECK(length < sizeof f->reply);
        memcpy(f->reply, json, length);
        f->reply[length] = '\0';
        f->replies++;
        f->successes += success;
}

static void on_denied(void *owner, const struct command_event *event, uint64_t lost)
{
        struct fixture *f = owner;

        CHECK_EQ(lost, 0);
        f->denied = *(const struct access_denied *)event->payload;
        f->denied_count++;
}

static void on_granted(void *owner, const struct command_event *event, uint64_t lost)
{
        struct fixture *f = owner;

        CHECK_EQ(lost, 0);
        f->granted = *(const struct access_granted *)event->payload;
        f->granted_count++;
}

static void add_token(struct fixture *f, const char *name, const char *hash, int role)
{
        CHECK(f->tokens_count < ARRAY_SIZE(f->tokens));
        f->tokens[f->tokens_count++] =
                (struct access_token){.name = (char *)name, .hash = (char *)hash, .role = role};
}

static void fixture_open(struct fixture *f, enum access_mode mode)
{
        struct access_config config = {.mode = mode, .open_role = OPERATOR};
        struct error error;

        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, other_commands, ARRAY_SIZE(other_commands),
                                      "test", f, &error),
                 0);
        CHECK_EQ(loop_work_new(f->loop, VERIFIER_JOBS_MAX, &f->work), 0);
        CHECK_EQ(command_bus_subscribe(f->bus, &access_denied_event, 1024, on_denied, f,
                                       &f->denials),
                 0);
        CHECK_EQ(command_bus_subscribe(f->bus, &access_granted_event, 1024, on_granted, f,
                                       &f->grants),
                 0);
        config.tokens = (struct config_list){.items = f->tokens, .count = f->tokens_count};
        CHECK_EQ(access_attach(f->registry, f->work, &config, &f->access, &error), 0);
        f->session = (struct command_session){
                .id = 1, .transport = "tcp", .origin = "192.0.2.7:4000", .origin_key = 7};
        access_initial_principal(f->access, NULL, &f->session.principal);
}

/* Four tokens: two of machines, one of them an admin's made by us, two of people. */
static void fixture_open_with_tokens(struct fixture *f, enum access_mode mode)
{
        *f = (struct fixture){0};
        CHECK_EQ(token_make(f->made), 0);
        CHECK_EQ(token_hash(f->made, f->made_hash), 0);
        add_token(f, "server", SERVER_HASH, DEPLOYER);
        add_token(f, "ann", ANN_HASH, OPERATOR);
        add_token(f, "admin", f->made_hash, ADMIN);
        add_token(f, "display", DISPLAY_HASH, VIEWER);
        add_token(f, "ben", BEN_HASH, ADMIN);
        fixture_open(f, mode);
}

static void fixture_close(struct fixture *f)
{
        access_free(f->access);
        loop_work_free(f->work);
        command_subscription_free(f->denials);
        command_subscription_free(f->grants);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

static struct command_request *ask_as(struct fixture *f, struct command_session *session,
                                      const char *json)
{
        struct command_call call = {.session = session, .on_reply = on_reply, .owner = f};
        struct command_request *pending;

        CHECK_EQ(json_parse(json, strlen(json), 32, &call.object, NULL), 0);
        command_dispatch(f->registry, &call, &pending);
        return pending;
}

static struct command_request *ask(struct fixture *f, const char *json)
{
        return ask_as(f, &f->session, json);
}

static struct command_request *send_token_as(struct fixture *f, struct command_session *session,
                                             const char *command, const char *token)
{
        char json[1024];

        snprintf(json, sizeof json, "{\"command\":\"%s\",\"token\":\"%s\"}", command, token);
        return ask_as(f, session, json);
}

static struct command_request *send_token(struct fixture *f, const char *command, const char *token)
{
        return send_token_as(f, &f->session, command, token);
}

static void run_until_replies(struct fixture *f, unsigned replies)
{
        for (int rounds = 0; f->replies < replies && rounds < 10000; rounds++)
                loop_run_once(f->loop, 100);
        CHECK_EQ(f->replies, replies);
}

/* Whatever is put off to the end of the round: the bus delivers. */
static void finish_round(struct fixture *f)
{
        loop_run_once(f->loop, 0);
        loop_run_once(f->loop, 0);
}

static bool replied(const struct fixture *f, const char *part)
{
        return strstr(f->reply, part) != NULL;
}

/* Sends one token by `auth` and waits for the reply. */
static void authenticate(struct fixture *f, const char *token)
{
        unsigned replies = f->replies;

        send_token(f, "auth", token);
        run_until_replies(f, replies + 1);
        finish_round(f);
}

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

TEST(after_three_failures_an_origin_is_refused_at_once_and_told_when_to_come_again)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 4; i++) {
                authenticate(&f, "the token of nobody");
                CHECK(replied(&f, "UNAUTHORIZED"));
        }
        CHECK_EQ(f.denied.retry_ms, 500);
        /* Not even looked at, right or wrong, and not counted. */
        for (int i = 0; i < 100; i++) {
                CHECK_NULL(send_token(&f, "auth", i % 2 ? ANN_SECRET : "the token of nobody"));
                CHECK(replied(&f, "BUSY"));
                CHECK(replied(&f, "\"retry_ms\":500"));
                finish_round(&f);
        }
        CHECK_EQ(f.denied.reason, ACCESS_DENIED_SLOWED);
        loop_advance_ms(f.loop, 499);
        send_token(&f, "auth", ANN_SECRET);
        CHECK(replied(&f, "\"retry_ms\":1}"));
        CHECK(replied(&f, "try again in 0.1 s"));
        loop_advance_ms(f.loop, 1);
        authenticate(&f, ANN_SECRET);
        CHECK_TEXT(f.session.principal.name, "ann");
        fixture_close(&f);
}

TEST(a_damaged_token_and_one_of_impossible_length_count_as_failures)
{
        static const char *const tokens[] = {
                "short",
                "pf_0123456789abcdef0123456789abcdef0123456789abcdef",
        };

        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
                struct fixture f;

                fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
                for (int attempt = 0; attempt < 4; attempt++)
                        authenticate(&f, tokens[i]);
                authenticate(&f, tokens[i]);
                CHECK(replied(&f, "BUSY"));
                fixture_close(&f);
        }
}

TEST(a_slowed_down_origin_delays_nobody_else)
{
        struct fixture f;
        struct command_session other;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        other = f.session;
        other.id = 2;
        other.origin_key = 8;
        CHECK_NULL(send_token_as(&f, &other, "auth", SERVER_TOKEN));
        CHECK_TEXT(other.principal.name, "server");
        fixture_close(&f);
}

TEST(a_made_token_works_beside_a_guesser_at_the_same_address)
{
        struct fixture f;
        char wrong[TOKEN_MADE_LENGTH + 1];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_EQ(token_make(wrong), 0);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        CHECK_NULL(send_token(&f, "ping", f.made));
        CHECK(replied(&f, "\"who\":\"admin\""));
        /* What is no made token of ours is still refused, right or not. */
        send_token(&f, "ping", SERVER_TOKEN);
        CHECK(replied(&f, "BUSY"));
        send_token(&f, "ping", wrong);
        CHECK(replied(&f, "BUSY"));
        fixture_close(&f);
}

TEST(a_made_token_does_not_forgive_the_guesser_beside_it)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        loop_advance_ms(f.loop, 500);
        authenticate(&f, f.made);
        authenticate(&f, "the token of nobody");
        CHECK(replied(&f, "UNAUTHORIZED"));
        authenticate(&f, "the token of nobody");
        CHECK(replied(&f, "\"retry_ms\":1000"));
        fixture_close(&f);
}

TEST(a_right_secret_forgives_remembered_or_not)
{
        struct fixture f;

        for (int remembered = 0; remembered < 2; remembered++) {
                fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
                if (remembered)
                        authenticate(&f, ANN_SECRET);
                for (int i = 0; i < 4; i++)
                        authenticate(&f, "the token of nobody");
                loop_advance_ms(f.loop, 500);
                authenticate(&f, ANN_SECRET);
                CHECK_TEXT(f.session.principal.name, "ann");
                for (int i = 0; i < 3; i++) {
                        authenticate(&f, "the token of nobody");
                        CHECK_EQ(f.denied.retry_ms, 0);
                }
                fixture_close(&f);
        }
}

TEST(a_wrong_made_token_is_refused_at_once_without_slow_work)
{
        struct fixture f;
        char wrong[TOKEN_MADE_LENGTH + 1];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        CHECK_EQ(token_make(wrong), 0);
        CHECK_NULL(send_token(&f, "auth", wrong));
        CHECK(replied(&f, "UNAUTHORIZED"));
        fixture_close(&f);
}

TEST(a_session_that_is_authenticated_is_not_slowed_down)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        authenticate(&f, SERVER_TOKEN);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        ask(&f, "{\"command\":\"ping\"}");
        CHECK(replied(&f, "\"who\":\"server\""));
        fixture_close(&f);
}

TEST(a_slow_token_is_verified_off_the_loop_once_and_remembered)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        assert_non_null(send_token(&f, "ping", ANN_SECRET));
        CHECK_EQ(f.replies, 0);
        run_until_replies(&f, 1);
        CHECK(replied(&f, "\"who\":\"ann\""));
        CHECK_NULL(send_token(&f, "ping", ANN_SECRET));
        CHECK_EQ(f.replies, 2);
        loop_advance_ms(f.loop, 300000);
        assert_non_null(send_token(&f, "ping", ANN_SECRET));
        run_until_replies(&f, 3);
        CHECK_EQ(f.successes, 3);
        fixture_close(&f);
}

TEST(a_remembered_token_is_no_way_around_the_slow_down)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        authenticate(&f, ANN_SECRET);
        for (int i = 0; i < 4; i++)
                authenticate(&f, "the token of nobody");
        send_token(&f, "ping", ANN_SECRET);
        CHECK(replied(&f, "BUSY"));
        fixture_close(&f);
}

TEST(the_same_wrong_token_sent_many_times_at_once_counts_once)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (int i = 0; i < 16; i++)
                send_token(&f, "ping", "the token of nobody");
        run_until_replies(&f, 16);
        CHECK(replied(&f, "UNAUTHORIZED"));
        CHECK_EQ(f.successes, 0);
        finish_round(&f);
        CHECK_EQ(f.denied_count, 16);
        for (int i = 0; i < 2; i++) {
                authenticate(&f, "the token of nobody");
                CHECK(replied(&f, "UNAUTHORIZED"));
        }
        CHECK_EQ(f.denied.retry_ms, 0);
        fixture_close(&f);
}

TEST(one_origin_gets_a_part_of_the_queue_and_others_still_get_theirs)
{
        struct fixture f;
        struct command_session other;
        char token[32];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (unsigned i = 0; i < VERIFIER_JOBS_PER_ORIGIN; i++) {
                snprintf(token, sizeof token, "guess number %u", i);
                assert_non_null(send_token(&f, "auth", token));
        }
        CHECK_NULL(send_token(&f, "auth", "one guess more"));
        CHECK(replied(&f, "BUSY"));
        CHECK(replied(&f, "\"retry_ms\":1000"));
        other = f.session;
        other.origin_key = 8;
        assert_non_null(send_token_as(&f, &other, "auth", BEN_SECRET));
        run_until_replies(&f, VERIFIER_JOBS_PER_ORIGIN + 2);
        CHECK_TEXT(other.principal.name, "ben");
        CHECK_EQ(f.successes, 1);
        fixture_close(&f);
}

TEST(a_full_queue_answers_busy_and_does_not_count_as_a_failure)
{
        struct fixture f;
        struct command_session sessions[VERIFIER_JOBS_MAX];

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        for (unsigned i = 0; i < VERIFIER_JOBS_MAX; i++) {
                sessions[i] = f.session;
                sessions[i].origin_key = 1000 + i;
                assert_non_null(send_token_as(&f, &sessions[i], "auth", ANN_SECRET));
        }
        for (int i = 0; i < 10; i++) {
                CHECK_NULL(send_token(&f, "auth", ANN_SECRET));
                CHECK(replied(&f, "BUSY"));
        }
        /* Tokens of machines do not stand in that queue. */
        CHECK_NULL(send_token(&f, "ping", SERVER_TOKEN));
        CHECK(replied(&f, "\"who\":\"server\""));
        finish_round(&f);
        CHECK_EQ(f.denied.reason, ACCESS_DENIED_OVERLOADED);
        run_until_replies(&f, VERIFIER_JOBS_MAX + 11);
        CHECK_EQ(f.successes, VERIFIER_JOBS_MAX + 1);
        authenticate(&f, ANN_SECRET);
        CHECK_TEXT(f.session.principal.name, "ann");
        fixture_close(&f);
}

TEST(a_caller_may_be_gone_before_its_token_is_verified)
{
        struct fixture f;
        struct command_session *session;
        struct command_request *request;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        session = malloc(sizeof *session);
        assert_non_null(session);
        *session = f.session;
        request = send_token_as(&f, session, "auth", "the token of nobody");
        assert_non_null(request);
        command_request_abandon(request);
        free(session);
        for (int rounds = 0; f.denied_count == 0 && rounds < 10000; rounds++)
                loop_run_once(f.loop, 100);
        CHECK_EQ(f.denied_count, 1);
        CHECK_TEXT(f.denied.origin, "192.0.2.7:4000");
        CHECK_EQ(f.replies, 0);
        fixture_close(&f);
}

TEST(who_waits_for_a_slow_token_at_the_end_is_answered)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        assert_non_null(send_token(&f, "auth", ANN_SECRET));
        assert_non_null(send_token(&f, "auth", BEN_SECRET));
        access_free(f.access);
        CHECK_EQ(f.replies, 2);
        CHECK(replied(&f, "BUSY"));
        /* And a token is no more accepted, nor is the command there. */
        send_token(&f, "ping", SERVER_TOKEN);
        CHECK(replied(&f, "UNAUTHORIZED"));
        ask(&f, "{\"command\":\"auth\"}");
        CHECK(replied(&f, "NO_METHOD"));
        f.access = NULL;
        fixture_close(&f);
}

TEST(the_work_queue_may_end_first)
{
        struct fixture f;

        fixture_open_with_tokens(&f, ACCESS_MODE_TOKEN);
        assert_non_null(send_token(&f, "auth", ANN_SECRET));
        assert_non_null(send_token(&f, "auth", BEN_SECRET));
        loop_work_free(f.work);
        f.work = NULL;
        CHECK_EQ(f.replies, 2);
        CHECK_EQ(f.successes, 1);
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
