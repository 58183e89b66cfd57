/* mosquitto.conf(5), "acl_file", sentence by sentence. */
#include "access/acl-file.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

static struct mqtt_text text(const char *of)
{
        return (struct mqtt_text){of, (uint16_t)strlen(of)};
}

static struct acl *read_acl(const char *file)
{
        struct acl *acl;
        struct error error = {0};

        CHECK_EQ(acl_new(ACL_FILTERS_PARTIAL, &acl), 0);
        if (acl_file_read("acl", file, strlen(file), acl, &error) < 0)
                FAIL("%s", error.text);
        return acl;
}

/* What a client may: "rw", "r", "w" or "". */
static const char *rights(const struct acl *acl, const char *user, const char *client_id,
                          const char *topic)
{
        struct acl_subject who = {text(user), text(""), text(client_id)};
        bool reads = acl_allows_topic(acl, &who, ACL_RECEIVE, text(topic));
        bool writes = acl_allows_topic(acl, &who, ACL_WRITE, text(topic));

        return reads ? writes ? "rw" : "r" : writes ? "w" : "";
}

TEST(only_what_is_listed_is_allowed)
{
        AUTO(acl)
        struct acl *acl = read_acl("topic read a\ntopic write b\ntopic readwrite c\n"
                                   "topic d\n");

        CHECK_TEXT(rights(acl, "", "x", "a"), "r");
        CHECK_TEXT(rights(acl, "", "x", "b"), "w");
        CHECK_TEXT(rights(acl, "", "x", "c"), "rw");
        CHECK_TEXT(rights(acl, "", "x", "d"), "rw");
        CHECK_TEXT(rights(acl, "", "x", "e"), "");
}

TEST(topics_have_wildcards_as_subscriptions_do)
{
        AUTO(acl) struct acl *acl = read_acl("topic read a/+/c\ntopic write b/#\n");

        CHECK_TEXT(rights(acl, "", "x", "a/b/c"), "r");
        CHECK_TEXT(rights(acl, "", "x", "a/b/c/d"), "");
        CHECK_TEXT(rights(acl, "", "x", "b"), "w");
        CHECK_TEXT(rights(acl, "", "x", "b/c/d"), "w");
}

TEST(deny_takes_away_what_a_broader_line_grants_in_any_order)
{
        static const char *const files[] = {
                "topic readwrite a/#\ntopic deny a/secret/#\n",
                "topic deny a/secret/#\ntopic readwrite a/#\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                AUTO(acl) struct acl *acl = read_acl(files[i]);

                CHECK_TEXT(rights(acl, "", "x", "a/b"), "rw");
                CHECK_TEXT(rights(acl, "", "x", "a/secret"), "");
                CHECK_TEXT(rights(acl, "", "x", "a/secret/b"), "");
        }
}

TEST(the_first_topics_are_for_those_without_a_name_the_others_for_their_user)
{
        AUTO(acl)
        struct acl *acl = read_acl("topic read public\n"
                                   "user ann\n"
                                   "topic home/ann\n"
                                   "user ben the younger\n"
                                   "topic home/ben\n"
                                   "user ann\n"
                                   "topic read more\n");

        CHECK_TEXT(rights(acl, "", "x", "public"), "r");
        CHECK_TEXT(rights(acl, "ann", "x", "public"), "");
        CHECK_TEXT(rights(acl, "ann", "x", "home/ann"), "rw");
        CHECK_TEXT(rights(acl, "ann", "x", "more"), "r");
        CHECK_TEXT(rights(acl, "ann", "x", "home/ben"), "");
        CHECK_TEXT(rights(acl, "ben the younger", "x", "home/ben"), "rw");
        CHECK_TEXT(rights(acl, "", "ann", "home/ann"), "");
}

TEST(patterns_are_for_everybody_wherever_they_stand)
{
        AUTO(acl)
        struct acl *acl = read_acl("user ann\n"
                                   "topic read x\n"
                                   "pattern write sensor/%u/data\n"
                                   "pattern read id/%c/#\n"
                                   "pattern deny id/%c/secret\n"
                                   "pattern plain\n"
                                   "pattern write $SYS/broker/connection/%c/state\n");

        CHECK_TEXT(rights(acl, "ann", "x", "sensor/ann/data"), "w");
        CHECK_TEXT(rights(acl, "ben", "x", "sensor/ben/data"), "w");
        CHECK_TEXT(rights(acl, "ben", "x", "sensor/ann/data"), "");
        CHECK_TEXT(rights(acl, "ben", "dev1", "id/dev1/a/b"), "r");
        CHECK_TEXT(rights(acl, "", "dev1", "id/dev1/a/b"), "r");
        CHECK_TEXT(rights(acl, "", "dev1", "id/dev1/secret"), "");
        CHECK_TEXT(rights(acl, "", "dev1", "id/dev2/a"), "");
        CHECK_TEXT(rights(acl, "", "", "plain"), "rw");
        CHECK_TEXT(rights(acl, "", "b1", "$SYS/broker/connection/b1/state"), "w");
        CHECK_TEXT(rights(acl, "", "x", "sensor//data"), "");
}

TEST(placeholders_behind_topic_are_text)
{
        AUTO(acl) struct acl *acl = read_acl("user ann\ntopic read a/%u/%c\n");

        CHECK_TEXT(rights(acl, "ann", "x", "a/ann/x"), "");
        CHECK_TEXT(rights(acl, "ann", "x", "a/%u/%c"), "r");
}

TEST(comments_blanks_and_ends_of_lines_of_dos_say_nothing)
{
        AUTO(acl)
        struct acl *acl = read_acl("# topic read a\n"
                                   "\n"
                                   "   \t\n"
                                   "topic   read \t b c \r\n"
                                   "topic read #\n"
                                   "user ann\r\n"
                                   "topic\twrite\td");

        CHECK_TEXT(rights(acl, "", "x", "b c"), "r");
        CHECK_TEXT(rights(acl, "ann", "x", "d"), "w");
        CHECK_EQ(acl_count(acl), 3);
}

TEST(what_is_wrong_is_told_with_its_line)
{
        static const struct {
                const char *file, *words;
        } cases[] = {
                {"topic\n", "acl:1: expected a topic"},
                {"\n\npattern\n", "acl:3: expected a topic"},
                {"topic a b\n", "acl:1: expected read, write, readwrite or deny, and a topic"},
                {"topic READ b\n", "acl:1: expected read, write"},
                {"topic read a/#/b\n", "acl:1: \"a/#/b\" is not a topic filter"},
                {"user\n", "acl:1: a user's name has 1 to 255 bytes"},
                {"topics a\n", "acl:1: expected user, topic, pattern"},
                {"user ann\nallow a\n", "acl:2: expected user, topic, pattern"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                AUTO(acl) struct acl *acl = NULL;
                struct error error = {0};

                CHECK_EQ(acl_new(ACL_FILTERS_PARTIAL, &acl), 0);
                CHECK_EQ(acl_file_read("acl", cases[i].file, strlen(cases[i].file), acl, &error),
                         -EINVAL);
                if (strncmp(error.text, cases[i].words, strlen(cases[i].words)) != 0)
                        FAIL("%s", error.text);
        }
}

TEST(a_line_has_so_many_bytes_and_no_more)
{
        AUTO(acl) struct acl *acl = NULL;
        static char file[ACL_RULE_MAX + 100] = "topic read ";
        struct error error;

        CHECK_EQ(acl_new(ACL_FILTERS_PARTIAL, &acl), 0);
        memset(file + 11, 'x', ACL_RULE_MAX);
        CHECK_EQ(acl_file_read("acl", file, 11 + ACL_RULE_MAX, acl, &error), 0);
        memset(file + 11, 'x', sizeof(file) - 11);
        CHECK_EQ(acl_file_read("acl", file, 11 + ACL_RULE_MAX + 1, acl, &error), -EINVAL);
        CHECK_EQ(acl_file_read("acl", file, sizeof(file), acl, &error), -EINVAL);
        CHECK(strstr(error.text, "acl:1: the line is longer"));
}
