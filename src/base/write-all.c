#include "base/write-all.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const void *bytes, size_t count)
{
        const char *next = bytes;

        while (count > 0) {
                ssize_t written = write(fd, next, count);

                if (written < 0 && errno == EINTR)
                        continue;
                if (written < 0)
                        return -errno;
                next += written;
                count -= (size_t)written;
        }
        return 0;
}
