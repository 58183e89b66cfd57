#include "sandbox/wall-cgroup.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A kernel in memory: one group below ours, and its files. Folders are descriptors
 * of /dev/null, since they are closed. */
enum { OURS, SPAWNER, PROGRAM, FOLDERS };
enum { FILES = 16, TEXT = 64 };

static struct {
        int fds[FOLDERS];
        bool has_program, no_kill, no_memory, no_swap;
        int fail_write; /* -errno for memory.max */
        char names[FILES][TEXT], texts[FILES][TEXT];
        unsigned written;
} kernel;

static int folder_of(const char *name)
{
        return strcmp(name, "/ours") == 0 ? OURS : strcmp(name, "spawner") == 0 ? SPAWNER : PROGRAM;
}

static int fake_open(int folder, const char *name)
{
        int which = folder_of(name);

        if (which == PROGRAM && !kernel.has_program)
                return -ENOENT;
        kernel.fds[which] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return kernel.fds[which];
}

static int fake_make(int folder, const char *name)
{
        if (folder_of(name) == PROGRAM)
                kernel.has_program = true;
        return 0;
}

static int fake_remove(int folder, const char *name)
{
        bool was_there = kernel.has_program;

        kernel.has_program = false;
        return was_there ? 0 : -ENOENT;
}

static int fake_write(int folder, const char *name, const char *text)
{
        if (kernel.no_memory && strcmp(text, "+memory") == 0)
                return -ENOENT;
        if (kernel.no_swap && strcmp(name, "memory.swap.max") == 0)
                return -ENOENT;
        if (kernel.fail_write < 0 && strcmp(name, "memory.max") == 0)
                return kernel.fail_write;
        if (kernel.written < FILES) {
                snprintf(kernel.names[kernel.written], TEXT, "%s", name);
                snprintf(kernel.texts[kernel.written++], TEXT, "%s", text);
        }
        return 0;
}

static int fake_read(int folder, const char *name, char *ret, size_t size)
{
        static const char *const files[][2] = {
                {"cgroup.kill", ""},
                {"memory.current", "4096\n"},
                {"memory.peak", "8192\n"},
                {"memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\n"},
                {"cpu.stat", "core_sched 9\nusage_usec 123456\nuser_usec 1\n"},
                {"cgroup.procs", "12\n345\n6\n"},
        };

        if (kernel.no_kill && strcmp(name, "cgroup.kill") == 0)
                return -ENOENT;
        for (size_t i = 0; i < 6; i++)
                if (strcmp(files[i][0], name) == 0) {
                        snprintf(ret, size, "%s", files[i][1]);
                        return 0;
                }
        return -ENOENT;
}

static const struct cgroup_files fake = {fake_open, fake_make, fake_remove, fake_write, fake_read};

static const char *written(const char *name)
{
        for (unsigned i = kernel.written; i > 0; i--)
                if (strcmp(kernel.names[i - 1], name) == 0)
                        return kernel.texts[i - 1];
        return "(nothing)";
}

static struct cgroup *open_ours(uint32_t *ret_walls)
{
        struct cgroup *cgroup = NULL;

        memset(kernel.names, 0, sizeof(kernel.names));
        kernel.written = 0;
        CHECK_EQ(cgroup_new(&fake, "/ours", &cgroup, ret_walls), 0);
        return cgroup;
}

static void reset(void)
{
        memset(&kernel, 0, sizeof(kernel));
}

TEST(limits_become_files_of_a_group_of_its_own)
{
        const struct sandbox_limits limits = {.memory_bytes = 1000, .cpu_percent = 50, .tasks = 10};
        struct cgroup *cgroup;
        uint32_t walls = 0;
        int fd = -1;

        reset();
        cgroup = open_ours(&walls);
        CHECK_EQ(walls, 1U << SANDBOX_WALL_CGROUP_KILL | 1U << SANDBOX_WALL_CGROUP_MEMORY |
                                1U << SANDBOX_WALL_CGROUP_PIDS | 1U << SANDBOX_WALL_CGROUP_CPU);
        CHECK_TEXT(written("cgroup.procs"), "0");
        CHECK_EQ(cgroup_add(cgroup, 7, &limits, &fd), 0);
        CHECK_TEXT(written("memory.max"), "1000");
        CHECK_TEXT(written("memory.swap.max"), "0");
        CHECK_TEXT(written("memory.oom.group"), "1");
        CHECK_TEXT(written("pids.max"), "11");
        CHECK_TEXT(written("cpu.max"), "50000 100000");
        CHECK_EQ(cgroup_kill(cgroup, fd), 0);
        CHECK_TEXT(written("cgroup.kill"), "1");
        close(fd);
        CHECK_EQ(cgroup_remove(cgroup, 7), 0);
        cgroup_free(cgroup);
}

/* As on a Raspberry Pi that was not told otherwise. */
TEST(a_machine_without_the_memory_controller_has_the_others)
{
        const struct sandbox_limits limits = {.memory_bytes = 1000, .tasks = 10};
        struct cgroup *cgroup;
        uint32_t walls = 0;
        int fd = -1;

        reset();
        kernel.no_memory = true;
        cgroup = open_ours(&walls);
        CHECK(!(walls & 1U << SANDBOX_WALL_CGROUP_MEMORY));
        CHECK(walls & 1U << SANDBOX_WALL_CGROUP_PIDS);
        CHECK_EQ(cgroup_add(cgroup, 0, &limits, &fd), 0);
        CHECK_TEXT(written("memory.max"), "(nothing)");
        CHECK_TEXT(written("pids.max"), "11");
        close(fd);
        cgroup_free(cgroup);
}

TEST(a_machine_without_swap_is_no_failure)
{
        const struct sandbox_limits limits = {.memory_bytes = 1000, .tasks = 10};
        struct cgroup *cgroup;
        uint32_t walls = 0;
        int fd = -1;

        reset();
        kernel.no_swap = true;
        cgroup = open_ours(&walls);
        CHECK_EQ(cgroup_add(cgroup, 0, &limits, &fd), 0);
        close(fd);
        cgroup_free(cgroup);
}

TEST(a_limit_that_is_refused_leaves_no_group)
{
        const struct sandbox_limits limits = {.memory_bytes = 1000, .tasks = 10};
        struct cgroup *cgroup;
        uint32_t walls = 0;
        int fd = -1;

        reset();
        kernel.fail_write = -EINVAL;
        cgroup = open_ours(&walls);
        CHECK_EQ(cgroup_add(cgroup, 0, &limits, &fd), -EINVAL);
        CHECK(!kernel.has_program);
        CHECK_EQ(fd, -1);
        cgroup_free(cgroup);
}

TEST(a_kernel_that_cannot_kill_a_group_is_not_used)
{
        struct cgroup *cgroup = NULL;
        uint32_t walls = 0;

        reset();
        kernel.no_kill = true;
        CHECK_EQ(cgroup_new(&fake, "/ours", &cgroup, &walls), -ENOSYS);
        CHECK_NULL(cgroup);
}

TEST(what_a_group_used_is_read)
{
        struct sandbox_usage usage = {0};
        struct cgroup *cgroup;
        uint32_t walls = 0;
        pid_t pids[2];

        reset();
        cgroup = open_ours(&walls);
        cgroup_measure(cgroup, 0, &usage);
        CHECK_EQ(usage.memory_bytes, 4096);
        CHECK_EQ(usage.memory_peak_bytes, 8192);
        CHECK_EQ(usage.cpu_us, 123456);
        CHECK(cgroup_ran_out_of_memory(cgroup, 0));
        CHECK_EQ(cgroup_processes(cgroup, 0, pids, 2), 2);
        CHECK_EQ(pids[0], 12);
        CHECK_EQ(pids[1], 345);
        cgroup_free(cgroup);
}
