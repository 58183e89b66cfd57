/* The linker sends the system calls of durable.c through here (--wrap), so that
 * each can fail, do half its work, or be the one before which the power is cut.
 *
 * A cut is the worst that a file system may do: content that was not synced is
 * gone, and so, in half of the runs, is a rename whose directory was not. */
#include "base/durable.h"

#include "base/attributes.h"
#include "base/cleanup.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define OLD "the old content"
#define NEW "the new content, which is longer than the old one was"
#define TEMPORARY ".state.partial"
#define KEPT "kept" /* another name of the old file, for undoing a rename */

enum { EXIT_CUT = 40, EXIT_RETURNED = 41, EXIT_BROKEN = 42, CALLS_MAX = 64 };

static struct {
        bool watching;
        size_t calls;
        size_t cut_at;  /* before this call the power goes; 0: never */
        size_t fail_at; /* this call fails with `error`; 0: none */
        int error;
        const char *failed;
        bool drip; /* reads and writes go byte by byte, interrupted in between */
        bool interrupted;

        int file; /* a descriptor of the temporary file */
        bool content_synced, renamed, rename_synced, lose_rename;
} kernel;

int __real_openat(int directory, const char *name, int flags, mode_t mode);
int __real_openat64(int directory, const char *name, int flags, mode_t mode);
ssize_t __real_write(int fd, const void *bytes, size_t count);
ssize_t __real_read(int fd, void *bytes, size_t count);
int __real_fchmod(int fd, mode_t mode);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_renameat(int from, const char *name, int to, const char *new_name);
int __real_unlinkat(int directory, const char *name, int flags);

int __wrap_openat(int directory, const char *name, int flags, mode_t mode);
int __wrap_openat64(int directory, const char *name, int flags, mode_t mode);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_read(int fd, void *bytes, size_t count);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_renameat(int from, const char *name, int to, const char *new_name);
int __wrap_unlinkat(int directory, const char *name, int flags);

static int directory_fd;

static void cut_power(void)
{
        if (kernel.file >= 0 && !kernel.content_synced && ftruncate(kernel.file, 0) < 0)
                _exit(EXIT_BROKEN);
        if (kernel.renamed && !kernel.rename_synced && kernel.lose_rename &&
            __real_renameat(directory_fd, KEPT, directory_fd, "state") < 0)
                _exit(EXIT_BROKEN);
        _exit(EXIT_CUT);
}

/* At the entrance of each call; true: it must fail. */
static bool enter(const char *call)
{
        if (!kernel.watching)
                return false;
        kernel.calls++;
        if (kernel.calls == kernel.cut_at)
                cut_power();
        if (kernel.calls != kernel.fail_at)
                return false;
        kernel.failed = call;
        errno = kernel.error;
        return true;
}

static bool interrupts(void)
{
        if (!kernel.watching || !kernel.drip)
                return false;
        kernel.interrupted = !kernel.interrupted;
        errno = EINTR;
        return kernel.interrupted;
}

static int opened(int fd, int flags)
{
        if (kernel.watching && fd >= 0 && (flags & O_CREAT)) {
                kernel.file = dup(fd);
                kernel.content_synced = false;
        }
        return fd;
}

int __wrap_openat(int directory, const char *name, int flags, mode_t mode)
{
        return enter("openat") ? -1 : opened(__real_openat(directory, name, flags, mode), flags);
}

int __wrap_openat64(int directory, const char *name, int flags, mode_t mode)
{
        return enter("openat") ? -1 : opened(__real_openat64(directory, name, flags, mode), flags);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
        if (enter("write") || interrupts())
                return -1;
        if (kernel.watching)
                kernel.content_synced = false;
        return __real_write(fd, bytes, kernel.watching && kernel.drip ? 1 : count);
}

ssize_t __wrap_read(int fd, void *bytes, size_t count)
{
        if (enter("read") || interrupts())
                return -1;
        return __real_read(fd, bytes, kernel.watching && kernel.drip ? 1 : count);
}

int __wrap_fchmod(int fd, mode_t mode)
{
        return enter("fchmod") ? -1 : __real_fchmod(fd, mode);
}

int __wrap_fsync(int fd)
{
        if (enter(fd == directory_fd ? "fsync of the directory" : "fsync"))
                return -1;
        if (kernel.watching && fd == directory_fd)
                kernel.rename_synced = true;
        else if (kernel.watching)
                kernel.content_synced = true;
        return __real_fsync(fd);
}

int __wrap_close(int fd)
{
        bool fails = enter("close");
        int r = __real_close(fd);

        return fails ? -1 : r;
}

int __wrap_renameat(int from, const char *name, int to, const char *new_name)
{
        if (enter("renameat"))
                return -1;
        if (kernel.watching)
                kernel.renamed = true;
        return __real_renameat(from, name, to, new_name);
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
        return enter("unlinkat") ? -1 : __real_unlinkat(directory, name, flags);
}

static char directory_path[32];

/* A directory with the old file in it, and perhaps with the remains of a kill. */
static void directory_open(bool remains)
{
        memcpy(directory_path, "/tmp/test-durable-XXXXXX", sizeof("/tmp/test-durable-XXXXXX"));
        CHECK(mkdtemp(directory_path) != NULL);
        directory_fd = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(directory_fd >= 0);
        memset(&kernel, 0, sizeof(kernel));
        kernel.file = -1;
        CHECK_EQ(durable_write(directory_fd, "state", 0600, OLD, strlen(OLD)), 0);
        CHECK_EQ(linkat(directory_fd, "state", directory_fd, KEPT, 0), 0);
        if (remains)
                CHECK_EQ(symlinkat(KEPT, directory_fd, TEMPORARY), 0);
}

static void directory_close(void)
{
        unlinkat(directory_fd, "state", 0);
        unlinkat(directory_fd, KEPT, 0);
        CHECK_EQ(close(directory_fd), 0);
        CHECK_EQ(rmdir(directory_path), 0); /* nothing else lies there */
}

static bool content_is(const char *expected)
{
        AUTO_FREE char *bytes = NULL;
        size_t count;

        return durable_read(directory_fd, "state", 1000, &bytes, &count) == 0 &&
               count == strlen(expected) && strcmp(bytes, expected) == 0;
}

/* In a child that dies; returns how. */
static int write_and_cut(size_t cut_at, bool lose_rename)
{
        int status;
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
                int r;

                kernel.watching = true;
                kernel.cut_at = cut_at;
                kernel.lose_rename = lose_rename;
                r = durable_write(directory_fd, "state", 0600, NEW, strlen(NEW));
                if (r == 0 && kernel.renamed && kernel.content_synced && kernel.rename_synced)
                        _exit(EXIT_RETURNED);
                _exit(EXIT_BROKEN);
        }
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void cut_at_every_call(bool remains, bool lose_rename)
{
        int how = EXIT_CUT, old = 0, new = 0;

        for (size_t at = 1; how == EXIT_CUT; at++) {
                CHECK(at < CALLS_MAX);
                directory_open(remains);
                how = write_and_cut(at, lose_rename);
                CHECK(how == EXIT_CUT || how == EXIT_RETURNED);
                if (content_is(OLD))
                        old++;
                else if (content_is(NEW))
                        new ++;
                else
                        FAIL("cut before call %zu: neither old nor new", at);
                /* What returned stays. */
                CHECK(how == EXIT_CUT || content_is(NEW));
                /* And the next write finds its way. */
                CHECK_EQ(durable_write(directory_fd, "state", 0600, "next", 4), 0);
                CHECK(content_is("next"));
                directory_close();
        }
        /* open, write, fchmod, fsync, close, rename | fsync of the directory, return */
        CHECK_EQ(old, (lose_rename ? 7 : 6) + 2 * remains);
        CHECK_EQ(new, lose_rename ? 1 : 2);
}

TEST(a_power_cut_at_any_call_leaves_the_old_or_the_new_content)
{
        cut_at_every_call(false, false);
        cut_at_every_call(false, true);
}

TEST(a_power_cut_with_remains_of_an_earlier_one_does_no_harm)
{
        cut_at_every_call(true, false);
        cut_at_every_call(true, true);
}

TEST(any_call_that_fails_leaves_the_old_content_and_no_remains)
{
        bool reached = true;

        for (size_t at = 1; reached; at++) {
                int r;

                directory_open(false);
                kernel.watching = true;
                kernel.fail_at = at;
                kernel.error = at % 2 ? ENOSPC : EIO;
                r = durable_write(directory_fd, "state", 0600, NEW, strlen(NEW));
                kernel.watching = false;
                reached = kernel.failed != NULL;
                CHECK_EQ(r, reached ? -kernel.error : 0);
                if (!reached || strcmp(kernel.failed, "fsync of the directory") == 0)
                        CHECK(content_is(NEW));
                else
                        CHECK(content_is(OLD));
                if (kernel.file >= 0)
                        close(kernel.file);
                directory_close();
        }
}

TEST(short_and_interrupted_reads_and_writes_go_on)
{
        AUTO_FREE char *bytes = NULL;
        size_t count = 0;

        directory_open(false);
        kernel.watching = kernel.drip = true;
        CHECK_EQ(durable_write(directory_fd, "state", 0600, NEW, strlen(NEW)), 0);
        CHECK_EQ(durable_read(directory_fd, "state", 1000, &bytes, &count), 0);
        kernel.watching = false;
        CHECK_EQ(count, strlen(NEW));
        CHECK_TEXT(bytes, NEW);
        close(kernel.file);
        directory_close();
}

TEST(a_link_in_the_temporary_files_place_is_not_written_through)
{
        AUTO_FREE char *bytes = NULL;
        size_t count;

        directory_open(true);
        CHECK_EQ(durable_write(directory_fd, "state", 0600, NEW, strlen(NEW)), 0);
        CHECK_EQ(durable_read(directory_fd, KEPT, 1000, &bytes, &count), 0);
        CHECK_TEXT(bytes, OLD);
        directory_close();
}

TEST(the_mode_is_the_one_asked_for_whatever_the_umask)
{
        mode_t umask_before;
        struct stat status;

        directory_open(false); /* first: under that umask nobody but root could enter it */
        umask_before = umask(0777);
        CHECK_EQ(durable_write(directory_fd, "state", 0640, NEW, strlen(NEW)), 0);
        umask(umask_before);
        CHECK_EQ(fstatat(directory_fd, "state", &status, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_EQ(status.st_mode & 07777, 0640);
        directory_close();
}

TEST(names_that_lead_elsewhere_are_refused)
{
        static char long_name[202];
        const char *const names[] = {"", ".", "..", "a/b", "/etc/passwd", "../state", long_name};
        char *bytes;
        size_t count;

        memset(long_name, 'x', 201);
        directory_open(false);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                CHECK_EQ(durable_write(directory_fd, names[i], 0600, "", 0), -EINVAL);
                CHECK_EQ(durable_read(directory_fd, names[i], 10, &bytes, &count), -EINVAL);
        }
        long_name[200] = '\0';
        CHECK_EQ(durable_write(directory_fd, long_name, 0600, "", 0), 0);
        CHECK_EQ(durable_read(directory_fd, long_name, 10, &bytes, &count), 0);
        CHECK_EQ(count, 0);
        free(bytes);
        CHECK_EQ(unlinkat(directory_fd, long_name, 0), 0);
        directory_close();
}

TEST(a_file_is_read_up_to_its_limit)
{
        static char large[20000];
        char *bytes = NULL;
        size_t count = 0;

        memset(large, 'x', sizeof(large));
        directory_open(false);
        CHECK_EQ(durable_read(directory_fd, "absent", 10, &bytes, &count), -ENOENT);
        CHECK_EQ(durable_read(directory_fd, "state", strlen(OLD) - 1, &bytes, &count), -EFBIG);
        CHECK_EQ(durable_read(directory_fd, "state", 0, &bytes, &count), -EFBIG);
        CHECK_NULL(bytes);
        CHECK_EQ(durable_write(directory_fd, "state", 0600, large, sizeof(large)), 0);
        CHECK_EQ(durable_read(directory_fd, "state", sizeof(large) - 1, &bytes, &count), -EFBIG);
        CHECK_EQ(durable_read(directory_fd, "state", sizeof(large), &bytes, &count), 0);
        CHECK_EQ(count, sizeof(large));
        CHECK_EQ(memcmp(bytes, large, count), 0);
        CHECK_EQ(bytes[count], '\0');
        free(bytes);
        directory_close();
}

TEST(what_is_prepared_is_seen_only_when_it_is_placed)
{
        directory_open(true);
        CHECK_EQ(durable_prepare(directory_fd, "state", 0600, NEW, strlen(NEW)), 0);
        CHECK(content_is(OLD));
        durable_discard(directory_fd, "state");
        CHECK_EQ(durable_place(directory_fd, "state"), -ENOENT);
        CHECK(content_is(OLD));
        CHECK_EQ(durable_prepare(directory_fd, "state", 0600, NEW, strlen(NEW)), 0);
        CHECK_EQ(durable_place(directory_fd, "state"), 0);
        CHECK(content_is(NEW));
        durable_discard(directory_fd, "state");
        CHECK(content_is(NEW));

        CHECK_EQ(durable_prepare(directory_fd, "state", 0600, OLD, strlen(OLD)), 0);
        kernel.watching = true;
        kernel.fail_at = 2; /* rename, fsync of the directory */
        kernel.error = EIO;
        CHECK_EQ(durable_place(directory_fd, "state"), DURABLE_UNSYNCED);
        kernel.watching = false;
        CHECK(content_is(OLD));
        CHECK_EQ(durable_prepare(directory_fd, "a/b", 0600, "", 0), -EINVAL);
        CHECK_EQ(durable_place(directory_fd, "a/b"), -EINVAL);
        durable_discard(directory_fd, "a/b");
        directory_close();
}

TEST(what_is_prepared_can_be_given_to_who_will_read_it)
{
        struct stat status;

        directory_open(false);
        CHECK_EQ(durable_hand_over(directory_fd, "state", getuid(), getgid(), 0640), -ENOENT);
        CHECK_EQ(durable_hand_over(directory_fd, "a/b", getuid(), getgid(), 0640), -EINVAL);
        CHECK_EQ(durable_prepare(directory_fd, "state", 0600, NEW, strlen(NEW)), 0);
        CHECK_EQ(durable_hand_over(directory_fd, "state", getuid(), getgid(), 0640), 0);
        CHECK(content_is(OLD));
        CHECK_EQ(durable_place(directory_fd, "state"), 0);
        CHECK_EQ(fstatat(directory_fd, "state", &status, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_EQ(status.st_mode & 07777, 0640);
        CHECK(content_is(NEW));
        directory_close();
}

TEST(a_link_is_read_through_only_where_that_is_wanted)
{
        char *bytes = NULL;
        size_t count = 0;

        directory_open(false);
        CHECK_EQ(symlinkat(KEPT, directory_fd, "link"), 0);
        CHECK_EQ(durable_read_own(directory_fd, "link", 1000, &bytes, &count), -ELOOP);
        CHECK_EQ(durable_read(directory_fd, "link", 1000, &bytes, &count), 0);
        free(bytes);
        CHECK_EQ(durable_read_own(directory_fd, KEPT, 1000, &bytes, &count), 0);
        CHECK_TEXT(bytes, OLD);
        free(bytes);
        CHECK_EQ(unlinkat(directory_fd, "link", 0), 0);
        directory_close();
}

TEST(what_is_no_plain_file_is_not_read)
{
        char *bytes;
        size_t count;

        directory_open(false);
        CHECK_EQ(mkdirat(directory_fd, "folder", 0700), 0);
        CHECK_EQ(mkfifoat(directory_fd, "pipe", 0600), 0);
        CHECK_EQ(durable_read(directory_fd, "folder", 10, &bytes, &count), -EISDIR);
        CHECK_EQ(durable_read(directory_fd, "pipe", 10, &bytes, &count), -EINVAL);
        CHECK_EQ(durable_write(directory_fd, "folder", 0600, "x", 1), -EISDIR);
        CHECK_EQ(unlinkat(directory_fd, "pipe", 0), 0);
        CHECK_EQ(unlinkat(directory_fd, "folder", AT_REMOVEDIR), 0);
        directory_close();
}

TEST(reading_without_memory_or_with_an_error_leaves_nothing_behind)
{
        char *bytes = NULL;
        size_t count = 77, n = 0;
        bool failed;
        int r;

        directory_open(false);
        do {
                allocation_fail_at(++n);
                r = durable_read(directory_fd, "state", 1000, &bytes, &count);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(failed == (bytes == NULL));
                CHECK_EQ(count, failed ? 77 : strlen(OLD));
        } while (failed);
        CHECK(n > 1);
        free(bytes);
        bytes = NULL;

        kernel.watching = true;
        kernel.fail_at = 2; /* open, read */
        kernel.error = EIO;
        CHECK_EQ(durable_read(directory_fd, "state", 1000, &bytes, &count), -EIO);
        kernel.watching = false;
        CHECK_TEXT(kernel.failed, "read");
        CHECK_NULL(bytes);
        directory_close();
}
