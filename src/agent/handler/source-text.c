#include "agent/handler/source-text.h"

#include "base/cleanup.h"
#include "base/write-all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

static int seal(int fd)
{
        if (lseek(fd, 0, SEEK_SET) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        return 0;
}

int source_text_open(const char *name, int *ret)
{
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0)
                return -errno;
        *ret = fd;
        return 0;
}

int source_text_seal(const char *name, const void *bytes, size_t count, int *ret)
{
        AUTO_CLOSE int fd = -1;
        int r = source_text_open(name, &fd);

        if (r == 0)
                r = write_all(fd, bytes, count);
        if (r == 0)
                r = seal(fd);
        if (r < 0)
                return r;
        *ret = TAKE_FD(fd);
        return 0;
}

int source_text_close_writing(int fd, size_t max)
{
        struct stat status;
        int r = seal(fd);

        if (r < 0)
                return r;
        if (fstat(fd, &status) < 0)
                return -errno;
        if ((uint64_t)status.st_size > max)
                return -EFBIG;
        return status.st_size > 0 ? 0 : -ENODATA;
}

int source_text_copy(int fd, char **ret, size_t *ret_count)
{
        AUTO_FREE char *copy = NULL;
        struct stat status;
        size_t count = 0;

        if (fstat(fd, &status) < 0)
                return -errno;
        copy = malloc((size_t)status.st_size + 1);
        if (!copy)
                return -ENOMEM;
        while (count < (size_t)status.st_size) {
                ssize_t got = pread(fd, copy + count, (size_t)status.st_size - count, (off_t)count);

                if (got < 0 && errno != EINTR)
                        return -errno;
                if (got == 0)
                        return -EIO;
                count += got > 0 ? (size_t)got : 0;
        }
        *ret = TAKE(copy);
        *ret_count = count;
        return 0;
}

int source_text_reopen(int fd, int *ret)
{
        char path[64];
        int again;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        again = open(path, O_RDONLY | O_CLOEXEC);
        if (again < 0)
                return -errno;
        *ret = again;
        return 0;
}
