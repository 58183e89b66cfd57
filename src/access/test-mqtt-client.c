/* What one client may do, and what it keeps for knowing that. */
#include "access/mqtt-client.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <string.h>

#define EMPTY ((struct mqtt_text){"", 0})

struct fixture {
        struct access_rules rules;
        struct acl_cache_hash *hash;
        struct access_client *client;
};

static void open_fixture(struct fixture *f, bool has_acl)
{
        static const struct acl_rule rules[] = {
                {.whom = ACL_EVERYBODY, .topic = "open/#", .access = ACL_READWRITE},
                {.whom = ACL_ROLE, .name = "chief", .topic = "chief/#", .access = ACL_WRITE},
        };
        struct error error = {0};
        struct acl *acl = NULL;

        *f = (struct fixture){0};
        if (has_acl) {
                CHECK_EQ(acl_new(ACL_FILTERS_WHOLE, &acl), 0);
                for (size_t i = 0; i < 2; i++)
                        CHECK_EQ(acl_add(acl, &rules[i], &error), 0);
        }
        access_rules_replace(&f->rules, NULL, acl);
        CHECK_EQ(acl_cache_hash_new(&f->hash), 0);
        CHECK_EQ(access_client_new(&f->rules, (struct mqtt_text){"ann", 3},
                                   (struct mqtt_text){"door", 4}, &f->client),
                 0);
}

static void close_fixture(struct fixture *f)
{
        access_client_free(f->client);
        acl_cache_hash_free(f->hash);
        access_rules_done(&f->rules);
}

static bool may_write(struct fixture *f, const char *topic)
{
        return access_client_may(f->client, f->hash, EMPTY, ACL_WRITE,
                                 (struct mqtt_text){topic, (uint16_t)strlen(topic)});
}

static bool is(struct mqtt_text text, const char *expected)
{
        return text.length == strlen(expected) && memcmp(text.bytes, expected, text.length) == 0;
}

TEST(its_texts_are_copies)
{
        struct fixture f;

        open_fixture(&f, false);
        CHECK(is(f.client->user, "ann"));
        CHECK(is(f.client->client_id, "door"));
        close_fixture(&f);
        CHECK(access_client_free(NULL) == NULL);
}

TEST(without_an_acl_nothing_is_remembered)
{
        struct fixture f;

        open_fixture(&f, false);
        CHECK(may_write(&f, "anything"));
        CHECK(access_client_may_subscribe(f.client, EMPTY, (struct mqtt_text){"#", 1}));
        CHECK(f.client->cache == NULL);
        close_fixture(&f);
}

TEST(what_an_acl_said_is_remembered_from_the_first_question_on)
{
        struct fixture f;

        open_fixture(&f, true);
        CHECK(access_client_may_subscribe(f.client, EMPTY, (struct mqtt_text){"open/a", 6}));
        CHECK(f.client->cache == NULL);
        CHECK(may_write(&f, "open/a"));
        CHECK(f.client->cache != NULL);
        CHECK(!may_write(&f, "closed"));
        CHECK(may_write(&f, "open/a"));
        CHECK_EQ(f.client->cache->next, 2);
        close_fixture(&f);
}

TEST(without_memory_the_acl_is_asked_each_time)
{
        struct fixture f;

        open_fixture(&f, true);
        allocation_fail_from(1);
        CHECK(may_write(&f, "open/a"));
        CHECK(!may_write(&f, "closed"));
        CHECK(allocation_end());
        CHECK(f.client->cache == NULL);
        CHECK(may_write(&f, "open/a"));
        CHECK(f.client->cache != NULL);
        close_fixture(&f);
}

TEST(a_role_of_its_own_holds_where_the_tables_have_none)
{
        struct fixture f;

        open_fixture(&f, true);
        CHECK(!may_write(&f, "chief/a"));
        f.client->own_role = "chief";
        access_rules_replace(&f.rules, NULL, TAKE(f.rules.acl));
        CHECK(may_write(&f, "chief/a"));
        CHECK(is(f.client->role, "chief"));
        close_fixture(&f);
}

TEST(a_client_that_there_is_no_memory_for_is_none)
{
        struct access_client *client = NULL;
        struct access_rules rules = {0};

        allocation_fail_at(1);
        CHECK_EQ(access_client_new(&rules, EMPTY, EMPTY, &client), -ENOMEM);
        CHECK(allocation_end());
        CHECK(client == NULL);
}
