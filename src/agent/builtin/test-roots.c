#include "agent/builtin/test-tree.h"

#include "base/attributes.h"

#include <errno.h>

TEST(a_root_that_is_not_there_holds_no_files)
{
        struct roots roots;
        struct roots_names names = {.count = 7};
        char text[16] = "before";
        int64_t number = 7;

        roots_init(&roots, "/nonexistent/proc", "/nonexistent/sys", "/nonexistent/etc");
        CHECK_EQ(roots_read(roots.proc, "stat", text, sizeof(text)), -ENOENT);
        CHECK_TEXT(text, "");
        CHECK_EQ(roots_read_line(roots.sys, "x", text, sizeof(text)), -ENOENT);
        CHECK_EQ(roots_read_integer(roots.etc, "x", &number), -ENOENT);
        CHECK_EQ(number, 7);
        CHECK_EQ(roots_list(roots.sys, "class/net", &names), -ENOENT);
        CHECK_EQ(names.count, 0);
        CHECK(!roots_exists(roots.etc, "x"));
        roots_done(&roots);
}

TEST(a_file_that_does_not_fit_ends_with_a_whole_line)
{
        static const struct {
                const char *content;
                size_t size;
                const char *expected;
        } cases[] = {
                {"one\ntwo\n", 9, "one\ntwo\n"},
                {"one\ntwo\n", 8, "one\n"}, /* the NUL has no room */
                {"one\ntwo\nthree", 12, "one\ntwo\n"},
                {"a line without an end", 8, ""},
                {"", 8, ""},
                {"short", 8, "short"},
        };
        struct test_tree tree;
        struct roots roots;
        char text[64];

        test_tree_init(&tree);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                test_tree_put(&tree, "proc/file", cases[i].content);
                roots = test_tree_roots(&tree);
                CHECK_EQ(roots_read(roots.proc, "file", text, cases[i].size),
                         strlen(cases[i].expected));
                CHECK_TEXT(text, cases[i].expected);
                roots_done(&roots);
        }
        test_tree_done(&tree);
}

TEST(what_is_no_file_neither_blocks_nor_reads)
{
        struct test_tree tree;
        struct roots roots;
        char text[16], path[512];
        int64_t number = 7;

        test_tree_init(&tree);
        test_tree_put(&tree, "sys/dir/file", "x");
        test_tree_parents(&tree, "sys/fifo", path);
        CHECK_EQ(mkfifo(path, 0600), 0);
        test_tree_parents(&tree, "sys/loop", path);
        CHECK_EQ(symlink("loop", path), 0);
        test_tree_parents(&tree, "sys/endless", path);
        CHECK_EQ(symlink("/dev/zero", path), 0);
        roots = test_tree_roots(&tree);
        CHECK_EQ(roots_read(roots.sys, "dir", text, sizeof(text)), -EISDIR);
        CHECK_EQ(roots_read(roots.sys, "fifo", text, sizeof(text)), 0);
        CHECK_EQ(roots_read(roots.sys, "loop", text, sizeof(text)), -ELOOP);
        CHECK_EQ(roots_read(roots.sys, "endless", text, sizeof(text)), 0);
        CHECK_EQ(roots_read_integer(roots.sys, "fifo", &number), -ENODATA);
        CHECK_EQ(number, 7);
        roots_done(&roots);
        test_tree_done(&tree);
}

TEST(a_line_is_clean_text_or_nothing)
{
        static char long_line[5000];
        static const struct {
                const char *bytes;
                size_t count;
                int result;
                const char *expected;
        } cases[] = {
                {"Raspberry Pi\0", 13, 0, "Raspberry Pi"}, /* device tree */
                {"  cpu-thermal \t\nsecond\n", 23, 0, "cpu-thermal"},
                {"caf\xc3\xa9\n", 6, 0, "caf\xc3\xa9"},
                {"", 0, -ENODATA, ""},
                {" \n", 2, -ENODATA, ""},
                {"\0\0\0", 3, -ENODATA, ""},
                {"esc\x1b[2J\n", 8, -EILSEQ, ""},
                {"bad \xc3\x28\n", 7, -EILSEQ, ""},
                {"123456789012345678901234567890ab\n", 33, -EMSGSIZE, ""},
                {long_line, sizeof(long_line), -ENODATA, ""}, /* longer than any */
        };
        struct test_tree tree;

        memset(long_line, 'x', sizeof(long_line));
        test_tree_init(&tree);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct roots roots;
                char line[32] = "before";

                test_tree_put_bytes(&tree, "etc/file", cases[i].bytes, cases[i].count);
                roots = test_tree_roots(&tree);
                CHECK_EQ(roots_read_line(roots.etc, "file", line, sizeof(line)), cases[i].result);
                CHECK_TEXT(line, cases[i].expected);
                roots_done(&roots);
        }
        test_tree_done(&tree);
}

TEST(an_integer_is_alone_in_its_file)
{
        static const struct {
                const char *text;
                int result;
                int64_t expected;
        } cases[] = {
                {"48686\n", 0, 48686},
                {"-4500\n", 0, -4500},
                {"9223372036854775807", 0, INT64_MAX},
                {"9223372036854775808", -EBADMSG, 7},
                {"12 kB\n", -EBADMSG, 7},
                {"0x10\n", -EBADMSG, 7},
                {"\n", -ENODATA, 7},
                {"hot\n", -EBADMSG, 7},
        };
        struct test_tree tree;

        test_tree_init(&tree);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct roots roots;
                int64_t number = 7;

                test_tree_put(&tree, "sys/value", cases[i].text);
                roots = test_tree_roots(&tree);
                CHECK_EQ(roots_read_integer(roots.sys, "value", &number), cases[i].result);
                CHECK_EQ(number, cases[i].expected);
                roots_done(&roots);
        }
        test_tree_done(&tree);
}

TEST(a_crowded_directory_yields_its_first_names)
{
        struct test_tree tree;
        struct roots roots;
        struct roots_names names;
        char path[256], expected[16];

        test_tree_init(&tree);
        for (int i = 0; i < 100; i++) {
                snprintf(path, sizeof(path), "sys/net/if%02d", (i * 37) % 100);
                test_tree_put(&tree, path, "");
        }
        test_tree_put(&tree, "sys/net/.hidden", "");
        memset(path, 'a', 80);
        memcpy(path, "sys/net/", 8);
        path[80] = '\0';
        test_tree_put(&tree, path, ""); /* 72 bytes: longer than a name may be */
        roots = test_tree_roots(&tree);
        CHECK_EQ(roots_list(roots.sys, "net", &names), 0);
        CHECK_EQ(names.count, ROOTS_NAMES_MAX);
        for (int i = 0; i < ROOTS_NAMES_MAX; i++) {
                snprintf(expected, sizeof(expected), "if%02d", i);
                CHECK_TEXT(names.names[i], expected);
        }
        roots_done(&roots);
        test_tree_done(&tree);
}
