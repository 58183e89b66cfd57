#include "agent/gpio/gpio-system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int kernel_open(void *owner, const char *path)
{
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        return fd < 0 ? -errno : fd;
}

static void kernel_close(void *owner, int fd)
{
        (void)close(fd);
}

static int kernel_stat(void *owner, const char *path, struct stat *ret)
{
        return stat(path, ret) < 0 ? -errno : 0;
}

static int kernel_ioctl(void *owner, int fd, unsigned long request, void *argument)
{
        int r = ioctl(fd, request, argument);

        return r < 0 ? -errno : r;
}

static ssize_t kernel_read(void *owner, int fd, void *bytes, size_t count)
{
        ssize_t r = read(fd, bytes, count);

        return r < 0 ? -errno : r;
}

static int kernel_set_nonblocking(void *owner, int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
            fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        return 0;
}

const struct gpio_system gpio_system_kernel = {
        .devices = "/dev",
        .open = kernel_open,
        .close = kernel_close,
        .stat = kernel_stat,
        .ioctl = kernel_ioctl,
        .read = kernel_read,
        .set_nonblocking = kernel_set_nonblocking,
};
