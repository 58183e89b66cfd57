#include "agent/gpio/chip-device.h"

#include <errno.h>
#include <grp.h>
#include <linux/gpio.h>
#include <string.h>

enum { LINES_MAX = 65536 }; /* more is no chip, but an answer of something else */

/* A device of another group than root's is meant for that group's members. */
static int refuse_access(const char *path, const struct stat *status, int code, struct error *error)
{
        char buffer[1024];
        struct group group, *found = NULL;

        if (status->st_gid == 0 ||
            getgrgid_r(status->st_gid, &group, buffer, sizeof(buffer), &found) != 0 || !found)
                return error_set(error, code,
                                 "%s: %s; it belongs to root alone: install pifleet's udev rule, "
                                 "which gives GPIO chips to the agent's user",
                                 path, strerror(-code));
        return error_set(error, code,
                         "%s: %s; make the agent's user a member of the group \"%s\", or install "
                         "pifleet's udev rule",
                         path, strerror(-code), found->gr_name);
}

static int ask(const struct gpio_system *system, int fd, struct gpio_chip_info *ret)
{
        struct gpiochip_info answer;
        int r;

        memset(&answer, 0, sizeof(answer));
        r = system->ioctl(system->owner, fd, GPIO_GET_CHIPINFO_IOCTL, &answer);
        if (r < 0)
                return r;
        if (answer.lines == 0 || answer.lines > LINES_MAX)
                return -ENOTTY;
        *ret = (struct gpio_chip_info){.lines = answer.lines};
        memcpy(ret->name, answer.name, sizeof(ret->name) - 1);
        memcpy(ret->label, answer.label, sizeof(ret->label) - 1);
        return 0;
}

int gpio_chip_device_open(const struct gpio_system *system, const char *path, int *ret_fd,
                          struct gpio_chip_info *ret, struct error *error)
{
        struct gpio_chip_info info;
        struct stat status;
        int fd, r;

        if (strlen(path) >= sizeof(info.path))
                return error_set(error, -ENAMETOOLONG, "%s: longer than a path may be", path);
        r = system->stat(system->owner, path, &status);
        if (r == -ENOENT)
                return error_set(error, -ENODEV, "%s: there is no such device", path);
        if (r < 0)
                return error_set(error, r, "%s: %s", path, strerror(-r));
        /* Before it is opened: to open something else may have an effect. */
        if (!S_ISCHR(status.st_mode))
                return error_set(error, -ENODEV, "%s: not a GPIO chip", path);
        fd = system->open(system->owner, path);
        if (fd == -EACCES || fd == -EPERM)
                return refuse_access(path, &status, fd, error);
        if (fd < 0)
                return error_set(error, fd, "%s: %s", path, strerror(-fd));
        r = ask(system, fd, &info);
        if (r < 0) {
                system->close(system->owner, fd);
                /* ENOSYS: an emulator of user space that knows no GPIO. */
                if (r == -ENOTTY || r == -EINVAL || r == -ENOSYS)
                        return error_set(error, -ENODEV, "%s: not a GPIO chip", path);
                return error_set(error, r, "%s: %s", path, strerror(-r));
        }
        strcpy(info.path, path);
        *ret_fd = fd;
        *ret = info;
        return 0;
}
