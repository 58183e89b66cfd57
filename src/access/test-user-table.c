#include "access/user-table.h"

#include "access/password-file.h"
#include "base/attributes.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

#define HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"

static struct mqtt_text text(const char *of)
{
        return (struct mqtt_text){of, (uint16_t)strlen(of)};
}

TEST(a_user_is_found_by_its_whole_name)
{
        AUTO(user_table) struct user_table *table = NULL;
        const struct user *user;

        CHECK_EQ(user_table_new(&table), 0);
        CHECK_NULL(user_table_find(table, text("ann")));
        CHECK_EQ(user_table_add(table, "ann", "viewer", HASH, NULL), 0);
        CHECK_EQ(user_table_add(table, "Zoë und Söhne", "", NULL, NULL), 0);
        CHECK_EQ(user_table_count(table), 2);
        user = user_table_find(table, text("ann"));
        CHECK_TEXT(user->name, "ann");
        CHECK_TEXT(user->role, "viewer");
        CHECK_TEXT(user->hash, HASH);
        user = user_table_find(table, text("Zoë und Söhne"));
        CHECK_TEXT(user->role, "");
        CHECK_NULL(user->hash);
        CHECK_NULL(user_table_find(table, text("an")));
        CHECK_NULL(user_table_find(table, text("anna")));
        CHECK_NULL(user_table_find(table, text("Ann")));
        CHECK_NULL(user_table_find(table, (struct mqtt_text){"ann", 4}));
        CHECK_NULL(user_table_find(table, text("")));
}

TEST(what_cannot_be_a_user_is_refused_with_a_sentence)
{
        char longest[USER_NAME_MAX + 2], role[USER_ROLE_MAX + 2];
        AUTO(user_table) struct user_table *table = NULL;
        struct {
                const char *name, *role, *hash, *words;
                int r;
        } cases[] = {
                {"", "", HASH, "1 to 255 bytes", -EINVAL},
                {longest, "", HASH, "1 to 255 bytes", -EINVAL},
                {"a\nb", "", HASH, "control", -EINVAL},
                {"a\x7f", "", HASH, "control", -EINVAL},
                {"a\xff", "", HASH, "UTF-8", -EINVAL},
                {"ben", role, HASH, "31 bytes", -EINVAL},
                {"ben", "", "open sesame", "begins with", -EINVAL},
                {"ann", "", HASH, "already", -EEXIST},
        };

        memset(longest, 'x', sizeof(longest));
        longest[USER_NAME_MAX + 1] = '\0';
        memset(role, 'x', sizeof(role));
        role[USER_ROLE_MAX + 1] = '\0';
        CHECK_EQ(user_table_new(&table), 0);
        CHECK_EQ(user_table_add(table, "ann", "", HASH, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct error error = {0};

                CHECK_EQ(user_table_add(table, cases[i].name, cases[i].role, cases[i].hash, &error),
                         cases[i].r);
                CHECK(strstr(error.text, cases[i].words));
                CHECK(!strstr(error.text, "sesame"));
        }
        longest[USER_NAME_MAX] = '\0';
        CHECK_EQ(user_table_add(table, longest, "", HASH, NULL), 0);
        CHECK_EQ(user_table_count(table), 2);
}

TEST(a_name_that_nobody_has_gets_the_same_hash_to_compare_with_each_time)
{
        AUTO(user_table) struct user_table *table = NULL;
        unsigned taken[8] = {0};
        char name[32];

        CHECK_EQ(user_table_new(&table), 0);
        CHECK_NULL(user_table_decoy(table, text("nobody")));
        CHECK_EQ(user_table_add(table, "by certificate", "", NULL, NULL), 0);
        CHECK_NULL(user_table_decoy(table, text("nobody")));
        for (unsigned i = 0; i < ARRAY_SIZE(taken); i++) {
                snprintf(name, sizeof(name), "%u", i);
                CHECK_EQ(user_table_add(table, name, "", HASH, NULL), 0);
        }
        for (unsigned i = 0; i < 1000; i++) {
                const struct user *decoy;

                snprintf(name, sizeof(name), "nobody %u", i);
                decoy = user_table_decoy(table, text(name));
                CHECK(decoy->hash);
                CHECK(decoy == user_table_decoy(table, text(name)));
                taken[decoy->name[0] - '0']++;
        }
        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                CHECK(taken[i] > 0);
}

TEST(there_are_so_many_users_and_no_more)
{
        AUTO(user_table) struct user_table *table = NULL;
        struct error error;
        char name[32];

        CHECK_EQ(user_table_new(&table), 0);
        for (unsigned i = 0; i < USERS_MAX; i++) {
                snprintf(name, sizeof(name), "user %u", i);
                CHECK_EQ(user_table_add(table, name, "", HASH, NULL), 0);
        }
        CHECK_EQ(user_table_add(table, "one more", "", HASH, &error), -ENOSPC);
        CHECK(strstr(error.text, "100000"));
        CHECK(user_table_find(table, text("user 99999")));
}

TEST(users_are_added_whole_or_not_at_all)
{
        size_t n = 0;
        bool failed;

        do {
                struct user_table *table = NULL;
                struct error error = {0};
                int r;

                allocation_fail_at(++n);
                r = user_table_new(&table);
                if (r == 0)
                        r = user_table_add(table, "ann", "", HASH, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (table) {
                        CHECK_EQ(user_table_count(table), !failed);
                        CHECK_EQ(user_table_find(table, text("ann")) != NULL, !failed);
                        CHECK_EQ(user_table_add(table, "ben", "", HASH, NULL), 0);
                        CHECK(user_table_find(table, text("ben")));
                }
                user_table_free(table);
        } while (failed);
        CHECK(n > 5);
}

/* The file. */

static int read_file(const char *file, struct user_table **ret, struct error *error)
{
        int r;

        CHECK_EQ(user_table_new(ret), 0);
        r = password_file_read("users", file, strlen(file), *ret, error);
        if (r < 0)
                *ret = user_table_free(*ret);
        return r;
}

TEST(a_password_file_has_a_user_a_line)
{
        AUTO(user_table) struct user_table *table = NULL;

        CHECK_EQ(read_file("# users of the house\n"
                           "\n"
                           "ann:" HASH "\n"
                           "  ben:" HASH "\t \r\n"
                           "carl the great:" HASH,
                           &table, NULL),
                 0);
        CHECK_EQ(user_table_count(table), 3);
        CHECK_TEXT(user_table_find(table, text("ann"))->hash, HASH);
        CHECK_TEXT(user_table_find(table, text("ben"))->hash, HASH);
        CHECK_TEXT(user_table_find(table, text("carl the great"))->role, "");
}

TEST(an_empty_password_file_lets_nobody_in)
{
        AUTO(user_table) struct user_table *table = NULL;

        CHECK_EQ(read_file("", &table, NULL), 0);
        CHECK_EQ(user_table_count(table), 0);
}

TEST(what_is_wrong_with_a_password_file_is_told_with_its_line)
{
        char long_line[700] = "\n";
        struct {
                const char *file, *words;
        } cases[] = {
                {"ann:" HASH "\nben\n", "users:2: expected NAME:HASH"},
                {"ann:open sesame\n", "users:1: a hash begins with"},
                {"#\n\nann:\n", "users:3: "},
                {":" HASH, "users:1: a user's name has"},
                {"ann:" HASH "\nann:" HASH "\n", "users:2: this user is there already"},
                {long_line, "users:2: the line is longer than"},
        };

        memset(long_line + 1, 'x', sizeof(long_line) - 2);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct user_table *table;
                struct error error = {0};

                CHECK(read_file(cases[i].file, &table, &error) < 0);
                if (strncmp(error.text, cases[i].words, strlen(cases[i].words)) != 0)
                        FAIL("%s", error.text);
                CHECK(!strstr(error.text, "sesame"));
        }
}

TEST(a_hash_of_a_password_file_is_replaced_and_all_else_stays)
{
        static const struct {
                const char *before, *name, *hash, *after;
                int r;
        } cases[] = {
                {"", "ann", "H", "ann:H\n", 0},
                {"", "ann", NULL, "", 0},
                {"# x\n\nben:B\n", "ann", "H", "# x\n\nben:B\nann:H\n", 0},
                {"ben:B", "ann", "H", "ben:B\nann:H\n", 0},
                {"ann:A\nben:B\n", "ann", "H", "ann:H\nben:B\n", 1},
                {"ben:B\n  ann:A\r\n#ann:C", "ann", "H", "ben:B\nann:H\n#ann:C\n", 1},
                {"ann:A\nben:B\nann:C\n", "ann", "H", "ann:H\nben:B\n", 1},
                {"ann:A\nben:B\nann:C\n", "ann", NULL, "ben:B\n", 1},
                {"anna:A\nan:B\nann\n", "ann", "H", "anna:A\nan:B\nann\nann:H\n", 0},
                {"ann:", "ann", "H", "ann:H\n", 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buffer out;

                buffer_init(&out, 1024);
                CHECK_EQ(password_file_edit(cases[i].before, strlen(cases[i].before), cases[i].name,
                                            cases[i].hash, &out),
                         cases[i].r);
                CHECK_EQ(buffer_append(&out, "", 1), 0);
                CHECK_TEXT(buffer_data(&out), cases[i].after);
                buffer_done(&out);
        }
}

TEST(an_edit_that_has_no_room_says_so)
{
        struct buffer out;

        buffer_init(&out, 6);
        CHECK_EQ(password_file_edit("", 0, "ann", "H", &out), 0);
        buffer_consume(&out, buffer_length(&out));
        CHECK_EQ(password_file_edit("ben:B\n", 6, "ann", "H", &out), -EMSGSIZE);
        buffer_done(&out);
}

TEST(not_every_name_can_stand_in_a_password_file)
{
        CHECK_EQ(password_file_check_name("ann", NULL), 0);
        CHECK_EQ(password_file_check_name("carl the great", NULL), 0);
        CHECK_EQ(password_file_check_name("a:b", NULL), -EINVAL);
        CHECK_EQ(password_file_check_name("#a", NULL), -EINVAL);
        CHECK_EQ(password_file_check_name(" a", NULL), -EINVAL);
        CHECK_EQ(password_file_check_name("", NULL), -EINVAL);
        CHECK_EQ(password_file_check_name("a\nb", NULL), -EINVAL);
}

TEST(a_byte_0_is_no_part_of_a_line)
{
        AUTO(user_table) struct user_table *table = NULL;
        static const char file[] = "ann:" HASH "\nb\0en:" HASH "\n";
        struct error error;

        CHECK_EQ(user_table_new(&table), 0);
        CHECK_EQ(password_file_read("users", file, sizeof(file) - 1, table, &error), -EINVAL);
        CHECK_TEXT(error.text, "users:2: the line has a byte 0 in it");
        CHECK_EQ(user_table_count(table), 1);
}
