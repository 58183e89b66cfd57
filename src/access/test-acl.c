#include "access/acl.h"

#include "access/acl-cache.h"
#include "access/user-table.h"
#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct mqtt_text text(const char *of)
{
        return (struct mqtt_text){of, (uint16_t)strlen(of)};
}

static struct acl_subject subject(const char *user, const char *role, const char *client_id)
{
        return (struct acl_subject){text(user), text(role), text(client_id)};
}

static struct acl *acl_of(enum acl_filters filters, const struct acl_rule rules[], size_t count)
{
        struct acl *acl;

        CHECK_EQ(acl_new(filters, &acl), 0);
        for (size_t i = 0; i < count; i++) {
                struct error error = {0};

                if (acl_add(acl, &rules[i], &error) < 0)
                        FAIL("%s: %s", rules[i].topic, error.text);
        }
        CHECK_EQ(acl_count(acl), count);
        return acl;
}

/* One rule for everybody, for client "c1" of user "ann". */
static bool covers(const char *rule, const char *filter)
{
        struct acl_rule rules[] = {{.topic = rule, .access = ACL_READWRITE}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, 1);
        struct acl_subject ann = subject("ann", "", "c1");

        return acl_allows_filter(acl, &ann, text(filter));
}

static bool meets(const char *rule, const char *filter)
{
        struct acl_rule rules[] = {{.topic = rule, .access = ACL_READWRITE}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_PARTIAL, rules, 1);
        struct acl_subject ann = subject("ann", "", "c1");

        return acl_allows_filter(acl, &ann, text(filter));
}

static bool matches(const char *rule, const char *topic)
{
        struct acl_rule rules[] = {{.topic = rule, .access = ACL_READWRITE}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, 1);
        struct acl_subject ann = subject("ann", "", "c1");

        CHECK_EQ(acl_allows_topic(acl, &ann, ACL_WRITE, text(topic)),
                 acl_allows_topic(acl, &ann, ACL_RECEIVE, text(topic)));
        return acl_allows_topic(acl, &ann, ACL_WRITE, text(topic));
}

TEST(a_filter_is_allowed_when_all_it_matches_is)
{
        static const struct {
                const char *rule, *filter;
                bool covers, meets;
        } cases[] = {
                {"#", "#", true, true},
                {"#", "a/+/c", true, true},
                {"#", "$SYS/#", false, false},
                {"+/#", "#", false, true},
                {"a/#", "a/#", true, true},
                {"a/#", "a", true, true},
                {"a/#", "a/+/c", true, true},
                {"a/#", "#", false, true},
                {"a/#", "+/b", false, true},
                {"a/#", "b/#", false, false},
                {"a/#", "b/+", false, false},
                {"a", "a/#", false, true},
                {"a", "a/b", false, false},
                {"a", "+", false, true},
                {"a/+", "a/b", true, true},
                {"a/+", "a/+", true, true},
                {"a/+", "a/#", false, true},
                {"a/+", "a/+/c", false, false},
                {"a/+/c", "a/b/#", false, true},
                {"a/+/c", "a/b/d", false, false},
                {"+", "$a", false, false},
                {"+/a", "$SYS/a", false, false},
                {"$SYS/#", "$SYS/a", true, true},
                {"$SYS/#", "#", false, false},
                {"$SYS/#", "+/a", false, false},
                {"$SYS/#", "$SYS/#", true, true},
                {"a//b", "a//b", true, true},
                {"a/+/b", "a//b", true, true},
                {"/#", "/", true, true},
                {"a/b", "$share/g/a/b", true, true},
                {"a/b", "$share/g/a/c", false, false},
                {"a/#", "$share/g/a/+", true, true},
                {"u/%u/#", "u/ann/x", true, true},
                {"u/%u/#", "u/ben/x", false, false},
                {"u/%u/#", "u/+/x", false, true},
                {"u/%u/#", "u/#", false, true},
                {"%c", "c1", true, true},
                {"%c", "c2", false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (covers(cases[i].rule, cases[i].filter) != cases[i].covers ||
                    meets(cases[i].rule, cases[i].filter) != cases[i].meets)
                        FAIL("%s and %s", cases[i].rule, cases[i].filter);
        }
}

TEST(a_topic_is_matched_like_by_a_subscription)
{
        static const struct {
                const char *rule, *topic;
                bool matches;
        } cases[] = {
                {"a/b", "a/b", true},
                {"a/b", "a/b/c", false},
                {"a/b", "a", false},
                {"a/+", "a/b", true},
                {"a/+", "a", false},
                {"a/+", "a/", true},
                {"a/#", "a", true},
                {"a/#", "a/b/c", true},
                {"a/#", "ab", false},
                {"#", "a/b", true},
                {"#", "$SYS/uptime", false},
                {"+/uptime", "$SYS/uptime", false},
                {"$SYS/#", "$SYS/uptime", true},
                {"x/%u", "x/ann", true},
                {"x/%u", "x/ben", false},
                {"x/%u", "x/%u", false},
                {"x/%c/%u/y", "x/c1/ann/y", true},
                {"x/%c/%u/y", "x/ann/c1/y", false},
                {"x/pre-%u", "x/pre-ann", true},
                {"x/pre-%u-%c", "x/pre-ann-c1", true},
                {"x/pre-%u", "x/pre-anna", false},
                {"x/%u%c", "x/annc1", true},
                {"x/%u%c", "x/ann", false},
                {"x/100%/%x", "x/100%/%x", true},
                {"x/%", "x/%", true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                if (matches(cases[i].rule, cases[i].topic) != cases[i].matches)
                        FAIL("%s and %s", cases[i].rule, cases[i].topic);
        }
}

TEST(names_with_wildcards_and_slashes_are_no_part_of_a_topic)
{
        static const char *const names[] = {"+", "#", "a+", "#a", "x/y", "/", ""};
        const struct acl_rule rules[] = {
                {.topic = "of/%u/#", .access = ACL_READWRITE},
                {.topic = "id/%c/#", .access = ACL_READWRITE},
                {.topic = "all/#", .access = ACL_READWRITE},
                {.topic = "all/not/%u/+", .access = ACL_WRITE, .denies = true},
                {.topic = "all/%c", .access = ACL_WRITE, .denies = true}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, ARRAY_SIZE(rules));

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct acl_subject odd = subject(names[i], "", names[i]);
                char topic[64];

                snprintf(topic, sizeof(topic), "of/%s/x", names[i]);
                CHECK(!acl_allows_topic(acl, &odd, ACL_WRITE, text(topic)));
                CHECK(!acl_allows_filter(acl, &odd, text(topic)));
                CHECK(!acl_allows_topic(acl, &odd, ACL_WRITE, text("of/ann/x")));
                CHECK(!acl_allows_topic(acl, &odd, ACL_WRITE, text("of/x/y/z")));
                snprintf(topic, sizeof(topic), "id/%s", names[i]);
                CHECK(!acl_allows_topic(acl, &odd, ACL_RECEIVE, text(topic)));
                /* What they are denied must not get open by that. */
                CHECK(!acl_allows_topic(acl, &odd, ACL_WRITE, text("all/not/ben/x")));
                CHECK(!acl_allows_topic(acl, &odd, ACL_WRITE, text("all/any")));
                CHECK(acl_allows_topic(acl, &odd, ACL_RECEIVE, text("all/any")));
        }
}

TEST(rules_are_for_a_user_for_a_role_for_the_nameless_or_for_everybody)
{
        const struct acl_rule rules[] = {
                {.whom = ACL_USER, .name = "ann", .topic = "ann", .access = ACL_READWRITE},
                {.whom = ACL_ROLE, .name = "cook", .topic = "kitchen", .access = ACL_READWRITE},
                {.whom = ACL_ANONYMOUS, .topic = "street", .access = ACL_READWRITE},
                {.topic = "all", .access = ACL_READWRITE},
        };
        static const char *const topics[] = {"ann", "kitchen", "street", "all"};
        static const struct {
                const char *user, *role;
                bool allowed[4];
        } cases[] = {
                {"ann", "", {true, false, false, true}},
                {"ann", "cook", {true, true, false, true}},
                {"ben", "cook", {false, true, false, true}},
                {"ben", "", {false, false, false, true}},
                {"", "", {false, false, true, true}},
                {"", "cook", {false, true, true, true}},
                {"cook", "ann", {false, false, false, true}},
        };
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, ARRAY_SIZE(rules));

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct acl_subject who = subject(cases[i].user, cases[i].role, "c");

                for (size_t j = 0; j < ARRAY_SIZE(topics); j++)
                        CHECK_EQ(acl_allows_topic(acl, &who, ACL_WRITE, text(topics[j])),
                                 cases[i].allowed[j]);
        }
}

TEST(what_any_rule_denies_is_denied_wherever_it_stands)
{
        static const struct acl_rule rules[] = {
                {.whom = ACL_USER, .name = "ann", .topic = "a/#", .access = ACL_READWRITE},
                {.whom = ACL_ROLE,
                 .name = "cook",
                 .topic = "a/knife",
                 .access = ACL_WRITE,
                 .denies = true},
                {.topic = "a/secret/#", .access = ACL_READ, .denies = true},
                {.whom = ACL_USER,
                 .name = "ann",
                 .topic = "a/both",
                 .access = ACL_READWRITE,
                 .denies = true},
        };
        struct acl_rule backwards[ARRAY_SIZE(rules)];
        struct acl_subject cook = subject("ann", "cook", "c");

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                backwards[i] = rules[ARRAY_SIZE(rules) - 1 - i];
        for (int order = 0; order < 2; order++) {
                AUTO(acl)
                struct acl *acl =
                        acl_of(ACL_FILTERS_WHOLE, order ? backwards : rules, ARRAY_SIZE(rules));

                CHECK(acl_allows_topic(acl, &cook, ACL_WRITE, text("a/spoon")));
                CHECK(!acl_allows_topic(acl, &cook, ACL_WRITE, text("a/knife")));
                CHECK(acl_allows_topic(acl, &cook, ACL_RECEIVE, text("a/knife")));
                CHECK(acl_allows_topic(acl, &cook, ACL_WRITE, text("a/secret/x")));
                CHECK(!acl_allows_topic(acl, &cook, ACL_RECEIVE, text("a/secret/x")));
                CHECK(!acl_allows_topic(acl, &cook, ACL_WRITE, text("a/both")));
                /* A part of it is left out at delivery; all of it is refused. */
                CHECK(acl_allows_filter(acl, &cook, text("a/#")));
                CHECK(!acl_allows_filter(acl, &cook, text("a/secret/+")));
                CHECK(!acl_allows_filter(acl, &cook, text("a/secret/#")));
                CHECK(!acl_allows_filter(acl, &cook, text("$share/g/a/secret/#")));
        }
}

TEST(asking_for_a_filter_may_be_ruled_apart_from_what_it_brings)
{
        const struct acl_rule rules[] = {
                {.topic = "#", .access = ACL_SUBSCRIBE},
                {.topic = "news/#", .access = ACL_READ},
                {.topic = "news/all/#", .access = ACL_SUBSCRIBE, .denies = true},
        };
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, ARRAY_SIZE(rules));
        struct acl_subject who = subject("ann", "", "c");

        CHECK(acl_allows_filter(acl, &who, text("#")));
        CHECK(!acl_allows_filter(acl, &who, text("news/all/#")));
        CHECK(acl_allows_topic(acl, &who, ACL_RECEIVE, text("news/all/1")));
        CHECK(!acl_allows_topic(acl, &who, ACL_RECEIVE, text("other")));
        CHECK(!acl_allows_topic(acl, &who, ACL_WRITE, text("news/1")));
}

TEST(without_a_rule_nothing_is_allowed)
{
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_PARTIAL, NULL, 0);
        struct acl_subject who = subject("ann", "cook", "c");

        CHECK(!acl_allows_topic(acl, &who, ACL_WRITE, text("a")));
        CHECK(!acl_allows_topic(acl, &who, ACL_RECEIVE, text("a")));
        CHECK(!acl_allows_filter(acl, &who, text("#")));
}

TEST(what_is_no_rule_is_refused_with_a_sentence)
{
        char longest[ACL_RULE_MAX + 2];
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, NULL, 0);
        struct {
                struct acl_rule rule;
                const char *words;
        } cases[] = {
                {{.topic = "a"}, "what it is about"},
                {{.topic = "a", .access = 64}, "what it is about"},
                {{.topic = "", .access = ACL_READ}, "not a topic filter"},
                {{.topic = "a/#/b", .access = ACL_READ}, "not a topic filter"},
                {{.topic = "a+", .access = ACL_READ}, "not a topic filter"},
                {{.topic = "a\xff", .access = ACL_READ}, "not a topic filter"},
                {{.topic = "$share/g/a", .access = ACL_READ}, "not a topic filter"},
                {{.topic = longest, .access = ACL_READ}, "1024 bytes"},
                {{.whom = ACL_USER, .name = "", .topic = "a", .access = ACL_READ}, "user's name"},
                {{.whom = ACL_ROLE, .name = "", .topic = "a", .access = ACL_READ}, "role"},
        };

        memset(longest, 'x', sizeof(longest));
        longest[ACL_RULE_MAX + 1] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error error = {0};

                CHECK_EQ(acl_add(acl, &cases[i].rule, &error), -EINVAL);
                CHECK(strstr(error.text, cases[i].words));
        }
        longest[ACL_RULE_MAX] = '\0';
        cases[7].rule.topic = longest;
        CHECK_EQ(acl_add(acl, &cases[7].rule, NULL), 0);
}

TEST(one_user_has_so_many_rules_and_no_more)
{
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, NULL, 0);
        struct acl_rule rule = {.whom = ACL_USER, .name = "ann", .topic = "a", .access = ACL_READ};
        struct error error;
        char name[32];

        for (unsigned i = 0; i < ACL_RULES_OF_ONE_MAX; i++)
                CHECK_EQ(acl_add(acl, &rule, NULL), 0);
        CHECK_EQ(acl_add(acl, &rule, &error), -ENOSPC);
        CHECK(strstr(error.text, "1000 rules for the same"));
        rule.name = name;
        for (unsigned i = ACL_RULES_OF_ONE_MAX; i < ACL_RULES_MAX; i++) {
                snprintf(name, sizeof(name), "user %u", i);
                CHECK_EQ(acl_add(acl, &rule, NULL), 0);
        }
        CHECK_EQ(acl_add(acl, &rule, &error), -ENOSPC);
        CHECK(strstr(error.text, "100000 rules"));
}

TEST(rules_are_added_whole_or_not_at_all)
{
        static const struct acl_rule rule = {
                .whom = ACL_USER, .name = "ann", .topic = "a", .access = ACL_WRITE};
        size_t n = 0;
        bool failed;

        do {
                struct acl_subject ann = subject("ann", "", "c");
                struct acl *acl = NULL;
                int r;

                allocation_fail_at(++n);
                r = acl_new(ACL_FILTERS_WHOLE, &acl);
                if (r == 0)
                        r = acl_add(acl, &rule, NULL);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (acl) {
                        CHECK_EQ(acl_count(acl), !failed);
                        CHECK_EQ(acl_allows_topic(acl, &ann, ACL_WRITE, text("a")), !failed);
                        CHECK_EQ(acl_add(acl, &rule, NULL), 0);
                        CHECK(acl_allows_topic(acl, &ann, ACL_WRITE, text("a")));
                }
                acl_free(acl);
        } while (failed);
        CHECK(n > 6);
}

/* The cache. */

TEST(a_cache_says_what_the_rules_say)
{
        const struct acl_rule rules[] = {
                {.topic = "t/+/1", .access = ACL_WRITE},
                {.topic = "t/5/#", .access = ACL_READ},
                {.topic = "t/+/7", .access = ACL_READWRITE, .denies = true}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, ARRAY_SIZE(rules));
        AUTO(acl_cache_hash) struct acl_cache_hash *hash = NULL;
        struct acl_subject who = subject("ann", "", "c");
        struct acl_cache cache = {0};
        unsigned allowed = 0;

        CHECK_EQ(acl_cache_hash_new(&hash), 0);
        srandom(1);
        for (unsigned i = 0; i < 20000; i++) {
                enum acl_access access = random() % 2 ? ACL_WRITE : ACL_RECEIVE;
                char topic[32];
                bool expected;

                snprintf(topic, sizeof(topic), "t/%ld/%ld", random() % 8, random() % 8);
                expected = acl_allows_topic(acl, &who, access, text(topic));
                allowed += expected;
                CHECK_EQ(acl_cache_allows_topic(&cache, hash, 1, acl, &who, access, text(topic)),
                         expected);
        }
        CHECK(allowed > 1000);
}

TEST(a_cache_is_asked_and_not_the_rules_until_they_are_others)
{
        const struct acl_rule rules[] = {{.topic = "a", .access = ACL_WRITE}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, 1);
        AUTO(acl) struct acl *none = acl_of(ACL_FILTERS_WHOLE, NULL, 0);
        AUTO(acl_cache_hash) struct acl_cache_hash *hash = NULL;
        struct acl_subject who = subject("ann", "", "c");
        struct acl_cache cache = {0};

        CHECK_EQ(acl_cache_hash_new(&hash), 0);
        CHECK(acl_cache_allows_topic(&cache, hash, 1, acl, &who, ACL_WRITE, text("a")));
        /* Others than before, but the generation does not say so: it is not looked. */
        CHECK(acl_cache_allows_topic(&cache, hash, 1, none, &who, ACL_WRITE, text("a")));
        CHECK(!acl_cache_allows_topic(&cache, hash, 2, none, &who, ACL_WRITE, text("a")));
        CHECK(!acl_cache_allows_topic(&cache, hash, 2, acl, &who, ACL_WRITE, text("a")));
        CHECK(acl_cache_allows_topic(&cache, hash, 3, acl, &who, ACL_WRITE, text("a")));
        /* What may be written may not be read for that. */
        CHECK(!acl_cache_allows_topic(&cache, hash, 3, acl, &who, ACL_RECEIVE, text("a")));
        CHECK(acl_cache_allows_topic(&cache, hash, 3, acl, &who, ACL_WRITE, text("a")));
}

/* Not as many as a table of as many places has, because some would share one. */
TEST(a_cache_keeps_as_many_topics_as_it_has_entries)
{
        const struct acl_rule rules[] = {{.topic = "#", .access = ACL_WRITE}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, 1);
        AUTO(acl) struct acl *none = acl_of(ACL_FILTERS_WHOLE, NULL, 0);
        AUTO(acl_cache_hash) struct acl_cache_hash *hash = NULL;
        struct acl_subject who = subject("ann", "", "c");
        struct acl_cache cache = {0};
        char topic[16];

        CHECK_EQ(acl_cache_hash_new(&hash), 0);
        for (int from_cache = 0; from_cache < 2; from_cache++) {
                for (unsigned i = 0; i < ACL_CACHE_ENTRIES; i++) {
                        snprintf(topic, sizeof(topic), "topic/%u", i);
                        CHECK(acl_cache_allows_topic(&cache, hash, 1, from_cache ? none : acl, &who,
                                                     ACL_WRITE, text(topic)));
                }
        }
        /* One more takes the place of the oldest. */
        CHECK(acl_cache_allows_topic(&cache, hash, 1, acl, &who, ACL_WRITE, text("more")));
        CHECK(acl_cache_allows_topic(&cache, hash, 1, none, &who, ACL_WRITE, text("topic/1")));
        CHECK(!acl_cache_allows_topic(&cache, hash, 1, none, &who, ACL_WRITE, text("topic/0")));
}

TEST(topics_too_long_to_be_remembered_are_hashed_each_time)
{
        const struct acl_rule rules[] = {{.topic = "#", .access = ACL_WRITE}};
        AUTO(acl) struct acl *acl = acl_of(ACL_FILTERS_WHOLE, rules, 1);
        AUTO(acl_cache_hash) struct acl_cache_hash *hash = NULL;
        struct acl_subject who = subject("ann", "", "c");
        struct acl_cache cache = {0};
        static char topic[MQTT_TEXT_MAX];

        CHECK_EQ(acl_cache_hash_new(&hash), 0);
        memset(topic, 'x', sizeof(topic));
        for (uint32_t length = 0; length <= MQTT_TEXT_MAX; length += length < 300 ? 1 : 2087)
                CHECK(acl_cache_allows_topic(&cache, hash, 1, acl, &who, ACL_WRITE,
                                             (struct mqtt_text){topic, (uint16_t)length}));
        topic[0] = '$';
        CHECK(!acl_cache_allows_topic(&cache, hash, 1, acl, &who, ACL_WRITE,
                                      (struct mqtt_text){topic, 300}));
}

TEST(without_memory_there_is_no_cache)
{
        struct acl_cache_hash *hash = NULL;
        int r;

        allocation_fail_at(1);
        r = acl_cache_hash_new(&hash);
        CHECK(allocation_end());
        CHECK_EQ(r, -ENOMEM);
        CHECK_NULL(hash);
}
