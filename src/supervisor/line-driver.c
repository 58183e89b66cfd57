#include "supervisor/line-driver.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { PATH_LENGTH_MAX = 256 };

static int kernel_get_values(int fd, uint64_t mask, uint64_t *ret_values)
{
        struct gpio_v2_line_values values = {.mask = mask};

        if (ioctl(fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0)
                return -errno;
        *ret_values = values.bits & mask;
        return 0;
}

static int kernel_set_values(int fd, uint64_t mask, uint64_t values)
{
        struct gpio_v2_line_values wanted = {.mask = mask, .bits = values & mask};

        return ioctl(fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &wanted) < 0 ? -errno : 0;
}

static int kernel_configure(int fd, const struct gpio_v2_line_config *config)
{
        struct gpio_v2_line_config copy = *config;

        return ioctl(fd, GPIO_V2_LINE_SET_CONFIG_IOCTL, &copy) < 0 ? -errno : 0;
}

static int kernel_request(const char *chip, struct gpio_v2_line_request *request)
{
        AUTO_CLOSE int fd = -1;
        struct stat status;

        fd = open(chip, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISCHR(status.st_mode))
                return -ENODEV;
        if (ioctl(fd, GPIO_V2_GET_LINE_IOCTL, request) < 0)
                return -errno;
        return request->fd;
}

/* Nothing but a file of sysfs is ever written to. */
static int kernel_check_pwm(int fd)
{
        struct statfs where;
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fstatfs(fd, &where) < 0)
                return -errno;
        if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH) || where.f_type != SYSFS_MAGIC)
                return -EBADF;
        return 0;
}

static int kernel_disable_pwm(int fd)
{
        ssize_t written;

        do
                written = pwrite(fd, "0", 1, 0);
        while (written < 0 && errno == EINTR);
        return written < 0 ? -errno : 0;
}

static int kernel_open_pwm(const char *folder)
{
        AUTO_CLOSE int fd = -1;
        char path[PATH_LENGTH_MAX];
        int r;

        if (snprintf(path, sizeof(path), "%s/enable", folder) >= (int)sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        r = kernel_check_pwm(fd);
        return r < 0 ? r : TAKE_FD(fd);
}

const struct line_driver line_driver_kernel = {
        .get_values = kernel_get_values,
        .set_values = kernel_set_values,
        .configure = kernel_configure,
        .request = kernel_request,
        .check_pwm = kernel_check_pwm,
        .disable_pwm = kernel_disable_pwm,
        .open_pwm = kernel_open_pwm,
};
