#include "agent/gpio/line-holder.h"

#include "base/attributes.h"

#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A /proc of our own. */
struct fixture {
        char root[64];
};

static void fixture_init(struct fixture *f)
{
        strcpy(f->root, "/tmp/pifleet-line-holder-XXXXXX");
        CHECK(mkdtemp(f->root) != NULL);
}

static void fixture_done(struct fixture *f)
{
        char command[128];

        snprintf(command, sizeof(command), "rm -r %s", f->root);
        CHECK_EQ(system(command), 0);
}

static void make_folder(const struct fixture *f, const char *name)
{
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", f->root, name);
        CHECK_EQ(mkdir(path, 0700), 0);
}

/* `link` NULL: cannot be told; `text` NULL: no fdinfo. */
static void add(const struct fixture *f, const char *pid, const char *fd, const char *link,
                const char *text)
{
        char path[256];
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", f->root, pid);
        if (access(path, F_OK) != 0) {
                make_folder(f, pid);
                snprintf(path, sizeof(path), "%s/fd", pid);
                make_folder(f, path);
                snprintf(path, sizeof(path), "%s/fdinfo", pid);
                make_folder(f, path);
        }
        snprintf(path, sizeof(path), "%s/%s/fd/%s", f->root, pid, fd);
        if (link)
                CHECK_EQ(symlink(link, path), 0);
        snprintf(path, sizeof(path), "%s/%s/fdinfo/%s", f->root, pid, fd);
        if (!text)
                return;
        file = fopen(path, "w");
        CHECK(file != NULL);
        fputs(text, file);
        fclose(file);
}

static const char request_link[] = "anon_inode:gpio-line";

TEST(the_process_with_the_chip_and_the_line_is_found)
{
        static const struct {
                const char *link, *text;
                int expected;
        } cases[] = {
                {request_link, "pos:\t0\ngpio-chip:\tgpiochip0\ngpio-line:\t17\n", 0},
                {request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t4\ngpio-line:\t17\n", 0},
                {request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t17", 0},
                {request_link, "gpio-chip:\tgpiochip4\ngpio-line:\t17\n", -ENOENT},
                {request_link, "gpio-chip:\tgpiochip01\ngpio-line:\t17\n", -ENOENT},
                {request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t171\n", -ENOENT},
                {request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t\n", -ENOENT},
                {request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t99999999999999999999\n",
                 -ENOENT},
                {request_link, "gpio-line:\t17\n", -ENOENT},
                {request_link, "pos:\t0\nflags:\t02000000\n", -ENOENT}, /* before Linux 6.2 */
                {request_link, "", -ENOENT},
                {request_link, NULL, -ENOENT},
                {"/dev/gpiochip0", "gpio-chip:\tgpiochip0\ngpio-line:\t17\n", -ENOENT},
                {"socket:[1]", "gpio-chip:\tgpiochip0\ngpio-line:\t17\n", -ENOENT},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;
                int64_t pid = 7;

                fixture_init(&f);
                make_folder(&f, "self");
                make_folder(&f, "12");
                add(&f, "1234", "3", cases[i].link, cases[i].text);
                CHECK_EQ(gpio_line_holder_find(f.root, "gpiochip0", 17, 10000, &pid),
                         cases[i].expected);
                CHECK_EQ(pid, cases[i].expected == 0 ? 1234 : 7);
                fixture_done(&f);
        }
}

TEST(a_long_text_is_cut_and_a_folder_is_no_text)
{
        char text[8192];
        struct fixture f;
        int64_t pid = 7;

        fixture_init(&f);
        memset(text, 'x', sizeof(text));
        strcpy(text + sizeof(text) - 64, "\ngpio-chip:\tgpiochip0\ngpio-line:\t17\n");
        add(&f, "1", "3", request_link, text);
        make_folder(&f, "1/fdinfo/4");
        add(&f, "1", "4", request_link, NULL);
        add(&f, "1", "x5", request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t17\n");
        CHECK_EQ(gpio_line_holder_find(f.root, "gpiochip0", 17, 10000, &pid), -ENOENT);
        CHECK_EQ(pid, 7);
        fixture_done(&f);
}

TEST(a_search_ends_in_time)
{
        struct fixture f;
        int64_t pid = 7;

        fixture_init(&f);
        CHECK_EQ(gpio_line_holder_find(f.root, "gpiochip0", 17, 0, &pid), -ENOENT);
        add(&f, "1234", "3", request_link, "gpio-chip:\tgpiochip0\ngpio-line:\t17\n");
        CHECK_EQ(gpio_line_holder_find(f.root, "gpiochip0", 17, 0, &pid), -ETIME);
        CHECK_EQ(pid, 7);
        fixture_done(&f);
}

TEST(without_a_proc_nothing_is_found)
{
        int64_t pid;

        CHECK_EQ(gpio_line_holder_find("/nonexistent", "gpiochip0", 17, 10000, &pid), -ENOENT);
        CHECK_EQ(gpio_line_holder_find("/dev/null", "gpiochip0", 17, 10000, &pid), -ENOTDIR);
}

TEST(the_real_proc_can_be_walked)
{
        int64_t pid;

        CHECK_EQ(gpio_line_holder_find("/proc", "pifleet-no-such-chip", 0, 60000, &pid), -ENOENT);
}
