#include "agent/service/unit-name.h"

#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>

TEST(names_that_systemd_takes_are_taken)
{
        static const char *const names[] = {
                "nginx.service",
                "a.service",
                "getty@tty1.service",
                "dev-disk-by\\x2duuid.device",
                "a.b.c.timer",
                "systemd-fsck@dev-disk-by\\x2dpartuuid-1.service",
                "-.mount",
                "a@b@c.service",
                "Pi_1:2.socket",
                "user-1000.slice",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (unit_name_check(names[i], NULL) < 0)
                        FAIL("%s is refused", names[i]);
        }
}

TEST(what_is_no_name_is_refused_with_a_reason)
{
        static const struct {
                const char *name, *reason;
        } cases[] = {
                {"", "not empty"},
                {"nginx", "ends in its type"},
                {".service", "ends in its type"},
                {"nginx.", "ends in its type"},
                {"nginx.conf", "ends in its type"},
                {"nginx.service.", "ends in its type"},
                {"nginx.SERVICE", "ends in its type"},
                {"service", "ends in its type"},
                {"../nginx.service", "letters"},
                {"/etc/passwd", "letters"},
                {"a b.service", "letters"},
                {"a.service\n", "letters"},
                {"a\x01.service", "letters"},
                {"\xc3\xa9.service", "letters"},
                {"*.service", "letters"},
                {"[a].service", "letters"},
                {"a;b.service", "letters"},
                {"--help.service ", "letters"},
                {"@.service", "before @"},
                {"@a.service", "before @"},
                {"getty@.service", "template"},
        };
        struct error error;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (unit_name_check(cases[i].name, &error) != -EINVAL)
                        FAIL("\"%s\" is taken", cases[i].name);
                if (!strstr(error.text, cases[i].reason))
                        FAIL("\"%s\": %s", cases[i].name, error.text);
        }
}

TEST(a_name_may_have_255_bytes_and_no_more)
{
        char name[UNIT_NAME_MAX + 2];

        memset(name, 'x', sizeof(name));
        memcpy(name + UNIT_NAME_MAX - 8, ".service", 9);
        CHECK_EQ(unit_name_check(name, NULL), 0);
        memset(name, 'x', sizeof(name));
        memcpy(name + UNIT_NAME_MAX - 7, ".service", 9);
        CHECK_EQ(unit_name_check(name, NULL), -EINVAL);
}

TEST(patterns_match_as_systemd_matches_them)
{
        static const struct {
                const char *pattern, *name;
                bool matches;
        } cases[] = {
                {"*.service", "nginx.service", true},
                {"*.service", "nginx.timer", false},
                {"*.service", "a.service.timer", false},
                {"nginx.service", "nginx.service", true},
                {"nginx.service", "nginxXservice", false},
                {"nginx", "nginx.service", false},
                {"pi-?.service", "pi-1.service", true},
                {"pi-?.service", "pi-12.service", false},
                {"pi-[a-c].service", "pi-b.service", true},
                {"pi-[!a-c].service", "pi-b.service", false},
                {"*", "anything.at-all", true},
                /* A backslash is a letter of names, not an escape. */
                {"dev-\\x2d.device", "dev-\\x2d.device", true},
                {"dev-\\*", "dev-\\x2d.device", true},
                {"Nginx.service", "nginx.service", false},
                {"", "nginx.service", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *items[] = {(char[]){"never.mount"}, (char *)cases[i].pattern};
                const struct config_texts patterns = {items, 2};

                if (unit_name_matches(cases[i].name, &patterns) != cases[i].matches)
                        FAIL("%s and %s", cases[i].pattern, cases[i].name);
        }
        CHECK(!unit_name_matches("a.service", &(struct config_texts){NULL, 0}));
}

TEST(a_name_without_wildcard_is_no_pattern)
{
        CHECK(!unit_name_is_pattern("nginx.service"));
        CHECK(unit_name_is_pattern("n*.service"));
        CHECK(unit_name_is_pattern("n?.service"));
        CHECK(unit_name_is_pattern("n[ab].service"));
        CHECK(unit_name_is_service("a.b.service"));
        CHECK(!unit_name_is_service("a.service.timer"));
        CHECK(!unit_name_is_service("service"));
}
