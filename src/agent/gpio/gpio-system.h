/* agent/gpio/gpio-system.h - the system calls that reach GPIO chips, as a table.
 *
 * What stands between our code and the kernel, so that tests can put a kernel of
 * their own there. All return what the call returns, or -errno. */
#pragma once

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct gpio_system {
        void *owner;
        const char *devices; /* folder: "/dev" */

        /* For reading and writing, closed at exec, never waiting. */
        int (*open)(void *owner, const char *path);
        void (*close)(void *owner, int fd);
        int (*stat)(void *owner, const char *path, struct stat *ret);
        int (*ioctl)(void *owner, int fd, unsigned long request, void *argument);
        ssize_t (*read)(void *owner, int fd, void *bytes, size_t count);
        /* From here on reads return -EAGAIN instead of waiting. */
        int (*set_nonblocking)(void *owner, int fd);
};

extern const struct gpio_system gpio_system_kernel;
