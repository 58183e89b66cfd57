/* mqtt_clients, mqtt_client, mqtt_kick: who is shown, and who is gone. */
#include "agent/gate/clients.h"
#include "agent/gate/gate-fixture.h"
#include "agent/gate/gate-internal.h"
#include "base/attributes.h"
#include "data/json.h"

#include <stdio.h>

enum { REPLY_MAX = 65536 };

static char reply[REPLY_MAX];

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        (void)owner;
        (void)success;
        CHECK(length < sizeof(reply));
        memcpy(reply, json, length);
        reply[length] = '\0';
}

/* As somebody of that role. The reply lives until the next. */
static const char *ask_as(struct fixture *f, enum command_role role, const char *json)
{
        struct command_session session = {
                .id = 1, .transport = "test", .origin = "here", .principal = {role, "tester"}};
        struct command_call call = {.session = &session, .on_reply = on_reply, .owner = f};

        CHECK_EQ(json_parse(json, strlen(json), 8, &call.object, NULL), 0);
        reply[0] = '\0';
        command_dispatch(f->registry, &call, NULL);
        conversation_settle(&f->talk);
        return reply;
}

static const char *ask(struct fixture *f, const char *json)
{
        return ask_as(f, COMMAND_ROLE_ADMIN, json);
}

static bool has(const char *text, const char *part)
{
        return strstr(text, part) != NULL;
}

TEST(those_who_are_there_and_those_who_are_away_are_listed)
{
        struct fixture f;
        const char *text;

        fixture_open(&f);
        CHECK(has(ask(&f, "{\"command\":\"mqtt_clients\"}"),
                  "\"connected\":0,\"sessions\":0,\"clients\":[],\"next\":null}"));
        conversation_run(
                &f.talk,
                "a> " LOGIN_5_AS(
                        "one", "operator",
                        "operator") "a< " WELCOME_5 "b> 10{[MQTT] 05 02 0000 (11 0000000A) [two]}\n"
                                    "b< " WELCOME_5
                                    "b> 82{0001 () [t] 01}\nb< 90{0001 () 01}\nb> E0{}\nb|\n");
        text = ask(&f, "{\"command\":\"mqtt_clients\"}");
        CHECK(has(text, "\"connected\":1,\"sessions\":2,"));
        CHECK(has(text, "{\"client_id\":\"one\",\"connected\":true,"));
        CHECK(has(text, "\"user\":\"operator\","));
        CHECK(has(text, "\"role\":\"operator\"}"));
        CHECK(has(text, "{\"client_id\":\"two\",\"connected\":false,"));
        CHECK(has(text, "\"subscriptions_count\":1,"));
        fixture_close(&f);
}

/* Whoever is silent is asked nothing, and would have learned of it by that. */
TEST(a_role_is_told_as_it_is_now)
{
        static const char users[] = "mqtt: {users: [{name: fred, role: %s, hash: '%s'}]}",
                          hash[] = "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c"
                                   "16278542e93";
        struct fixture f;
        char text[256];

        fixture_open(&f);
        snprintf(text, sizeof(text), users, "operator", hash);
        fixture_set_users(&f, text);
        conversation_run(&f.talk,
                         "a> " LOGIN_5_AS("one", "fred", "the token of a server") "a< " WELCOME_5);
        CHECK(has(ask(&f, "{\"command\":\"mqtt_clients\"}"), "\"role\":\"operator\"}"));
        snprintf(text, sizeof(text), users, "viewer", hash);
        fixture_set_users(&f, text);
        CHECK(has(ask(&f, "{\"command\":\"mqtt_clients\"}"), "\"role\":\"viewer\"}"));
        fixture_close(&f);
}

TEST(many_come_page_by_page)
{
        struct fixture f;
        AUTO_JSON cJSON *page = NULL;
        char next[128];
        const char *text;

        fixture_open(&f);
        conversation_run(&f.talk,
                         "a> " LOGIN_5("one") "a< " WELCOME_5 "b> " LOGIN_5("two") "b< " WELCOME_5);
        text = ask(&f, "{\"command\":\"mqtt_clients\",\"limit\":1}");
        CHECK(has(text, "one") && !has(text, "two"));
        CHECK_EQ(json_parse(text, strlen(text), 8, &page, NULL), 0);
        snprintf(next, sizeof(next), "{\"command\":\"mqtt_clients\",\"cursor\":\"%s\"}",
                 json_get_string(page, "next"));
        text = ask(&f, next);
        CHECK(has(text, "two") && !has(text, "one") && has(text, "\"next\":null}"));
        fixture_close(&f);
}

TEST(one_is_told_with_its_subscriptions)
{
        struct fixture f;
        const char *text;

        fixture_open(&f);
        conversation_run(
                &f.talk,
                "a> " LOGIN_5(
                        "one") "a< " WELCOME_5
                               "a> 82{0001 () [t/#] 02 [$share/g/u] 00}\na< 90{0001 () 02 00}\n");
        text = ask(&f, "{\"command\":\"mqtt_client\",\"client_id\":\"one\"}");
        CHECK(has(text, "\"success\":true"));
        CHECK(has(text, "{\"filter\":\"t/#\",\"qos\":2}"));
        CHECK(has(text, "{\"filter\":\"$share/g/u\",\"qos\":0}"));
        fixture_close(&f);
}

TEST(who_is_kicked_is_told_why_and_may_come_again)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(&f.talk, "a> 10{[MQTT] 05 02 0000 (11 0000000A) [one]}\n"
                                  "a< " WELCOME_5 "a> 82{0001 () [t] 01}\na< 90{0001 () 01}\n");
        CHECK(has(ask(&f, "{\"command\":\"mqtt_kick\",\"client_id\":\"one\"}"),
                  "\"session\":\"kept\"}"));
        conversation_run(&f.talk, "a< E0{98}\na|\n");
        /* It has its session still, and loses it by the second kick. */
        CHECK(has(ask(&f, "{\"command\":\"mqtt_client\",\"client_id\":\"one\"}"),
                  "\"connected\":false"));
        CHECK(has(ask(&f, "{\"command\":\"mqtt_kick\",\"client_id\":\"one\"}"),
                  "no client connected with the client id \\\"one\\\""));
        CHECK(has(ask(&f, "{\"command\":\"mqtt_kick\",\"client_id\":\"one\",\"session\":true}"),
                  "\"session\":\"ended\"}"));
        CHECK(has(ask(&f, "{\"command\":\"mqtt_client\",\"client_id\":\"one\"}"), "BAD_VALUE"));
        conversation_run(&f.talk, "b> " LOGIN_5("one") "b< " WELCOME_5);
        fixture_close(&f);
}

TEST(who_kicks_itself_is_gone)
{
        struct fixture f;

        fixture_open(&f);
        f.anybody = (struct command_principal){COMMAND_ROLE_ADMIN, "anybody"};
        conversation_run(
                &f.talk,
                "a> " LOGIN_5("one") "a< " WELCOME_5 "a> 32{[pi/rpc/request] 0001 () "
                                     "'{\"command\":\"mqtt_kick\",\"client_id\":\"one\"}'}\n"
                                     "a~\n"
                                     "a|\n");
        CHECK(has(ask(&f, "{\"command\":\"mqtt_clients\"}"), "\"connected\":0,"));
        fixture_close(&f);
}

static const struct {
        enum command_role role;
        const char *request, *code;
} refused[] = {
        {COMMAND_ROLE_DEPLOYER, "{\"command\":\"mqtt_clients\"}", "FORBIDDEN"},
        {COMMAND_ROLE_DEPLOYER, "{\"command\":\"mqtt_client\",\"client_id\":\"one\"}", "FORBIDDEN"},
        {COMMAND_ROLE_DEPLOYER, "{\"command\":\"mqtt_kick\",\"client_id\":\"one\"}", "FORBIDDEN"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_clients\",\"limit\":0}", "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_clients\",\"limit\":1001}", "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_clients\",\"cursor\":\"x\"}", "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_clients\",\"cursor\":\"-1\"}", "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_clients\",\"cursor\":\"99999999999999999999\"}",
         "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_client\"}", "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_client\",\"client_id\":\"\"}", "BAD_PARAMS"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_client\",\"client_id\":\"nobody\"}", "BAD_VALUE"},
        {COMMAND_ROLE_ADMIN,
         "{\"command\":\"mqtt_kick\",\"client_id\":\"nobody\",\"session\":true}", "BAD_VALUE"},
        {COMMAND_ROLE_ADMIN, "{\"command\":\"mqtt_kick\",\"client_id\":\"one\",\"session\":1}",
         "BAD_PARAMS"},
};

TEST(what_is_asked_wrongly_is_refused_and_nobody_goes)
{
        struct fixture f;

        fixture_open(&f);
        conversation_run(&f.talk, "a> " LOGIN_5("one") "a< " WELCOME_5);
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                char code[64];

                snprintf(code, sizeof(code), "\"code\":\"%s\"", refused[i].code);
                if (!has(ask_as(&f, refused[i].role, refused[i].request), code))
                        FAIL("%s: %s", refused[i].request, reply);
        }
        conversation_run(&f.talk, "a> C0{}\na< D0{}\n");
        fixture_close(&f);
}
