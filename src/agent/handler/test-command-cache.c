#include "agent/handler/command-cache.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "camera.py"

struct fixture {
        char path[sizeof("/tmp/test-command-cache-XXXXXX")];
        int fd;
        struct module_commands commands;
};

static void fixture_open(struct fixture *f)
{
        static const char *const names[] = {"snap", "zoom"};
        static const char *const descriptions[] = {"Takes a picture.", "\"Nearer\", \xc3\xbc"};

        memcpy(f->path, "/tmp/test-command-cache-XXXXXX", sizeof(f->path));
        CHECK(mkdtemp(f->path) != NULL);
        f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(f->fd >= 0);
        CHECK_EQ(module_commands_copy(names, descriptions, 2, &f->commands), 0);
}

static void fixture_close(struct fixture *f)
{
        command_cache_remove(f->fd, FILE_NAME);
        module_commands_done(&f->commands);
        close(f->fd);
        CHECK_EQ(rmdir(f->path), 0);
}

static int parse(const char *text, const char *sha256)
{
        struct module_commands got = {0};
        int r = command_cache_parse(text, strlen(text), sha256, &got);

        module_commands_done(&got);
        return r;
}

TEST(commands_come_back_for_the_version_they_are_of)
{
        struct module_commands got = {0};
        struct buffer text;
        char *read = NULL;
        struct fixture f;
        size_t length;

        fixture_open(&f);
        CHECK_EQ(command_cache_read(f.fd, FILE_NAME, &read, &length), -ENOENT);
        CHECK_EQ(command_cache_print("abc", &f.commands, &text), 0);
        CHECK_EQ(command_cache_write(f.fd, FILE_NAME, &text), 0);
        buffer_done(&text);
        CHECK_EQ(command_cache_read(f.fd, FILE_NAME, &read, &length), 0);
        CHECK_EQ(command_cache_parse(read, length, "abd", &got), -ENODATA);
        CHECK_EQ(command_cache_parse(read, length, "abc", &got), 0);
        CHECK_EQ(got.count, 2);
        CHECK_TEXT(got.items[0].name, "snap");
        CHECK_TEXT(got.items[1].description, "\"Nearer\", \xc3\xbc");
        module_commands_done(&got);
        free(read);
        fixture_close(&f);
}

TEST(what_is_damaged_is_none)
{
        static const char *const damaged[] = {
                "",
                "{",
                "[]",
                "{\"sha256\":\"abc\",\"commands\":[{\"name\":\"snap\"}]}",
                "{\"sha256\":\"abc\",\"commands\":[7]}",
                "{\"commands\":[]}",
                "{\"sha256\":\"abc\",\"commands\":[{\"name\":1,\"description\":\"\"}]}"};

        for (size_t i = 0; i < ARRAY_SIZE(damaged); i++)
                CHECK_EQ(parse(damaged[i], "abc"), -ENODATA);
        CHECK_EQ(parse("{\"sha256\":\"abc\",\"commands\":[]}", "abc"), 0);
}

TEST(more_commands_than_a_module_has_are_none)
{
        struct buffer text;

        buffer_init(&text, 1 << 16);
        CHECK_EQ(buffer_append_text(&text, "{\"sha256\":\"abc\",\"commands\":["), 0);
        for (int i = 0; i <= MODULE_COMMANDS_MAX; i++)
                CHECK_EQ(buffer_printf(&text, "%s{\"name\":\"c%d\",\"description\":\"\"}",
                                       i > 0 ? "," : "", i),
                         0);
        CHECK_EQ(buffer_append(&text, "]}", sizeof("]}")), 0);
        CHECK_EQ(parse(buffer_data(&text), "abc"), -ENODATA);
        buffer_done(&text);
}

TEST(without_memory_nothing_is_printed)
{
        struct fixture f;
        size_t n = 0;
        bool failed;
        int r;

        fixture_open(&f);
        do {
                struct buffer text;

                allocation_fail_at(++n);
                r = command_cache_print("abc", &f.commands, &text);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                buffer_done(&text);
        } while (failed);
        fixture_close(&f);
}
