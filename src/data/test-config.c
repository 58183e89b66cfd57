#include "data/config.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum mode { MODE_TOKEN, MODE_OPEN };

struct token {
        char *name, *role;
        int64_t uses;
};

struct command {
        char *host, *socket;
        int64_t port;
        double idle;
        bool tls;
        enum mode mode;
        struct config_texts services;
        struct config_list tokens;
        bool later;
};

struct top {
        char *profile;
};

static const char *const modes[] = {"token", "open", NULL};

static const struct config_key token_keys[] = {
        CONFIG_TEXT(struct token, name, "name", NULL, "the token's name", .required = true),
        CONFIG_TEXT(struct token, role, "role", "viewer", "a role"),
        CONFIG_INTEGER(struct token, uses, "uses", 7, 0, 100, "0 to 100"),
};

static const struct config_key command_keys[] = {
        CONFIG_TEXT(struct command, host, "host", "0.0.0.0", "an address"),
        CONFIG_TEXT(struct command, socket, "socket", NULL, "a path"),
        CONFIG_INTEGER(struct command, port, "port", 3000, 0, 65535, "a TCP port, 0 to 65535"),
        CONFIG_SECONDS(struct command, idle, "idle_timeout", 30, 0.5, 86400, "seconds"),
        CONFIG_BOOL(struct command, tls, "tls", true),
        CONFIG_CHOICE(struct command, mode, "mode", MODE_TOKEN, modes, "token or open"),
        CONFIG_TEXTS(struct command, services, "services", "*.service a", 3, "names of units"),
        CONFIG_LIST(struct command, tokens, "tokens", struct token, token_keys, 2, "tokens"),
        CONFIG_RESERVED(struct command, later, "later"),
};

static const struct config_key top_keys[] = {
        CONFIG_TEXT(struct top, profile, "profile", "standard", "a profile"),
};

struct fixture {
        struct command command;
        struct top top;
        bool mqtt;
        struct config_section sections[3];
        struct error error;
};

static void fixture_open(struct fixture *f)
{
        memset(f, 0x55, sizeof(*f)); /* whatever was there before */
        f->sections[0] = (struct config_section){"command", command_keys, ARRAY_SIZE(command_keys),
                                                 &f->command};
        f->sections[1] = (struct config_section){NULL, top_keys, ARRAY_SIZE(top_keys), &f->top};
        f->sections[2] = (struct config_section){"mqtt", NULL, 0, &f->mqtt};
        memset(&f->error, 0, sizeof(f->error));
}

static int fixture_parse(struct fixture *f, const char *text)
{
        fixture_open(f);
        return config_parse("agent.yaml", text, strlen(text), f->sections, 3, &f->error);
}

static void fixture_done(struct fixture *f)
{
        config_done(f->sections, 3);
        config_done(f->sections, 3);
        CHECK_NULL(f->command.host);
        CHECK_NULL(f->command.services.items);
        CHECK_NULL(f->command.tokens.items);
}

static void check_defaults(const struct fixture *f)
{
        CHECK_TEXT(f->command.host, "0.0.0.0");
        CHECK_NULL(f->command.socket);
        CHECK_EQ(f->command.port, 3000);
        CHECK(f->command.idle == 30);
        CHECK(f->command.tls);
        CHECK_EQ(f->command.mode, MODE_TOKEN);
        CHECK_EQ(f->command.services.count, 2);
        CHECK_TEXT(f->command.services.items[0], "*.service");
        CHECK_TEXT(f->command.services.items[1], "a");
        CHECK_EQ(f->command.tokens.count, 0);
        CHECK(!f->command.later);
        CHECK_TEXT(f->top.profile, "standard");
        CHECK(!f->mqtt);
}

static struct fixture f;

TEST(what_is_absent_has_its_default)
{
        static const char *const texts[] = {
                "",           "# nothing\n", "---\n",           "{}",
                "command:\n", "command: {}", "command: null\n", "\xEF\xBB\xBF"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                if (fixture_parse(&f, texts[i]) < 0)
                        FAIL("\"%s\": %s", texts[i], f.error.text);
                check_defaults(&f);
                fixture_done(&f);
        }
        fixture_open(&f);
        CHECK_EQ(config_defaults(f.sections, 3), 0);
        check_defaults(&f);
        fixture_done(&f);
}

static void check_all(const char *text)
{
        const struct token *tokens;

        if (fixture_parse(&f, text) < 0)
                FAIL("%s", f.error.text);
        CHECK_TEXT(f.command.host, "::1");
        CHECK_TEXT(f.command.socket, "");
        CHECK_EQ(f.command.port, 3001);
        CHECK(f.command.idle == 0.75);
        CHECK(!f.command.tls);
        CHECK_EQ(f.command.mode, MODE_OPEN);
        CHECK_EQ(f.command.services.count, 1);
        CHECK_TEXT(f.command.services.items[0], "b c");
        CHECK_EQ(f.command.tokens.count, 2);
        tokens = f.command.tokens.items;
        CHECK_TEXT(tokens[0].name, "one");
        CHECK_TEXT(tokens[0].role, "viewer");
        CHECK_EQ(tokens[0].uses, 7);
        CHECK_TEXT(tokens[1].name, "2");
        CHECK_TEXT(tokens[1].role, "admin");
        CHECK_EQ(tokens[1].uses, 100);
        CHECK(f.command.later);
        CHECK(f.mqtt);
        CHECK_TEXT(f.top.profile, "appliance");
        fixture_done(&f);
}

TEST(every_key_is_read_in_block_style)
{
        check_all("profile: appliance   # a comment\n"
                  "command:\n"
                  "  host: '::1'\n"
                  "  socket: \"\"\n"
                  "  port: 3001\n"
                  "  idle_timeout: 0.75\n"
                  "  tls: false\n"
                  "  mode: open\n"
                  "  services:\n"
                  "    - b c\n"
                  "  tokens:\n"
                  "    - name: one\n"
                  "    - name: 2\n"
                  "      role: admin\n"
                  "      uses: 100\n"
                  "  later: [[anything]]\n"
                  "mqtt: {users: [{a: b}], users: twice}\n");
}

TEST(every_key_is_read_from_json)
{
        check_all("{\"profile\":\"appliance\",\"command\":{\"host\":\"::1\",\"socket\":\"\","
                  "\"port\":3001,\"idle_timeout\":0.75,\"tls\":false,\"mode\":\"open\","
                  "\"services\":[\"b c\"],\"tokens\":[{\"name\":\"one\"},{\"name\":\"2\","
                  "\"role\":\"admin\",\"uses\":100}],\"later\":null},\"mqtt\":true}");
}

static const struct {
        const char *text;
        const char *error; /* behind "agent.yaml:" */
} refused[] = {
        {"comand: {}", "1:1: `comand` is not known; did you mean `command`?"},
        {"xyz: {}", "1:1: `xyz` is not known; known are `command`, `profile`, `mqtt`"},
        {"profil: x", "1:1: `profil` is not known; did you mean `profile`?"},
        {"command:\n  prot: 1\n", "2:3: `command.prot` is not known; did you mean `port`?"},
        {"command: {}\nmqtt: 1\ncommand: {}\n",
         "3:1: command is there twice, first in line 1: remove one"},
        {"mqtt: 1\nmqtt: 1\n", "2:1: mqtt is there twice, first in line 1: remove one"},
        {"command: {port: 1, port: 1}",
         "1:20: command.port is there twice, first in line 1: remove one"},
        {"command: [a]",
         "1:10: `command` is a section: expected keys with values, such as `host: ...`"},
        {"command: 3000",
         "1:10: `command` is a section: expected keys with values, such as `host: ...`"},
        {"- a", "1:1: expected sections with keys, such as `command:`"},
        {"? [a]\n: b", "1:3: a key must be a word"},
        {"command: {port: 70000}",
         "1:17: command.port cannot be 70000; expected: a TCP port, 0 to 65535"},
        {"command:\n  port: -1\n",
         "2:9: command.port cannot be -1; expected: a TCP port, 0 to 65535"},
        {"command: {port: \"3000\"}",
         "1:17: command.port cannot be the text \"3000\"; expected: a TCP port, 0 to 65535"},
        {"command: {port: 0x10}", NULL},
        {"command: {port: 1e3}", NULL},
        {"command: {port: 010}", NULL},
        {"command: {port: 3_000}", NULL},
        {"command: {port: 3000.0}", NULL},
        {"command: {port: +3000}", NULL},
        {"command: {port: 99999999999999999999999}", NULL},
        {"command: {port: [1]}",
         "1:17: command.port cannot be a list; expected: a TCP port, 0 to 65535"},
        {"command: {port: }",
         "1:17: command.port has no value: leave it out for its default, or expected: a TCP port, "
         "0 to 65535"},
        {"command: {port: ~}", NULL},
        {"command: {host: null}", NULL},
        {"command: {host: {a: b}}", "1:17: command.host cannot be a mapping; expected: an address"},
        {"command: {idle_timeout: 0.4}", NULL},
        {"command: {idle_timeout: 1e3}", NULL},
        {"command: {idle_timeout: 30s}", "1:25: command.idle_timeout cannot be 30s; expected: "
                                         "seconds"},
        {"command: {idle_timeout: .5}", NULL},
        {"command: {idle_timeout: 5.}", NULL},
        {"command: {idle_timeout: .inf}", NULL},
        {"command: {idle_timeout: nan}", NULL},
        {"command: {idle_timeout: 1.00000000000000000001}", NULL},
        {"command: {tls: yes}", "1:16: command.tls cannot be yes; expected: true or false"},
        {"command: {tls: \"true\"}", NULL},
        {"command: {tls: True}", NULL},
        {"command: {mode: opne}", "1:17: command.mode cannot be opne; expected: token or open"},
        {"command: {services: a}", "1:21: command.services cannot be a; expected: names of units"},
        {"command: {services: [a, [b]]}", NULL},
        {"command: {services: [a, null]}", NULL},
        {"command: {services: [a, b, c, d]}",
         "1:21: command.services has 4 items, but at most 3 may be there; expected: names of "
         "units"},
        {"command: {tokens: {name: a}}", "1:19: command.tokens cannot be a mapping; expected: "
                                         "tokens"},
        {"command: {tokens: [a]}", NULL},
        {"command: {tokens: [{name: a}, {name: b}, {name: c}]}", NULL},
        {"command:\n  tokens:\n    - name: a\n    - role: b\n",
         "4:7: command.tokens[1] needs `name`: the token's name"},
        {"command: {tokens: [{name: a}, {name: b, uses: x}]}",
         "1:47: command.tokens[1].uses cannot be x; expected: 0 to 100"},
        {"command: {tokens: [{name: a, nam: b}]}",
         "1:30: `command.tokens[0].nam` is not known; did you mean `name`?"},
        {"a: &x 1", "1:4: anchors (&name) are not supported: write the value out where it is "
                    "needed"},
        {"mqtt: *x", "1:7: aliases (*name) are not supported: write the value out; text that "
                     "begins with * needs quotes"},
        {"mqtt: !!int 3", "1:7: tags (!name) are not supported: leave it out"},
        {"mqtt: !x {a: b}", NULL},
        {"mqtt: &x [a]", NULL},
        {"mqtt: 1\n---\nmqtt: 2\n", "2:1: a second document begins here: only one is read"},
        {"mqtt: [1\n\n", "3:1: not YAML: did not find expected ',' or ']' while parsing a flow "
                         "sequence that begins in line 1"},
        {"mqtt: \"a\\0b\"", "1:7: a NUL (\\0) is not allowed in text"},
        {"a: b\n\xFF", "2:1: not UTF-8: save the file as UTF-8"},
        {"command:\n\tport: 1\n", NULL},
        {"a: \x01", "1:4: not YAML: control characters are not allowed"},
        {"mqtt: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "1:22: nested deeper than 16 levels"},
};

TEST(what_is_wrong_is_refused_with_its_place)
{
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                int r = fixture_parse(&f, refused[i].text);

                if (r != -EINVAL || f.error.code != r ||
                    strncmp(f.error.text, "agent.yaml:", 11) != 0 ||
                    (refused[i].error && strcmp(f.error.text + 11, refused[i].error) != 0))
                        FAIL("%s: %d %s", refused[i].text, r, f.error.text);
                CHECK_NULL(f.command.host);
                CHECK_NULL(f.command.tokens.items);
        }
        CHECK_EQ(fixture_parse(&f, "mqtt: [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]"), 0);
        fixture_done(&f);
}

TEST(a_nul_byte_is_refused_with_its_place)
{
        static const char text[] = "a: b\nc\0: d";

        fixture_open(&f);
        CHECK_EQ(config_parse("agent.yaml", text, sizeof(text) - 1, f.sections, 3, &f.error),
                 -EINVAL);
        CHECK_TEXT(f.error.text, "agent.yaml:2:2: a NUL byte: this is not a text file");
}

TEST(a_mebibyte_is_enough)
{
        size_t length = (1 << 20) + 1;
        char *text = malloc(length);

        CHECK(text != NULL);
        memset(text, '#', length);
        fixture_open(&f);
        CHECK_EQ(config_parse("a", text, length, f.sections, 3, &f.error), -EFBIG);
        CHECK_EQ(config_parse("a", text, length - 1, f.sections, 3, &f.error), 0);
        free(text);
        fixture_done(&f);
}

TEST(numbers_are_read_to_the_last_digit)
{
        static const struct config_key keys[] = {
                CONFIG_INTEGER(struct command, port, "n", 0, -9007199254740992.0,
                               9007199254740992.0, "any"),
                CONFIG_SECONDS(struct command, idle, "s", 0, -1e15, 1e15, "any"),
        };
        struct command command;
        const struct config_section section = {"a", keys, ARRAY_SIZE(keys), &command};

        CHECK_EQ(config_defaults(&section, 1), 0);
        CHECK_EQ(config_override(&section, 1, "a", "n", "9007199254740992", NULL), 0);
        CHECK(command.port == 9007199254740992);
        CHECK_EQ(config_override(&section, 1, "a", "n", "9007199254740993", NULL), -EINVAL);
        CHECK_EQ(config_override(&section, 1, "a", "n", "-9007199254740992", NULL), 0);
        CHECK(command.port == -9007199254740992);
        CHECK_EQ(config_override(&section, 1, "a", "n", "", NULL), -EINVAL);
        CHECK_EQ(config_override(&section, 1, "a", "n", "-", NULL), -EINVAL);
        CHECK_EQ(config_override(&section, 1, "a", "n", " 1", NULL), -EINVAL);
        CHECK_EQ(config_override(&section, 1, "a", "s", "0.1", NULL), 0);
        CHECK(command.idle == 0.1);
        CHECK_EQ(config_override(&section, 1, "a", "s", "-12345678.1234567", NULL), 0);
        CHECK(command.idle == -12345678.1234567);
        CHECK_EQ(config_override(&section, 1, "a", "s", "12345678.12345678", NULL), -EINVAL);
        CHECK_EQ(config_override(&section, 1, "a", "s", "1.5.5", NULL), -EINVAL);
}

TEST(one_value_is_overridden)
{
        CHECK_EQ(fixture_parse(&f, "command: {port: 5}"), 0);
        CHECK_EQ(config_override(f.sections, 3, "command", "port", "3001", &f.error), 0);
        CHECK_EQ(f.command.port, 3001);
        CHECK_EQ(config_override(f.sections, 3, "command", "host", "::", &f.error), 0);
        CHECK_TEXT(f.command.host, "::");
        CHECK_EQ(config_override(f.sections, 3, NULL, "profile", "x", &f.error), 0);
        CHECK_TEXT(f.top.profile, "x");

        CHECK_EQ(config_override(f.sections, 3, "command", "port", "x", &f.error), -EINVAL);
        CHECK_TEXT(f.error.text, "command.port cannot be \"x\"; expected: a TCP port, 0 to 65535");
        CHECK_EQ(f.command.port, 3001);
        CHECK_EQ(config_override(f.sections, 3, "command", "prot", "1", &f.error), -EINVAL);
        CHECK_TEXT(f.error.text, "`command.prot` is not known; did you mean `port`?");
        CHECK_EQ(config_override(f.sections, 3, "x", "port", "1", &f.error), -EINVAL);
        CHECK_EQ(config_override(f.sections, 3, "command", "services", "a", &f.error), -EINVAL);
        CHECK_EQ(config_override(f.sections, 3, "mqtt", "port", "a", &f.error), -EINVAL);
        CHECK_EQ(config_override(f.sections, 3, NULL, "profil", "x", &f.error), -EINVAL);
        CHECK_TEXT(f.error.text, "`profil` is not known; did you mean `profile`?");
        fixture_done(&f);
}

TEST(a_file_is_loaded_and_one_that_is_not_there_named)
{
        char path[] = "/tmp/test-config-XXXXXX";
        int fd = mkstemp(path);

        CHECK(fd >= 0);
        CHECK_EQ(write(fd, "command: {port: 1}\n", 19), 19);
        CHECK_EQ(close(fd), 0);
        fixture_open(&f);
        CHECK_EQ(config_load(path, f.sections, 3, &f.error), 0);
        CHECK_EQ(f.command.port, 1);
        fixture_done(&f);

        CHECK_EQ(unlink(path), 0);
        fixture_open(&f);
        CHECK_EQ(config_load(path, f.sections, 3, &f.error), -ENOENT);
        CHECK(strstr(f.error.text, path) != NULL);
        fixture_done(&f);
        CHECK_EQ(config_load("/", f.sections, 3, &f.error), -EISDIR);
}

/* libyaml has no hooks for its memory; all that is ours is failed. */
TEST(a_file_that_does_not_fit_in_memory_leaves_nothing_behind)
{
        static const char text[] =
                "profile: x\n"
                "command: {host: a, services: [a, b], tokens: [{name: a}, {name: "
                "b, role: c}]}\n";
        size_t n = 0;
        bool failed;
        int r;

        do {
                fixture_open(&f);
                allocation_fail_at(++n);
                r = config_parse("agent.yaml", text, strlen(text), f.sections, 3, &f.error);
                failed = allocation_end();
                if (r != (failed ? -ENOMEM : 0) || f.error.code != r)
                        FAIL("allocation %zu: %d %s", n, r, f.error.text);
                if (!failed)
                        break;
                CHECK_NULL(f.command.host);
                CHECK_NULL(f.command.services.items);
                CHECK_NULL(f.command.tokens.items);
                CHECK_NULL(f.top.profile);
        } while (failed);
        CHECK(n > 15);

        allocation_fail_at(1);
        CHECK_EQ(config_override(f.sections, 3, "command", "host", "b", &f.error), -ENOMEM);
        CHECK(allocation_end());
        CHECK_TEXT(f.command.host, "a");
        fixture_done(&f);
}

TEST(defaults_without_memory_leave_nothing_behind)
{
        size_t n = 0;
        bool failed;
        int r;

        do {
                fixture_open(&f);
                allocation_fail_at(++n);
                r = config_defaults(f.sections, 3);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK((f.command.host == NULL) == failed);
                CHECK((f.top.profile == NULL) == failed);
                fixture_done(&f);
        } while (failed);
        CHECK(n > 4);
}

/* --- maps with names of the file's choice ------------------------------------------------ */

struct limit {
        char *command;
        double seconds;
};

struct module {
        char *name, *role;
        struct config_list limits;
};

struct modules {
        struct config_list all;
};

static const struct config_key limit_keys[] = {
        CONFIG_SECONDS(struct limit, seconds, NULL, 1, 0.5, 60, "seconds, 0.5 to 60"),
};
static const struct config_key module_keys[] = {
        CONFIG_TEXT(struct module, role, "role", "operator", "a role"),
        CONFIG_MAP(struct module, limits, "timeouts", struct limit, command, limit_keys, 2,
                   "seconds by command"),
};
static const struct config_key modules_keys[] = {
        CONFIG_MAP(struct modules, all, "modules", struct module, name, module_keys, 2,
                   "modules by name"),
};

static int parse_modules(const char *text, struct modules *ret, struct error *error)
{
        const struct config_section section = {"handlers", modules_keys, ARRAY_SIZE(modules_keys),
                                               ret};

        return config_parse("a.yaml", text, strlen(text), &section, 1, error);
}

static void forget_modules(struct modules *modules)
{
        const struct config_section section = {"handlers", modules_keys, ARRAY_SIZE(modules_keys),
                                               modules};

        config_done(&section, 1);
}

static const char two_modules[] =
        "handlers: {modules: {camera: {role: viewer, timeouts: {snap: 2.5, stop: 60}}, x: {}}}";

TEST(a_map_has_the_names_that_the_file_gives)
{
        struct modules modules;
        const struct module *module;
        const struct limit *limit;

        CHECK_EQ(parse_modules(two_modules, &modules, NULL), 0);
        CHECK_EQ(modules.all.count, 2);
        module = modules.all.items;
        CHECK_TEXT(module[0].name, "camera");
        CHECK_TEXT(module[0].role, "viewer");
        CHECK_EQ(module[0].limits.count, 2);
        limit = module[0].limits.items;
        CHECK_TEXT(limit[0].command, "snap");
        CHECK(limit[0].seconds == 2.5);
        CHECK_TEXT(limit[1].command, "stop");
        CHECK_TEXT(module[1].name, "x");
        CHECK_TEXT(module[1].role, "operator");
        CHECK_EQ(module[1].limits.count, 0);
        forget_modules(&modules);
        CHECK_EQ(parse_modules("handlers: {modules: {}}", &modules, NULL), 0);
        CHECK_EQ(modules.all.count, 0);
        forget_modules(&modules);
}

TEST(what_is_wrong_in_a_map_is_named_by_its_path)
{
        static const struct {
                const char *text, *error;
        } cases[] = {
                {"handlers: {modules: [a]}",
                 "a.yaml:1:21: handlers.modules cannot be a list; expected: modules by name"},
                {"handlers: {modules: {a: 1}}",
                 "a.yaml:1:25: handlers.modules.a cannot be 1; expected: modules by name"},
                {"handlers: {modules: {a: {rule: b}}}",
                 "a.yaml:1:26: `handlers.modules.a.rule` is not known; did you mean `role`?"},
                {"handlers: {modules: {a: {timeouts: {b: 61}}}}",
                 "a.yaml:1:40: handlers.modules.a.timeouts.b cannot be 61; expected: seconds, 0.5 "
                 "to 60"},
                {"handlers: {modules: {a: {}, a: {}}}",
                 "a.yaml:1:29: handlers.modules.a is there twice, first in line 1: remove one"},
                {"handlers: {modules: {a: {}, b: {}, c: {}}}",
                 "a.yaml:1:21: handlers.modules has 3 items, but at most 2 may be there; expected: "
                 "modules by name"},
                {"handlers: {modules: {[a]: {}}}", "a.yaml:1:22: a key must be a word"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct modules modules;
                struct error error;

                CHECK_EQ(parse_modules(cases[i].text, &modules, &error), -EINVAL);
                CHECK_TEXT(error.text, cases[i].error);
        }
}

TEST(a_map_that_does_not_fit_in_memory_leaves_nothing_behind)
{
        struct modules modules;
        bool failed;
        size_t n = 0;
        int r;

        do {
                allocation_fail_at(++n);
                r = parse_modules(two_modules, &modules, NULL);
                failed = allocation_end();
                CHECK(r == 0 || r == -ENOMEM);
                if (r == 0)
                        forget_modules(&modules);
        } while (failed);
}
