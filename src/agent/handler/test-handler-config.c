#include "agent/handler/config.h"

#include "agent/handler/module-name.h"
#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>

static int parse(const char *text, struct handler_config *ret, struct error *error)
{
        const struct config_section section = handler_config_section(ret);
        int r = config_parse("a.yaml", text, strlen(text), &section, 1, error);

        if (r == 0) {
                r = handler_config_check(ret, error);
                if (r < 0)
                        config_done(&section, 1);
        }
        return r;
}

static void forget(struct handler_config *config)
{
        const struct config_section section = handler_config_section(config);

        config_done(&section, 1);
}

TEST(what_is_not_set_has_its_default)
{
        struct handler_config config;

        CHECK_EQ(parse("", &config, NULL), 0);
        CHECK_EQ(handler_config_timeout_ms(&config, NULL, "x"), 10000);
        CHECK_EQ(handler_grant_role(NULL), COMMAND_ROLE_OPERATOR);
        CHECK_EQ(handler_config_start(&config, NULL), HANDLER_START_NOW);
        CHECK_EQ(config.shared_dirs.count, 1);
        CHECK_TEXT(config.shared_dirs.items[0], "/home/pi/recordings");
        CHECK_TEXT(handler_config_refuse(&config), "medium");
        CHECK_NULL(handler_config_grant(&config, "camera.py"));
        forget(&config);
}

TEST(a_module_has_what_it_is_granted_by_either_name)
{
        const struct handler_grant *grant;
        struct handler_config config;

        CHECK_EQ(parse("handlers: {timeout: 2, start: lazy, modules: {camera: {role: viewer, "
                       "timeout: 3, start: now, timeouts: {snap: 30.5}}, lamp: {memory: 1}, "
                       "lamp.c: {memory: 2}}}",
                       &config, NULL),
                 0);
        grant = handler_config_grant(&config, "camera.py");
        CHECK_EQ(handler_grant_role(grant), COMMAND_ROLE_VIEWER);
        CHECK_EQ(handler_config_timeout_ms(&config, grant, "snap"), 30500);
        CHECK_EQ(handler_config_timeout_ms(&config, grant, "other"), 3000);
        CHECK_EQ(handler_config_start(&config, grant), HANDLER_START_NOW);
        CHECK_EQ(handler_config_grant(&config, "lamp.py")->memory, 1);
        CHECK_EQ(handler_config_grant(&config, "lamp.c")->memory, 2);
        CHECK_EQ(handler_config_timeout_ms(&config, handler_config_grant(&config, "lamp.c"), "x"),
                 2000);
        CHECK_EQ(handler_config_start(&config, handler_config_grant(&config, "lamp.c")),
                 HANDLER_START_LAZY);
        CHECK_NULL(handler_config_grant(&config, "lam.py"));
        forget(&config);
}

TEST(what_cannot_be_meant_is_refused_with_its_place)
{
        static const struct {
                const char *text, *words;
        } cases[] = {
                {"handlers: {dir: /srv}", "handlers.dir cannot be"},
                {"handlers: {shared_dirs: [recordings]}", "handlers.shared_dirs: \"recordings\""},
                {"handlers: {shared_dirs: [/home/../etc]}", "is not a plain path"},
                {"handlers: {modules: {\"../x\": {}}}", "is no module's name"},
                {"handlers: {modules: {cam: {devices: [/etc/passwd]}}}",
                 "handlers.modules.cam.devices: /etc/passwd is not below /dev"},
                {"handlers: {modules: {cam: {directories: [x]}}}", "handlers.modules.cam.direct"},
                {"handlers: {require_signature: true}", "handlers.trusted_keys is empty"},
                {"handlers: {trusted_keys: [nonsense]}", "handlers.trusted_keys[0]: "},
                {"handlers: {python: python3}", "handlers.python is a path"},
                {"handlers: {modules: {cam: {role: king}}}", "handlers.modules.cam.role"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct handler_config config;
                struct error error;

                CHECK_EQ(parse(cases[i].text, &config, &error), -EINVAL);
                if (!strstr(error.text, cases[i].words))
                        FAIL("%s: %s", cases[i].text, error.text);
        }
}

TEST(names_that_are_taken_or_no_names_are_refused)
{
        static const char *const good[] = {"camera_handlers.py", "gpio_handlers.py", "a.c",
                                           "system_handlers.py", "x1_.py"};
        static const char *const bad[] = {"",         "a",        "A.py",           "1.py",
                                          "a.b.py",   "../a.py",  "os.py",          "xml.py",
                                          "agent.py", "a.sh",     "a/b.py",         "host.py",
                                          "_a.py",    "zlib.py",  "antigravity.py", ".py",
                                          "a.py\n",   "server.c", "this.py",        "pifleet.py"};
        struct error error;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                CHECK_EQ(module_name_check(good[i], &error), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (module_name_check(bad[i], &error) == 0)
                        FAIL("%s was taken", bad[i]);
        CHECK(module_command_name_is_valid("take_picture2"));
        CHECK(!module_command_name_is_valid("") && !module_command_name_is_valid("a.b"));
        CHECK(!module_command_name_is_valid("_a") && !module_command_name_is_valid("A"));
}
