/* The linker sends the system calls that write the record through here (--wrap):
 * the process is killed before each of them in its turn, and what the next one
 * finds must be the record before or the record after. */
#include "supervisor/hold-table.h"

#include "supervisor/run-file.h"
#include "support/allocation.h"
#include "support/memory-lines.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { EXIT_KILLED = 40, EXIT_DONE = 41, CALLS_MAX = 32 };

static struct {
        bool watching;
        size_t calls, kill_at, fail_at;
} kernel;

static bool enter(void)
{
        if (!kernel.watching)
                return false;
        kernel.calls++;
        if (kernel.calls == kernel.kill_at)
                _exit(EXIT_KILLED);
        errno = ENOSPC;
        return kernel.calls == kernel.fail_at;
}

int __real_openat(int directory, const char *name, int flags, mode_t mode);
int __real_openat64(int directory, const char *name, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *bytes, size_t count);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_renameat(int from, const char *name, int to, const char *new_name);
int __wrap_openat(int directory, const char *name, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *name, int flags, mode_t mode);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_renameat(int from, const char *name, int to, const char *new_name);

int __wrap_openat(int directory, const char *name, int flags, mode_t mode)
{
        return enter() ? -1 : __real_openat(directory, name, flags, mode);
}

int __wrap_openat64(int directory, const char *name, int flags, mode_t mode)
{
        return enter() ? -1 : __real_openat64(directory, name, flags, mode);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
        return enter() ? -1 : __real_write(fd, bytes, count);
}

int __wrap_fchmod(int fd, mode_t mode)
{
        return enter() ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
        return enter() ? -1 : __real_fsync(fd);
}

int __wrap_renameat(int from, const char *name, int to, const char *new_name)
{
        return enter() ? -1 : __real_renameat(from, name, to, new_name);
}

static char directory[64];
static int directory_fd;
static struct guard_hold found[GUARD_HOLDS_MAX];

static struct hold_table *open_table(void)
{
        struct hold_table *table = NULL;

        strcpy(directory, "/tmp/pifleet-holds-XXXXXX");
        CHECK(mkdtemp(directory) != NULL);
        directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_EQ(hold_table_new(&memory_lines_driver, directory_fd, &table), 0);
        return table;
}

static void close_table(struct hold_table *table)
{
        hold_table_free(table);
        unlinkat(directory_fd, "guard", 0);
        unlinkat(directory_fd, ".guard.partial", 0);
        close(directory_fd);
        CHECK_EQ(rmdir(directory), 0);
}

static struct guard_hold hold_of(uint64_t id, uint8_t action)
{
        return (struct guard_hold){.id = id,
                                   .kind = GUARD_KIND_LINES,
                                   .lines_count = 1,
                                   .consumer = "pifleet:test",
                                   .chip = "/dev/gpiochip0",
                                   .offsets = {(uint32_t)id},
                                   .actions = {action},
                                   .flags = {GPIO_V2_LINE_FLAG_OUTPUT}};
}

static int put(struct hold_table *table, uint64_t id, uint8_t action, int *ret_fd)
{
        struct guard_hold hold = hold_of(id, action);
        int fd = memory_lines_new(1, 1), r;

        CHECK(fd >= 0);
        r = hold_table_put(table, &hold, fd);
        if (r < 0)
                close(fd);
        else if (ret_fd)
                *ret_fd = fd;
        return r;
}

static size_t recorded(void)
{
        size_t count = 999;

        CHECK_EQ(run_file_read(directory_fd, found, &count), 0);
        return count;
}

static bool is_on(int fd)
{
        uint64_t values = 9;

        CHECK_EQ(memory_lines_driver.get_values(fd, 1, &values), 0);
        return values == 1;
}

TEST(what_is_held_is_recorded_and_driven)
{
        struct hold_table *table = open_table();
        struct hold_result result;
        int off = -1, on = -1, keep = -1;

        CHECK_EQ(put(table, 1, GUARD_OFF, &off), 0);
        CHECK_EQ(put(table, 2, GUARD_ON, &on), 0);
        CHECK_EQ(put(table, 3, GUARD_KEEP, &keep), 0);
        CHECK_EQ(recorded(), 3);
        CHECK_EQ(found[1].id, 2);
        CHECK_EQ(found[1].actions[0], GUARD_ON);
        hold_table_make_safe(table, &result);
        CHECK_EQ(result.driven, 2);
        CHECK_EQ(result.kept, 1);
        CHECK(!is_on(off) && is_on(on) && is_on(keep));
        close_table(table);
}

TEST(the_same_id_takes_the_others_place)
{
        struct hold_table *table = open_table();
        struct hold_result result;
        int first = -1, second = -1;

        CHECK_EQ(put(table, 1, GUARD_KEEP, &first), 0);
        CHECK_EQ(put(table, 1, GUARD_OFF, &second), 0);
        CHECK_EQ(hold_table_count(table), 1);
        CHECK_EQ(recorded(), 1);
        CHECK_EQ(found[0].actions[0], GUARD_OFF);
        CHECK_EQ(fcntl(first, F_GETFD), -1);
        hold_table_make_safe(table, &result);
        CHECK_EQ(result.driven, 1);
        CHECK(!is_on(second));
        close_table(table);
}

TEST(what_is_let_go_is_closed_and_forgotten)
{
        struct hold_table *table = open_table();
        int first = -1, second = -1;

        CHECK_EQ(put(table, 1, GUARD_OFF, &first), 0);
        CHECK_EQ(put(table, 2, GUARD_OFF, &second), 0);
        CHECK_EQ(hold_table_remove(table, 3), -ENOENT);
        CHECK_EQ(hold_table_remove(table, 1), 0);
        CHECK_EQ(fcntl(first, F_GETFD), -1);
        CHECK(fcntl(second, F_GETFD) >= 0);
        CHECK_EQ(recorded(), 1);
        CHECK_EQ(found[0].id, 2);
        CHECK_EQ(hold_table_remove(table, 2), 0);
        CHECK_EQ(hold_table_remove(table, 2), -ENOENT);
        CHECK_EQ(recorded(), 0);
        close_table(table);
}

TEST(a_full_table_refuses_and_still_replaces)
{
        struct hold_table *table = open_table();

        for (uint64_t id = 0; id < GUARD_HOLDS_MAX; id++)
                CHECK_EQ(put(table, id, GUARD_OFF, NULL), 0);
        CHECK_EQ(put(table, 1000, GUARD_OFF, NULL), -ENOSPC);
        CHECK_EQ(put(table, 5, GUARD_ON, NULL), 0);
        CHECK_EQ(recorded(), GUARD_HOLDS_MAX);
        CHECK_EQ(found[5].actions[0], GUARD_ON);
        close_table(table);
}

TEST(a_descriptor_that_is_no_line_is_refused)
{
        struct hold_table *table = open_table();
        struct guard_hold hold = hold_of(1, GUARD_OFF);
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        CHECK_EQ(hold_table_put(table, &hold, fd), -EBADF);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        CHECK_EQ(hold_table_count(table), 0);
        close(fd);
        close_table(table);
}

TEST(what_cannot_be_recorded_is_not_held_and_what_was_held_stays)
{
        for (size_t n = 1; n < CALLS_MAX; n++) {
                struct hold_table *table = open_table();
                int r, removed;

                CHECK_EQ(put(table, 1, GUARD_OFF, NULL), 0);
                kernel = (typeof(kernel)){.fail_at = n};
                kernel.watching = true;
                r = put(table, 2, GUARD_OFF, NULL);
                kernel.watching = false;
                if (kernel.calls < n) {
                        CHECK_EQ(r, 0);
                        CHECK(n > 4);
                        close_table(table);
                        return;
                }
                CHECK_EQ(r, -ENOSPC);
                CHECK_EQ(hold_table_count(table), 1);
                kernel = (typeof(kernel)){.fail_at = n};
                kernel.watching = true;
                removed = hold_table_remove(table, 1);
                kernel.watching = false;
                CHECK_EQ(removed, -ENOSPC);
                CHECK_EQ(hold_table_count(table), 1);
                close_table(table);
        }
        FAIL("the calls never ended");
}

TEST(killed_at_any_call_the_record_is_the_old_one_or_the_new_one)
{
        for (size_t n = 1; n < CALLS_MAX; n++) {
                struct hold_table *table = open_table();
                int status = 0;
                size_t count;
                pid_t pid;

                CHECK_EQ(put(table, 1, GUARD_OFF, NULL), 0);
                fflush(stdout);
                pid = fork();
                if (pid == 0) {
                        struct guard_hold hold = hold_of(2, GUARD_ON);
                        int fd = memory_lines_new(1, 1);

                        kernel = (typeof(kernel)){.watching = true, .kill_at = n};
                        _exit(hold_table_put(table, &hold, fd) == 0 ? EXIT_DONE : 1);
                }
                CHECK_EQ(waitpid(pid, &status, 0), pid);
                CHECK(WIFEXITED(status));
                count = recorded();
                CHECK(count == 1 || count == 2);
                CHECK_EQ(found[0].id, 1);
                CHECK(count == 1 || found[1].id == 2);
                /* The next one writes over whatever was left. */
                CHECK_EQ(put(table, 3, GUARD_OFF, NULL), 0);
                CHECK_EQ(recorded(), 2);
                close_table(table);
                if (WEXITSTATUS(status) == EXIT_DONE) {
                        CHECK(n > 4);
                        CHECK_EQ(count, 2);
                        return;
                }
                CHECK_EQ(WEXITSTATUS(status), EXIT_KILLED);
        }
        FAIL("the calls never ended");
}

TEST(without_a_directory_no_record_is_kept)
{
        struct hold_table *table = NULL;

        CHECK_EQ(hold_table_new(&memory_lines_driver, -1, &table), 0);
        CHECK_EQ(put(table, 1, GUARD_OFF, NULL), 0);
        CHECK_EQ(hold_table_remove(table, 1), 0);
        hold_table_free(table);
}

TEST(without_memory_nothing_is_held)
{
        struct hold_table *table = NULL;

        allocation_fail_at(1);
        CHECK_EQ(hold_table_new(&memory_lines_driver, -1, &table), -ENOMEM);
        CHECK(allocation_end());
        table = open_table();
        allocation_fail_at(1);
        CHECK_EQ(put(table, 1, GUARD_OFF, NULL), -ENOMEM);
        CHECK(allocation_end());
        CHECK_EQ(hold_table_count(table), 0);
        close_table(table);
}
