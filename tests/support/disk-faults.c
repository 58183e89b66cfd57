#include "support/disk-faults.h"

#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
        bool watching, reached, lasting, kills;
        size_t calls, at; /* 0: none */
        int error;
} fault;

/* Power is cut while other threads are at work. */
static pthread_mutex_t recording = PTHREAD_MUTEX_INITIALIZER;
static const struct disk_recorder *recorder;

static void begin(size_t at, int error, bool lasting, bool kills)
{
        fault.calls = 0;
        fault.at = at;
        fault.error = error;
        fault.lasting = lasting;
        fault.kills = kills;
        fault.reached = false;
        fault.watching = true;
}

void disk_watch(void)
{
        begin(0, 0, false, false);
}

void disk_fail_at(size_t n, int error, bool lasting)
{
        begin(n, error, lasting, false);
}

void disk_kill_at(size_t n)
{
        begin(n, 0, false, true);
}

bool disk_end(void)
{
        fault.watching = false;
        return fault.reached;
}

size_t disk_calls(void)
{
        return fault.calls;
}

void disk_record_with(const struct disk_recorder *new_recorder)
{
        CHECK_EQ(pthread_mutex_lock(&recording), 0);
        recorder = new_recorder;
        CHECK_EQ(pthread_mutex_unlock(&recording), 0);
}

/* True: there is a recorder, and it stays until recorded(). */
static bool records(void)
{
        CHECK_EQ(pthread_mutex_lock(&recording), 0);
        if (recorder)
                return true;
        CHECK_EQ(pthread_mutex_unlock(&recording), 0);
        return false;
}

static void recorded(void)
{
        CHECK_EQ(pthread_mutex_unlock(&recording), 0);
}

/* At the entrance of each call; true: it must fail. */
static bool fails(void)
{
        if (!fault.watching)
                return false;
        fault.calls++;
        if (fault.at == 0 || fault.calls < fault.at || (fault.calls > fault.at && !fault.lasting))
                return false;
        fault.reached = true;
        if (fault.kills)
                _exit(DISK_KILLED);
        errno = fault.error;
        return true;
}

int __real_openat(int directory, const char *name, int flags, ...);
int __real_openat64(int directory, const char *name, int flags, ...);
int __real_mkdirat(int directory, const char *name, mode_t mode);
int __real_unlinkat(int directory, const char *name, int flags);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __real_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
ssize_t __real_write(int fd, const void *bytes, size_t count);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t length);
int __real_ftruncate64(int fd, int64_t length);
int __real_close(int fd);

int __wrap_openat(int directory, const char *name, int flags, ...);
int __wrap_openat64(int directory, const char *name, int flags, ...);
int __wrap_mkdirat(int directory, const char *name, mode_t mode);
int __wrap_unlinkat(int directory, const char *name, int flags);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_ftruncate64(int fd, int64_t length);
int __wrap_close(int fd);

static mode_t mode_of(int flags, va_list arguments)
{
        return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

static int opened(int fd, int directory, const char *name, int flags)
{
        if (fd >= 0 && records()) {
                recorder->opened(fd, directory, name, flags);
                recorded();
        }
        return fd;
}

int __wrap_openat(int directory, const char *name, int flags, ...)
{
        va_list arguments;
        mode_t mode;

        va_start(arguments, flags);
        mode = mode_of(flags, arguments);
        va_end(arguments);
        if (fails())
                return -1;
        return opened(__real_openat(directory, name, flags, mode), directory, name, flags);
}

int __wrap_openat64(int directory, const char *name, int flags, ...)
{
        va_list arguments;
        mode_t mode;

        va_start(arguments, flags);
        mode = mode_of(flags, arguments);
        va_end(arguments);
        if (fails())
                return -1;
        return opened(__real_openat64(directory, name, flags, mode), directory, name, flags);
}

int __wrap_mkdirat(int directory, const char *name, mode_t mode)
{
        return fails() ? -1 : __real_mkdirat(directory, name, mode);
}

int __wrap_unlinkat(int directory, const char *name, int flags)
{
        int r = fails() ? -1 : __real_unlinkat(directory, name, flags);

        if (r == 0 && records()) {
                recorder->unlinked(directory, name);
                recorded();
        }
        return r;
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
        int r = fails() ? -1 : __real_renameat(from_fd, from, to_fd, to);

        if (r == 0 && records()) {
                recorder->renamed(from_fd, from, to_fd, to);
                recorded();
        }
        return r;
}

int __wrap_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
        int r = fails() ? -1 : __real_linkat(from_fd, from, to_fd, to, flags);

        if (r == 0 && records()) {
                recorder->linked(from_fd, from, to_fd, to);
                recorded();
        }
        return r;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
        ssize_t written;

        if (fails()) {
                int error = errno;

                (void)!__real_write(fd, bytes, count / 2);
                errno = error;
                return -1;
        }
        written = __real_write(fd, bytes, count);
        if (written > 0 && records()) {
                recorder->written(fd, bytes, (size_t)written);
                recorded();
        }
        return written;
}

static int synced(int fd, int r)
{
        if (r == 0 && records()) {
                recorder->synced(fd);
                recorded();
        }
        return r;
}

int __wrap_fsync(int fd)
{
        return fails() ? -1 : synced(fd, __real_fsync(fd));
}

int __wrap_fdatasync(int fd)
{
        return fails() ? -1 : synced(fd, __real_fdatasync(fd));
}

static int truncated(int fd, int64_t length, int r)
{
        if (r == 0 && records()) {
                recorder->truncated(fd, (size_t)length);
                recorded();
        }
        return r;
}

int __wrap_ftruncate(int fd, off_t length)
{
        return fails() ? -1 : truncated(fd, length, __real_ftruncate(fd, length));
}

int __wrap_ftruncate64(int fd, int64_t length)
{
        return fails() ? -1 : truncated(fd, length, __real_ftruncate64(fd, length));
}

int __wrap_close(int fd)
{
        bool failed = fails();
        int error = errno;

        if (records()) {
                recorder->closed(fd);
                recorded();
        }
        if (__real_close(fd) < 0)
                return -1;
        errno = error;
        return failed ? -1 : 0;
}
