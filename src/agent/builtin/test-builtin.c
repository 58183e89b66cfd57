#include "agent/builtin/test-tree.h"

#include "agent/builtin/builtin.h"
#include "base/attributes.h"
#include "command/reply.h"
#include "data/json.h"

#include <errno.h>

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct builtin *builtin;
        struct command_session session;
        cJSON *reply; /* the last one */
};

static void fixture_open_with(struct fixture *f, const struct builtin_config *config)
{
        struct error error = {0};

        *f = (struct fixture){.session = {.id = 1,
                                          .transport = "test",
                                          .origin = "here",
                                          .principal = {COMMAND_ROLE_VIEWER, "somebody"}}};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(builtin_attach(f->registry, config, &f->builtin, &error), 0);
}

/* A Pi 4 in files. */
static void fixture_open(struct fixture *f)
{
        static const struct builtin_config config = {.proc_root = FIXTURES "/pi-4/proc",
                                                     .sys_root = FIXTURES "/pi-4/sys",
                                                     .etc_root = FIXTURES "/pi-4/etc"};

        fixture_open_with(f, &config);
}

static void fixture_close(struct fixture *f)
{
        cJSON_Delete(f->reply);
        builtin_free(f->builtin);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;
        bool said;

        cJSON_Delete(f->reply);
        f->reply = NULL;
        CHECK_EQ(json_parse(json, length, JSON_DEPTH_MAX, &f->reply, NULL), 0);
        CHECK(json_get_bool(f->reply, "success", &said));
        CHECK_EQ(said, success);
}

/* The reply, which is the fixture's; it must be a success. */
static const cJSON *ask(struct fixture *f, const char *json)
{
        struct command_call call = {.session = &f->session, .on_reply = on_reply, .owner = f};
        bool success;

        cJSON_Delete(f->reply);
        f->reply = NULL;
        CHECK_EQ(json_parse(json, strlen(json), JSON_DEPTH_MAX, &call.object, NULL), 0);
        command_dispatch(f->registry, &call, NULL);
        CHECK(f->reply != NULL);
        CHECK(json_get_bool(f->reply, "success", &success));
        CHECK(success);
        return f->reply;
}

static void check_json(const cJSON *value, const char *expected)
{
        char *text;

        CHECK(value != NULL);
        text = cJSON_PrintUnformatted(value);
        CHECK(text != NULL);
        CHECK_TEXT(text, expected);
        free(text);
}

TEST(ping_says_pong_and_how_long_the_agent_is_up)
{
        struct fixture f;
        const cJSON *reply;
        double uptime;

        fixture_open(&f);
        reply = ask(&f, "{\"command\":\"ping\"}");
        CHECK_TEXT(json_get_string(reply, "type"), "pong");
        CHECK(json_get_double(reply, "uptime", &uptime));
        CHECK(uptime == 0);
        loop_advance_ms(f.loop, 61005);
        reply = ask(&f, "{\"command\":\"ping\"}");
        CHECK(json_get_double(reply, "uptime", &uptime));
        CHECK(uptime == 61.005);
        /* the same millisecond again */
        reply = ask(&f, "{\"command\":\"ping\"}");
        CHECK(json_get_double(reply, "uptime", &uptime));
        CHECK(uptime == 61.005);
        fixture_close(&f);
}

TEST(echo_sends_back_what_is_not_the_wires)
{
        static const struct {
                const char *request, *expected;
        } cases[] = {
                {"{\"command\":\"echo\"}", "{}"},
                {"{\"command\":\"echo\",\"id\":7,\"a\":1}", "{\"id\":7,\"a\":1}"},
                {"{\"z\":null,\"command\":\"echo\",\"a\":[1,{\"b\":\"\\u00e9\"}]}",
                 "{\"z\":null,\"a\":[1,{\"b\":\"\xc3\xa9\"}]}"},
                {"{\"command\":\"echo\",\"lease_token\":\"secret\",\"text\":\"x\"}",
                 "{\"text\":\"x\"}"},
                {"{\"command\":\"echo\",\"success\":false,\"type\":\"error\"}",
                 "{\"success\":false,\"type\":\"error\"}"},
        };
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const cJSON *reply = ask(&f, cases[i].request);

                CHECK_TEXT(json_get_string(reply, "type"), "echo");
                check_json(json_get(reply, "echo"), cases[i].expected);
        }
        fixture_close(&f);
}

static void write_gpio_status(void *owner, struct json_writer *writer)
{
        json_write_string(writer, "gpio_backend", owner);
}

TEST(status_adds_up_what_the_rooms_say)
{
        static char backend[] = "simulated";
        struct command_transport tcp = {.name = "tcp", .connections = 3};
        struct command_transport local = {.name = "unix", .connections = 2};
        struct fixture f;
        const cJSON *reply;

        fixture_open(&f);
        CHECK_EQ(command_registry_add_transport(f.registry, &tcp), 0);
        CHECK_EQ(command_registry_add_transport(f.registry, &local), 0);
        CHECK_EQ(command_registry_add_status(f.registry, write_gpio_status, backend), 0);
        loop_advance_ms(f.loop, 2500);
        reply = ask(&f, "{\"command\":\"get_status\"}");
        CHECK_TEXT(json_get_string(reply, "type"), "get_status");
        CHECK_TEXT(json_get_string(reply, "device_id"), "pi-10000000a1b2c3d4");
        CHECK_TEXT(builtin_device_id(f.builtin), "pi-10000000a1b2c3d4");
        CHECK_TEXT(json_get_string(reply, "version"), PIFLEET_VERSION);
        check_json(json_get(reply, "uptime"), "2.5");
        check_json(json_get(reply, "connections"), "5");
        check_json(json_get(reply, "lease_holder"), "null");
        CHECK_TEXT(json_get_string(reply, "server_link"), "disabled");
        CHECK_TEXT(json_get_string(reply, "gpio_backend"), "simulated");
        fixture_close(&f);
}

TEST(the_machine_is_that_below_the_roots)
{
        struct fixture f;
        const cJSON *reply;

        fixture_open(&f);
        reply = ask(&f, "{\"command\":\"system_info\"}");
        CHECK_TEXT(json_get_string(reply, "type"), "system_info");
        CHECK_TEXT(json_get_string(reply, "model"), "Raspberry Pi 4 Model B Rev 1.5");
        reply = ask(&f, "{\"command\":\"get_metrics\"}");
        CHECK_TEXT(json_get_string(reply, "type"), "get_metrics");
        check_json(json_get(reply, "cpu_percent"), "30");
        check_json(json_get(reply, "temperature"), "48.686");
        CHECK(cJSON_IsNumber(json_get(reply, "disk_total"))); /* of "/", which is there */
        fixture_close(&f);
}

TEST(the_disk_is_that_of_the_state_directory)
{
        const struct builtin_config config = {.proc_root = FIXTURES "/container/proc",
                                              .sys_root = FIXTURES "/container/sys",
                                              .etc_root = FIXTURES "/container/etc",
                                              .state_dir = "/nonexistent"};
        struct fixture f;

        fixture_open_with(&f, &config);
        check_json(json_get(ask(&f, "{\"command\":\"get_metrics\"}"), "disk_total"), "\"N/A\"");
        check_json(json_get(ask(&f, "{\"command\":\"system_info\"}"), "disk"), "\"N/A\"");
        fixture_close(&f);
}

TEST(real_roots_are_the_default)
{
        const struct builtin_config config = {0};
        struct fixture f;
        const cJSON *reply;

        fixture_open_with(&f, &config);
        reply = ask(&f, "{\"command\":\"get_metrics\"}");
        CHECK(cJSON_IsNumber(json_get(reply, "cpu_percent")));
        CHECK(cJSON_IsNumber(json_get(reply, "memory_total")));
        CHECK(cJSON_IsNumber(json_get(reply, "uptime")));
        CHECK_EQ(cJSON_GetArraySize(json_get(reply, "load_average")), 3);
        CHECK(cJSON_IsObject(json_get(reply, "network")));
        fixture_close(&f);
}

static int run_deployed(void *owner, struct command_request *request)
{
        command_reply_open(request, NULL);
        return command_reply_send(request);
}

TEST(commands_are_listed_with_all_that_a_caller_needs)
{
        static const struct command deployed[] = {
                {.name = "a_first",
                 .description = "Comes \"first\".",
                 .schema = "{\"type\":\"object\",\n \"properties\":\r\n{\"n\":{\"type\":"
                           "\"integer\"}}\n}",
                 .role = COMMAND_ROLE_OPERATOR,
                 .layer = COMMAND_LAYER_DEPLOYED,
                 .changes = true,
                 .timeout_ms = 1500,
                 .run = run_deployed},
        };
        static const char *const names[] = {"a_first",     "connection_stats", "echo",
                                            "get_metrics", "get_status",       "list_commands",
                                            "ping",        "system_info"};
        struct fixture f;
        const cJSON *list;
        struct error error;

        fixture_open(&f);
        CHECK_EQ(command_registry_add(f.registry, deployed, 1, "handlers/a.py", &f, &error), 0);
        list = json_get(ask(&f, "{\"command\":\"list_commands\"}"), "commands");
        CHECK_EQ(cJSON_GetArraySize(list), ARRAY_SIZE(names));
        check_json(
                cJSON_GetArrayItem(list, 0),
                "{\"name\":\"a_first\",\"source\":\"handlers/a.py\",\"role\":\"operator\","
                "\"description\":\"Comes \\\"first\\\".\",\"changes\":true,\"timeout\":1.5,"
                "\"schema\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}}");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const cJSON *entry = cJSON_GetArrayItem(list, (int)i);

                CHECK_TEXT(json_get_string(entry, "name"), names[i]);
                if (i == 0)
                        continue;
                CHECK_TEXT(json_get_string(entry, "source"), "builtin");
                CHECK_TEXT(json_get_string(entry, "role"), "viewer");
                CHECK(strlen(json_get_string(entry, "description")) > 10);
                check_json(json_get(entry, "changes"), "false");
                check_json(json_get(entry, "timeout"), "10");
                check_json(json_get(entry, "schema"), "{\"type\":\"object\"}");
        }
        command_registry_remove(f.registry, "handlers/a.py");
        fixture_close(&f);
}

TEST(only_what_is_made_for_it_can_be_covered)
{
        static const struct {
                const char *name;
                int result;
        } cases[] = {
                {"ping", -EEXIST},
                {"echo", -EEXIST},
                {"get_status", -EEXIST},
                {"list_commands", -EEXIST},
                {"connection_stats", -EEXIST},
                {"system_info", 0},
                {"get_metrics", 0},
        };
        struct fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct command deployed = {.name = cases[i].name,
                                                 .role = COMMAND_ROLE_VIEWER,
                                                 .layer = COMMAND_LAYER_DEPLOYED,
                                                 .run = run_deployed};
                struct error error;

                CHECK_EQ(command_registry_add(f.registry, &deployed, 1, "module", &f, &error),
                         cases[i].result);
        }
        command_registry_remove(f.registry, "module");
        fixture_close(&f);
}

TEST(traffic_is_counted_per_transport_and_summed)
{
        struct command_transport tcp = {.name = "tcp",
                                        .connections = 1,
                                        .connections_total = 20,
                                        .refused = 3,
                                        .requests = 400,
                                        .errors = 5,
                                        .bytes_in = 6000,
                                        .bytes_out = 70000};
        struct command_transport local = {.name = "unix",
                                          .connections = 1,
                                          .connections_total = 2,
                                          .requests = 3,
                                          .bytes_in = 4};
        struct fixture f;
        const cJSON *reply;

        fixture_open(&f);
        CHECK_EQ(command_registry_add_transport(f.registry, &tcp), 0);
        CHECK_EQ(command_registry_add_transport(f.registry, &local), 0);
        reply = ask(&f, "{\"command\":\"connection_stats\"}");
        check_json(json_get(reply, "connections"), "2");
        check_json(json_get(reply, "total_connections"), "22");
        check_json(json_get(reply, "refused"), "3");
        check_json(json_get(reply, "requests"), "403");
        check_json(json_get(reply, "errors"), "5");
        check_json(json_get(reply, "bytes_received"), "6004");
        check_json(json_get(reply, "bytes_sent"), "70000");
        check_json(json_get(reply, "transports"),
                   "{\"tcp\":{\"connections\":1,\"total_connections\":20,\"refused\":3,"
                   "\"requests\":400,\"errors\":5,\"bytes_received\":6000,\"bytes_sent\":70000},"
                   "\"unix\":{\"connections\":1,\"total_connections\":2,\"refused\":0,"
                   "\"requests\":3,\"errors\":0,\"bytes_received\":4,\"bytes_sent\":0}}");
        fixture_close(&f);
}

static int run_failing(void *owner, struct command_request *request)
{
        return command_reply_fail(request, COMMAND_HARDWARE, "It is broken");
}

TEST(commands_that_were_called_have_latencies)
{
        static const struct command failing = {
                .name = "failing", .role = COMMAND_ROLE_VIEWER, .run = run_failing};
        struct command_call call;
        struct fixture f;
        const cJSON *commands, *latency;
        struct error error;
        double p50, p99, max;

        fixture_open(&f);
        CHECK_EQ(command_registry_add(f.registry, &failing, 1, "test", &f, &error), 0);
        for (int i = 0; i < 3; i++)
                ask(&f, "{\"command\":\"ping\"}");
        call = (struct command_call){.session = &f.session, .on_reply = on_reply, .owner = &f};
        CHECK_EQ(json_parse("{\"command\":\"failing\"}", 21, 8, &call.object, NULL), 0);
        command_dispatch(f.registry, &call, NULL);
        commands = json_get(ask(&f, "{\"command\":\"connection_stats\"}"), "commands");
        CHECK_EQ(cJSON_GetArraySize(commands), 2); /* this call is not counted yet */
        check_json(json_get(json_get(commands, "ping"), "calls"), "3");
        check_json(json_get(json_get(commands, "ping"), "errors"), "0");
        check_json(json_get(json_get(commands, "ping"), "timeouts"), "0");
        check_json(json_get(json_get(commands, "failing"), "calls"), "1");
        check_json(json_get(json_get(commands, "failing"), "errors"), "1");
        latency = json_get(json_get(commands, "ping"), "latency_ms");
        CHECK(json_get_double(latency, "p50", &p50));
        CHECK(json_get_double(latency, "p99", &p99));
        CHECK(json_get_double(latency, "max", &max));
        CHECK(p50 <= p99 && p99 <= max && max < 10000);
        command_registry_remove(f.registry, "test");
        fixture_close(&f);
}

TEST(a_name_that_is_taken_leaves_nothing_behind)
{
        static const struct command taken = {
                .name = "get_metrics", .role = COMMAND_ROLE_VIEWER, .run = run_failing};
        const struct builtin_config config = {0};
        struct fixture f;
        struct builtin *second = NULL;
        struct error error = {0};

        fixture_open(&f);
        CHECK_EQ(builtin_attach(f.registry, &config, &second, &error), -EEXIST);
        CHECK_NULL(second);
        CHECK(strstr(error.text, "ping") != NULL);
        builtin_free(f.builtin);
        f.builtin = NULL;
        CHECK_NULL(command_registry_next(f.registry, NULL));

        CHECK_EQ(command_registry_add(f.registry, &taken, 1, "test", &f, &error), 0);
        CHECK_EQ(builtin_attach(f.registry, &config, &second, &error), -EEXIST);
        CHECK_NULL(command_registry_find(f.registry, "ping"));
        command_registry_remove(f.registry, "test");
        fixture_close(&f);
}
