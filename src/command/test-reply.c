#include "command/reply.h"

#include "command/registry.h"
#include "data/json.h"
#include "support/test.h"

#include <stdlib.h>

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        const char *tree; /* what the module "module" returns */
        size_t fill;      /* bytes that "large" writes */
        cJSON *reply;
        size_t length;
        bool success;
};

static int run_module(void *owner, struct command_request *request)
{
        struct fixture *f = owner;
        AUTO_JSON cJSON *tree = NULL;

        CHECK_EQ(json_parse(f->tree, strlen(f->tree), 32, &tree, NULL), 0);
        return command_reply_tree(request, tree);
}

static int run_large(void *owner, struct command_request *request)
{
        struct fixture *f = owner;
        struct json_writer *writer = command_reply_open(request, NULL);
        char kilobyte[1024];

        memset(kilobyte, 'x', sizeof(kilobyte));
        json_write_array(writer, "data");
        for (size_t written = 0; written < f->fill; written += sizeof(kilobyte))
                json_write_text(writer, NULL, kilobyte, sizeof(kilobyte));
        json_write_end(writer);
        return command_reply_send(request);
}

static const struct command commands[] = {
        {.name = "module", .run = run_module},
        {.name = "large", .run = run_large},
};

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;

        CHECK_EQ(json_parse(json, length, 32, &f->reply, NULL), 0);
        f->length = length;
        f->success = success;
}

static void fixture_ask(struct fixture *f, const char *json)
{
        struct command_session session = {.transport = "test", .origin = ""};
        struct command_call call = {.session = &session, .on_reply = on_reply, .owner = f};

        cJSON_Delete(f->reply);
        f->reply = NULL;
        CHECK_EQ(json_parse(json, strlen(json), 32, &call.object, NULL), 0);
        command_dispatch(f->registry, &call, NULL);
}

static void fixture_open(struct fixture *f)
{
        *f = (struct fixture){0};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, commands, ARRAY_SIZE(commands), "test", f, NULL),
                 0);
}

static void fixture_close(struct fixture *f)
{
        cJSON_Delete(f->reply);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

TEST(a_modules_reply_gets_what_it_lacks)
{
        struct fixture f;

        fixture_open(&f);
        f.tree = "{\"picture\":7}";
        fixture_ask(&f, "{\"command\":\"module\",\"id\":\"i\"}");
        CHECK(f.success);
        CHECK_TEXT(json_get_string(f.reply, "type"), "module");
        CHECK(cJSON_IsNumber(json_get(f.reply, "timestamp")));
        CHECK(cJSON_IsTrue(json_get(f.reply, "success")));
        CHECK_TEXT(json_get_string(f.reply, "id"), "i");
        CHECK_EQ(json_get(f.reply, "picture")->valuedouble, 7);
        fixture_close(&f);
}

TEST(a_modules_reply_keeps_what_it_has_but_for_the_id)
{
        struct fixture f;
        int64_t id = 0;

        fixture_open(&f);
        f.tree = "{\"success\":false,\"type\":\"mine\",\"timestamp\":1,\"id\":99}";
        fixture_ask(&f, "{\"command\":\"module\",\"id\":5}");
        CHECK(!f.success);
        CHECK_TEXT(json_get_string(f.reply, "type"), "mine");
        CHECK_EQ(json_get(f.reply, "timestamp")->valuedouble, 1);
        CHECK(json_get_integer(f.reply, "id", &id));
        CHECK_EQ(id, 5);
        CHECK_EQ(cJSON_GetArraySize(f.reply), 4);
        fixture_close(&f);
}

TEST(a_reply_that_is_too_large_becomes_an_error_that_says_so)
{
        struct fixture f;

        fixture_open(&f);
        f.fill = COMMAND_REPLY_MAX + 1024;
        fixture_ask(&f, "{\"command\":\"large\",\"id\":5}");
        CHECK(!f.success);
        CHECK_TEXT(json_get_string(f.reply, "code"), "TOO_LARGE");
        CHECK(f.length < 1024);

        f.fill = COMMAND_REPLY_MAX - (64 << 10);
        fixture_ask(&f, "{\"command\":\"large\"}");
        CHECK(f.success);
        CHECK(f.length > f.fill);
        fixture_close(&f);
}
