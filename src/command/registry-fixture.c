#include "command/registry-fixture.h"

#include "command/reply.h"
#include "data/json.h"

#include <errno.h>

static int run_ping(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->ran = command_request_name(request);
        command_reply_open(request, "pong");
        return command_reply_send(request);
}

int run_other(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->ran = "other";
        command_reply_open(request, NULL);
        return command_reply_send(request);
}

static int run_wait(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->held = request;
        return COMMAND_PENDING;
}

static int run_fault(void *owner, struct command_request *request)
{
        (void)owner;
        (void)request;
        return -EIO;
}

const struct command fixture_commands[FIXTURE_COMMANDS] = {
        {.name = "ping", .role = COMMAND_ROLE_VIEWER, .run = run_ping},
        {.name = "auth", .role = COMMAND_ROLE_NONE, .run = run_ping, .authenticates = true},
        {.name = "wait", .role = COMMAND_ROLE_VIEWER, .run = run_wait, .timeout_ms = 500},
        {.name = "fault", .role = COMMAND_ROLE_OPERATOR, .run = run_fault, .changes = true},
        {.name = "led_on",
         .role = COMMAND_ROLE_OPERATOR,
         .run = run_ping,
         .changes = true,
         .layer = COMMAND_LAYER_UPDATABLE,
         .schema = "{\"type\":\"object\",\"properties\":{\"pin\":{\"type\":\"integer\"}},"
                   "\"required\":[\"pin\"]}"},
};

void fixture_on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;

        CHECK(length < sizeof(f->reply));
        CHECK_EQ(json[length], '\n'); /* not counted */
        memcpy(f->reply, json, length);
        f->reply[length] = '\0';
        f->replies++;
        f->success = success;
}

void fixture_open(struct fixture *f)
{
        struct error error;

        *f = (struct fixture){0};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, fixture_commands, FIXTURE_COMMANDS, "builtin", f,
                                      &error),
                 0);
        f->session = (struct command_session){.id = 1,
                                              .transport = "test",
                                              .origin = "here",
                                              .principal = {COMMAND_ROLE_ADMIN, "somebody"}};
}

void fixture_close(struct fixture *f)
{
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

struct command_request *ask(struct fixture *f, const char *json)
{
        struct command_call call = {
                .session = &f->session, .on_reply = fixture_on_reply, .owner = f};
        struct command_request *pending;

        CHECK_EQ(json_parse(json, strlen(json), 32, &call.object, NULL), 0);
        f->replies = 0;
        command_dispatch(f->registry, &call, &pending);
        return pending;
}

void check_refused(struct fixture *f, const char *json, const char *code, const char *words)
{
        char expected[64];

        CHECK_NULL(ask(f, json));
        CHECK_EQ(f->replies, 1);
        CHECK(!f->success);
        snprintf(expected, sizeof(expected), "\"code\":\"%s\"", code);
        if (!strstr(f->reply, expected) || !strstr(f->reply, words))
                FAIL("%s -> %s, wanted %s and \"%s\"", json, f->reply, code, words);
        CHECK(strstr(f->reply, "\"type\":\"error\"") != NULL);
        CHECK(strstr(f->reply, "\"timestamp\":") != NULL);
}
