#include "access/settings.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

#define HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"

struct wanted {
        struct config_list users, acl;
};

static const struct config_key keys[] = {
        CONFIG_LIST(struct wanted, users, "users", struct user_setting, user_setting_keys,
                    USERS_MAX, USER_SETTING_EXPECTED),
        CONFIG_LIST(struct wanted, acl, "acl", struct rule_setting, rule_setting_keys,
                    ACL_RULES_MAX, RULE_SETTING_EXPECTED),
};

static struct mqtt_text text(const char *of)
{
        return (struct mqtt_text){of, (uint16_t)strlen(of)};
}

static int load(const char *yaml, struct user_table **users, struct acl **acl, struct error *error)
{
        struct wanted wanted;
        struct config_section section = {"mqtt", keys, ARRAY_SIZE(keys), &wanted};
        int r = config_parse("file", yaml, strlen(yaml), &section, 1, error);

        *users = NULL;
        *acl = NULL;
        if (r < 0)
                return r;
        CHECK_EQ(user_table_new(users), 0);
        CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, acl), 0);
        r = settings_add_users(&wanted.users, "mqtt.users", *users, error);
        if (r == 0)
                r = settings_add_rules(&wanted.acl, "mqtt.acl", *acl, error);
        config_done(&section, 1);
        return r;
}

TEST(users_and_rules_are_read)
{
        AUTO(user_table) struct user_table *users = NULL;
        AUTO(acl) struct acl *acl = NULL;
        struct acl_subject ann = {text("ann"), text("cook"), text("c1")};
        struct acl_subject ben = {text("ben"), text(""), text("c2")};
        struct acl_subject nobody = {text(""), text(""), text("c3")};
        struct error error = {0};

        if (load("mqtt:\n"
                 "  users:\n"
                 "    - {name: ann, hash: \"" HASH "\", role: cook}\n"
                 "    - {name: ben}\n"
                 "  acl:\n"
                 "    - {allow: read, topic: news/#}\n"
                 "    - {user: ann, allow: readwrite, topic: 'home/#'}\n"
                 "    - {role: cook, deny: write, topic: home/cellar}\n"
                 "    - {anonymous: true, allow: write, topic: doorbell}\n"
                 "    - {allow: write, topic: devices/%c/#}\n"
                 "    - {allow: subscribe, topic: '#'}\n",
                 &users, &acl, &error) < 0)
                FAIL("%s", error.text);
        CHECK_TEXT(user_table_find(users, text("ann"))->role, "cook");
        CHECK_NULL(user_table_find(users, text("ben"))->hash);
        CHECK(acl_allows_topic(acl, &ben, ACL_RECEIVE, text("news/1")));
        CHECK(!acl_allows_topic(acl, &ben, ACL_WRITE, text("news/1")));
        CHECK(acl_allows_topic(acl, &ann, ACL_WRITE, text("home/kitchen")));
        CHECK(!acl_allows_topic(acl, &ann, ACL_WRITE, text("home/cellar")));
        CHECK(!acl_allows_topic(acl, &ben, ACL_WRITE, text("home/kitchen")));
        CHECK(acl_allows_topic(acl, &nobody, ACL_WRITE, text("doorbell")));
        CHECK(!acl_allows_topic(acl, &ben, ACL_WRITE, text("doorbell")));
        CHECK(acl_allows_topic(acl, &ben, ACL_WRITE, text("devices/c2/x")));
        CHECK(acl_allows_filter(acl, &ben, text("#")));
}

TEST(what_is_wrong_is_told_with_its_entry)
{
        static const struct {
                const char *yaml, *words;
        } cases[] = {
                {"mqtt: {users: [{name: ann, hash: secret}]}",
                 "mqtt.users, entry 1 (\"ann\"): a hash begins with"},
                {"mqtt: {users: [{name: ann}, {name: ann}]}",
                 "mqtt.users, entry 2 (\"ann\"): this user is there already"},
                {"mqtt: {acl: [{topic: a}]}", "mqtt.acl, entry 1: a rule has either allow or deny"},
                {"mqtt: {acl: [{topic: a, allow: read, deny: write}]}",
                 "mqtt.acl, entry 1: a rule has either allow or deny"},
                {"mqtt: {acl: [{topic: a, allow: read}, {topic: a, allow: read, user: u, role: "
                 "r}]}",
                 "mqtt.acl, entry 2: a rule is for a user, for a role"},
                {"mqtt: {acl: [{topic: a, allow: read, user: u, anonymous: true}]}",
                 "mqtt.acl, entry 1: a rule is for a user, for a role"},
                {"mqtt: {acl: [{topic: a/#/b, allow: read}]}",
                 "mqtt.acl, entry 1: \"a/#/b\" is not a topic filter"},
                {"mqtt: {acl: [{topic: a, allow: maybe}]}", "file:1:"},
                {"mqtt: {acl: [{allow: read}]}", "file:1:"},
                {"mqtt: {users: [{hash: x}]}", "file:1:"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO(user_table) struct user_table *users = NULL;
                AUTO(acl) struct acl *acl = NULL;
                struct error error = {0};

                CHECK(load(cases[i].yaml, &users, &acl, &error) < 0);
                if (strncmp(error.text, cases[i].words, strlen(cases[i].words)) != 0)
                        FAIL("%s", error.text);
        }
}
