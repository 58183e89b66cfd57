#include "supervisor/run-dir.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define DEFAULT_PATH "/run/pifleet"

static const char *default_path(void)
{
        const char *path = getenv("RUNTIME_DIRECTORY");

        /* More than one are separated by colons: none of them is meant more. */
        return path && path[0] == '/' && !strchr(path, ':') ? path : DEFAULT_PATH;
}

int run_dir_open(const char *path, int *ret_fd, struct error *error)
{
        AUTO_CLOSE int fd = -1;

        if (!path)
                path = default_path();
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return error_set(error, -errno, "cannot make %s: %s", path, strerror(errno));
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(error, -errno, "cannot open %s: %s", path, strerror(errno));
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return error_set(error, -EBUSY,
                                         "another pifleet-supervisor uses %s: stop it, or give "
                                         "this one a --run-dir of its own",
                                         path);
                return error_set(error, -errno, "cannot lock %s: %s", path, strerror(errno));
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}
