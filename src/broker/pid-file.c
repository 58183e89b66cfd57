#include "broker/pid-file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int pid_file_write(const char *path, struct error *error)
{
        AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

        if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
                return error_set(error, -errno, "cannot write %s: %s", path, strerror(errno));
        return 0;
}

void pid_file_remove(const char *path)
{
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        char text[32] = "";

        if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && atoi(text) == (int)getpid())
                (void)unlink(path);
}
