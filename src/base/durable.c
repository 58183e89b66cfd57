#include "base/durable.h"

#include "base/cleanup.h"
#include "base/write-all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
        NAME_LENGTH_MAX = 200,
        TEMPORARY_SIZE = NAME_LENGTH_MAX + sizeof("..partial"),
        READ_FIRST = 4096,
};

static bool name_is_plain(const char *name)
{
        size_t length = strnlen(name, NAME_LENGTH_MAX + 1);

        return length > 0 && length <= NAME_LENGTH_MAX && !strchr(name, '/') &&
               strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* A file left by a kill may have another mode or owner, or be a link that
 * somebody put there: never write through it, always make a fresh one. */
static int open_fresh(int directory_fd, const char *name, mode_t mode)
{
        const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        int fd = openat(directory_fd, name, flags, mode);

        if (fd < 0 && errno == EEXIST && unlinkat(directory_fd, name, 0) == 0)
                fd = openat(directory_fd, name, flags, mode);
        return fd < 0 ? -errno : fd;
}

static int write_temporary(int directory_fd, const char *temporary, mode_t mode, const void *bytes,
                           size_t count)
{
        AUTO_CLOSE int fd = open_fresh(directory_fd, temporary, mode);
        int r;

        if (fd < 0)
                return fd;
        r = write_all(fd, bytes, count);
        if (r < 0)
                return r;
        /* fchmod: the umask has no say in the mode asked for. */
        if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
                return -errno;
        /* Network file systems report a failed write here at last. */
        if (close(TAKE_FD(fd)) < 0)
                return -errno;
        return 0;
}

/* Where `name` is prepared; false: it is not plain. */
static bool temporary_name(const char *name, char temporary[TEMPORARY_SIZE])
{
        if (!name_is_plain(name))
                return false;
        snprintf(temporary, TEMPORARY_SIZE, ".%s.partial", name);
        return true;
}

int durable_prepare(int directory_fd, const char *name, mode_t mode, const void *bytes,
                    size_t count)
{
        char temporary[TEMPORARY_SIZE];
        int r;

        if (!temporary_name(name, temporary))
                return -EINVAL;
        r = write_temporary(directory_fd, temporary, mode, bytes, count);
        if (r < 0)
                unlinkat(directory_fd, temporary, 0);
        return r;
}

int durable_hand_over(int directory_fd, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
        char temporary[TEMPORARY_SIZE];
        AUTO_CLOSE int fd = -1;

        if (!temporary_name(name, temporary))
                return -EINVAL;
        fd = openat(directory_fd, temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        /* The owner first: it takes set-user-ID bits away, and we may not be able to after it. */
        if (fd < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

void durable_discard(int directory_fd, const char *name)
{
        char temporary[TEMPORARY_SIZE];

        if (temporary_name(name, temporary))
                unlinkat(directory_fd, temporary, 0);
}

int durable_place(int directory_fd, const char *name)
{
        char temporary[TEMPORARY_SIZE];

        if (!temporary_name(name, temporary))
                return -EINVAL;
        if (renameat(directory_fd, temporary, directory_fd, name) < 0)
                return -errno;
        /* Until the directory is on the disk, a power cut brings the old name back. */
        return fsync(directory_fd) < 0 ? DURABLE_UNSYNCED : 0;
}

int durable_write(int directory_fd, const char *name, mode_t mode, const void *bytes, size_t count)
{
        int r = durable_prepare(directory_fd, name, mode, bytes, count);

        if (r < 0)
                return r;
        r = durable_place(directory_fd, name);
        if (r < 0)
                durable_discard(directory_fd, name);
        return r == DURABLE_UNSYNCED ? -errno : r;
}

static int read_whole(int directory_fd, const char *name, int flags, size_t max, char **ret,
                      size_t *ret_count)
{
        AUTO_CLOSE int fd = -1;
        AUTO_FREE char *bytes = NULL;
        size_t count = 0, capacity = 0;
        struct stat status;

        if (!name_is_plain(name) || max > PTRDIFF_MAX / 4)
                return -EINVAL;
        /* O_NONBLOCK: a FIFO in the file's place must not stop us for ever. */
        fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (S_ISDIR(status.st_mode))
                return -EISDIR;
        if (!S_ISREG(status.st_mode))
                return -EINVAL;

        /* One byte over the limit is asked for, to see whether there is more. */
        for (;;) {
                ssize_t got;

                if (count == capacity) {
                        size_t larger = capacity > 0 ? capacity * 2 : READ_FIRST;
                        char *moved;

                        if (capacity == 0 && status.st_size > 0 && (uint64_t)status.st_size <= max)
                                larger = (size_t)status.st_size + 1;
                        if (larger > max + 1)
                                larger = max + 1;
                        moved = realloc(bytes, larger + 1);
                        if (!moved)
                                return -ENOMEM;
                        bytes = moved;
                        capacity = larger;
                }
                got = read(fd, bytes + count, capacity - count);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                count += (size_t)got;
                if (count > max)
                        return -EFBIG;
        }
        bytes[count] = '\0';
        *ret = TAKE(bytes);
        *ret_count = count;
        return 0;
}

int durable_read(int directory_fd, const char *name, size_t max, char **ret, size_t *ret_count)
{
        return read_whole(directory_fd, name, 0, max, ret, ret_count);
}

int durable_read_own(int directory_fd, const char *name, size_t max, char **ret, size_t *ret_count)
{
        return read_whole(directory_fd, name, O_NOFOLLOW, max, ret, ret_count);
}
