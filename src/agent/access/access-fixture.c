#include "agent/access/access-fixture.h"

#include "access/verifier.h"
#include "command/reply.h"
#include "data/json.h"

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

void add_token(struct fixture *f, const char *name, const char *hash, int role)
{
        CHECK(f->tokens_count < ARRAY_SIZE(f->tokens));
        f->tokens[f->tokens_count++] =
                (struct access_token){.name = (char *)name, .hash = (char *)hash, .role = role};
}

void fixture_open(struct fixture *f, enum access_mode mode)
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

void fixture_open_with_tokens(struct fixture *f, enum access_mode mode)
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

void fixture_close(struct fixture *f)
{
        access_free(f->access);
        loop_work_free(f->work);
        command_subscription_free(f->denials);
        command_subscription_free(f->grants);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

struct command_request *ask_as(struct fixture *f, struct command_session *session, const char *json)
{
        struct command_call call = {.session = session, .on_reply = on_reply, .owner = f};
        struct command_request *pending;

        CHECK_EQ(json_parse(json, strlen(json), 32, &call.object, NULL), 0);
        command_dispatch(f->registry, &call, &pending);
        return pending;
}

struct command_request *ask(struct fixture *f, const char *json)
{
        return ask_as(f, &f->session, json);
}

struct command_request *send_token_as(struct fixture *f, struct command_session *session,
                                      const char *command, const char *token)
{
        char json[1024];

        snprintf(json, sizeof json, "{\"command\":\"%s\",\"token\":\"%s\"}", command, token);
        return ask_as(f, session, json);
}

struct command_request *send_token(struct fixture *f, const char *command, const char *token)
{
        return send_token_as(f, &f->session, command, token);
}

void run_until_replies(struct fixture *f, unsigned replies)
{
        for (int rounds = 0; f->replies < replies && rounds < 10000; rounds++)
                loop_run_once(f->loop, 100);
        CHECK_EQ(f->replies, replies);
}

void finish_round(struct fixture *f)
{
        loop_run_once(f->loop, 0);
        loop_run_once(f->loop, 0);
}

bool replied(const struct fixture *f, const char *part)
{
        return strstr(f->reply, part) != NULL;
}

/* Sends one token by `auth` and waits for the reply. */
void authenticate(struct fixture *f, const char *token)
{
        unsigned replies = f->replies;

        send_token(f, "auth", token);
        run_until_replies(f, replies + 1);
        finish_round(f);
}
