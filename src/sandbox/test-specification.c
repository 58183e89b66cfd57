#include "base/attributes.h"
#include "sandbox/specification.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const example_argv[] = {"/usr/bin/python3", "-I", "", NULL};
static const char *const example_environment[] = {"PATH=/usr/bin", "EMPTY=", NULL};
static const char *const example_shared[] = {"/home/pi/recordings", NULL};
static const char *const example_hidden[] = {"/etc/pifleet", "/var/lib/pifleet", NULL};
static const char *const example_devices[] = {"/dev/video*", NULL};
static const char *const example_groups[] = {"video", NULL};

static struct sandbox_program example(void)
{
        return (struct sandbox_program){
                .name = "camera_handlers.py",
                .argv = example_argv,
                .environment = example_environment,
                .descriptors = {-1, -1, -1, -1, -1},
                .limits = {.memory_bytes = UINT64_C(1) << 33, .tasks = 12, .open_files = 99},
                .shared_dirs = example_shared,
                .hidden = example_hidden,
                .devices = example_devices,
                .groups = example_groups,
                .network = true,
        };
}

TEST(what_is_written_is_what_is_read)
{
        AUTO(sandbox_specification) struct sandbox_specification *read = NULL;
        const struct sandbox_program program = example();
        int fd = -1;

        CHECK_EQ(sandbox_specification_write(&program, &fd), 0);
        CHECK_EQ(sandbox_specification_read(fd, &read), 0);
        close(fd);
        CHECK_TEXT(read->program.name, "camera_handlers.py");
        CHECK_TEXT(read->program.argv[1], "-I");
        CHECK_TEXT(read->program.argv[2], "");
        CHECK_NULL(read->program.argv[3]);
        CHECK_TEXT(read->program.environment[1], "EMPTY=");
        CHECK_TEXT(read->program.hidden[1], "/var/lib/pifleet");
        CHECK_TEXT(read->program.groups[0], "video");
        CHECK_NULL(read->program.writable[0]);
        CHECK(read->program.limits.memory_bytes == UINT64_C(1) << 33);
        CHECK_EQ(read->program.limits.tasks, 12);
        CHECK(read->program.network);
        CHECK_EQ(read->program.descriptors[4], -1);
}

TEST(a_program_that_is_not_as_described_is_refused)
{
        static const char *const names[] = {"",   ".",  "..", "a/b", "A", "-a",
                                            ".a", "_a", "\n", "a b", "ä"};
        static const char *const paths[] = {"",      "/",    "a",      "/a/../b", "/a/./b",
                                            "//a",   "/a/",  "/a//b",  "/..",     "/.",
                                            "a/b/c", "/a/.", "/a/b/.."};
        struct sandbox_program program = example();

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                program.name = names[i];
                CHECK_EQ(sandbox_program_check(&program), -EINVAL);
        }
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                program = example();
                program.hidden = LIST(paths[i]);
                CHECK_EQ(sandbox_program_check(&program), -EINVAL);
                program = example();
                program.argv = LIST(paths[i]);
                CHECK_EQ(sandbox_program_check(&program), -EINVAL);
        }
        program = example();
        program.devices = LIST("/etc/passwd");
        CHECK_EQ(sandbox_program_check(&program), -EINVAL);
        program = example();
        program.environment = LIST("=x");
        CHECK_EQ(sandbox_program_check(&program), -EINVAL);
        program = example();
        program.groups = LIST("vi deo");
        CHECK_EQ(sandbox_program_check(&program), -EINVAL);
        program = example();
        program.argv = NULL;
        CHECK_EQ(sandbox_program_check(&program), -EINVAL);
        program = example();
        program.limits.open_files = 3;
        CHECK_EQ(sandbox_program_check(&program), -EINVAL);
}

TEST(a_program_beyond_the_bounds_is_refused)
{
        const char *words[SANDBOX_WORDS_MAX + 2] = {NULL};
        static char long_word[SANDBOX_BYTES_MAX + 1];
        struct sandbox_program program = example();

        for (size_t i = 0; i < SANDBOX_WORDS_MAX; i++)
                words[i] = "/x";
        program.argv = words;
        CHECK_EQ(sandbox_program_check(&program), 0);
        words[SANDBOX_WORDS_MAX] = "/x";
        CHECK_EQ(sandbox_program_check(&program), -E2BIG);
        memset(long_word, 'x', sizeof(long_word) - 1);
        program = example();
        program.argv = LIST("/x", long_word);
        CHECK_EQ(sandbox_program_check(&program), -E2BIG);
}

TEST(only_what_cannot_change_any_more_is_read)
{
        AUTO(sandbox_specification) struct sandbox_specification *read = NULL;
        int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int ends[2];

        CHECK(fd >= 0 && write(fd, "x", 1) == 1);
        CHECK_EQ(sandbox_specification_read(fd, &read), -EPERM);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
        CHECK_EQ(sandbox_specification_read(fd, &read), -EPERM);
        CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
        CHECK_EQ(sandbox_specification_read(fd, &read), -EBADMSG);
        close(fd);
        CHECK(pipe(ends) == 0);
        CHECK_EQ(sandbox_specification_read(ends[0], &read), -EPERM);
        close(ends[0]);
        close(ends[1]);
        CHECK_NULL(read);
}

/* Each byte, changed in three ways: refused or a program as described. */
TEST(damaged_bytes_are_refused_or_harmless)
{
        const struct sandbox_program program = example();
        char bytes[1024], damaged[1024];
        ssize_t count;
        int fd = -1;

        CHECK_EQ(sandbox_specification_write(&program, &fd), 0);
        count = pread(fd, bytes, sizeof(bytes), 0);
        close(fd);
        CHECK(count > 72);
        for (ssize_t i = 0; i < count; i++)
                for (unsigned how = 0; how < 3; how++) {
                        AUTO(sandbox_specification) struct sandbox_specification *read = NULL;
                        int r;

                        memcpy(damaged, bytes, (size_t)count);
                        damaged[i] = (char)(how == 0 ? 0 : how == 1 ? 0xff : damaged[i] + 1);
                        r = sandbox_specification_decode(damaged, (size_t)count, &read);
                        CHECK(r == 0 || r == -EBADMSG || r == -EINVAL || r == -E2BIG);
                        if (r == 0)
                                CHECK_EQ(sandbox_program_check(&read->program), 0);
                }
        for (ssize_t i = 0; i < count; i++) {
                AUTO(sandbox_specification) struct sandbox_specification *read = NULL;

                CHECK_EQ(sandbox_specification_decode(bytes, (size_t)i, &read), -EBADMSG);
        }
}

TEST(paths_lie_below_folders_by_whole_names)
{
        CHECK(sandbox_path_is_below("/a/b", "/a"));
        CHECK(sandbox_path_is_below("/a", "/a"));
        CHECK(!sandbox_path_is_below("/ab", "/a"));
        CHECK(!sandbox_path_is_below("/a", "/a/b"));
}

TEST(without_memory_nothing_is_written_or_read)
{
        const struct sandbox_program program = example();
        int fd = -1, r;
        size_t n = 0;
        bool failed;

        do {
                allocation_fail_at(++n);
                r = sandbox_specification_write(&program, &fd);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
        } while (failed);
        CHECK(n > 1);
        n = 0;
        do {
                AUTO(sandbox_specification) struct sandbox_specification *read = NULL;

                allocation_fail_at(++n);
                r = sandbox_specification_read(fd, &read);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_EQ(read == NULL, failed);
        } while (failed);
        CHECK(n > 3);
        close(fd);
}
