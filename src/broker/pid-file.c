#include "broker/pid-file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int refuse(const char *path, struct error *error)
{
        return error_set(error, -errno, "cannot write %s: %s", path, strerror(errno));
}

int pid_file_open(const char *path, int *ret_fd, struct error *error)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd < 0)
                return refuse(path, error);
        *ret_fd = fd;
        return 0;
}

int pid_file_write(const char *path, int fd, struct error *error)
{
        if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
                return refuse(path, error);
        return 0;
}

void pid_file_remove(const char *path)
{
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        char text[32] = "";
        ssize_t length = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

        if (length == 0 || (length > 0 && atoi(text) == (int)getpid()))
                (void)unlink(path);
}
