#include "base/attributes.h"
#include "broker/config-fixture.h"
#include "broker/doors.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HASH                                                                                       \
        "$argon2id$v=19$m=19456,t=2,p=1$SqHRXEFdLqn67Ptk9yC8sQ$sQuNWcrGJev8KjO/"                   \
        "osi4ZmL4qH1tJAqixtA9Zlmw6Kg"
#define USER(name) "{name: " name ", hash: \"" HASH "\", role: admin}"

struct fixture {
        struct loop *loop;
        struct log *log;
        struct broker_doors *doors;
        struct broker_config config;
        struct error error;
};

static void fixture_open(struct fixture *f)
{
        *f = (struct fixture){.log = NULL};
        CHECK_EQ(loop_new_virtual(0, &f->loop), 0);
        CHECK_EQ(log_new("/dev/null", LOG_LEVEL_DEBUG, &f->log), 0);
        CHECK_EQ(broker_doors_new(f->loop, f->log, &f->doors), 0);
}

static void fixture_close(struct fixture *f)
{
        broker_doors_free(f->doors);
        loop_free(f->loop);
        log_free(f->log);
}

static int load(struct fixture *f, const char *name, const char *text)
{
        int r;

        config_good(name, text, &f->config);
        f->error = (struct error){0};
        r = broker_doors_load(f->doors, &f->config, &f->error);
        broker_config_done(&f->config);
        return r;
}

/* That of the only listener of a text. */
static const struct broker_door *door_of(struct fixture *f, const char *name, const char *text)
{
        const struct broker_door *door;

        config_good(name, text, &f->config);
        door = broker_doors_find(f->doors, config_listener(&f->config, 0));
        broker_config_done(&f->config);
        return door;
}

static bool has_user(const struct access_rules *rules, const char *name)
{
        return rules->users && user_table_find(rules->users, (struct mqtt_text){name, 3});
}

TEST(a_listener_s_policy_is_what_its_configuration_says)
{
        static const struct {
                const char *name, *text;
                enum access_anonymous anonymous;
                uint8_t access;
                bool trusts_names;
        } cases[] = {
                {"a.yaml", "listeners: [{}]", ACCESS_ANONYMOUS_LOCAL, ACL_READWRITE, false},
                {"a.yaml", "listeners: [{}]\naccess: {anonymous: all}", ACCESS_ANONYMOUS_ALLOWED,
                 ACL_READWRITE, false},
                {"a.yaml", "listeners: [{anonymous: none}]\naccess: {anonymous: all}",
                 ACCESS_ANONYMOUS_REFUSED, ACL_READWRITE, false},
                {"a.yaml", "listeners: [{}]\naccess: {anonymous_reads_only: true}",
                 ACCESS_ANONYMOUS_LOCAL, ACL_READ, false},
                {"a.conf", "listener 1\n", ACCESS_ANONYMOUS_REFUSED, ACL_READWRITE, false},
                {"a.conf", "listener 1\nallow_anonymous true\n", ACCESS_ANONYMOUS_ALLOWED,
                 ACL_READWRITE, true},
                /* Whose name is the client id has a name. */
                {"a.conf", "port 1\nallow_anonymous true\nuse_username_as_clientid true\n",
                 ACCESS_ANONYMOUS_REFUSED, ACL_READWRITE, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct broker_door *door;
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(load(&f, cases[i].name, cases[i].text), 0);
                door = door_of(&f, cases[i].name, cases[i].text);
                CHECK(door != NULL);
                CHECK_EQ(door->policy.anonymous, cases[i].anonymous);
                CHECK_EQ(door->policy.anonymous_access, cases[i].access);
                CHECK_EQ(door->policy.trusts_names, cases[i].trusts_names);
                CHECK_NULL(door->policy.rules->users);
                CHECK_NULL(door->policy.rules->acl);
                fixture_close(&f);
        }
}

TEST(delivery_is_asked_about_only_where_somebody_could_lose_it)
{
        static const char plain[] = "listeners: [{}]";
        static const char rules[] = "listeners: [{}]\n"
                                    "access: {acl: [{allow: read, topic: \"#\"}]}";
        struct mqtt_hooks hooks;
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(load(&f, "a.yaml", plain), 0);
        broker_doors_hooks(f.doors, &hooks);
        CHECK(hooks.on_connect && hooks.on_publish && hooks.on_subscribe && hooks.on_forget);
        CHECK(!hooks.on_deliver);
        /* Who was there before may have lost something. */
        CHECK_EQ(load(&f, "a.yaml", plain), 0);
        broker_doors_hooks(f.doors, &hooks);
        CHECK(hooks.on_deliver != NULL);
        fixture_close(&f);

        fixture_open(&f);
        CHECK_EQ(load(&f, "a.yaml", rules), 0);
        broker_doors_hooks(f.doors, &hooks);
        CHECK(hooks.on_deliver != NULL);
        fixture_close(&f);
}

TEST(whose_retained_messages_are_is_asked_where_there_are_rules)
{
        static const struct {
                const char *name, *text;
                bool asks;
        } cases[] = {
                {"a.yaml", "listeners: [{}]", false},
                {"a.yaml", "listeners: [{}]\naccess: {acl: [{allow: read, topic: \"#\"}]}", true},
                {"a.yaml",
                 "listeners: [{}]\n"
                 "access: {check_retain_source: false, acl: [{allow: read, topic: \"#\"}]}",
                 false},
                {"a.conf", "listener 1\n", false},
                {"a.conf", "listener 1\nacl_file /dev/null\n", true},
                {"a.conf", "check_retain_source false\nlistener 1\nacl_file /dev/null\n", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct mqtt_hooks hooks;
                struct fixture f;

                fixture_open(&f);
                CHECK_EQ(load(&f, cases[i].name, cases[i].text), 0);
                broker_doors_hooks(f.doors, &hooks);
                CHECK(!hooks.on_retain == !cases[i].asks);
                CHECK(!hooks.on_retained == !cases[i].asks);
                fixture_close(&f);
        }
}

TEST(a_door_stays_where_it_is_when_others_come_and_go)
{
        static const char one[] = "listeners: [{port: 1}]", two[] = "listeners: [{port: 2}]";
        const struct broker_door *door;
        struct fixture f;

        fixture_open(&f);
        CHECK_NULL(door_of(&f, "a.yaml", one));
        CHECK_EQ(load(&f, "a.yaml", one), 0);
        door = door_of(&f, "a.yaml", one);
        CHECK(door != NULL);
        CHECK_EQ(load(&f, "a.yaml", two), 0);
        CHECK(door_of(&f, "a.yaml", two) != door);
        CHECK_EQ(load(&f, "a.yaml", one), 0);
        CHECK(door_of(&f, "a.yaml", one) == door);
        fixture_close(&f);
}

/* Who came through it before asks where it always has. */
TEST(what_counts_for_a_door_is_what_was_loaded_last)
{
        static const char all[] = "listeners: [{port: 1}]\naccess: {users: [" USER("ann") "]}";
        static const char own[] = "listeners: [{port: 1, acl_file: /dev/null}]";
        static const char gone[] = "listeners: [{port: 2}]\naccess: {users: [" USER("bob") "]}";
        const struct access_rules *rules;
        struct fixture f;
        uint64_t before;

        fixture_open(&f);
        CHECK_EQ(load(&f, "a.yaml", all), 0);
        rules = door_of(&f, "a.yaml", all)->policy.rules;
        CHECK(has_user(rules, "ann") && !rules->acl);
        before = rules->generation;
        CHECK_EQ(load(&f, "a.yaml", own), 0);
        CHECK(!rules->users && rules->acl);
        CHECK(rules->generation != before);
        before = rules->generation;
        CHECK_EQ(load(&f, "a.yaml", all), 0);
        CHECK(has_user(rules, "ann") && !rules->acl);
        CHECK(rules->generation != before);
        before = rules->generation;
        CHECK_EQ(load(&f, "a.yaml", gone), 0);
        CHECK(has_user(rules, "bob") && !has_user(rules, "ann"));
        CHECK(rules->generation != before);
        fixture_close(&f);
}

TEST(without_memory_what_counted_before_counts_still)
{
        static const char before[] = "listeners: [{}]\naccess: {users: [" USER("ann") "]}";
        static const char after[] = "listeners: [{}]\naccess:\n  users: [" USER(
                "bob") "]\n"
                       "  acl: [{user: bob, allow: readwrite, topic: \"a/%u/#\"}]\n";
        const struct access_rules *rules;
        struct fixture f;
        size_t n = 0;
        bool failed;
        int r;

        fixture_open(&f);
        CHECK_EQ(load(&f, "a.yaml", before), 0);
        rules = broker_doors_rules(f.doors);
        config_good("a.yaml", after, &f.config);
        do {
                allocation_fail_at(++n);
                r = broker_doors_load(f.doors, &f.config, &f.error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(has_user(rules, "ann") == failed);
                CHECK(has_user(rules, "bob") == !failed);
                CHECK(!rules->acl == failed);
        } while (failed);
        CHECK(n > 5);
        broker_config_done(&f.config);
        fixture_close(&f);
}

TEST(a_file_that_is_wrong_is_told_by_its_own_name)
{
        char folder[] = "/tmp/pifleet-doors-XXXXXX", text[256], says[256], path[64];
        struct fixture f;
        FILE *file;

        CHECK(mkdtemp(folder) != NULL);
        snprintf(path, sizeof(path), "%s/users", folder);
        file = fopen(path, "w");
        CHECK(file != NULL);
        CHECK(fputs("ann:" HASH "\nbob\n", file) >= 0);
        CHECK_EQ(fclose(file), 0);
        snprintf(text, sizeof(text), "listener 1\npassword_file %s\n", path);
        snprintf(says, sizeof(says), "%s:2: ", path);
        fixture_open(&f);
        CHECK_EQ(load(&f, "a.conf", text), -EINVAL);
        CHECK(strncmp(f.error.text, says, strlen(says)) == 0);
        CHECK_EQ(load(&f, "a.conf", "listener 1\nacl_file /nowhere/at/all\n"), -ENOENT);
        CHECK_TEXT(f.error.text, "cannot read /nowhere/at/all: No such file or directory");
        CHECK_EQ(load(&f, "a.yaml", "access: {users: [{name: ann, hash: x}]}"), -EINVAL);
        CHECK(strncmp(f.error.text, "a.yaml: access.users, entry 1", 29) == 0);
        fixture_close(&f);
        CHECK_EQ(unlink(path), 0);
        CHECK_EQ(rmdir(folder), 0);
}
